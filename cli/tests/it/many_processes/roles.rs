//! The processes that work until they are told to stop, or killed: writers, readers, one that
//! truncates and compacts, and one that makes sessions and throws them away.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use scrollback::chrono::{DateTime, Utc};
use scrollback::uuid::Uuid;
use scrollback::{
    Direction, Error, Expect, ListQuery, Mode, NewRecord, Options, RedbStore, ScanQuery,
    SessionKey, Store as _,
};

use super::folder;
use super::journal::{self, Entry, Journal};
use super::line::{self, Line};
use super::random::Random;

/// Sessions updated before this are for whoever cleans up: 2020-09-13.
pub(super) const OLD: i64 = 1_600_000_000;

/// The exit code of a writer that ended between a commit and its acknowledgement.
pub(super) const DIED: i32 = 86;

/// One process: who it is, and where its files lie.
pub(super) struct Place {
    pub(super) role: String,
    pub(super) slot: usize,
    pub(super) store: PathBuf,
    pub(super) logs: PathBuf,
    pub(super) random: Random,
}

impl Place {
    fn journal(&self) -> (PathBuf, Journal) {
        let path = journal::path(&self.logs, &self.role, self.slot);
        let journal = Journal::open(&path);
        (path, journal)
    }

    fn goes_on(&self) -> bool {
        !stop_file(&self.logs).exists()
    }
}

/// The file that tells all of them to stop.
pub(super) fn stop_file(logs: &Path) -> PathBuf {
    logs.join("stop")
}

/// Works until it is time to stop.
pub(super) fn work(place: Place) {
    match place.role.as_str() {
        "writer" => write(place),
        "reader" => read(place),
        "compactor" => compact(place),
        "churner" => churn(place),
        "holder" => write_alone(&place, Options::default().mode),
        "exclusive" => write_alone(&place, Mode::Exclusive),
        other => panic!("no role {other}"),
    }
}

fn write(mut place: Place) {
    let (path, journal) = place.journal();
    let before = journal::entries(&path);
    let mut writer = Writer {
        store: RedbStore::open(&place.store, Options::default()).unwrap(),
        slot: place.slot,
        journal,
        dies: true,
    };
    let tried = |entry: &Entry| match entry {
        Entry::Try { batch, .. } => Some(*batch),
        _ => None,
    };
    let mut batch = before
        .iter()
        .filter_map(tried)
        .max()
        .map_or(0, |last| last + 1);
    writer.go_on(before.last());
    let [any, sequence] = line::shared();
    let own = line::own(place.slot);
    while place.goes_on() {
        let (key, counted) = match place.random.below(4) {
            0 => (&any, false),
            1 => (&sequence, true),
            _ => (&own, true),
        };
        writer.append(key, counted, batch);
        batch += 1;
    }
}

/// Writes to its own session, and never ends by itself.
fn write_alone(place: &Place, mode: Mode) {
    let (path, journal) = place.journal();
    let options = Options::default().with_mode(mode);
    let store = RedbStore::open(&place.store, options).unwrap();
    let before = journal::entries(&path);
    let mut writer = Writer {
        store,
        slot: place.slot,
        journal,
        dies: false,
    };
    writer.go_on(before.last());
    let mut batch = before.len() as u64;
    while place.goes_on() {
        writer.append(&line::own(place.slot), true, batch);
        batch += 1;
    }
}

/// Who appends batches.
struct Writer {
    store: RedbStore,
    slot: usize,
    journal: Journal,
    /// Whether it ends by itself now and then, when a batch is on disk and not acknowledged.
    dies: bool,
}

impl Writer {
    /// After a kill: sends a batch again whose try was cut off. With its id it is never written
    /// twice, and with its sequence number never after somebody else.
    fn go_on(&mut self, last: Option<&Entry>) {
        let Some(Entry::Try {
            session,
            batch,
            sequence,
            id,
        }) = last.cloned()
        else {
            return;
        };
        let key = SessionKey::new("jsonl", session.as_str()).unwrap();
        let Some(sequence) = sequence else {
            self.journal.add(&Entry::Unknown { session, batch });
            return;
        };
        let records = records(self.slot, batch);
        let expect = Expect::Sequence(sequence);
        match self.store.append(&key, expect, Some(id), &records) {
            Ok(appended) => self.journal.add(&Entry::Acknowledged {
                session,
                batch,
                first: appended.first,
                last: appended.last,
                replayed: appended.replayed,
            }),
            // Others have written since: whether it is among that is not remembered for ever.
            Err(Error::Conflict { .. }) if key != line::own(self.slot) => {
                self.journal.add(&Entry::Unknown { session, batch });
            }
            Err(error) => panic!("{key}, batch {batch}, again: {error}"),
        }
    }

