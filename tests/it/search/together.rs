//! Searches while others append and index, each through a handle of its own, as processes are to each
//! other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use scrollback::{
    Expect, Message, NewRecord, Options, RedbStore, Role, SearchQuery, SessionKey, Store, unwatched,
};

use crate::harness::Home;

/// Messages of each writer.
const MESSAGES: u64 = 60;

#[test]
fn a_search_misses_nothing_that_was_acknowledged_before_it() {
    let home = Home::new();
    let home = &home;
    let open = move || RedbStore::open(home.store_path(), Options::default()).unwrap();
    drop(open());
    let acknowledged = AtomicU64::new(0);
    let begun = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let query = SearchQuery::new("quorum epoch".parse().unwrap());
    let (acknowledged, begun, is_over, query) = (&acknowledged, &begun, &is_over, &query);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                scope.spawn(move || {
                    let store = open();
                    let key = SessionKey::native(format!("w{writer}")).unwrap();
                    let filler = "some other words ".repeat(120);
                    for at in 0..MESSAGES {
                        let text = format!("the quorum, in epoch {at}; {filler}");
                        let said = NewRecord::message(Message::text(Role::User, text));
                        begun.fetch_add(1, Ordering::SeqCst);
                        store.append(&key, Expect::Any, None, &[said]).unwrap();
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        scope.spawn(move || {
            let store = open();
            let mut round = 0;
            while !is_over.load(Ordering::SeqCst) {
                store.index(&mut unwatched).unwrap();
                round += 1;
                if round % 5 == 0 {
                    store.drop_index().unwrap();
                }
            }
        });
        scope.spawn(move || {
            let store = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
            let mut searches = 0;
            while !is_over.load(Ordering::SeqCst) || searches == 0 {
                let before = acknowledged.load(Ordering::SeqCst);
                let found = store.search_counts(query, &mut unwatched).unwrap();
                let after = begun.load(Ordering::SeqCst);
                let range = before..=after;
                assert!(range.contains(&found.messages), "{range:?}: {found:?}");
                searches += 1;
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::SeqCst);
    });
    let store = open();
    let found = store.search_counts(query, &mut unwatched).unwrap();
    assert_eq!((found.messages, found.sessions), (2 * MESSAGES, 2));
    let report = store.verify_deep(&[], &mut unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
}
