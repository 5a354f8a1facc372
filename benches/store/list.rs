//! The newest 50 of many sessions, beside SQLite with an index on the time.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{ImportOptions, ListQuery, Options, RedbStore, Store as _, Summary, import};

use crate::Outcome;
use crate::generate::{self, Agent, Plan};
use crate::measure::{Contestant, compete};

/// Lists in a round.
const LISTS: u32 = 50;

/// Sessions in a list.
const NEWEST: usize = 50;

/// Runs the comparison in a store of so many sessions.
pub(crate) fn run(sessions: usize, scratch: &Path) -> Outcome {
    let folder = scratch.join(format!("small-{sessions}"));
    let bytes = sessions as u64 * 2_000;
    generate::folder(
        &folder,
        Plan {
            agent: Agent::Codex,
            files: sessions,
            bytes,
            seed: 3,
        },
    )?;
    let path = scratch.join(format!("list-{sessions}.redb"));
    let store = RedbStore::open(&path, Options::default())?;
    import(&store, &[folder], &ImportOptions::default(), &mut |_| {})?;
    let rival_path = scratch.join(format!("list-{sessions}.sqlite"));
    let rival = sqlite(&store, &rival_path)?;
    drop(store);
    let store = RedbStore::open_read_only(&path, Options::default())?;
    compete(
        &format!("the newest {NEWEST} of {sessions} sessions"),
        LISTS,
        vec![
            Contestant::new("scrollback", || repeat(|| scrollback(&store))),
            Contestant::new("sqlite, index on time", || repeat(|| rows(&rival))),
            Contestant::new("scrollback, opened for it", || {
                repeat(|| scrollback(&RedbStore::open_read_only(&path, Options::default())?))
            }),
            Contestant::new("sqlite, opened for it", || {
                repeat(|| rows(&Connection::open(&rival_path)?))
            }),
        ],
    )
}

fn repeat(work: impl Fn() -> Outcome<usize>) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..LISTS {
        if black_box(work()?) != NEWEST {
            return Err("the list is too short".into());
        }
    }
    Ok(start.elapsed())
}

fn scrollback(store: &RedbStore) -> Outcome<usize> {
    let query = ListQuery {
        limit: NEWEST,
        ..ListQuery::default()
    };
    Ok(black_box(store.list(&query)?.sessions).len())
}

/// The same summaries as rows.
fn sqlite(store: &RedbStore, path: &Path) -> Outcome<Connection> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(
        "CREATE TABLE session (number INTEGER PRIMARY KEY, agent TEXT, id TEXT, project TEXT,
         title TEXT, created INTEGER, updated INTEGER, messages INTEGER, records INTEGER,
         bytes INTEGER, model TEXT, branch TEXT, parent TEXT);
         CREATE INDEX by_updated ON session (updated, number);",
    )?;
    let txn = connection.transaction()?;
    let mut query = ListQuery {
        limit: 1_000,
        ..ListQuery::default()
    };
    loop {
        let page = store.list(&query)?;
        for session in &page.sessions {
            insert(&txn, session)?;
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    txn.commit()?;
    Ok(connection)
}

fn insert(txn: &rusqlite::Transaction<'_>, session: &Summary) -> Outcome {
    txn.prepare_cached(
        "INSERT INTO session VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(rusqlite::params![
        i64::try_from(session.number)?,
        session.key.agent(),
        session.key.id(),
        session.project,
        session.title,
        session.created_at.timestamp_micros(),
        session.updated_at.timestamp_micros(),
        i64::try_from(session.message_count)?,
        i64::try_from(session.record_count)?,
        i64::try_from(session.bytes)?,
        session.model,
        session.branch,
        session.parent,
    ])?;
    Ok(())
}

/// One summary as SQLite gives it.
type Row = (String, String, Option<String>, String, i64, i64, i64);

fn rows(connection: &Connection) -> Outcome<usize> {
    let mut statement = connection.prepare_cached(
        "SELECT agent, id, project, title, created, updated, messages FROM session
         ORDER BY updated DESC, number DESC LIMIT 50",
    )?;
    let rows: Vec<Row> = statement
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
                row.get(6)?,
            ))
        })?
        .collect::<Result<_, _>>()?;
    Ok(black_box(rows).len())
}
