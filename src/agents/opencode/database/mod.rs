//! OpenCode's database: `~/.local/share/opencode/opencode.db`, SQLite.
//!
//! Nothing in its folder is made, changed or checkpointed ([`open`](crate::agents::parts::sqlite::open) says how), and
//! rows that are only in the WAL are seen. A session's lines are made of its rows.

#[cfg(test)]
mod tests;

use std::path::Path;

use rusqlite::types::ValueRef;

use super::reading::OpenCode;
use super::tables::Tables;
use super::writing::{content, session_lines};
use crate::agents::database::{
    Database, DatabaseSession, EachLine, Listed, NOT_FOUND, Outline, Walked,
};
use crate::agents::parts::sqlite::open::Database as File;
use crate::agents::parts::sqlite::sql::{BOUNDS, Bounds};
use crate::agents::parts::sqlite::values::{self, value_text};
use crate::agents::parts::{lines, titles};
use crate::model::error::Result;
use crate::model::limits::LINE_BYTES_MAX;

/// Opens a database for reading.
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if it cannot be read or is no database.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Database>> {
    Ok(Box::new(Opened::bounded(path, BOUNDS)?))
}

/// A database that is open.
///
/// Only tables are read, no views. Of a database a million sessions are read, of a session a
/// million messages, of a message a million parts and 512 MiB; a row of more than
/// [`LINE_BYTES_MAX`] bytes is left out. A read that has no end is stopped after some 20 seconds.
struct Opened {
    file: File,
    bounds: Bounds,
    /// Its tables, once they were looked at.
    tables: Option<Tables>,
}

impl Opened {
    fn bounded(path: &Path, bounds: Bounds) -> Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            bounds,
            tables: None,
        })
    }

    fn with_tables(&mut self) -> Result<(&mut File, &Tables)> {
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => self.file.read(Tables::of)?,
        };
        Ok((&mut self.file, self.tables.insert(tables)))
    }
}

impl Database for Opened {
    fn sessions(&mut self) -> Result<(Vec<Listed>, Vec<String>)> {
        let bounds = self.bounds;
        let (tables, sessions, problems) = self.file.read(|connection| {
            let tables = Tables::of(connection)?;
            let (sessions, problems) = tables.sessions(connection, bounds)?;
            Ok((tables, sessions, problems))
        })?;
        self.tables = Some(tables);
        let listed = sessions.into_iter().map(|session| Listed {
            id: session.name,
            project: session.directory,
        });
        Ok((listed.collect(), problems))
    }

    fn session(&mut self, id: &str) -> Result<Option<DatabaseSession>> {
        let bounds = self.bounds;
        let (file, tables) = self.with_tables()?;
        file.read(|connection| whole(tables, connection, id, bounds))
    }

    fn outline(&mut self, id: &str) -> Result<Option<Outline>> {
        let bounds = self.bounds;
        let (file, tables) = self.with_tables()?;
        file.read(|connection| outline(tables, connection, id, bounds))
    }

    fn walk(&mut self, id: &str, each: &mut EachLine<'_>) -> Result<Option<Walked>> {
        let bounds = self.bounds;
        // Each line in a read of its own: what runs within one may run again, and a line that was
        // handed out cannot be taken back.
        let found = self.file.read(|connection| {
            let tables = Tables::of(connection)?;
            let Some(row) = tables.session(connection, id)? else {
                return Ok(None);
            };
            let (messages, _) = tables.messages(connection, &row.id, bounds)?;
            Ok(Some((tables, row, messages)))
        })?;
        let Some((tables, row, messages)) = found else {
            return Ok(None);
        };
        let version = row.info.iter().find(|(key, _)| key == "version");
        let walked = |stopped| {
            let version = version.map(|(_, json)| json.trim_matches('"').to_owned());
            Ok(Some(Walked { version, stopped }))
        };
        let (header, trailer) = session_lines(&row.info);
        for line in std::iter::once(&header).chain(&trailer) {
            if each(None, line).is_break() {
                return walked(true);
            }
        }
        for (number, id) in (1..).zip(&messages.ids) {
            let line = self
                .file
                .read(|connection| tables.line(connection, &row.name, (&messages, id), bounds))?;
            let Some(line) = line else { continue };
            if each(Some(number), &line.bytes).is_break() {
                return walked(true);
            }
        }
        walked(false)
    }
}

