//! When a store last wrote to a session, beside the times that the lines state.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::DateTime;
use scrollback::report::CopyReport;
use scrollback::{
    Existing, Expect, ImportOptions, Ingest, MemoryStore, NewRecord, Options, PropertiesChange,
    RedbStore, SessionKey, Stamps, Store, copy_store, import, unwatched,
};

use crate::harness::Home;

const PLACE: &str = "in/.claude/projects/-w";
const ID: &str = "0a1b2c3d-0000-4000-8000-000000000001";
const OTHER: &str = "0a1b2c3d-0000-4000-8000-000000000002";

/// Later than all times of lines and files.
const BEGIN: i64 = 2_000_000_000;

/// A clock that stands where a test puts it, in seconds since 1970.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds)))
    }

    fn put(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    fn stamps(&self) -> Stamps {
        let clock = self.0.clone();
        Stamps::default()
            .with_clock(move || DateTime::from_timestamp(clock.load(Ordering::Relaxed), 0).unwrap())
    }

    fn open(&self, home: &Home, name: &str) -> RedbStore {
        let options = Options::default().with_stamps(self.stamps());
        RedbStore::open(home.path().join(name), options).unwrap()
    }
}

fn claude(id: &str) -> SessionKey {
    SessionKey::new("claude-code", id).unwrap()
}

fn line(id: &str, number: u32) -> String {
    let stated = format!("2026-04-03T09:00:{number:02}Z");
    format!(
        "{{\"type\":\"user\",\"sessionId\":\"{id}\",\"uuid\":\"{id}-{number}\",\"timestamp\":\"{stated}\",\
         \"cwd\":\"/w\",\"message\":{{\"role\":\"user\",\"content\":\"said {number}\"}}}}\n"
    )
}

/// The second of the last write, and its microseconds.
#[track_caller]
fn written(store: &dyn Store, key: &SessionKey) -> (i64, u32) {
    let written = store.summary(key).unwrap().written_at.unwrap();
    (written.timestamp(), written.timestamp_subsec_micros())
}

/// The seconds of the last writes to both sessions.
#[track_caller]
fn both(store: &dyn Store) -> [i64; 2] {
    [ID, OTHER].map(|id| written(store, &claude(id)).0 - BEGIN)
}

fn take(home: &Home, store: &dyn Ingest) {
    let paths = [home.path().join("in")];
    let report = import(store, &paths, &ImportOptions::default(), &mut unwatched).unwrap();
    assert_eq!(report.paths_failed, 0, "{:?}", report.problems);
}

/// A store in a file and one in memory, each with a home of its own in which two sessions were imported.
fn each(check: impl Fn(&Home, &Clock, &dyn Ingest)) {
    for is_file in [true, false] {
        let home = Home::new();
        let clock = Clock::at(BEGIN);
        let store: Box<dyn Ingest> = if is_file {
            Box::new(clock.open(&home, "s.redb"))
        } else {
            Box::new(MemoryStore::new(clock.stamps()))
        };
        home.write(&lines_of(ID), line(ID, 1));
        home.write(&lines_of(OTHER), line(OTHER, 1));
        home.write(&beside(), "put out");
        take(&home, &*store);
        assert_eq!(both(&*store), [0, 0]);
        check(&home, &clock, &*store);
    }
}

fn lines_of(id: &str) -> String {
    format!("{PLACE}/{id}.jsonl")
}

/// A file that is kept beside the lines of the first session.
fn beside() -> String {
    format!("{PLACE}/{ID}/tool-results/out.txt")
}

#[test]
fn an_import_moves_the_time_of_what_grew_and_not_of_what_is_as_it_was() {
    each(|home, clock, store| {
        let stated = "2026-04-03T09:00:01Z".parse::<DateTime<chrono::Utc>>();
        let summary = store.summary(&claude(ID)).unwrap();
        assert_eq!(summary.updated_at, stated.unwrap());

        // Neither what is as it was, nor what got another time alone.
        clock.put(BEGIN + 10);
        take(home, store);
        for name in [lines_of(ID), beside()] {
            let path = home.path().join(name);
            let touched = File::options().append(true).open(&path).unwrap();
            let later = touched.metadata().unwrap().modified().unwrap() + Duration::from_secs(60);
            touched.set_modified(later).unwrap();
        }
        take(home, store);
        assert_eq!(store.summary(&claude(ID)).unwrap(), summary);
        assert_eq!(both(store), [0, 0]);

        clock.put(BEGIN + 20);
        home.write(&lines_of(ID), [line(ID, 1), line(ID, 2)].concat());
        take(home, store);
        assert_eq!(both(store), [20, 0]);
    });
}

