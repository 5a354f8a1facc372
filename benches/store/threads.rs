//! Durable appends of 2 KB from 64 threads on 64 sessions, beside SQLite with a connection for
//! each thread, and beside the same store with one transaction an append.

use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{Expect, Mode, NewRecord, RedbStore, SessionKey, Store as _};

use crate::Outcome;
use crate::append::{line, open};
use crate::measure::{Contestant, compete};

/// Threads, each with a session of its own.
const THREADS: u32 = 64;

/// Appends of each thread in a round.
const APPENDS: u32 = 10;

/// Runs the comparison.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let line = line();
    let exclusive = open(scratch, "threads-exclusive.redb", Mode::Exclusive)?;
    #[cfg(feature = "shared")]
    let shared = open(scratch, "threads-shared.redb", Mode::Shared)?;
    let rival = scratch.join("threads.sqlite");
    tables(&rival)?;
    let connections = (0..THREADS)
        .map(|_| connect(&rival).map(Mutex::new))
        .collect::<Outcome<Vec<_>>>()?;
    let mut all = Vec::new();
    #[cfg(feature = "shared")]
    all.push(Contestant::new("scrollback, shared by processes", || {
        scrollback(&shared, &line, None)
    }));
    all.push(Contestant::new("scrollback, exclusive", || {
        scrollback(&exclusive, &line, None)
    }));
    let one_by_one = Mutex::new(());
    #[cfg(feature = "shared")]
    all.push(Contestant::new(
        "scrollback, shared, no group commit",
        || scrollback(&shared, &line, Some(&one_by_one)),
    ));
    all.push(Contestant::new(
        "scrollback, exclusive, no group commit",
        || scrollback(&exclusive, &line, Some(&one_by_one)),
    ));
    all.push(Contestant::new(
        "sqlite, WAL, FULL, a connection each",
        || sqlite(&connections, &line),
    ));
    let count = THREADS * APPENDS;
    compete("one durable append of 2 KB, 64 threads", count, all)
}

/// What all threads together take.
fn together(work: impl Fn(u32) -> Outcome + Sync) -> Outcome<Duration> {
    let start = Instant::now();
    let failed = thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..THREADS)
            .map(|number| scope.spawn(move || work(number).map_err(|error| error.to_string())))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("panicked".to_owned())))
            .find_map(Result::err)
    });
    failed.map_or(Ok(start.elapsed()), |error| Err(error.into()))
}

fn scrollback(store: &RedbStore, line: &[u8], alone: Option<&Mutex<()>>) -> Outcome<Duration> {
    together(|number| {
        let key = SessionKey::new("example", format!("thread-{number}"))?;
        let record = [NewRecord::line(line)];
        for _ in 0..APPENDS {
            let turn = alone.map(Mutex::lock);
            store.append(&key, Expect::Any, None, &record)?;
            drop(turn);
        }
        Ok(())
    })
}

fn tables(path: &Path) -> Outcome {
    let connection = connect(path)?;
    connection.execute_batch(
        "CREATE TABLE session (id INTEGER PRIMARY KEY, updated INTEGER, records INTEGER);
         CREATE INDEX by_updated ON session (updated);
         CREATE TABLE record (session INTEGER, sequence INTEGER, line BLOB,
         PRIMARY KEY (session, sequence)) WITHOUT ROWID;",
    )?;
    for number in 0..THREADS {
        connection.execute("INSERT INTO session VALUES (?1, 0, 0)", [number])?;
    }
    Ok(())
}

fn connect(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(Duration::from_secs(60))?;
    Ok(connection)
}

fn sqlite(connections: &[Mutex<Connection>], line: &[u8]) -> Outcome<Duration> {
    together(|number| {
        let connection = connections
            .get(usize::try_from(number)?)
            .and_then(|connection| connection.lock().ok())
            .ok_or("no connection")?;
        for _ in 0..APPENDS {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            connection
                .prepare_cached(
                    "INSERT INTO record SELECT id, records, ?1 FROM session WHERE id = ?2",
                )?
                .execute((line, number))?;
            connection
                .prepare_cached(
                    "UPDATE session SET updated = updated + 1, records = records + 1 WHERE id = ?1",
                )?
                .execute([number])?;
            connection.execute_batch("COMMIT")?;
        }
        Ok(())
    })
}
