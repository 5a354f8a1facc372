//! OpenCode's database: `~/.local/share/opencode/opencode.db`, SQLite.
//!
//! Nothing in its folder is made, changed or checkpointed ([`open`] says how), and rows that are
//! only in the WAL are seen. A session's lines are made of its rows; see
//! [`dialect::opencode`](crate::agents::opencode).

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::types::{Value, ValueRef};

use super::gather::Gather;
use super::message::{self, Place};
use super::{Listing, ProviderMessage, ProviderProblem, ProviderSession, ProviderSummary, Scan};
use super::{SessionProvider, sorted};
use crate::agents::home::no_session;
use crate::agents::opencode::open::{self, Database};
use crate::agents::opencode::tables::{
    BOUNDS, Bounds, SessionName, SessionRow, Tables, message_count,
};
use crate::agents::opencode::values::{self, value_text};
use crate::agents::opencode::{OpenCode, content, session_lines};
use crate::agents::{Dialect as _, DocumentLines};
use crate::model::error::{Error, Result};
use crate::model::limits::LINE_BYTES_MAX;

/// The agent's name.
const AGENT: &str = "opencode";

/// Why a row that is there cannot be read: it was deleted meanwhile, or has no such id as text.
const NOT_FOUND: &str = "is not found by its id; it is left out";

/// A session of a database, as lines.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSession {
    /// Its id.
    pub id: String,
    /// The folder that it works in.
    pub project: Option<String>,
    /// Its lines.
    pub document: DocumentLines,
    /// What of it is left out, or is not as it was.
    pub problems: Vec<String>,
}

