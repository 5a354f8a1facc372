//! Appends of several threads share commits, and nobody gets anybody else's answer.

use std::sync::Barrier;
use std::thread;

use scrollback::{
    Error, Expect, Mode, NewRecord, Options, RedbStore, ScanQuery, SessionKey, Store as _,
    StoreExt as _,
};

const THREADS: usize = 32;
const APPENDS: usize = 20;

fn key(name: &str) -> SessionKey {
    SessionKey::new("example", name).unwrap()
}

fn lines(store: &RedbStore, key: &SessionKey) -> Vec<String> {
    store
        .records(key, ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

/// Every thread appends to a session of its own and to one of all; returns the commits.
fn append_together(store: &RedbStore) -> u64 {
    let (before, together) = (store.commits(), Barrier::new(THREADS));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let together = &together;
            scope.spawn(move || {
                let own = key(&format!("own-{thread}"));
                together.wait();
                for number in 0..APPENDS {
                    let line = NewRecord::line(format!("{{\"n\":\"{thread}.{number}\"}}"));
                    let appended = store
                        .append(
                            &own,
                            Expect::Sequence(number as u64),
                            None,
                            std::slice::from_ref(&line),
                        )
                        .unwrap();
                    assert_eq!(
                        appended.first, number as u64,
                        "the answer of another append"
                    );
                    store
                        .append(&key("all"), Expect::Any, None, &[line])
                        .unwrap();
                }
            });
        }
    });
    store.commits() - before
}

#[test]
fn threads_share_commits_and_every_record_is_there_once_in_order() {
    for mode in modes() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::default().with_mode(mode);
        let store = RedbStore::open(folder.path().join("s.redb"), options).unwrap();
        let commits = append_together(&store);
        let appends = (2 * THREADS * APPENDS) as u64;
        assert!(
            commits < appends / 4,
            "{commits} commits for {appends} appends of {THREADS} threads"
        );
        let mut all = Vec::new();
        for thread in 0..THREADS {
            let own = lines(&store, &key(&format!("own-{thread}")));
            let wanted: Vec<String> = (0..APPENDS)
                .map(|number| format!("{{\"n\":\"{thread}.{number}\"}}\n"))
                .collect();
            assert_eq!(own, wanted);
            let prefix = format!("{{\"n\":\"{thread}.");
            let shared = lines(&store, &key("all"));
            let of_thread: Vec<String> = shared
                .into_iter()
                .filter(|line| line.starts_with(&prefix))
                .collect();
            assert_eq!(of_thread, wanted, "in the order in which it appended");
            all.extend(of_thread);
        }
        assert_eq!(lines(&store, &key("all")).len(), all.len());
        assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    }
}

#[test]
fn each_append_gets_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let together = Barrier::new(THREADS);
    let line = || NewRecord::line("{}");
    // Half of them expect what cannot be.
    let results: Vec<(usize, bool)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (store, together) = (&store, &together);
                scope.spawn(move || {
                    together.wait();
                    let expect = Expect::Sequence(if thread % 2 == 0 { 0 } else { 7 });
                    let key = key(&format!("s-{thread}"));
                    match store.append(&key, expect, None, &[line()]) {
                        Ok(_) => (thread, true),
                        Err(Error::Conflict {
                            key: of, expected, ..
                        }) => {
                            assert_eq!((of, expected), (key, 7));
                            (thread, false)
                        }
                        Err(error) => panic!("{error}"),
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for (thread, appended) in results {
        assert_eq!(appended, thread % 2 == 0);
        let there = store.summary(&key(&format!("s-{thread}")));
        assert_eq!(there.is_ok(), appended, "session {thread}");
    }
}

fn modes() -> Vec<Mode> {
    vec![Mode::Shared, Mode::Exclusive]
}
