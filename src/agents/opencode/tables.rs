//! OpenCode's tables as lines of its dialect: `session`, `message` and `part`, and those that later
//! versions add beside them and go on with: `session_v2` and `session_message`. A database that was
//! upgraded has both, so where a session is read from is decided by session.
//!
//! - Columns that are not there are left out, as far as a session can be read without them.
//! - A value that is no JSON object is kept as a text; one that is too large leaves its size.
//! - Messages are in the order of (time of creation, id), parts in that of their ids.
//! - Only tables are read: a view or a virtual table runs a program of whoever made it.
//! - What is left out is a problem that names the message and the part.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::first::FirstTables;
use super::later::LaterTable;
use crate::agents::parts::sqlite::sql::{
    Bounds, Line, NAME_BYTES_MAX, capped, columns, needs, quoted,
};
use crate::agents::parts::sqlite::values::{too_large, value_json, value_text};

/// Columns of a session whose name in OpenCode's own JSON is another one.
const RENAMED: [(&str, &str); 4] = [
    ("project_id", "projectID"),
    ("workspace_id", "workspaceID"),
    ("parent_id", "parentID"),
    ("share_url", "share"),
];

/// Columns of times start so; in JSON they are the fields of `time`.
const TIME: &str = "time_";

/// Bytes of a session's column that are read, at most.
const COLUMN_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a session's columns that are read, at most: a table can have 2000.
const COLUMNS_BYTES_MAX: usize = 16 * COLUMN_BYTES_MAX;

/// Tables of sessions, the newer first.
const SESSIONS: [&str; 2] = ["session_v2", "session"];

/// The columns of the tables.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// The tables of sessions that are there.
    sessions: Vec<(&'static str, Vec<String>)>,
    /// The first tables of messages, if they are there.
    first: Option<FirstTables>,
    /// The later one.
    later: Option<LaterTable>,
}

/// Where a session's messages lie, and their ids in their order.
#[derive(Clone, Debug)]
pub(crate) struct MessageIds {
    pub ids: Vec<Value>,
    is_later: bool,
}

/// A session in the list of all.
#[derive(Clone, Debug)]
pub(crate) struct SessionName {
    /// The id as text.
    pub name: String,
    /// The folder that it works in.
    pub directory: Option<String>,
}

/// A row of `session`.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    /// The id as it is stored.
    pub id: Value,
    /// The id as text.
    pub name: String,
    /// The fields of its `info`, as JSON.
    pub info: Vec<(String, String)>,
    /// The folder that it works in.
    pub directory: Option<String>,
    /// Columns that could not be taken.
    pub problems: Vec<String>,
}

