//! OpenCode's database: `~/.local/share/opencode/opencode.db`, SQLite.
//!
//! Nothing in its folder is made, changed or checkpointed ([`open`] says how), and rows that are
//! only in the WAL are seen. A session's lines are made of its rows; see
//! [`dialect::opencode`](crate::dialect::opencode).

mod database;
mod open;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;

use self::database::{SessionRow, Tables, message_count};
use self::open::Database;
use super::gather::Gather;
use super::message::{self, Place};
use super::{Listing, ProviderMessage, ProviderProblem, ProviderSession, ProviderSummary, Scan};
use super::{SessionProvider, sorted};
use crate::dialect::opencode::{OpenCode, content, session_lines};
use crate::dialect::{Dialect as _, DocumentLines};
use crate::error::{Error, Result};

/// The agent's name.
const AGENT: &str = "opencode";

/// A session of a database, as lines.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSession {
    /// Its id.
    pub id: String,
    /// The folder that it works in.
    pub project: Option<String>,
    /// Its lines.
    pub document: DocumentLines,
}

/// Reads every session of a database, one after the other, each in a transaction of its own.
/// Rows of sessions without an id are passed over.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read, is no database, or lacks a table or column without
/// which no message can be read; [`Error::Busy`] if another program is in the way for too long;
/// and the errors of `visit`, which end the reading.
pub(crate) fn read_database(
    path: &Path,
    visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<()> {
    let mut database = Database::open(path)?;
    let (tables, sessions, skipped) = sessions(&mut database)?;
    if skipped > 0 {
        tracing::warn!(skipped, path = %path.display(), "sessions without an id");
    }
    for session in sessions {
        let read = database.read(|connection| {
            let Some(session) = tables.session(connection, &session.name)? else {
                return Ok(None);
            };
            let mut messages = Vec::new();
            for id in tables.messages(connection, &session.id)? {
                messages.extend(tables.line(connection, &session.name, &id)?);
            }
            let document = content(&session.info, messages);
            Ok(Some((session, document)))
        })?;
        // A session that was deleted meanwhile is none.
        if let Some((session, document)) = read {
            visit(DatabaseSession {
                id: session.name,
                project: session.directory,
                document,
            })?;
        }
    }
    Ok(())
}

fn sessions(database: &mut Database) -> Result<(Tables, Vec<SessionRow>, u64)> {
    database.read(|connection| {
        let tables = Tables::of(connection)?;
        let (sessions, skipped) = tables.sessions(connection)?;
        Ok((tables, sessions, skipped))
    })
}

/// Reads the sessions of OpenCode's database where it lies.
///
/// The database is opened for each call, and closed again.
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
        let (tables, rows, skipped) = sessions(&mut database)?;
        if skipped > 0 {
            listing.problems.push(ProviderProblem {
                agent: AGENT.to_owned(),
                about: self.database.display().to_string(),
                error: Error::InvalidKey {
                    agent: AGENT.to_owned(),
                    id: String::new(),
                    reason: format!("{skipped} sessions without an id"),
                },
            });
        }
        for row in rows {
            if project.is_some_and(|project| row.directory.as_deref().unwrap_or("") != project) {
                continue;
            }
            match database.read(|connection| summary(&tables, connection, &row)) {
                Ok(summary) => listing.sessions.push(summary),
                Err(error) => listing.problems.push(ProviderProblem {
                    agent: AGENT.to_owned(),
                    about: row.name,
                    error,
                }),
            }
        }
        listing.sessions = sorted(listing.sessions);
        Ok(listing)
    }

    /// The rows that a session is read from.
    fn session(&self, id: &str) -> Result<(Database, Tables, SessionRow, Vec<Value>)> {
        let missing = || message::no_session(AGENT, id);
        let mut database = self.open()?.ok_or_else(missing)?;
        let found = database.read(|connection| {
            let tables = Tables::of(connection)?;
            let Some(row) = tables.session(connection, id)? else {
                return Ok(None);
            };
            let messages = tables.messages(connection, &row.id)?;
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
            let line = database.read(|connection| tables.line(connection, &row.name, id))?;
            let Some(line) = line else { continue };
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

/// A session's summary, without reading more than its first messages.
fn summary(
    tables: &Tables,
    connection: &rusqlite::Connection,
    row: &SessionRow,
) -> rusqlite::Result<ProviderSummary> {
    let mut gather = Gather::default();
    let (header, trailer) = session_lines(&row.info);
    for line in std::iter::once(&header).chain(&trailer) {
        gather.add(&OpenCode.describe(line));
    }
    for id in tables.messages(connection, &row.id)? {
        if gather.has_first_prompt() {
            break;
        }
        if let Some(line) = tables.line(connection, &row.name, &id)? {
            gather.add(&OpenCode.describe(&line));
        }
    }
    let mut summary = gather.summary(AGENT, &row.name);
    summary.message_count = message_count(connection, &row.id)?;
    Ok(summary)
}

impl SessionProvider for OpenCodeProvider {
    fn agent_type(&self) -> &str {
        AGENT
    }

    fn list_projects(&self) -> Result<Vec<String>> {
        let Some(mut database) = self.open()? else {
            return Ok(Vec::new());
        };
        let (_, sessions, _) = sessions(&mut database)?;
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
