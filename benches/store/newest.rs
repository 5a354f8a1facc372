//! The newest records of a long session, beside its first ones.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{
    Direction, Expect, ImportOptions, ListQuery, Message, NewRecord, Options, RedbStore, Role,
    ScanQuery, SessionKey, Store, import,
};

use crate::Outcome;
use crate::generate::Agent;
use crate::measure::{Contestant, compete};

/// Records of the session.
const RECORDS: usize = 100_000;

/// Records that are asked for.
const WANTED: usize = 20;

/// Pages in a round.
const PAGES: u32 = 500;

/// Runs the comparisons.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let folder = scratch.join("newest");
    fs::create_dir_all(&folder)?;
    let store = RedbStore::open(scratch.join("newest.redb"), Options::default())?;
    let text = crate::session(Agent::Codex, 130_000_000, 6)?;
    let lines: Vec<&str> = text.split_inclusive('\n').take(RECORDS).collect();
    if lines.len() != RECORDS {
        return Err(format!("{} records are too few", lines.len()).into());
    }
    let file =
        folder.join("rollout-2026-01-01T00-00-00-00000000-0000-4000-8000-000000000000.jsonl");
    fs::write(&file, lines.concat())?;
    import(
        &store,
        &[folder],
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )?;
    let listed = store.list(&ListQuery::default())?.sessions;
    let imported = listed.first().ok_or("nothing was imported")?.key.clone();
    let rival = sqlite(&scratch.join("newest.sqlite"), &lines)?;
    ends("imported", &store, &imported, &rival)?;

    let key = SessionKey::native("long")?;
    append(&store, &key, &lines, 1_000)?;
    ends("appended by the thousand", &store, &key, &rival)?;
    for tail in [10, 20, 20] {
        append(&store, &key, lines.get(..tail).unwrap_or_default(), 1)?;
        ends(
            &format!("and {tail} more, one by one"),
            &store,
            &key,
            &rival,
        )?;
    }
    Ok(())
}

/// Appends a message for each line, which says the line.
fn append(store: &RedbStore, key: &SessionKey, lines: &[&str], batch: usize) -> Outcome {
    for batch in lines.chunks(batch) {
        let batch: Vec<NewRecord> = batch
            .iter()
            .map(|line| NewRecord::message(Message::text(Role::User, *line)))
            .collect();
        store.append(key, Expect::Any, None, &batch)?;
    }
    Ok(())
}

fn ends(name: &str, store: &RedbStore, key: &SessionKey, rival: &Connection) -> Outcome {
    let scan = |direction: Direction| {
        let query = ScanQuery::default()
            .with_direction(direction)
            .with_records_max(WANTED);
        repeat(|| Ok(black_box(store.scan(key, &query)?).records.len()))
    };
    compete(
        &format!("{WANTED} of {RECORDS} records, {name}"),
        PAGES,
        vec![
            Contestant::new("scrollback, the first", || scan(Direction::Forward)),
            Contestant::new("scrollback, the newest", || scan(Direction::Backward)),
            Contestant::new("sqlite rows, the newest", || repeat(|| rows(rival))),
        ],
    )
}

fn repeat(work: impl Fn() -> Outcome<usize>) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..PAGES {
        if black_box(work()?) != WANTED {
            return Err("records are missing".into());
        }
    }
    Ok(start.elapsed())
}

fn sqlite(path: &Path, lines: &[&str]) -> Outcome<Connection> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("CREATE TABLE record (sequence INTEGER PRIMARY KEY, line BLOB)")?;
    let txn = connection.transaction()?;
    for line in lines {
        txn.prepare_cached("INSERT INTO record (line) VALUES (?1)")?
            .execute([line.as_bytes()])?;
    }
    txn.commit()?;
    Ok(connection)
}

fn rows(connection: &Connection) -> Outcome<usize> {
    let mut statement =
        connection.prepare_cached("SELECT line FROM record ORDER BY sequence DESC LIMIT 20")?;
    let rows: Vec<Vec<u8>> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(black_box(rows).len())
}
