//! OpenCode's tables as lines of its dialect: `session`, `message` and `part`.
//!
//! - Columns that are not there are left out, as far as a session can be read without them.
//! - A value that is no JSON object is kept as a text; one that is too large leaves its size.
//! - Messages are in the order of (time of creation, id), parts in that of their ids.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::dialect::opencode::{message_line, one_line, with_ids};
use crate::model::limits::LINE_BYTES_MAX;

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

/// The columns of the tables.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    session: Vec<String>,
    message: Vec<String>,
    part: Vec<String>,
}

/// A row of `session`.
#[derive(Clone, Debug)]
pub(super) struct SessionRow {
    /// The id as it is stored.
    pub id: Value,
    /// The id as text.
    pub name: String,
    /// The fields of its `info`, as JSON.
    pub info: Vec<(String, String)>,
    /// The folder that it works in.
    pub directory: Option<String>,
}

impl Tables {
    /// Looks at the tables.
    ///
    /// # Errors
    ///
    /// What SQLite says, or that a column is not there without which nothing can be read.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let tables = Self {
            session: columns(connection, "session")?,
            message: columns(connection, "message")?,
            part: columns(connection, "part")?,
        };
        for (table, found, needed) in [
            ("session", &tables.session, &["id"][..]),
            ("message", &tables.message, &["id", "session_id", "data"]),
            ("part", &tables.part, &["message_id", "data"]),
        ] {
            for column in needed {
                if !found.iter().any(|name| name == column) {
                    return Err(rusqlite::Error::InvalidColumnName(format!(
                        "{table}.{column}"
                    )));
                }
            }
        }
        Ok(tables)
    }

    /// Every session, with how many rows have no id; in the order of creation as far as it is
    /// known.
    pub(super) fn sessions(
        &self,
        connection: &Connection,
    ) -> rusqlite::Result<(Vec<SessionRow>, u64)> {
        let mut statement = connection.prepare(&self.select_session(""))?;
        let mut rows = statement.query([])?;
        let (mut sessions, mut skipped) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            match session_row(row, &self.session)? {
                Some(session) => sessions.push(session),
                None => skipped += 1,
            }
        }
        sessions.sort_by(|a, b| a.name.cmp(&b.name));
        sessions.dedup_by(|a, b| a.name == b.name);
        Ok((sessions, skipped))
    }

    /// The session with that id.
    pub(super) fn session(
        &self,
        connection: &Connection,
        id: &str,
    ) -> rusqlite::Result<Option<SessionRow>> {
        let mut statement = connection.prepare_cached(&self.select_session("WHERE \"id\" = ?1"))?;
        let found = statement.query_row([id], |row| session_row(row, &self.session));
        Ok(found.optional()?.flatten())
    }

    fn select_session(&self, condition: &str) -> String {
        let columns: Vec<String> = self
            .session
            .iter()
            .map(|column| capped(column, COLUMN_BYTES_MAX))
            .collect();
        format!("SELECT {} FROM \"session\" {condition}", columns.join(", "))
    }

    /// The ids of a session's messages, in their order.
    pub(super) fn messages(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<Vec<Value>> {
        let order = order(&self.message, &["time_created", "id"]);
        let sql = format!("SELECT \"id\" FROM \"message\" WHERE \"session_id\" = ?1 {order}");
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map([session], |row| row.get(0))?.collect()
    }

    /// The line of a message; `None` if it is gone.
    pub(super) fn line(
        &self,
        connection: &Connection,
        session: &str,
        message: &Value,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = format!(
            "SELECT {}, octet_length(\"data\") FROM \"message\" WHERE \"id\" = ?1",
            capped("data", LINE_BYTES_MAX)
        );
        let data = connection
            .prepare_cached(&sql)?
            .query_row([message], |row| data_of(row, 0))
            .optional()?;
        let Some(data) = data else {
            return Ok(None);
        };
        let id = value_text(&ValueRef::from(message)).unwrap_or_default();
        let info = with_ids(&data, &[("id", &id), ("sessionID", session)]);
        let part_id = if self.part.iter().any(|column| column == "id") {
            "\"id\""
        } else {
            "NULL"
        };
        let sql = format!(
            "SELECT {}, octet_length(\"data\"), {part_id} FROM \"part\" WHERE \"message_id\" = ?1 {}",
            capped("data", LINE_BYTES_MAX),
            order(&self.part, &["id"])
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([message])?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            let data = data_of(row, 0)?;
            let part = value_text(&row.get_ref(2)?).unwrap_or_default();
            let ids = [("id", &*part), ("sessionID", session), ("messageID", &*id)];
            parts.push(with_ids(&data, &ids));
        }
        Ok(Some(message_line(&info, &parts)))
    }
}

/// How many messages a session has.
pub(super) fn message_count(connection: &Connection, session: &Value) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM \"message\" WHERE \"session_id\" = ?1";
    let count: i64 = connection
        .prepare_cached(sql)?
        .query_row([session], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_info(?1)";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn quoted(column: &str) -> String {
    format!("\"{}\"", column.replace('"', "\"\""))
}

/// A column that is NULL where its value is larger than a bound, so that it is never loaded.
fn capped(column: &str, bytes_max: usize) -> String {
    let column = quoted(column);
    format!("CASE WHEN octet_length({column}) <= {bytes_max} THEN {column} END")
}

fn order(found: &[String], wanted: &[&str]) -> String {
    let columns: Vec<String> = wanted
        .iter()
        .filter(|column| found.iter().any(|name| name == *column))
        .map(|column| quoted(column))
        .collect();
    if columns.is_empty() {
        return String::new();
    }
    format!("ORDER BY {}", columns.join(", "))
}

/// The JSON in the column at `at`, behind which stands its size.
fn data_of(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    if let Some(text) = value_text(&row.get_ref(at)?) {
        return Ok(text);
    }
    let bytes: Option<i64> = row.get(at + 1)?;
    Ok(bytes.map_or_else(
        || "null".to_owned(),
        |bytes| format!("{{\"omittedBytes\":{bytes}}}"),
    ))
}

/// A value as text; bytes that are not UTF-8 are replaced. `None` for NULL.
fn value_text(value: &ValueRef<'_>) -> Option<String> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    })
}

/// A value as JSON: an object or array that is stored as text stays one. `None` for NULL.
fn value_json(value: &ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => serde_json::Number::from_f64(*number).map(|n| n.to_string()),
        value => {
            let text = value_text(value)?;
            let is_json = text.starts_with(['{', '['])
                && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            Some(if is_json {
                one_line(&text)
            } else {
                serde_json::Value::from(text).to_string()
            })
        }
    }
}

fn session_row(row: &Row<'_>, columns: &[String]) -> rusqlite::Result<Option<SessionRow>> {
    let mut session = SessionRow {
        id: Value::Null,
        name: String::new(),
        info: Vec::new(),
        directory: None,
    };
    let mut times = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let value = row.get_ref(at)?;
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
