//! A verification beside writers: it holds no snapshot for all of its time, and takes nothing that
//! happens meanwhile for damage. (Here each session is a slice of its own.)

use std::fs;

use crate::model::key::SessionKey;
use crate::store::redb::store::RedbStore;
use crate::store::{Expect, NewRecord, Options, Store as _};

const SESSIONS: usize = 60;

fn key(id: usize) -> SessionKey {
    SessionKey::native(format!("s-{id}")).unwrap()
}

/// A line of 200 KB that hardly compresses.
fn noise(seed: usize) -> NewRecord {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'A' + u8::try_from(state % 26).unwrap())
    };
    let text: String = (0..200_000).map(|_| next()).collect();
    NewRecord::line(format!("\"{text}\""))
}

#[test]
fn a_verification_beside_writers_keeps_no_space_and_finds_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let append = |id, record: NewRecord| {
        store
            .append(&key(id), Expect::Any, None, &[record])
            .unwrap();
    };
    for id in 0..SESSIONS {
        append(id, NewRecord::line("{}"));
    }
    let length = || fs::metadata(store.path()).unwrap().len();
    for deep in [false, true] {
        let (before, mut calls) = (length(), 0);
        let mut beside = |_| {
            // What is written and removed again before the next one.
            append(1_000, noise(calls));
            store.delete(&key(1_000)).unwrap();
            // What changes sessions that were looked at, and others.
            append(calls % SESSIONS, NewRecord::line("{}"));
            append(SESSIONS - 1 - calls % SESSIONS, NewRecord::line("{}"));
            append(2_000 + calls, NewRecord::line("{}"));
            if calls > 0 {
                store.delete(&key(2_000 + calls - 1)).unwrap();
            }
            calls += 1;
            std::ops::ControlFlow::Continue(())
        };
        let report = if deep {
            store.verify_deep(&[], &mut beside)
        } else {
            store.verify(&mut beside)
        };
        let report = report.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        assert_eq!(report.sessions, SESSIONS as u64 + 1);
        assert!(calls >= SESSIONS, "{calls}");
        let grown = length().saturating_sub(before);
        assert!(grown < 6_000_000, "{grown} bytes for {calls} times 200 KB");
        store.delete(&key(2_000 + calls - 1)).unwrap();
    }
}

#[test]
fn a_verification_holds_no_snapshot_for_a_huge_session_or_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let append = |id, record: NewRecord| {
        store
            .append(&key(id), Expect::Any, None, &[record])
            .unwrap();
    };
    for number in 0..60 {
        append(0, noise(number));
    }
    let length = || fs::metadata(store.path()).unwrap().len();
    let (before, mut calls) = (length(), 0);
    let report = store.verify_deep(&[], &mut |_| {
        append(1, noise(calls));
        store.delete(&key(1)).unwrap();
        // What is being read grows meanwhile.
        append(0, NewRecord::line("{}"));
        calls += 1;
        std::ops::ControlFlow::Continue(())
    });
    let report = report.unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    assert!(calls > 40, "{calls}");
    let grown = length().saturating_sub(before);
    assert!(grown < 4_000_000, "{grown} bytes for {calls} times 200 KB");
}

#[test]
fn a_session_of_which_records_go_while_it_is_verified_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    for number in 0..40 {
        store
            .append(&key(0), Expect::Any, None, &[noise(number)])
            .unwrap();
    }
    for keep in [20, 10] {
        let mut calls = 0;
        let report = store.verify_deep(&[], &mut |_| {
            if calls == 2 {
                store.truncate(&key(0), keep).unwrap();
                store.compact(&key(0), None, None).unwrap();
            }
            calls += 1;
            std::ops::ControlFlow::Continue(())
        });
        let report = report.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        assert!(calls > 3, "{calls}");
    }
}
