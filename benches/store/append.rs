//! One durable append of 2 KB after the other, beside SQLite and a bare file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{Expect, Mode, NewRecord, Options, RedbStore, SessionKey, Store as _};

use crate::Outcome;
use crate::measure::{Contestant, compete};

/// Appends in a round.
const APPENDS: u32 = 200;

/// Bytes of a line.
const LINE_BYTES: usize = 2_000;

/// Runs the comparison.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let line = line();
    let exclusive = open(scratch, "exclusive.redb", Mode::Exclusive)?;
    #[cfg(feature = "shared")]
    let shared = open(scratch, "shared.redb", Mode::Shared)?;
    let rival = sqlite(&scratch.join("append.sqlite"))?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(scratch.join("append.jsonl"))?;
    let mut all = Vec::new();
    #[cfg(feature = "shared")]
    all.push(Contestant::new("scrollback, shared by processes", || {
        scrollback(&shared, &line)
    }));
    all.extend([
        Contestant::new("scrollback, exclusive", || scrollback(&exclusive, &line)),
        Contestant::new("sqlite, WAL, FULL, index on time", || rows(&rival, &line)),
        Contestant::new("floor: write and fdatasync", || raw(&mut file, &line)),
    ]);
    compete("one durable append of 2 KB to a session", APPENDS, all)
}

/// A line that compresses like prose.
pub(crate) fn line() -> Vec<u8> {
    let mut line = String::from("{\"role\":\"user\",\"content\":\"");
    let mut number = 1_u32;
    while line.len() < LINE_BYTES {
        number = number.wrapping_mul(48_271) % 65_521;
        line.push_str(&number.to_string());
        line.push(' ');
    }
    line.push_str("\"}\n");
    line.into_bytes()
}

/// Opens a store of its own.
pub(crate) fn open(scratch: &Path, name: &str, mode: Mode) -> Outcome<RedbStore> {
    Ok(RedbStore::open(
        scratch.join(name),
        Options {
            mode,
            ..Options::default()
        },
    )?)
}

fn scrollback(store: &RedbStore, line: &[u8]) -> Outcome<Duration> {
    let key = SessionKey::new("example", "append")?;
    let record = [NewRecord::line(line)];
    let start = Instant::now();
    for _ in 0..APPENDS {
        store.append(&key, Expect::Any, None, &record)?;
    }
    Ok(start.elapsed())
}

/// The same guarantees as far as rows can give them: a record, the session's counters and its
/// place in the list in one transaction.
fn sqlite(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE session (id INTEGER PRIMARY KEY, updated INTEGER, records INTEGER);
         CREATE INDEX by_updated ON session (updated);
         CREATE TABLE record (session INTEGER, sequence INTEGER, line BLOB,
         PRIMARY KEY (session, sequence)) WITHOUT ROWID;
         INSERT INTO session VALUES (1, 0, 0);",
    )?;
    Ok(connection)
}

fn rows(connection: &Connection, line: &[u8]) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..APPENDS {
        let txn = connection.unchecked_transaction()?;
        txn.prepare_cached("INSERT INTO record SELECT id, records, ?1 FROM session WHERE id = 1")?
            .execute([line])?;
        txn.prepare_cached(
            "UPDATE session SET updated = updated + 1, records = records + 1 WHERE id = 1",
        )?
        .execute([])?;
        txn.commit()?;
    }
    Ok(start.elapsed())
}

fn raw(file: &mut File, line: &[u8]) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..APPENDS {
        file.write_all(line)?;
        file.sync_data()?;
    }
    Ok(start.elapsed())
}
