//! What is asked of any agent's tables: which columns there are, how much is read, and rows of a session by
//! their ids.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, ffi};

/// Bytes of an id or a folder that are read for a list of sessions, at most.
pub(crate) const NAME_BYTES_MAX: usize = 64 * 1024;

/// Messages and parts of a session that are too large and named in a list, at most.
pub(crate) const LARGE_PARTS_MAX: usize = 100;

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

/// A message with its parts.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its line.
    pub bytes: Vec<u8>,
    /// What of it could not be taken as it is.
    pub problems: Vec<String>,
}

/// That a table has these columns.
pub(crate) fn needs(table: &str, found: &[String], needed: &[&str]) -> rusqlite::Result<()> {
    match needed
        .iter()
        .find(|needed| !found.iter().any(|name| name == *needed))
    {
        None => Ok(()),
        Some(column) => Err(rusqlite::Error::InvalidColumnName(format!(
            "{table}.{column}"
        ))),
    }
}

/// The ids of a session's rows of a table in an order, and what is left out.
pub(crate) fn ids_of(
    connection: &Connection,
    (table, order): (&str, &str),
    session: &Value,
    bounds: Bounds,
) -> rusqlite::Result<(Vec<Value>, Option<String>)> {
    let id = capped("id", NAME_BYTES_MAX);
    // One more than may be, to see whether there are more.
    let limit = bounds.rows.saturating_add(1);
    let sql =
        format!("SELECT {id} FROM \"{table}\" WHERE \"session_id\" = ?1 {order} LIMIT {limit}");
    let mut statement = connection.prepare_cached(&sql)?;
    let ids = statement.query_map([session], |row| row.get(0))?;
    let mut ids: Vec<Value> = ids.collect::<rusqlite::Result<_>>()?;
    let more = ids.len() > bounds.rows;
    ids.truncate(bounds.rows);
    let rows = bounds.rows;
    let problem = more.then(|| format!("has more than {rows} messages; the others are left out"));
    Ok((ids, problem))
}

/// How many rows of a table a session has.
pub(crate) fn count(
    connection: &Connection,
    table: &str,
    session: &Value,
) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM \"{table}\" WHERE \"session_id\" = ?1");
    let count: i64 = connection
        .prepare_cached(&sql)?
        .query_row([session], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The columns of a table; none if there is no such table.
pub(crate) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
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
pub(crate) fn key(connection: &Connection, table: &str) -> rusqlite::Result<&'static str> {
    let sql = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND lower(name) = ?1";
    let mut statement = connection.prepare(sql)?;
    let has_none: Option<bool> = statement.query_row([table], |row| row.get(0)).optional()?;
    Ok(match has_none {
        Some(true) => "\"id\"",
        _ => "_rowid_",
    })
}

pub(crate) fn quoted(column: &str) -> String {
    format!("\"{}\"", column.replace('"', "\"\""))
}

/// A column that is NULL where its value is larger than a bound, so that it is never loaded.
pub(crate) fn capped(column: &str, bytes_max: usize) -> String {
    let column = quoted(column);
    format!("CASE WHEN octet_length({column}) <= {bytes_max} THEN {column} END")
}

pub(crate) fn order(found: &[String], wanted: &[&str]) -> String {
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
