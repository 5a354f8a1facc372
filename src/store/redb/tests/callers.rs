//! Code of the caller's within a call: its panics pass through, and the store goes on; a clock that
//! stands where no clock can.

use std::io::Write;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use super::sweeps::modes;
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::model::session::Session;
use crate::store::copies::Existing;
use crate::store::ingest::Bulk as _;
use crate::store::redb::store::RedbStore;
use crate::store::{
    Expect, ListQuery, MemoryStore, NewRecord, Options, ScanQuery, Store, unwatched,
};

const DAY: i64 = 86_400;

/// 2026-01-01.
const TODAY: i64 = 1_767_225_600;

/// A clock that is set to a second since 1970, or panics.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

const PANICS: i64 = i64::MAX;

impl Clock {
    fn set(&self, second: i64) {
        self.0.store(second, Ordering::SeqCst);
    }

    fn options(&self) -> Options {
        let clock = self.clone();
        Options::default().with_clock(move || match clock.0.load(Ordering::SeqCst) {
            PANICS => panic!("theirs"),
            second => DateTime::from_timestamp(second, 0).unwrap(),
        })
    }
}

fn key(id: &str) -> SessionKey {
    SessionKey::native(id).unwrap()
}

fn append(store: &impl Store, id: &str, line: &str) -> Result<DateTime<Utc>, Error> {
    let record = [NewRecord::line(line)];
    let done = store.append(&key(id), Expect::Any, None, &record)?;
    Ok(done.updated_at)
}

/// Runs a call in which the caller's code panics.
#[track_caller]
fn panics<T>(call: impl FnOnce() -> T) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("the panic did not pass through")
    };
    assert_eq!(panic.downcast_ref(), Some(&"theirs"));
}

struct Panics;

impl Write for Panics {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        panic!("theirs")
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_of_the_callers_code_passes_through_and_the_store_goes_on() {
    for mode in modes() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::default());
        clock.set(TODAY);
        let options = clock.options().with_mode(mode);
        let store = RedbStore::open(folder.path().join("s.redb"), options).unwrap();
        append(&store, "s", "{}").unwrap();
        let mut bulk = Box::new(store.bulk().unwrap());
        bulk.write_attachment(1, "a", &mut &b"content"[..]).unwrap();
        bulk.commit().unwrap();
        store.hide_before(&key("s"), 1).unwrap();
        let file = folder.path().join("backup");
        let calls: [&dyn Fn(); 7] = [
            &|| drop(store.read_attachment(&key("s"), "a", &mut Panics)),
            &|| drop(store.export_markdown(&key("s"), &mut Panics)),
            &|| drop(store.compact(&key("s"), None, Some(&mut Panics))),
            &|| drop(store.verify(&mut |_| -> ControlFlow<()> { panic!("theirs") })),
            &|| drop(store.backup(&file, Existing::Refuse, &mut |_| panic!("theirs"))),
            &|| {
                clock.set(PANICS);
                drop(append(&store, "s", "{}"));
            },
            &|| {
                clock.set(PANICS);
                drop(store.save(&mut Session::native("t").unwrap()));
            },
        ];
        for call in calls {
            panics(call);
            clock.set(TODAY);
            let before = store.summary(&key("s")).unwrap().record_count;
            append(&store, "s", "{}").unwrap();
            assert_eq!(store.summary(&key("s")).unwrap().record_count, before + 1);
        }
        assert!(store.verify(&mut unwatched).unwrap().is_clean());
        assert!(!file.exists());
        store.close().unwrap();
    }
}

fn a_clock_before_1970(store: &impl Store, clock: &Clock) {
    clock.set(TODAY);
    append(store, "s", "{}").unwrap();
    clock.set(-1);
    let failed = append(store, "s", "{}");
    assert!(matches!(failed, Err(Error::Clock { .. })), "{failed:?}");
    let failed = store.save(&mut Session::native("t").unwrap());
    assert!(matches!(failed, Err(Error::Clock { .. })), "{failed:?}");
    for second in [-1, PANICS] {
        clock.set(second);
        assert_eq!(store.summary(&key("s")).unwrap().record_count, 1);
        assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 1);
        assert_eq!(store.find("s", 1).unwrap(), [key("s")]);
        store.load(&key("s")).unwrap();
        store.scan(&key("s"), &ScanQuery::default()).unwrap();
        store.export_markdown(&key("s"), &mut Vec::new()).unwrap();
    }
    clock.set(-1);
    store.delete(&key("s")).unwrap();
}

