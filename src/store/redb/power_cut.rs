//! Power cuts: a workload on a disk that remembers every write and flush, cut after each of them.
//! What was flushed is there afterwards; what was not is lost, kept, or torn at sectors. Each time
//! the store opens, is whole, and has either all of the call that was cut off or nothing of it.

use std::fmt::Write as _;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{BackendError, StorageBackend};
use uuid::Uuid;

use super::super::addition::{Addition, Intent};
use super::appends::{self, Append};
use super::{Bulk, RedbStore, Source};
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::dialect;
use crate::jsonl::LineReader;
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::model::properties::PropertiesChange;
use crate::store::{
    Expect, ListQuery, Mode, NewRecord, Options, ScanQuery, SessionBuilder, Store as _,
    StoreExt as _,
};

/// What a disk writes at once: a write is torn only between two of them.
const SECTOR: usize = 512;

/// One thing that was done to the disk.
#[derive(Clone, Debug)]
enum Operation {
    Write(usize, Vec<u8>),
    Length(usize),
    Flush,
}

impl Operation {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
            Self::Length(length) => content.resize(*length, 0),
            Self::Flush => {}
        }
    }
}

/// A disk in memory, with all that was ever done to it.
#[derive(Clone, Debug, Default)]
struct Disk {
    content: Vec<u8>,
    log: Vec<Operation>,
}

#[derive(Clone, Debug, Default)]
struct DiskBackend(Arc<Mutex<Disk>>);

