//! A server that is killed while many write: what was acknowledged is there, each once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scrollback::uuid::Uuid;
use scrollback::{Error, Expect, NewRecord, ScanQuery, SessionKey, Store as _, StoreExt as _};
use scrollback_postgres::PostgresStore;

use crate::cluster::Cluster;

/// Writers, each of whom writes to two sessions in turn, which others write to as well.
const WRITERS: usize = 8;

/// Kills.
const ROUNDS: usize = 4;

pub(crate) fn key(number: usize) -> SessionKey {
    SessionKey::native(format!("session-{number}")).unwrap()
}

pub(crate) fn line(id: Uuid) -> NewRecord {
    NewRecord::line(format!(
        "{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{id}\"}}\n"
    ))
}

/// Appends until it is told to stop, the same batch again until it is answered. Gives what was acknowledged:
/// the id in the line, its session and its number there.
pub(crate) fn write(store: &PostgresStore, writer: usize, is_over: &AtomicBool) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    let mut turn = writer;
    while !is_over.load(Ordering::Relaxed) {
        turn += 1;
        let session = turn % 4;
        let id = Uuid::new_v4();
        let place = loop {
            match store.append(&key(session), Expect::Any, Some(id), &[line(id)]) {
                Ok(appended) => break appended.first,
                Err(Error::CommitUnknown { .. }) => acknowledged.unknown += 1,
                Err(error) if error.is_retryable() => {
                    acknowledged.refused += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error:?}"),
            }
        };
        acknowledged.places.insert(id, (session, place));
    }
    acknowledged
}

#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) places: BTreeMap<Uuid, (usize, u64)>,
    pub(crate) unknown: u64,
    pub(crate) refused: u64,
}

/// Whether each acknowledged line is where it was said to be, and no line is there twice. Gives the number of
/// lines.
pub(crate) fn check(store: &PostgresStore, all: &[Acknowledged]) -> usize {
    let mut stored: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for session in 0..4 {
        let mut next = 0;
        for record in store.records(&key(session), ScanQuery::default()) {
            let record = record.unwrap();
            assert_eq!(record.sequence, next, "a gap in session {session}");
            next += 1;
            let text = String::from_utf8(record.line).unwrap();
            let twice = stored.insert(text.clone(), (session, record.sequence));
            assert_eq!(twice, None, "{text}");
        }
        assert_eq!(store.summary(&key(session)).unwrap().next_sequence, next);
    }
    for (id, place) in all.iter().flat_map(|one| &one.places) {
        let text = format!("{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{id}\"}}\n");
        assert_eq!(stored.get(&text), Some(place), "{id} was acknowledged");
    }
    stored.len()
}

#[test]
fn a_server_killed_in_the_middle_of_commits_loses_nothing_that_was_acknowledged() {
    let Some(cluster) = Cluster::start("") else {
        return;
    };
    let options = cluster
        .options()
        .with_connections(WRITERS)
        .with_connect_wait(Duration::from_secs(2));
    let store = Arc::new(cluster.open(options));
    let is_over = AtomicBool::new(false);
    let all: Vec<Acknowledged> = std::thread::scope(|scope| {
        let write = |writer| {
            let (store, is_over) = (&store, &is_over);
            scope.spawn(move || write(store, writer, is_over))
        };
        let writers: Vec<_> = (0..WRITERS).map(write).collect();
        for _ in 0..ROUNDS {
            std::thread::sleep(Duration::from_millis(700));
            cluster.kill();
            std::thread::sleep(Duration::from_millis(100));
            cluster.up();
        }
        std::thread::sleep(Duration::from_millis(300));
        is_over.store(true, Ordering::Relaxed);
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    });
    let lines = check(&store, &all);
    let acknowledged: usize = all.iter().map(|one| one.places.len()).sum();
    let unknown: u64 = all.iter().map(|one| one.unknown).sum();
    let refused: u64 = all.iter().map(|one| one.refused).sum();
    eprintln!(
        "{ROUNDS} kills: {acknowledged} appends acknowledged, {lines} lines there, none lost or twice; \
         {refused} calls refused and {unknown} left open, all sent again"
    );
    assert!(acknowledged > 100 && refused + unknown > 0);
    assert_eq!(lines, acknowledged);
}