impl Tables {
    /// Looks at the tables.
    ///
    /// # Errors
    ///
    /// What SQLite says, or that a column is not there without which nothing can be read.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let mut sessions = Vec::new();
        for table in SESSIONS {
            let found = columns(connection, table)?;
            if !found.is_empty() {
                needs(table, &found, &["id"])?;
                sessions.push((table, found));
            }
        }
        // Asked for once more, for the error that names what is missing.
        if sessions.is_empty() {
            needs("session", &[], &["id"])?;
        }
        let later = LaterTable::of(connection)?;
        let first = FirstTables::of(connection, later.is_none())?;
        Ok(Self {
            sessions,
            first,
            later,
        })
    }

    /// Every session in the order of the ids, and what is left out.
    pub(crate) fn sessions(
        &self,
        connection: &Connection,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<SessionName>, Vec<String>)> {
        let (mut sessions, mut problems) = (Vec::new(), Vec::new());
        let (mut skipped, mut bytes) = (0_usize, 0_usize);
        'tables: for (table, columns) in &self.sessions {
            let directory = if columns.iter().any(|column| column == "directory") {
                capped("directory", NAME_BYTES_MAX)
            } else {
                "NULL".to_owned()
            };
            let id = capped("id", NAME_BYTES_MAX);
            let mut statement =
                connection.prepare(&format!("SELECT {id}, {directory} FROM \"{table}\""))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                // Rows without an id count too: a table of nothing else would be read to its end.
                if sessions.len() + skipped >= bounds.rows || bytes >= bounds.bytes {
                    problems.push(format!(
                        "has more than {} sessions; the others are left out",
                        sessions.len() + skipped
                    ));
                    break 'tables;
                }
                let Some(name) = value_text(&row.get_ref(0)?).filter(|name| !name.is_empty())
                else {
                    skipped += 1;
                    continue;
                };
                let directory = value_text(&row.get_ref(1)?).filter(|path| !path.is_empty());
                bytes = bytes.saturating_add(name.len());
                bytes = bytes.saturating_add(directory.as_ref().map_or(0, String::len));
                sessions.push(SessionName { name, directory });
            }
        }
        if skipped > 0 {
            problems.push(format!("{skipped} sessions without an id"));
        }
        // An upgraded database has a session in both tables: one of the two names is enough.
        sessions.sort_by(|a, b| a.name.cmp(&b.name));
        sessions.dedup_by(|a, b| a.name == b.name);
        Ok((sessions, problems))
    }

    /// The session with that id.
    pub(crate) fn session(
        &self,
        connection: &Connection,
        id: &str,
    ) -> rusqlite::Result<Option<SessionRow>> {
        for (table, columns) in &self.sessions {
            let select = |condition: &str| select_session(table, columns, condition);
            let mut statement = connection.prepare_cached(&select("WHERE \"id\" = ?1"))?;
            let found = statement.query_row([id], |row| session_row(row, columns));
            if let Some(found) = found.optional()? {
                return Ok(found);
            }
            // A column without a type can hold it as a number.
            let Some(number) = id.parse::<i64>().ok().filter(|n| n.to_string() == id) else {
                continue;
            };
            let found = statement.query_row([number], |row| session_row(row, columns));
            if let Some(found) = found.optional()?.flatten() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The ids of a session's messages in their order, and what is left out.
    pub(crate) fn messages(
        &self,
        connection: &Connection,
        session: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<(MessageIds, Option<String>)> {
        // By the session, and not by the database: one that was not gone on with since the upgrade
        // has rows in the first tables alone.
        if let Some(later) = &self.later
            && (self.first.is_none() || later.message_count(connection, session)? > 0)
        {
            let (ids, more) = later.messages(connection, session, bounds)?;
            let is_later = true;
            return Ok((MessageIds { ids, is_later }, more));
        }
        let (ids, more) = match &self.first {
            Some(first) => first.messages(connection, session, bounds)?,
            None => (Vec::new(), None),
        };
        let is_later = false;
        Ok((MessageIds { ids, is_later }, more))
    }

    /// How many messages a session has.
    pub(crate) fn message_count(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<u64> {
        let later = match &self.later {
            Some(later) => later.message_count(connection, session)?,
            None => 0,
        };
        match &self.first {
            Some(first) if later == 0 => first.message_count(connection, session),
            _ => Ok(later),
        }
    }

    /// The line of a message; `None` if it is gone.
    pub(crate) fn line(
        &self,
        connection: &Connection,
        session: &str,
        (messages, id): (&MessageIds, &Value),
        bounds: Bounds,
    ) -> rusqlite::Result<Option<Line>> {
        match (&self.first, &self.later) {
            (_, Some(later)) if messages.is_later => later.line(connection, session, id),
            (Some(first), _) => first.line(connection, session, id, bounds),
            _ => Ok(None),
        }
    }

    /// The messages and parts of a session that are too large to be read: the ids of the message
    /// and the part, and how many bytes. Their content is not touched.
    pub(crate) fn too_large(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<Vec<(String, Option<String>, u64)>> {
        match (&self.first, &self.later) {
            (_, Some(later)) if later.message_count(connection, session)? > 0 => {
                later.too_large(connection, session)
            }
            (Some(first), _) => first.too_large(connection, session),
            _ => Ok(Vec::new()),
        }
    }
}

fn select_session(table: &str, columns: &[String], condition: &str) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            let value = capped(column, COLUMN_BYTES_MAX);
            format!("{value}, octet_length({})", quoted(column))
        })
        .collect();
    format!("SELECT {} FROM \"{table}\" {condition}", columns.join(", "))
}

fn session_row(row: &Row<'_>, columns: &[String]) -> rusqlite::Result<Option<SessionRow>> {
    let mut session = SessionRow {
        id: Value::Null,
        name: String::new(),
        info: Vec::new(),
        directory: None,
        problems: Vec::new(),
    };
    let mut times = Vec::new();
    let mut total = 0_usize;
    for (at, column) in columns.iter().enumerate() {
        // Behind each column stands its size.
        let value = row.get_ref(2 * at)?;
        let bytes: Option<i64> = row.get(2 * at + 1)?;
        let size = bytes.map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let limit = COLUMN_BYTES_MAX.min(COLUMNS_BYTES_MAX.saturating_sub(total));
        if size > limit {
            let problem = too_large(size as u64, limit as u64);
            session
                .problems
                .push(format!("column `{column}`: {problem}"));
            continue;
        }
        total = total.saturating_add(size);
        match column.as_str() {
            "id" => {
                // An id that is no text cannot be asked for, and counts as none.
                if let Ok(id) = Value::try_from(value) {
                    session.id = id;
                    session.name = value_text(&value).unwrap_or_default();
                }
            }
            "directory" => session.directory = value_text(&value).filter(|path| !path.is_empty()),
            _ => {}
        }
        let json = if column == "id" {
            value_text(&value).map(|id| serde_json::Value::from(id).to_string())
        } else {
            value_json(&value)
        };
        let Some(json) = json else { continue };
        if let Some(time) = column.strip_prefix(TIME) {
            times.push(format!("{}:{json}", serde_json::Value::from(time)));
            continue;
        }
        let renamed = RENAMED.iter().find(|(name, _)| name == column);
        let key = renamed.map_or(column.as_str(), |(_, key)| key);
        session.info.push((key.to_owned(), json));
    }
    if !times.is_empty() {
        let times = format!("{{{}}}", times.join(","));
        session.info.push(("time".to_owned(), times));
    }
    Ok((!session.name.is_empty()).then_some(session))
}
