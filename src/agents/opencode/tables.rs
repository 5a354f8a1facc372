//! OpenCode's tables as lines of its dialect: `session`, `message` and `part`.
//!
//! - Columns that are not there are left out, as far as a session can be read without them.
//! - A value that is no JSON object is kept as a text; one that is too large leaves its size.
//! - Messages are in the order of (time of creation, id), parts in that of their ids.
//! - Only tables are read: a view or a virtual table runs a program of whoever made it.
//! - What is left out is a problem that names the message and the part.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, ffi};

use super::values::{data_of, too_large, value_json, value_text};
use super::writing::{message_line, with_ids};
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

/// Bytes of a session's columns that are read, at most: a table can have 2000.
const COLUMNS_BYTES_MAX: usize = 16 * COLUMN_BYTES_MAX;

/// Bytes of an id or a folder that are read for a list of sessions, at most.
const NAME_BYTES_MAX: usize = 64 * 1024;

/// Messages and parts of a session that are too large and named in a list, at most.
const LARGE_PARTS_MAX: usize = 100;

/// How much of a database is read at a time.
///
/// A file of a few pages can tell of any number of rows, since its pages can be linked to more
/// than once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Sessions of a database, messages of a session, parts of a message.
    pub rows: usize,
    /// Bytes of the ids and folders of all sessions, and of the lines of one.
    pub bytes: usize,
}

/// The bounds of all reading. What is beyond is left out, and is a problem.
pub(crate) const BOUNDS: Bounds = Bounds {
    rows: 1_000_000,
    bytes: 512 * 1024 * 1024,
};

/// The columns of the tables.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    session: Vec<String>,
    message: Vec<String>,
    part: Vec<String>,
    /// What tells the rows of `part` apart.
    part_key: &'static str,
}

/// A session in the list of all.
#[derive(Clone, Debug)]
pub(crate) struct SessionName {
    /// The id as text.
    pub name: String,
    /// The folder that it works in.
    pub directory: Option<String>,
}

