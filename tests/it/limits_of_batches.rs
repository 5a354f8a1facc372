//! How many batches are remembered, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::DateTime;
use scrollback::limits::{BATCH_SECONDS_REMEMBERED, BATCHES_REMEMBERED};
use scrollback::{Expect, MemoryStore, NewRecord, Options, RedbStore, SessionKey, Store};
use uuid::Uuid;

use crate::harness::Home;

fn key(id: &str) -> SessionKey {
    SessionKey::new("example", id).unwrap()
}

/// Sends batches of one session, and tells whether one was there already.
fn is_known(store: &dyn Store, id: usize) -> bool {
    let id = Some(Uuid::from_u128(id as u128));
    let line = [NewRecord::line("{}")];
    let sent = store.append(&key("batches"), Expect::Any, id, &line);
    sent.unwrap().replayed
}

/// The same test on both stores, with a clock of so many seconds.
fn on_both_with_a_clock(test: impl Fn(&dyn Store, &AtomicU64)) {
    let second = Arc::new(AtomicU64::new(0));
    let of = Arc::clone(&second);
    let options = Options::default().with_clock(move || {
        let second = 1_780_000_000 + of.load(Ordering::SeqCst);
        DateTime::from_timestamp(second.try_into().unwrap(), 0).unwrap()
    });
    test(&MemoryStore::new(options.stamps.clone()), &second);
    second.store(0, Ordering::SeqCst);
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), options).unwrap();
    test(&store, &second);
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    // Nothing is left of them.
    store.delete(&key("batches")).unwrap();
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn as_many_batches_are_remembered_as_promised() {
    on_both_with_a_clock(|store, second| {
        for id in 0..=BATCHES_REMEMBERED + 3 {
            assert!(!is_known(store, id));
        }
        // Others come and go when the time of the oldest is over.
        second.store(BATCH_SECONDS_REMEMBERED * 30, Ordering::SeqCst);
        for id in 4..=BATCHES_REMEMBERED + 3 {
            assert!(is_known(store, id), "{id}");
        }
        for id in 100..104 {
            assert!(!is_known(store, id));
        }
        assert!(!is_known(store, 0), "one more than are remembered");
    });
}

#[test]
fn older_batches_are_remembered_for_their_time() {
    on_both_with_a_clock(|store, second| {
        for id in 0..200 {
            assert!(!is_known(store, id));
        }
        second.store(BATCH_SECONDS_REMEMBERED, Ordering::SeqCst);
        for id in 200..300 {
            assert!(!is_known(store, id));
        }
        for id in 0..300 {
            assert!(is_known(store, id), "{id}");
        }
        // Two go for each that comes.
        second.store(BATCH_SECONDS_REMEMBERED + 1, Ordering::SeqCst);
        for id in 300..400 {
            assert!(!is_known(store, id));
        }
        let known = (0..400).rev().filter(|id| is_known(store, *id)).count();
        assert!((200..=232).contains(&known), "{known}");
    });
}
