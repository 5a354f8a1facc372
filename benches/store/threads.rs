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
use crate::rival;

/// Threads, each with a session of its own.
const THREADS: u32 = 64;

/// Appends of each thread in a round.
const APPENDS: u32 = 10;

/// Runs the comparison.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let line = line(1);
    let exclusive = open(&scratch.join("threads-exclusive.redb"), Mode::Exclusive)?;
    let shared = open(&scratch.join("threads-shared.redb"), Mode::Shared)?;
    let rival = scratch.join("threads.sqlite");
    let ids: Vec<String> = (0..THREADS).map(id).collect();
    rival::name_sessions(&mut rival::open(&rival)?, &ids)?;
    let connections = (0..THREADS)
        .map(|_| rival::open(&rival).map(Mutex::new))
        .collect::<Outcome<Vec<_>>>()?;
    let mut all = Vec::new();
    all.push(Contestant::new("scrollback, shared by processes", || {
        scrollback(&shared, &line, None)
    }));
    all.push(Contestant::new("scrollback, exclusive", || {
        scrollback(&exclusive, &line, None)
    }));
    let one_by_one = Mutex::new(());
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
        let key = SessionKey::new("example", id(number))?;
        let record = [NewRecord::line(line)];
        for _ in 0..APPENDS {
            let turn = alone.map(Mutex::lock);
            store.append(&key, Expect::Any, None, &record)?;
            drop(turn);
        }
        Ok(())
    })
}

fn sqlite(connections: &[Mutex<Connection>], line: &[u8]) -> Outcome<Duration> {
    together(|number| {
        let connection = connections
            .get(usize::try_from(number)?)
            .and_then(|connection| connection.lock().ok())
            .ok_or("no connection")?;
        for _ in 0..APPENDS {
            rival::append(&connection, &id(number), &[line])?;
        }
        Ok(())
    })
}

/// The session of a thread.
fn id(number: u32) -> String {
    format!("thread-{number}")
}
