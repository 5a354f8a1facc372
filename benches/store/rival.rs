//! The rival: the same sessions and records as rows of SQLite, with the same indexes.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Row, Transaction};
use scrollback::{SessionKey, Summary};

use crate::Outcome;

/// Every column of a summary, in its order.
const COLUMNS: &str = "number, agent, id, project, title, created, updated, messages, hidden,
    records, bytes, malformed, attachments, mark, next, model, branch, parent, pinned, archived";

/// Opens a database, which need not be there.
pub(crate) fn open(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS session (number INTEGER PRIMARY KEY, agent TEXT, id TEXT,
         project TEXT, title TEXT, created INTEGER, updated INTEGER, messages INTEGER,
         hidden INTEGER, records INTEGER, bytes INTEGER, malformed INTEGER, attachments INTEGER,
         mark INTEGER, next INTEGER, model TEXT, branch TEXT, parent TEXT, pinned INTEGER,
         archived INTEGER);
         CREATE UNIQUE INDEX IF NOT EXISTS by_key ON session (agent, id);
         CREATE INDEX IF NOT EXISTS by_updated ON session (updated, number);
         CREATE INDEX IF NOT EXISTS by_project ON session (project, updated, number)
         WHERE project IS NOT NULL;
         CREATE TABLE IF NOT EXISTS record (session INTEGER, sequence INTEGER, line BLOB,
         PRIMARY KEY (session, sequence)) WITHOUT ROWID;",
    )?;
    Ok(connection)
}

/// Writes a session's row.
pub(crate) fn insert_session(txn: &Transaction<'_>, session: &Summary) -> Outcome {
    txn.prepare_cached(&format!(
        "INSERT INTO session ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
         ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
    ))?
    .execute(rusqlite::params![
        i64::try_from(session.number)?,
        session.key.agent(),
        session.key.id(),
        session.project,
        session.title,
        session.created_at.timestamp_micros(),
        session.updated_at.timestamp_micros(),
        i64::try_from(session.message_count)?,
        i64::try_from(session.hidden_count)?,
        i64::try_from(session.record_count)?,
        i64::try_from(session.bytes)?,
        i64::try_from(session.malformed_count)?,
        i64::try_from(session.attachment_count)?,
        i64::try_from(session.mark)?,
        i64::try_from(session.next_sequence)?,
        session.model,
        session.branch,
        session.parent,
        session.pinned,
        session.archived,
    ])?;
    Ok(())
}

/// Writes a record's row.
pub(crate) fn insert_record(
    txn: &Transaction<'_>,
    session: u64,
    sequence: u64,
    line: &[u8],
) -> Outcome {
    txn.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?
        .execute((i64::try_from(session)?, i64::try_from(sequence)?, line))?;
    Ok(())
}

/// Makes sessions without records, updated later than all others.
pub(crate) fn name_sessions(connection: &mut Connection, ids: &[String]) -> Outcome {
    let txn = connection.transaction()?;
    for id in ids {
        txn.execute(
            "INSERT INTO session (agent, id, updated, messages, records, bytes, next)
             VALUES ('example', ?1, 4000000000000000, 0, 0, 0, 0)",
            [id],
        )?;
    }
    txn.commit()?;
    Ok(())
}

/// The guarantees of an append as far as rows can give them: the records, the session's counters
/// and its place in the lists in one transaction.
pub(crate) fn append(connection: &Connection, id: &str, lines: &[&[u8]]) -> Outcome {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let (number, next): (i64, i64) = connection
        .prepare_cached("SELECT number, next FROM session WHERE agent = 'example' AND id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut insert = connection.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?;
    let (mut sequence, mut bytes) = (next, 0);
    for line in lines {
        insert.execute((number, sequence, line))?;
        sequence += 1;
        bytes += line.len();
    }
    connection
        .prepare_cached(
            "UPDATE session SET updated = updated + 1, records = records + ?1,
             messages = messages + ?1, bytes = bytes + ?2, next = ?3 WHERE number = ?4",
        )?
        .execute((sequence - next, i64::try_from(bytes)?, sequence, number))?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// The newest sessions, as the store gives them.
pub(crate) fn list(connection: &Connection, limit: usize) -> Outcome<Vec<Summary>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM session ORDER BY updated DESC, number DESC LIMIT ?1"
    ))?;
    let mut rows = statement.query([i64::try_from(limit)?])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push(summary(row)?);
    }
    Ok(sessions)
}

fn summary(row: &Row<'_>) -> Outcome<Summary> {
    let key = SessionKey::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?)?;
    let mut summary = Summary::new(key, count(row, 0)?, row.get::<_, Micros>(5)?.0);
    summary.project = row.get(3)?;
    summary.title = row.get(4)?;
    summary.updated_at = row.get::<_, Micros>(6)?.0;
    summary.message_count = count(row, 7)?;
    summary.hidden_count = count(row, 8)?;
    summary.record_count = count(row, 9)?;
    summary.bytes = count(row, 10)?;
    summary.malformed_count = count(row, 11)?;
    summary.attachment_count = count(row, 12)?;
    summary.mark = count(row, 13)?;
    summary.next_sequence = count(row, 14)?;
    summary.model = row.get(15)?;
    summary.branch = row.get(16)?;
    summary.parent = row.get(17)?;
    summary.pinned = row.get(18)?;
    summary.archived = row.get(19)?;
    Ok(summary)
}

fn count(row: &Row<'_>, at: usize) -> Outcome<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?)?)
}

/// A time as it is stored.
struct Micros(DateTime<Utc>);

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        let micros = value.as_i64()?;
        DateTime::from_timestamp_micros(micros)
            .map(Self)
            .ok_or(rusqlite::types::FromSqlError::OutOfRange(micros))
    }
}

/// Deletes the sessions that are older than a time, with their records.
pub(crate) fn delete_before(connection: &mut Connection, before: DateTime<Utc>) -> Outcome<usize> {
    let before = before.timestamp_micros();
    let txn = connection.transaction()?;
    txn.execute(
        "DELETE FROM record WHERE session IN (SELECT number FROM session WHERE updated < ?1)",
        [before],
    )?;
    let deleted = txn.execute("DELETE FROM session WHERE updated < ?1", [before])?;
    txn.commit()?;
    Ok(deleted)
}