#[test]
fn a_file_beside_the_lines_that_changed_is_a_write_though_the_row_does_not_tell() {
    each(|home, clock, store| {
        let before = store.summary(&claude(ID)).unwrap();
        clock.put(BEGIN + 10);
        home.write(&beside(), "put out again, and more of it");
        take(home, store);
        assert_eq!(both(store), [10, 0]);
        let mut after = store.summary(&claude(ID)).unwrap();
        after.written_at = before.written_at;
        assert_eq!(after, before);
    });
}

#[test]
fn clocks_that_differ_never_take_the_time_back() {
    let home = Home::new();
    let key = SessionKey::native("s").unwrap();
    let clocks = [Clock::at(BEGIN + 100), Clock::at(BEGIN)];
    let stores = clocks.clone().map(|clock| clock.open(&home, "s.redb"));
    let append = |at: usize| {
        let records = [NewRecord::line("{}")];
        let store: &RedbStore = &stores[at];
        store.append(&key, Expect::Any, None, &records).unwrap();
        written(store, &key)
    };
    assert_eq!(append(0), (BEGIN + 100, 0));
    assert_eq!(append(1), (BEGIN + 100, 1));
    assert_eq!(append(0), (BEGIN + 100, 2));
    clocks[1].put(BEGIN + 101);
    assert_eq!(append(1), (BEGIN + 101, 0));
    assert_eq!(append(0), (BEGIN + 101, 1));
}

#[test]
fn a_backup_and_a_repaired_store_have_the_times_of_their_store_and_a_copy_has_its_own() {
    let home = Home::new();
    let key = SessionKey::native("s").unwrap();
    let clock = Clock::at(BEGIN);
    let store = clock.open(&home, "s.redb");
    let say = || {
        let records = [NewRecord::line("{\"role\":\"user\",\"content\":\"hi\"}")];
        store.append(&key, Expect::Any, None, &records).unwrap();
    };
    say();
    let (back, restored) = (home.path().join("b.redb"), home.path().join("r.redb"));
    let options = Options::default().with_stamps(clock.stamps());
    clock.put(BEGIN + 10);
    store
        .backup(&back, Existing::Refuse, &mut unwatched)
        .unwrap();
    RedbStore::restore(&restored, &back, &options, &mut unwatched).unwrap();
    let repaired = home.path().join("p.redb");
    let report = RedbStore::repair(&back, &repaired, options.clone(), &mut unwatched).unwrap();
    assert_eq!(report.sessions_whole, 1, "{report:?}");
    for path in [&back, &restored, &repaired] {
        let other = RedbStore::open(path, options.clone()).unwrap();
        assert_eq!(written(&other, &key), (BEGIN, 0), "{}", path.display());
    }

    let others: [Box<dyn Ingest>; 2] = [
        Box::new(clock.open(&home, "c.redb")),
        Box::new(MemoryStore::new(clock.stamps())),
    ];
    let copied = |to: &dyn Ingest, second: i64| -> CopyReport {
        clock.put(BEGIN + second);
        let report = copy_store(&store, to, &mut unwatched).unwrap();
        assert!(report.is_complete(), "{:?}", report.refused);
        report
    };
    for (at, other) in others.iter().enumerate() {
        let other = &**other;
        assert_eq!(copied(other, 20).sessions, 1);
        assert_eq!(written(other, &key).0, BEGIN + 20, "{at}");
        // When each wrote it is no difference between the two.
        assert_eq!(copied(other, 30).unchanged, 1);
        assert_eq!(written(other, &key).0, BEGIN + 20, "{at}");
        let pin = PropertiesChange::default().with_pinned(at == 0);
        store.update_properties(&key, &pin).unwrap();
        assert_eq!(copied(other, 40).updated, 1);
        assert_eq!(written(other, &key).0, BEGIN + 40, "{at}");
        clock.put(BEGIN + 50);
        say();
        let here = written(&store, &key);
        assert_eq!(copied(other, 60).updated, 1);
        assert_eq!(written(other, &key).0, BEGIN + 60, "{at}");
        assert_eq!(written(&store, &key), here);
    }
}