/// Reads every session of a database, one after the other, each in a transaction of its own.
/// Returns what is left out beside what the sessions' own problems say.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read, is no database, or lacks a table or column without
/// which no message can be read; [`Error::Busy`] if another program is in the way for too long;
/// and the errors of `visit`, which end the reading.
pub(crate) fn read_database(
    path: &Path,
    visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<Vec<String>> {
    read_bounded(path, BOUNDS, visit)
}

fn read_bounded(
    path: &Path,
    bounds: Bounds,
    visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<Vec<String>> {
    let mut database = Database::open(path)?;
    let (tables, sessions, mut problems) = sessions(&mut database, bounds)?;
    for session in sessions {
        let read = database.read(|connection| whole(&tables, connection, &session.name, bounds))?;
        match read {
            Some(session) => visit(session)?,
            None => problems.push(format!("session `{}`: {NOT_FOUND}", session.name)),
        }
    }
    Ok(problems)
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
    for id in messages {
        if bytes >= bounds.bytes {
            let (limit, count) = (bounds.bytes, lines.len());
            problems.push(format!(
                "is larger than {limit} bytes; its messages after the first {count} are left out"
            ));
            break;
        }
        let left = Bounds {
            bytes: bounds.bytes - bytes,
            ..bounds
        };
        if let Some(line) = tables.line(connection, &session.name, &id, left)? {
            bytes = bytes.saturating_add(line.bytes.len());
            problems.extend(line.problems);
            lines.push(line.bytes);
        } else {
            let id = value_text(&ValueRef::from(&id)).unwrap_or_default();
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

fn sessions(
    database: &mut Database,
    bounds: Bounds,
) -> Result<(Tables, Vec<SessionName>, Vec<String>)> {
    database.read(|connection| {
        let tables = Tables::of(connection)?;
        let (sessions, problems) = tables.sessions(connection, bounds)?;
        Ok((tables, sessions, problems))
    })
}

/// Reads the sessions of OpenCode's database where it lies.
///
/// The database is opened for each call, and closed again.
///
/// Only tables are read, no views. Of a database a million sessions are read, of a session a
/// million messages, of a message a million parts and 512 MiB; a row of more than
/// [`LINE_BYTES_MAX`] bytes is left out. A listing's problems name
/// what is left out. A read that has no end is stopped after some 20 seconds.
#[derive(Clone, Debug)]
pub struct OpenCodeProvider {
    database: PathBuf,
}

impl OpenCodeProvider {
    /// Reads the database at that path (`opencode.db`). It need not be there yet.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
        }
    }

    /// The path of the database.
    pub fn database_path(&self) -> &Path {
        &self.database
    }

    /// The database; `None` if there is none.
    fn open(&self) -> Result<Option<Database>> {
        if !self.database.try_exists().unwrap_or(true) {
            return Ok(None);
        }
        Database::open(&self.database).map(Some)
    }

    fn list(&self, project: Option<&str>) -> Result<Listing> {
        let mut listing = Listing::default();
        let Some(mut database) = self.open()? else {
            return Ok(listing);
        };
        let problem = |about: String, error| ProviderProblem {
            agent: AGENT.to_owned(),
            about,
            error,
        };
        let (tables, rows, left_out) = sessions(&mut database, BOUNDS)?;
        for reason in left_out {
            let reason = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
            let about = self.database.display().to_string();
            let error = open::failed(&self.database, reason);
            listing.problems.push(problem(about, error));
        }
        for row in rows {
            if project.is_some_and(|project| row.directory.as_deref().unwrap_or("") != project) {
                continue;
            }
            match database.read(|connection| summary(&tables, connection, &row.name)) {
                Ok(Some((summary, unread))) => {
                    listing.sessions.push(summary);
                    for (about, reason) in unread {
                        let reason = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
                        let error = open::failed(&self.database, reason);
                        listing.problems.push(problem(about, error));
                    }
                }
                Ok(None) => {
                    let reason = std::io::Error::new(std::io::ErrorKind::InvalidData, NOT_FOUND);
                    let error = open::failed(&self.database, reason);
                    listing.problems.push(problem(row.name, error));
                }
                Err(error) => listing.problems.push(problem(row.name, error)),
            }
        }
        listing.sessions = sorted(listing.sessions);
        Ok(listing)
    }

    /// The rows that a session is read from.
    fn session(&self, id: &str) -> Result<(Database, Tables, SessionRow, Vec<Value>)> {
        let missing = || no_session(AGENT, id);
        let mut database = self.open()?.ok_or_else(missing)?;
        let found = database.read(|connection| {
            let tables = Tables::of(connection)?;
            let Some(row) = tables.session(connection, id)? else {
                return Ok(None);
            };
            let (messages, _) = tables.messages(connection, &row.id, BOUNDS)?;
            Ok(Some((tables, row, messages)))
        })?;
        let (tables, row, messages) = found.ok_or_else(missing)?;
        Ok((database, tables, row, messages))
    }

    /// Reads a session's messages, one at a time.
    fn walk(
        database: &mut Database,
        (tables, row, messages): (&Tables, &SessionRow, &[Value]),
        gather: &mut Gather,
        visit: &mut dyn FnMut(ProviderMessage) -> ControlFlow<()>,
    ) -> Result<bool> {
        let (header, trailer) = session_lines(&row.info);
        for line in std::iter::once(&header).chain(&trailer) {
            gather.add(&OpenCode.describe(line));
        }
        for (at, id) in messages.iter().enumerate() {
            let line =
                database.read(|connection| tables.line(connection, &row.name, id, BOUNDS))?;
            let Some(line) = line.map(|line| line.bytes) else {
                continue;
            };
            gather.add(&OpenCode.describe(&line));
            let raw = line.strip_suffix(b"\n").unwrap_or(&line);
            for (index, message) in OpenCode.messages(&line).into_iter().enumerate() {
                let place = Place {
                    number: at as u64 + 1,
                    index,
                };
                let message = message::provided(AGENT, &row.name, place, raw, message);
                if visit(message).is_break() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// What is left out of a session: what it is about, and the reason.
type LeftOut = Vec<(String, String)>;

/// A session's summary, without reading more than its first messages, and what of the session
/// is left out; `None` if it is gone.
fn summary(
    tables: &Tables,
    connection: &rusqlite::Connection,
    id: &str,
) -> rusqlite::Result<Option<(ProviderSummary, LeftOut)>> {
    let Some(row) = tables.session(connection, id)? else {
        return Ok(None);
    };
    let mut gather = Gather::default();
    let (header, trailer) = session_lines(&row.info);
    for line in std::iter::once(&header).chain(&trailer) {
        gather.add(&OpenCode.describe(line));
    }
    let (messages, more) = tables.messages(connection, &row.id, BOUNDS)?;
    for message in messages {
        if gather.has_first_prompt() {
            break;
        }
        if let Some(line) = tables.line(connection, &row.name, &message, BOUNDS)? {
            gather.add(&OpenCode.describe(&line.bytes));
        }
    }
    let mut left_out: LeftOut = row
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
    let mut summary = gather.summary(AGENT, &row.name);
    summary.message_count = message_count(connection, &row.id)?;
    Ok(Some((summary, left_out)))
}

impl SessionProvider for OpenCodeProvider {
    fn agent_type(&self) -> &str {
        AGENT
    }

    fn list_projects(&self) -> Result<Vec<String>> {
        let Some(mut database) = self.open()? else {
            return Ok(Vec::new());
        };
        let (_, sessions, _) = sessions(&mut database, BOUNDS)?;
        let mut projects: Vec<String> = sessions
            .into_iter()
            .map(|session| session.directory.unwrap_or_default())
            .collect();
        projects.sort();
        projects.dedup();
        Ok(projects)
    }

    fn list_sessions(&self, project: &str) -> Result<Listing> {
        let listing = self.list(Some(project))?;
        if listing.sessions.is_empty() && listing.problems.is_empty() {
            return Err(Error::ProjectNotFound {
                agent: AGENT.to_owned(),
                project: project.to_owned(),
            });
        }
        Ok(listing)
    }

    fn list_all(&self) -> Result<Listing> {
        self.list(None)
    }

    fn read_session(&self, id: &str) -> Result<ProviderSession> {
        let (mut database, tables, row, ids) = self.session(id)?;
        let mut gather = Gather::default();
        let mut messages = Vec::new();
        let mut keep = |message| {
            messages.push(message);
            ControlFlow::Continue(())
        };
        Self::walk(&mut database, (&tables, &row, &ids), &mut gather, &mut keep)?;
        let version = row.info.iter().find(|(key, _)| key == "version");
        Ok(ProviderSession {
            summary: gather.summary(AGENT, &row.name),
            version: version.map(|(_, json)| json.trim_matches('"').to_owned()),
            messages,
        })
    }

    fn scan_messages(
        &self,
        id: &str,
        visit: &mut dyn FnMut(ProviderMessage) -> ControlFlow<()>,
    ) -> Result<Scan> {
        let (mut database, tables, row, ids) = self.session(id)?;
        let mut gather = Gather::default();
        let stopped = Self::walk(&mut database, (&tables, &row, &ids), &mut gather, visit)?;
        Ok(Scan {
            stopped,
            unread_lines: gather.unread_lines(),
        })
    }
}