/// A session with all of its lines.
fn whole(
    tables: &Tables,
    connection: &rusqlite::Connection,
    id: &str,
    bounds: Bounds,
) -> rusqlite::Result<Option<DatabaseSession>> {
    let Some(session) = tables.session(connection, id)? else {
        return Ok(None);
    };
    let mut problems = session.problems;
    let (messages, more) = tables.messages(connection, &session.id, bounds)?;
    problems.extend(more);
    let fields = session.info.iter();
    let mut bytes: usize = fields.map(|(name, value)| name.len() + value.len()).sum();
    let mut lines = Vec::new();
    for id in &messages.ids {
        // Beyond the bound nothing more is read: a database may hold one session of many gigabytes.
        if bytes >= bounds.bytes {
            let (limit, count) = (bounds.bytes, lines.len());
            problems.push(format!(
                "is larger than {limit} bytes; its messages after the first {count} are left out"
            ));
            break;
        }
        // What is left of the session's bound is that of the next message.
        let left = Bounds {
            bytes: bounds.bytes - bytes,
            ..bounds
        };
        if let Some(line) = tables.line(connection, &session.name, (&messages, id), left)? {
            bytes = bytes.saturating_add(line.bytes.len());
            problems.extend(line.problems);
            lines.push(line.bytes);
        } else {
            let id = value_text(&ValueRef::from(id)).unwrap_or_default();
            problems.push(format!("message `{id}`: {NOT_FOUND}"));
        }
    }
    Ok(Some(DatabaseSession {
        id: session.name,
        project: session.directory,
        document: content(&session.info, lines),
        problems,
    }))
}

/// What a list shows of a session, without reading more than its first messages; `None` if it is
/// gone.
fn outline(
    tables: &Tables,
    connection: &rusqlite::Connection,
    id: &str,
    bounds: Bounds,
) -> rusqlite::Result<Option<Outline>> {
    let Some(row) = tables.session(connection, id)? else {
        return Ok(None);
    };
    let (header, trailer) = session_lines(&row.info);
    let mut lines: Vec<Vec<u8>> = std::iter::once(header).chain(trailer).collect();
    let (messages, more) = tables.messages(connection, &row.id, bounds)?;
    for message in &messages.ids {
        // A title needs the first prompt and nothing behind it.
        if lines.last().is_some_and(|line| is_first_prompt(line)) {
            break;
        }
        let line = tables.line(connection, &row.name, (&messages, message), bounds)?;
        lines.extend(line.map(|line| line.bytes));
    }
    let mut left_out: Vec<(String, String)> = row
        .problems
        .into_iter()
        .chain(more)
        .map(|reason| (row.name.clone(), reason))
        .collect();
    for (message, part, bytes) in tables.too_large(connection, &row.id)? {
        let part = part.map_or_else(String::new, |part| format!(", part {part}"));
        let about = format!("{}, message {message}{part}", row.name);
        left_out.push((about, values::too_large(bytes, LINE_BYTES_MAX as u64)));
    }
    let messages = tables.message_count(connection, &row.id)?;
    Ok(Some(Outline {
        lines,
        messages,
        left_out,
    }))
}

/// Whether a line is something that the user asked.
fn is_first_prompt(line: &[u8]) -> bool {
    let title = lines::describe(&OpenCode, line, None).facts.title;
    title.is_some_and(|offer| offer.rank == titles::FIRST_MESSAGE)
}