#[test]
fn a_clock_before_1970_is_an_error_of_the_clock_and_none_of_reads() {
    let clock = Clock::default();
    a_clock_before_1970(&MemoryStore::new(clock.options().stamps), &clock);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    clock.set(TODAY);
    let store = RedbStore::open(&path, clock.options()).unwrap();
    a_clock_before_1970(&store, &clock);
    drop(store);
    for second in [-1, PANICS] {
        clock.set(second);
        let store = RedbStore::open_read_only(&path, clock.options()).unwrap();
        assert!(store.verify(&mut unwatched).unwrap().is_clean());
        store.stats().unwrap();
    }
}

fn a_find_without_a_limit(store: &impl Store) {
    for id in ["a", "b", "bc"] {
        append(store, id, "{}").unwrap();
    }
    assert_eq!(store.find("", usize::MAX).unwrap().len(), 3);
    assert_eq!(store.find("b", usize::MAX).unwrap().len(), 1);
}

#[test]
fn a_find_without_a_limit_finds() {
    a_find_without_a_limit(&MemoryStore::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    a_find_without_a_limit(&RedbStore::open(path, Options::default()).unwrap());
}

/// A line of 2099, and a clock that stood in 2262.
fn a_time_from_the_future(store: &impl Store, clock: &Clock) {
    clock.set(TODAY);
    let today = DateTime::from_timestamp(TODAY, 0).unwrap();
    let line = |time: &str| {
        format!(
            "{{\"scrollback\":1,\"type\":\"message\",\"role\":\"user\",\"content\":[],\"time\":\"{time}\"}}"
        )
    };
    let stated = append(store, "stated", &line("2099-01-01T00:00:00Z")).unwrap();
    assert_eq!(stated, today);
    let tomorrow = append(store, "tomorrow", &line("2026-01-01T20:00:00Z")).unwrap();
    assert_eq!(tomorrow, today + TimeDelta::hours(20));
    clock.set(9_223_372_036);
    append(store, "clock", "{}").unwrap();
    clock.set(TODAY + DAY);
    let now = append(store, "now", "{}").unwrap();
    assert_eq!(now, today + TimeDelta::days(1));
    // It was believed by the clock that stored it, and is not any more.
    assert_eq!(append(store, "clock", "{}").unwrap(), now);
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    let ids: Vec<&str> = listed.iter().map(|session| session.key.id()).collect();
    assert_eq!(ids[2..], ["tomorrow", "stated"]);
    // What the line says is kept.
    let page = store.scan(&key("stated"), &ScanQuery::default()).unwrap();
    let text = String::from_utf8(page.records[0].line.clone()).unwrap();
    assert!(text.contains("2099") && page.records[0].header.time_us > Some(TODAY * 2_000_000));
    let removed = store
        .cleanup_older_than(today + TimeDelta::hours(1))
        .unwrap();
    assert_eq!(removed.sessions, 1);
    assert!(store.summary(&key("stated")).is_err());
}

#[test]
fn order_and_cleanup_do_not_believe_the_future() {
    let clock = Clock::default();
    a_time_from_the_future(&MemoryStore::new(clock.options().stamps), &clock);
    let folder = tempfile::tempdir().unwrap();
    clock.set(TODAY);
    let store = RedbStore::open(folder.path().join("s.redb"), clock.options()).unwrap();
    a_time_from_the_future(&store, &clock);
    // Of an import: the row comes made.
    let mut bulk = Box::new(store.bulk().unwrap());
    let number = bulk.create(&key("imported")).unwrap();
    bulk.apply_times(number, None, Some(4_070_908_800_000_000))
        .unwrap();
    bulk.commit().unwrap();
    let summary = store.summary(&key("imported")).unwrap();
    assert_eq!(summary.updated_at.timestamp(), TODAY + DAY);
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
}
