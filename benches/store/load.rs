//! A session of 1,000 messages as values, beside reading its lines from a file.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{
    ExportFormat, Message, Options, RedbStore, Role, Session, SessionKey, Store as _,
    export_session,
};
use serde_json::Value;

use crate::Outcome;
use crate::measure::{Contestant, compete};

/// Messages in the session.
const MESSAGES: usize = 1_000;

/// Loads in a round.
const LOADS: u32 = 20;

/// Runs the comparison.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let store = RedbStore::open(scratch.join("load.redb"), Options::default())?;
    let mut session = Session::native("load")?;
    for number in 0..MESSAGES {
        let role = if number % 2 == 0 {
            Role::User
        } else {
            Role::Assistant
        };
        let text = format!(
            "Message {number} says that \"{}\".\n",
            "this and that ".repeat(60)
        );
        session.messages.push(Message::text(role, text));
    }
    store.save(&mut session)?;
    let mut lines = Vec::new();
    export_session(&store, &session.key, ExportFormat::Jsonl, &mut lines)?;
    let file = scratch.join("load.jsonl");
    fs::write(&file, &lines)?;
    let rival = sqlite(&scratch.join("load.sqlite"), &lines)?;
    compete(
        &format!("load of {MESSAGES} messages, {} bytes", lines.len()),
        LOADS,
        vec![
            Contestant::new("scrollback", || repeat(|| scrollback(&store, &session.key))),
            Contestant::new("sqlite rows, each parsed to a Value", || {
                repeat(|| rows(&rival))
            }),
            Contestant::new("a file, each line parsed to a Value", || {
                repeat(|| parsed(&file))
            }),
            Contestant::new("floor: the file's bytes", || {
                repeat(|| Ok(black_box(fs::read(&file)?).len().min(MESSAGES)))
            }),
        ],
    )
}

fn repeat(work: impl Fn() -> Outcome<usize>) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..LOADS {
        if black_box(work()?) < MESSAGES {
            return Err("messages are missing".into());
        }
    }
    Ok(start.elapsed())
}

fn scrollback(store: &RedbStore, key: &SessionKey) -> Outcome<usize> {
    Ok(black_box(store.load(key)?).messages.len())
}

fn parsed(file: &Path) -> Outcome<usize> {
    let mut count = 0;
    for line in fs::read(file)?
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        black_box(serde_json::from_slice::<Value>(line)?);
        count += 1;
    }
    Ok(count)
}

fn sqlite(path: &Path, lines: &[u8]) -> Outcome<Connection> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("CREATE TABLE record (sequence INTEGER PRIMARY KEY, line BLOB)")?;
    let txn = connection.transaction()?;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        txn.execute("INSERT INTO record (line) VALUES (?1)", [line])?;
    }
    txn.commit()?;
    Ok(connection)
}

fn rows(connection: &Connection) -> Outcome<usize> {
    let mut statement = connection.prepare_cached("SELECT line FROM record ORDER BY sequence")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        black_box(serde_json::from_slice::<Value>(row.get_ref(0)?.as_blob()?)?);
        count += 1;
    }
    Ok(count)
}