impl DiskBackend {
    fn of(content: Vec<u8>) -> Self {
        let log = Vec::new();
        Self(Arc::new(Mutex::new(Disk { content, log })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Disk) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn done(&self, operation: Operation) {
        self.with(|disk| {
            operation.apply(&mut disk.content);
            disk.log.push(operation);
        });
    }

    /// How much has been done.
    fn length_of_log(&self) -> usize {
        self.with(|disk| disk.log.len())
    }
}

impl StorageBackend for DiskBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|disk| disk.content.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.with(|disk| {
            let found = disk.content.get(start..start + out.len());
            out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.done(Operation::Length(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.done(Operation::Flush);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.done(Operation::Write(offset, data.to_vec()));
        Ok(())
    }

    // One process alone: every lock is free.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

/// What becomes of writes that were not flushed.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lost,
    Kept,
    /// Each is lost, kept or torn, by a sequence that starts here.
    Torn(u64),
}

/// The next number of a sequence that looks like chance, and is the same with every run.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// What is on the disk after a cut.
fn after_cut(durable: &[u8], pending: &[Operation], fate: Fate) -> Vec<u8> {
    let mut content = durable.to_vec();
    let mut chance = match fate {
        Fate::Lost => return content,
        Fate::Kept => {
            for one in pending {
                one.apply(&mut content);
            }
            return content;
        }
        Fate::Torn(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
    };
    for operation in pending {
        if next(&mut chance).is_multiple_of(3) {
            continue;
        }
        let whole = next(&mut chance).is_multiple_of(2);
        match operation {
            Operation::Write(offset, bytes) if !whole => {
                for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                    if next(&mut chance).is_multiple_of(2) {
                        let at = offset + number * SECTOR;
                        Operation::Write(at, sector.to_vec()).apply(&mut content);
                    }
                }
            }
            operation => operation.apply(&mut content),
        }
    }
    content
}

fn options(mode: Mode) -> Options {
    let epoch = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let ticks = Mutex::new(0);
    Options {
        mode,
        cache_bytes: 1024 * 1024,
        clock: Arc::new(move || {
            let mut ticks = ticks.lock().unwrap();
            *ticks += 1;
            epoch + chrono::TimeDelta::seconds(*ticks)
        }),
        ids: Arc::new(Uuid::now_v7),
        ..Options::default()
    }
}

fn key(name: &str) -> SessionKey {
    SessionKey::native(name).unwrap()
}

fn said(text: &str) -> NewRecord {
    NewRecord::message(Message::text(Role::User, text))
}

/// All that can be read in a store.
fn picture(store: &RedbStore) -> String {
    let mut text = String::new();
    let sessions = store.list(&ListQuery {
        limit: 1000,
        ..ListQuery::default()
    });
    for summary in sessions.unwrap().sessions {
        writeln!(text, "{summary:?} {:?}", store.properties(&summary.key)).unwrap();
        for record in store.records(&summary.key, ScanQuery::default()) {
            let record = record.unwrap();
            let hash = xxhash_rust::xxh3::xxh3_64(&record.line);
            writeln!(text, "  {} {:?} {hash:x}", record.sequence, record.header).unwrap();
        }
    }
    store
        .sources()
        .for_each(&mut |source| {
            writeln!(text, "{source:?}").unwrap();
            Ok(())
        })
        .unwrap();
    text
}

/// Imports a file as one transaction of an import does.
fn import(store: &RedbStore, name: &str, lines: u64) {
    let agent = key(name);
    let mut builder = SessionBuilder::new(&agent, dialect::of_agent(agent.agent()), 5);
    let mut content = String::new();
    for number in 0..lines {
        let words = "words ".repeat(40);
        writeln!(content, "{{\"n\":{number},\"text\":\"{words}\"}}").unwrap();
    }
    let mut reader = LineReader::new(content.as_bytes());
    while let Some(line) = reader.next_line().unwrap() {
        builder.push(&line);
    }
    let mut bulk: Bulk<'_> = store.bulk().unwrap();
    let number = bulk.create(&agent).unwrap();
    bulk.write_chunk(number, &builder.take_chunk()).unwrap();
    bulk.write_attachment(number, "notes.txt", &mut &b"kept whole"[..])
        .unwrap();
    bulk.count_attachment(number).unwrap();
    let row = SourceRow {
        agent: agent.agent().to_owned(),
        kind: SourceKind::Lines,
        session: number,
        name: String::new(),
        relative: name.as_bytes().to_vec(),
        size: content.len() as u64,
        mtime_ns: 7,
        offset: content.len() as u64,
        lines,
        tail_offset: content.len() as u64,
        hash: 1,
        next_sequence: lines,
        complete: true,
    };
    bulk.write_source(&Source {
        path: name.as_bytes().to_vec(),
        generation: 1,
        row,
    })
    .unwrap();
    bulk.commit().unwrap();
}

/// Several appends in one commit, as the queue writes them.
fn appends_together(store: &RedbStore, round: u64) {
    let line = vec![format!("{{\"round\":{round}}}\n").into_bytes()];
    let appends: Vec<Append> = ["chat", "other", "third"]
        .iter()
        .map(|name| {
            let addition = Addition {
                expect: Expect::Any,
                batch_id: None,
                lines: &line,
                intent: Intent::Append,
            };
            Append::of(&key(name), &addition)
        })
        .collect();
    for answer in appends::write(store, &appends.iter().collect::<Vec<_>>()) {
        answer.unwrap();
    }
}

/// One call of the workload; each is one commit, or changes nothing that can be read.
fn call(store: &RedbStore, number: u64) {
    let chat = key("chat");
    match number % 12 {
        0 => drop(
            store
                .append(&chat, Expect::Any, None, &[said("a question")])
                .unwrap(),
        ),
        1 => appends_together(store, number),
        2 => {
            // Enough to seal the tail.
            let long = "an answer of many words, ".repeat(400);
            let many: Vec<NewRecord> = (0..8).map(|_| said(&long)).collect();
            store.append(&chat, Expect::Any, None, &many).unwrap();
        }
        3 => import(store, &format!("file-{number}"), 60),
        4 => drop(store.truncate(&chat, 5).unwrap()),
        5 => drop(store.compact(&chat, None, None).unwrap()),
        6 => {
            let change = PropertiesChange {
                title: Some(Some(format!("title {number}"))),
                aliases: Some(vec![format!("alias-{number}")]),
                summary: Some("what was said ".repeat(300)),
                ..PropertiesChange::default()
            };
            store.update_properties(&chat, &change).unwrap();
        }
        7 => store
            .replace_history(&key("other"), &[said("from here on")])
            .unwrap(),
        8 => drop(store.hide_before(&key("third"), number / 12 + 1).unwrap()),
        9 => drop(store.delete(&key(&format!("file-{}", number - 6))).unwrap()),
        10 => {
            let mut session = store.load(&chat).unwrap();
            session
                .messages
                .push(Message::text(Role::Assistant, "saved"));
            store.save(&mut session).unwrap();
        }
        _ => drop(store.reclaim().unwrap()),
    }
}

/// What was done to the disk, and what there was to read after each call.
struct Recording {
    start: Vec<u8>,
    log: Vec<Operation>,
    /// Length of the log, and the picture of the store, after each call.
    states: Vec<(usize, String)>,
}

fn record(mode: Mode, calls: u64) -> Recording {
    let disk = DiskBackend::default();
    let store = RedbStore::over(disk.clone(), options(mode)).unwrap();
    // Making a store is not cut: a new one is made under another name.
    let start = disk.with(|disk| {
        disk.log.clear();
        disk.content.clone()
    });
    let mut states = vec![(0, picture(&store))];
    for number in 0..calls {
        call(&store, number);
        states.push((disk.length_of_log(), picture(&store)));
    }
    let log = disk.with(|disk| disk.log.clone());
    Recording { start, log, states }
}

/// Cuts after every operation, with each of the fates. Returns how many cuts there were.
fn cut_everywhere(recording: &Recording, mode: Mode, fates: impl Fn(usize) -> Vec<Fate>) -> usize {
    let (mut durable, mut pending) = (recording.start.clone(), Vec::new());
    let (mut cuts, mut acknowledged) = (0, 0);
    for done in 0..=recording.log.len() {
        while recording
            .states
            .get(acknowledged + 1)
            .is_some_and(|(at, _)| *at <= done)
        {
            acknowledged += 1;
        }
        for fate in fates(done) {
            cuts += 1;
            let disk = DiskBackend::of(after_cut(&durable, &pending, fate));
            let store = RedbStore::over(disk, options(mode)).unwrap();
            let found = picture(&store);
            let allowed = recording.states.iter().skip(acknowledged).take(2);
            assert!(
                allowed.into_iter().any(|(_, state)| *state == found),
                "cut after {done}, call {acknowledged}, {fate:?}: {found}"
            );
            let report = store.verify(&mut |_, _| {}).unwrap();
            assert!(report.is_clean(), "cut after {done}, {fate:?}: {report:?}");
            if done % 16 == 0 {
                store
                    .append(&key("later"), Expect::Any, None, &[said("on")])
                    .unwrap();
            }
        }
        match recording.log.get(done) {
            Some(Operation::Flush) => {
                for one in &pending {
                    Operation::apply(one, &mut durable);
                }
                pending.clear();
            }
            Some(operation) => pending.push(operation.clone()),
            None => {}
        }
    }
    cuts
}

fn modes() -> Vec<Mode> {
    vec![
        #[cfg(feature = "shared")]
        Mode::Shared,
        Mode::Exclusive,
    ]
}

#[test]
fn a_power_cut_at_any_write_leaves_each_call_done_or_not_there() {
    for mode in modes() {
        let recording = record(mode, 24);
        let fates = |done: usize| {
            vec![match done % 3 {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => Fate::Torn(done as u64),
            }]
        };
        let cuts = cut_everywhere(&recording, mode, fates);
        assert!(cuts > 300, "{cuts} cuts are too few to mean something");
    }
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn a_power_cut_at_any_write_with_every_fate() {
    for mode in modes() {
        let recording = record(mode, 96);
        let fates = |done: usize| {
            let mut fates = vec![Fate::Lost, Fate::Kept];
            fates.extend((0..6).map(|seed| Fate::Torn(done as u64 * 6 + seed)));
            fates
        };
        let cuts = cut_everywhere(&recording, mode, fates);
        assert!(cuts > 8_000, "{cuts} cuts");
    }
}

#[test]
fn a_power_cut_during_a_migration_leaves_the_old_format_or_the_new() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1/store.redb");
    let start = std::fs::read(old).unwrap();
    for mode in modes() {
        let disk = DiskBackend::of(start.clone());
        let store = RedbStore::over(disk.clone(), options(mode)).unwrap();
        let whole = picture(&store);
        let recording = Recording {
            start: start.clone(),
            log: disk.with(|disk| disk.log.clone()),
            states: vec![(0, whole)],
        };
        let fates = |done: usize| vec![Fate::Lost, Fate::Kept, Fate::Torn(done as u64)];
        let cuts = cut_everywhere(&recording, mode, fates);
        assert!(cuts > 20, "{cuts} cuts");
    }
}
