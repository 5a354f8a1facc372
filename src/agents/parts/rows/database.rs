//! A database of an agent that names its tables, open for reading. Each session is read from one snapshot.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use super::named::Tables;
use super::reading::{Found, Made};
use crate::agents::database::{
    Database, DatabaseSession, EachLine, Listed, NOT_FOUND, Outline, Walked,
};
use crate::agents::document::DocumentLines;
use crate::agents::parts::sqlite::open::Database as File;
use crate::agents::parts::sqlite::sql::Bounds;
use crate::agents::parts::sqlite::values::value_text;
use crate::agents::parts::{lines, titles};
use crate::model::error::Result;

/// A database that is open.
///
/// Only tables are read, no views. Of a database a million sessions are read, of a session a million messages
/// and 512 MiB. A read that has no end is stopped after some 20 seconds.
pub(super) struct Opened {
    file: File,
    tables: &'static [&'static Tables],
    bounds: Bounds,
    /// The folder that all sessions work in, where no table says it.
    project: Option<String>,
}

impl Opened {
    pub(super) fn bounded(
        path: &Path,
        tables: &'static [&'static Tables],
        (bounds, project): (Bounds, Option<String>),
    ) -> Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            tables,
            bounds,
            project,
        })
    }

    fn message(&mut self, found: &Found, key: &Value) -> Result<Option<Made>> {
        self.file.read(|connection| found.message(connection, key))
    }
}

/// The sets of tables that are there; if none is, what is missing of the last.
fn found(
    connection: &Connection,
    tables: &'static [&'static Tables],
) -> rusqlite::Result<Vec<Found>> {
    let (mut all, mut missing) = (Vec::new(), None);
    for tables in tables {
        match Found::of(connection, tables) {
            Ok(found) => all.push(found),
            // Versions of an agent have other sets of tables: one that is there is enough.
            Err(error @ rusqlite::Error::InvalidColumnName(_)) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing.filter(|_| all.is_empty()) {
        Some(error) => Err(error),
        None => Ok(all),
    }
}

/// The set that has a session, with the lines about it.
type Held = (Found, Made, Option<Made>);

/// The first set of tables that has a session.
fn held(
    connection: &Connection,
    tables: &'static [&'static Tables],
    id: &str,
) -> rusqlite::Result<Option<Held>> {
    for found in found(connection, tables)? {
        if let Some((header, trailer)) = found.session(connection, id)? {
            return Ok(Some((found, header, trailer)));
        }
    }
    Ok(None)
}

impl Database for Opened {
    fn sessions(&mut self) -> Result<(Vec<Listed>, Vec<String>)> {
        let (tables, bounds) = (self.tables, self.bounds);
        let (names, problems) = self.file.read(|connection| {
            let (mut names, mut problems) = (Vec::new(), Vec::new());
            for found in found(connection, tables)? {
                let (more, left_out) = found.names(connection, bounds)?;
                names.extend(more);
                problems.extend(left_out);
            }
            Ok((names, problems))
        })?;
        let mut names: Vec<(String, Option<String>)> = names;
        names.sort_by(|a, b| a.0.cmp(&b.0));
        // An upgraded database may have a session in both sets.
        names.dedup_by(|a, b| a.0 == b.0);
        let listed = names.into_iter().map(|(id, project)| Listed {
            id,
            project: project.or_else(|| self.project.clone()),
        });
        Ok((listed.collect(), problems))
    }

    fn session(&mut self, id: &str) -> Result<Option<DatabaseSession>> {
        let (tables, bounds) = (self.tables, self.bounds);
        let own_folder = self.project.clone();
        self.file.read(|connection| {
            let Some((found, header, trailer)) = held(connection, tables, id)? else {
                return Ok(None);
            };
            let mut problems = header.problems;
            let mut lines = vec![header.line];
            let mut bytes: usize = lines.iter().map(Vec::len).sum();
            let (keys, more) = found.message_keys(connection, id, bounds)?;
            problems.extend(more);
            // One message at a time, so that a session past the bound is cut and not read whole.
            for key in &keys {
                if bytes >= bounds.bytes {
                    let (limit, count) = (bounds.bytes, lines.len() - 1);
                    problems.push(format!(
                        "is larger than {limit} bytes; its messages after the first {count} are left out"
                    ));
                    break;
                }
                let name = || value_text(&ValueRef::from(key)).unwrap_or_default();
                let Some(made) = found.message(connection, key)? else {
                    problems.push(format!("message `{}`: {NOT_FOUND}", name()));
                    continue;
                };
                let about = |problem| format!("message `{}`: {problem}", name());
                problems.extend(made.problems.into_iter().map(about));
                bytes = bytes.saturating_add(made.line.len());
                lines.push(made.line);
            }
            let trailer = trailer.map(|made| {
                problems.extend(made.problems);
                made.line
            });
            let document = DocumentLines {
                lines,
                trailer,
                ..DocumentLines::default()
            };
            Ok(Some(DatabaseSession {
                id: id.to_owned(),
                project: found.project(connection, id)?.or_else(|| own_folder.clone()),
                // The agent writes on the rows of a turn until it is over, so these are replaced as
                // they grow.
                document: document.with_open_turn(found.format()),
                problems,
            }))
        })
    }

    fn outline(&mut self, id: &str) -> Result<Option<Outline>> {
        let (tables, bounds) = (self.tables, self.bounds);
        self.file.read(|connection| {
            let Some((found, header, trailer)) = held(connection, tables, id)? else {
                return Ok(None);
            };
            let mut left_out = Vec::new();
            let mut lines = Vec::new();
            for made in std::iter::once(header).chain(trailer) {
                left_out.extend(made.problems);
                lines.push(made.line);
            }
            let (keys, more) = found.message_keys(connection, id, bounds)?;
            left_out.extend(more);
            for key in &keys {
                let Some(made) = found.message(connection, key)? else {
                    continue;
                };
                left_out.extend(made.problems);
                let title = lines::describe(found.format(), &made.line, None)
                    .facts
                    .title;
                // An outline needs the title alone: most sessions have it in their first message.
                let is_first = title.is_some_and(|offer| offer.rank == titles::FIRST_MESSAGE);
                lines.push(made.line);
                if is_first {
                    break;
                }
            }
            let about = |reason| (id.to_owned(), reason);
            Ok(Some(Outline {
                lines,
                messages: keys.len() as u64,
                left_out: left_out.into_iter().map(about).collect(),
            }))
        })
    }

    fn walk(&mut self, id: &str, each: &mut EachLine<'_>) -> Result<Option<Walked>> {
        let (tables, bounds) = (self.tables, self.bounds);
        // Each line in a read of its own: what runs within one may run again, and a line that was
        // handed out cannot be taken back.
        let started = self.file.read(|connection| {
            let Some((found, header, trailer)) = held(connection, tables, id)? else {
                return Ok(None);
            };
            let (keys, _) = found.message_keys(connection, id, bounds)?;
            Ok(Some((found, header, trailer, keys)))
        })?;
        let Some((found, header, trailer, keys)) = started else {
            return Ok(None);
        };
        let walked = |stopped| {
            let version = None;
            Ok(Some(Walked { version, stopped }))
        };
        for made in std::iter::once(&header).chain(&trailer) {
            if each(None, &made.line).is_break() {
                return walked(true);
            }
        }
        for (number, key) in (1..).zip(&keys) {
            let Some(made) = self.message(&found, key)? else {
                continue;
            };
            if each(Some(number), &made.line).is_break() {
                return walked(true);
            }
        }
        walked(false)
    }
}