    /// Appends a batch, again while somebody else is faster. `counted` says where it expects to be.
    fn append(&mut self, key: &SessionKey, counted: bool, batch: u64) {
        let records = records(self.slot, batch);
        let id = Uuid::now_v7();
        let session = key.id().to_owned();
        loop {
            let sequence = counted.then(|| match self.store.summary(key) {
                Ok(summary) => summary.next_sequence,
                Err(Error::NotFound { .. }) => 0,
                Err(error) => panic!("{key}: {error}"),
            });
            self.journal.add(&Entry::Try {
                session: session.clone(),
                batch,
                sequence,
                id,
            });
            let expect = sequence.map_or(Expect::Any, Expect::Sequence);
            let began = std::time::Instant::now();
            match self.store.append(key, expect, Some(id), &records) {
                Ok(appended) => {
                    if self.dies && batch % 16 == 15 {
                        die();
                    }
                    self.journal.add(&Entry::Acknowledged {
                        session,
                        batch,
                        first: appended.first,
                        last: appended.last,
                        replayed: appended.replayed,
                    });
                    let took = Entry::Took("append".to_owned(), began.elapsed());
                    self.journal.add(&took);
                    return;
                }
                Err(Error::Conflict { .. }) if *key != line::own(self.slot) => {
                    let session = session.clone();
                    self.journal.add(&Entry::Refused { session, batch });
                }
                Err(error) => panic!("{key}, batch {batch}: {error}"),
            }
        }
    }
}

/// As by a kill: nothing is closed or dropped.
#[expect(
    clippy::exit,
    reason = "an end without any destructor is what is wanted"
)]
fn die() -> ! {
    std::process::exit(DIED)
}

fn records(slot: usize, batch: u64) -> Vec<NewRecord> {
    let lines = Line::batch(slot, batch);
    lines.into_iter().map(Line::record).collect()
}

fn read(mut place: Place) {
    let (_, mut journal) = place.journal();
    while place.goes_on() {
        // Opened anew now and then, and not always in the same way.
        let store = if place.random.below(2) == 0 {
            journal.time("open", || {
                RedbStore::open_read_only(&place.store, Options::default()).unwrap()
            })
        } else {
            RedbStore::open(&place.store, Options::default()).unwrap()
        };
        for _ in 0..60 {
            match place.random.below(20) {
                0 => verify(&store, &mut journal),
                1..=6 => list(&store, &mut journal),
                7 => load(&store, place.random.below(2), &mut journal),
                8..=13 => scan_own(&store, place.random.below(super::WRITERS), &mut journal),
                _ => scan_shared(&store, place.random.below(2), &mut journal),
            }
            if !place.goes_on() {
                return;
            }
        }
    }
}

fn verify(store: &RedbStore, journal: &mut Journal) {
    // Counts against records, and index entries against rows, all of one snapshot.
    let report = journal.time("verify", || {
        store.verify(&mut scrollback::unwatched).unwrap()
    });
    assert!(report.is_clean(), "beside writers: {:?}", report.problems);
}