/// A message with its parts.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its line.
    pub bytes: Vec<u8>,
    /// What of it could not be taken as it is.
    pub problems: Vec<String>,
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
        let tables = Self {
            session: columns(connection, "session")?,
            message: columns(connection, "message")?,
            part: columns(connection, "part")?,
            part_key: key(connection, "part")?,
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

    /// Every session in the order of the ids, and what is left out.
    pub(crate) fn sessions(
        &self,
        connection: &Connection,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<SessionName>, Vec<String>)> {
        let directory = if self.session.iter().any(|column| column == "directory") {
            capped("directory", NAME_BYTES_MAX)
        } else {
            "NULL".to_owned()
        };
        let id = capped("id", NAME_BYTES_MAX);
        let mut statement =
            connection.prepare(&format!("SELECT {id}, {directory} FROM \"session\""))?;
        let mut rows = statement.query([])?;
        let (mut sessions, mut problems) = (Vec::new(), Vec::new());
        let (mut skipped, mut bytes) = (0_usize, 0_usize);
        while let Some(row) = rows.next()? {
            if sessions.len() + skipped >= bounds.rows || bytes >= bounds.bytes {
                problems.push(format!(
                    "has more than {} sessions; the others are left out",
                    sessions.len() + skipped
                ));
                break;
            }
            let Some(name) = value_text(&row.get_ref(0)?).filter(|name| !name.is_empty()) else {
                skipped += 1;
                continue;
            };
            let directory = value_text(&row.get_ref(1)?).filter(|path| !path.is_empty());
            bytes = bytes.saturating_add(name.len());
            bytes = bytes.saturating_add(directory.as_ref().map_or(0, String::len));
            sessions.push(SessionName { name, directory });
        }
        if skipped > 0 {
            problems.push(format!("{skipped} sessions without an id"));
        }
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
        let mut statement = connection.prepare_cached(&self.select_session("WHERE \"id\" = ?1"))?;
        let found = statement.query_row([id], |row| session_row(row, &self.session));
        if let Some(found) = found.optional()? {
            return Ok(found);
        }
        // A column without a type can hold it as a number.
        let Some(number) = id.parse::<i64>().ok().filter(|n| n.to_string() == id) else {
            return Ok(None);
        };
        let found = statement.query_row([number], |row| session_row(row, &self.session));
        Ok(found.optional()?.flatten())
    }

    fn select_session(&self, condition: &str) -> String {
        let columns: Vec<String> = self
            .session
            .iter()
            .map(|column| {
                let value = capped(column, COLUMN_BYTES_MAX);
                format!("{value}, octet_length({})", quoted(column))
            })
            .collect();
        format!("SELECT {} FROM \"session\" {condition}", columns.join(", "))
    }

    /// The ids of a session's messages in their order, and what is left out.
    pub(crate) fn messages(
        &self,
        connection: &Connection,
        session: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<Value>, Option<String>)> {
        let order = order(&self.message, &["time_created", "id"]);
        let id = capped("id", NAME_BYTES_MAX);
        let limit = bounds.rows.saturating_add(1);
        let sql =
            format!("SELECT {id} FROM \"message\" WHERE \"session_id\" = ?1 {order} LIMIT {limit}");
        let mut statement = connection.prepare_cached(&sql)?;
        let ids = statement.query_map([session], |row| row.get(0))?;
        let mut ids: Vec<Value> = ids.collect::<rusqlite::Result<_>>()?;
        let more = ids.len() > bounds.rows;
        ids.truncate(bounds.rows);
        let rows = bounds.rows;
        let problem =
            more.then(|| format!("has more than {rows} messages; the others are left out"));
        Ok((ids, problem))
    }

    /// The messages and parts of a session that are too large to be read: the ids of the message
    /// and the part, and how many bytes. Their content is not touched.
    pub(crate) fn too_large(
        &self,
        connection: &Connection,
        session: &Value,
    ) -> rusqlite::Result<Vec<(String, Option<String>, u64)>> {
        let (message, part) = (r#""message"."data""#, r#""part"."data""#);
        let sql = format!(
            r#"SELECT "id", NULL, octet_length({message}) FROM "message"
            WHERE "session_id" = ?1 AND octet_length({message}) > {LINE_BYTES_MAX}
            UNION ALL
            SELECT "message"."id", coalesce({}, ''), octet_length({part}) FROM "message"
            JOIN "part" ON "part"."message_id" = "message"."id"
            WHERE "message"."session_id" = ?1 AND octet_length({part}) > {LINE_BYTES_MAX}
            LIMIT {LARGE_PARTS_MAX}"#,
            self.part_id("\"part\".\"id\"")
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_map([session], |row| {
            let message = value_text(&row.get_ref(0)?).unwrap_or_default();
            let part = value_text(&row.get_ref(1)?);
            let bytes: i64 = row.get(2)?;
            Ok((message, part, u64::try_from(bytes).unwrap_or(0)))
        })?;
        found.collect()
    }

    /// A part's id in a query, if parts have any.
    fn part_id<'c>(&self, column: &'c str) -> &'c str {
        if self.part.iter().any(|name| name == "id") {
            column
        } else {
            "NULL"
        }
    }

    /// The line of a message; `None` if it is gone.
    pub(crate) fn line(
        &self,
        connection: &Connection,
        session: &str,
        message: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<Option<Line>> {
        let sql = format!(
            "SELECT {}, octet_length(\"data\") FROM \"message\" WHERE \"id\" = ?1",
            capped("data", LINE_BYTES_MAX)
        );
        let data = connection
            .prepare_cached(&sql)?
            .query_row([message], |row| data_of(row, 0))
            .optional()?;
        let Some((data, problem)) = data else {
            return Ok(None);
        };
        let id = value_text(&ValueRef::from(message)).unwrap_or_default();
        let mut problems = Vec::new();
        problems.extend(problem.map(|problem| format!("message `{id}`: {problem}")));
        let info = with_ids(&data, &[("id", &id), ("sessionID", session)]);
        let sql = format!(
            "SELECT {}, octet_length(\"data\"), {} FROM \"part\" WHERE {} = ?1",
            capped("data", LINE_BYTES_MAX),
            self.part_id("\"id\""),
            self.part_key
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let (keys, more) = self.part_keys(connection, message, bounds)?;
        let (mut parts, mut bytes) = (Vec::new(), info.len());
        let mut left_out = more;
        for key in keys {
            if bytes >= bounds.bytes {
                left_out = true;
                break;
            }
            let read = statement.query_row([key], |row| {
                let (data, problem) = data_of(row, 0)?;
                let part = value_text(&row.get_ref(2)?).unwrap_or_default();
                Ok((data, problem, part))
            });
            let Some((data, problem, part)) = read.optional()? else {
                continue;
            };
            problems
                .extend(problem.map(|problem| format!("message `{id}`, part `{part}`: {problem}")));
            let ids = [("id", &*part), ("sessionID", session), ("messageID", &*id)];
            let part = with_ids(&data, &ids);
            bytes = bytes.saturating_add(part.len());
            parts.push(part);
        }
        if left_out {
            let count = parts.len();
            problems.push(format!("message `{id}`: parts are left out after {count}"));
        }
        Ok(Some(Line {
            bytes: message_line(&info, &parts),
            problems,
        }))
    }

    /// What tells a message's parts apart, in their order, and whether there are more. Their
    /// content is read one by one, so that SQLite sorts none of it.
    fn part_keys(
        &self,
        connection: &Connection,
        message: &Value,
        bounds: Bounds,
    ) -> rusqlite::Result<(Vec<Value>, bool)> {
        let sql = format!(
            "SELECT {} FROM \"part\" WHERE \"message_id\" = ?1 {} LIMIT {}",
            self.part_key,
            order(&self.part, &["id"]),
            bounds.rows.saturating_add(1)
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let keys = statement.query_map([message], |row| row.get(0))?;
        let mut keys: Vec<Value> = keys.collect::<rusqlite::Result<_>>()?;
        let more = keys.len() > bounds.rows;
        keys.truncate(bounds.rows);
        Ok((keys, more))
    }
}

/// How many messages a session has.
pub(crate) fn message_count(connection: &Connection, session: &Value) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM \"message\" WHERE \"session_id\" = ?1";
    let count: i64 = connection
        .prepare_cached(sql)?
        .query_row([session], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The columns of a table; none if there is no such table.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    // Views and virtual tables have no page of their own.
    let sql = "SELECT rootpage > 0 AND type = 'table' FROM sqlite_schema \
               WHERE type IN ('table', 'view') AND lower(name) = ?1";
    let mut statement = connection.prepare(sql)?;
    let is_table: Option<bool> = statement.query_row([table], |row| row.get(0)).optional()?;
    if is_table == Some(false) {
        let reason = format!("`{table}` is no table");
        let code = ffi::Error::new(ffi::SQLITE_ERROR);
        return Err(rusqlite::Error::SqliteFailure(code, Some(reason)));
    }
    let sql = "SELECT name FROM pragma_table_info(?1)";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// What tells the rows of a table apart.
fn key(connection: &Connection, table: &str) -> rusqlite::Result<&'static str> {
    let sql = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND lower(name) = ?1";
    let mut statement = connection.prepare(sql)?;
    let has_none: Option<bool> = statement.query_row([table], |row| row.get(0)).optional()?;
    Ok(match has_none {
        Some(true) => "\"id\"",
        _ => "_rowid_",
    })
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
