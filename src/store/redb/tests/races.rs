//! What somebody else does between the two steps of a call: looking, and writing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::codec::session_row::SessionRow;
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::store::redb::sessions::sweep;
use crate::store::redb::store::RedbStore;
use crate::store::sessions::Primitives as _;
use crate::store::sessions::same_records;
use crate::store::{CleanupQuery, Expect, Mode, NewRecord, Options, Store as _};

fn store() -> (tempfile::TempDir, RedbStore, SessionKey) {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("a.redb"), Options::default()).unwrap();
    let key = SessionKey::native("s").unwrap();
    (folder, store, key)
}

fn say(store: &RedbStore, key: &SessionKey, text: &str) {
    let message = NewRecord::message(Message::text(Role::User, text));
    store.append(key, Expect::Any, None, &[message]).unwrap();
}

#[test]
fn a_session_that_was_used_since_the_look_is_not_cleaned_up() {
    let (_folder, store, key) = store();
    say(&store, &key, "one");
    let seen = store.summary(&key).unwrap();
    let before_us = seen.updated_at.timestamp_micros();
    let delete_old = |numbers: &[u64], before_us| {
        let mut batches = numbers.chunks(sweep::BATCH).peekable();
        let before = chrono::DateTime::from_timestamp_micros(before_us).unwrap();
        let sweep = sweep::Sweep::of(&CleanupQuery::older_than(before));
        let cleaned = store.write(|writer| sweep::many(writer, &mut batches, &sweep));
        cleaned.map(|cleaned| cleaned.removed)
    };
    let kept = delete_old(&[seen.number], before_us).unwrap();
    assert_eq!((kept.sessions, kept.records), (0, 0));
    assert_eq!(store.summary(&key).unwrap().message_count, 1);
    let gone = delete_old(&[seen.number, seen.number + 9], before_us + 1);
    assert_eq!(gone.unwrap().sessions, 1);
    assert!(store.summary(&key).is_err());
}

#[test]
fn a_mark_is_not_set_over_records_that_were_not_looked_at() {
    let (_folder, store, key) = store();
    say(&store, &key, "one");
    let seen = store.row(&key).unwrap().unwrap();
    say(&store, &key, "two");
    assert!(!store.set_mark(&key, &seen, 1, 1).unwrap());
    let now = store.row(&key).unwrap().unwrap();
    assert!(store.set_mark(&key, &now, 1, 1).unwrap());
    assert!(!store.set_mark(&key, &now, 2, 2).unwrap());
}

#[test]
fn rows_have_the_same_records_only_if_all_numbers_of_them_are_the_same() {
    let row = SessionRow::new(&SessionKey::native("s").unwrap(), 0);
    assert!(same_records(&row, &row.clone()));
    let changes: [fn(&mut SessionRow); 5] = [
        |row| row.next += 1,
        |row| row.records += 1,
        |row| row.messages += 1,
        |row| row.mark += 1,
        |row| row.hidden += 1,
    ];
    for change in changes {
        let mut other = row.clone();
        change(&mut other);
        assert!(!same_records(&row, &other), "{other:?}");
    }
}

/// The engine writes a commit's pages in any order: whoever reads the file below it meanwhile must
/// not take that for damage.
#[test]
fn answers_beside_commits_are_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [Mode::Exclusive, Options::default().mode] {
        let options = Options::default().with_mode(mode);
        let store = RedbStore::open(folder.path().join("a.redb"), options).unwrap();
        let ends = Instant::now() + Duration::from_millis(700);
        let (asked, written) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let (store, written) = (&store, &written);
                scope.spawn(move || {
                    for number in 0.. {
                        let key = SessionKey::native(format!("{writer}-{number}")).unwrap();
                        say(store, &key, &"text ".repeat(400));
                        written.fetch_add(1, Relaxed);
                        if Instant::now() > ends {
                            break;
                        }
                    }
                });
            }
            let gone = SessionKey::native("gone").unwrap();
            while Instant::now() < ends {
                assert!(matches!(store.summary(&gone), Err(Error::NotFound { .. })));
                assert_eq!(store.find("gone", 3).unwrap(), []);
                let report = store.verify(&mut crate::store::unwatched).unwrap();
                assert!(report.is_clean(), "{:?}", report.problems);
                asked.fetch_add(1, Relaxed);
            }
        });
        assert!(asked.into_inner() > 5 && written.into_inner() > 20);
    }
}