fn list(store: &RedbStore, journal: &mut Journal) {
    let mut query = ListQuery::default().with_limit(7);
    let mut before = None;
    loop {
        let page = journal.time("list", || store.list(&query).unwrap());
        for summary in &page.sessions {
            let place = (summary.updated_at, summary.number);
            assert!(before.is_none_or(|before| place < before), "newest first");
            before = Some(place);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
}

/// The lines of one snapshot, or none if the session is not there yet.
fn scan(store: &RedbStore, key: &SessionKey, query: ScanQuery, journal: &mut Journal) -> Vec<Line> {
    let page = match journal.time("scan", || store.scan(key, &query)) {
        Ok(page) => page,
        Err(Error::NotFound { .. }) => return Vec::new(),
        Err(error) => panic!("{key}: {error}"),
    };
    let mut records = page.records;
    records.sort_by_key(|record| record.sequence);
    for pair in records.windows(2) {
        assert_eq!(pair[0].sequence + 1, pair[1].sequence, "{key}: a gap");
    }
    records
        .iter()
        .map(|record| Line::read(&record.line))
        .collect()
}

fn scan_own(store: &RedbStore, slot: usize, journal: &mut Journal) {
    let query = ScanQuery::default()
        .with_direction(Direction::Backward)
        .with_records_max(300);
    // Of the oldest batch a part may be on the next page.
    line::check_whole(&scan(store, &line::own(slot), query, journal), true);
}

fn scan_shared(store: &RedbStore, number: usize, journal: &mut Journal) {
    let query = ScanQuery::default()
        .with_records_max(usize::MAX)
        .with_bytes_max(usize::MAX);
    let key = &line::shared()[number];
    line::check_whole(&scan(store, key, query, journal), true);
}

fn load(store: &RedbStore, number: usize, journal: &mut Journal) {
    let key = &line::shared()[number];
    let session = match journal.time("load", || store.load(key)) {
        Ok(session) => session,
        Err(Error::NotFound { .. }) => return,
        Err(error) => panic!("{key}: {error}"),
    };
    let texts = session.messages.iter().map(scrollback::Message::plain_text);
    let lines: Vec<Line> = texts.map(|text| Line::said(&text)).collect();
    line::check_whole(&lines, true);
}

fn compact(mut place: Place) {
    let (_, mut journal) = place.journal();
    let store = RedbStore::open(&place.store, Options::default()).unwrap();
    while place.goes_on() {
        let (key, keep) = if place.random.below(2) == 0 {
            let chosen = place.random.below(2);
            (
                line::shared()[chosen].clone(),
                place.random.below(60) as u64,
            )
        } else {
            // A line that its file has not got whole yet is no message, so it stays.
            let id = folder::shrinking(place.random.below(folder::SHRINKING));
            (SessionKey::new("jsonl", id).unwrap(), 3)
        };
        let key = &key;
        match store.truncate(key, keep) {
            Ok(_) => {}
            Err(Error::NotFound { .. }) => continue,
            Err(error) => panic!("{key}: {error}"),
        }
        if place.random.below(2) == 0 {
            // The other one compacts what this one has hidden, perhaps while it is at it.
            continue;
        }
        let name = format!("archive-{}.jsonl", Uuid::now_v7());
        let mut archive = File::create(place.logs.join(name)).unwrap();
        journal.time("compact", || {
            store.compact(key, None, Some(&mut archive)).unwrap()
        });
        if place.random.below(3) == 0 {
            let reclaimed = journal.time("reclaim", || store.reclaim().unwrap());
            if reclaimed.refused.is_none() {
                journal.add(&Entry::Took(
                    "reclaimed".to_owned(),
                    std::time::Duration::ZERO,
                ));
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn churn(mut place: Place) {
    let (_, mut journal) = place.journal();
    let is_old = Arc::new(AtomicBool::new(false));
    let clock = {
        let (is_old, system) = (Arc::clone(&is_old), Options::default().stamps.clock);
        move || {
            if is_old.load(Ordering::SeqCst) {
                DateTime::<Utc>::from_timestamp(OLD, 0).unwrap()
            } else {
                system()
            }
        }
    };
    let options = Options::default().with_clock(clock);
    let store = RedbStore::open(&place.store, options).unwrap();
    let after_old = DateTime::from_timestamp(OLD + 1, 0).unwrap();
    while place.goes_on() {
        let old = place.random.below(3) == 0;
        is_old.store(old, Ordering::SeqCst);
        let kind = if old { "old" } else { "throw" };
        let id = format!("{kind}-{}", Uuid::now_v7());
        let key = SessionKey::new("jsonl", id.as_str()).unwrap();
        for batch in 0..2 {
            let records = records(0, batch);
            store.append(&key, Expect::Any, None, &records).unwrap();
        }
        is_old.store(false, Ordering::SeqCst);
        journal.add(&Entry::Made(id.clone()));
        if old {
            journal.time("cleanup", || store.cleanup_older_than(after_old).unwrap());
        } else if place.random.below(4) > 0 {
            journal.add(&Entry::Deleting(id.clone()));
            assert_eq!(store.delete(&key).unwrap().sessions, 1, "{key}");
            journal.add(&Entry::Deleted(id));
        }
    }
}
