//! The calls that the sweeps make, and what there is to read after each of them.
//!
//! A call is one commit, so it is done or not there. Some are several, each of them whole: a fork
//! (lines, mark, properties), an import (a commit a chunk), a cleanup (a commit a batch). Of those
//! what there is after each of their commits may be there as well, in their order, and nothing else.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::disk::{Disk, Operation};
use super::fates;
use crate::agents;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::jsonl::LineReader;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::model::properties::PropertiesChange;
use crate::model::session::Session;
use crate::store::addition::{Addition, Intent};
use crate::store::ingest::Source;
use crate::store::ingest::{Bulk as _, IngestStore as _};
use crate::store::redb::sessions::appends;
use crate::store::redb::store::RedbStore;
use crate::store::{
    Expect, ListQuery, Mode, NewRecord, Options, ScanQuery, SessionBuilder, Store as _,
    StoreExt as _,
};

/// Kinds of calls.
pub(crate) const KINDS: u64 = 17;

/// Those that are several commits: imports, a fork, a cleanup.
const MANY: [u64; 5] = [3, 4, 7, 14, 15];

/// A clock and ids that depend on the call alone, so that a call that is made again, on another
/// copy of the disk, gives the same bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Time(Arc<(AtomicU64, AtomicU64)>);

impl Time {
    /// A call begins.
    pub(crate) fn begin(&self, call: u64) {
        self.0.0.store(call, Ordering::SeqCst);
        self.0.1.store(0, Ordering::SeqCst);
    }

    /// How a store is opened.
    pub(crate) fn options(&self, mode: Mode) -> Options {
        let epoch = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let (clock, ids) = (self.clone(), self.clone());
        Options::default()
            .with_mode(mode)
            .with_cache_bytes(256 * 1024)
            .with_clock(move || {
                let call = clock.0.0.load(Ordering::SeqCst);
                epoch + chrono::TimeDelta::seconds(i64::try_from(call).unwrap())
            })
            .with_ids(move || {
                let call = ids.0.0.load(Ordering::SeqCst);
                let number = ids.0.1.fetch_add(1, Ordering::SeqCst);
                Uuid::from_u128(u128::from(call) << 64 | u128::from(number) | 1 << 120)
            })
    }
}

/// Opens the store on a disk.
pub(crate) fn open(disk: &Disk, mode: Mode, time: &Time) -> Result<RedbStore> {
    RedbStore::over(disk.clone(), time.options(mode))
}

pub(crate) fn key(name: &str) -> SessionKey {
    SessionKey::native(name).unwrap()
}

pub(crate) fn said(text: &str) -> NewRecord {
    NewRecord::message(Message::text(Role::User, text))
}

/// All that can be read in a store.
pub(crate) fn picture(store: &RedbStore) -> Result<String> {
    let mut text = String::new();
    let sessions = store.list(&ListQuery {
        limit: 1000,
        ..ListQuery::default()
    })?;
    for summary in sessions.sessions {
        let properties = store.properties(&summary.key)?;
        writeln!(text, "{summary:?} {properties:?}").unwrap();
        for record in store.records(&summary.key, ScanQuery::default()) {
            let record = record?;
            let hash = xxhash_rust::xxh3::xxh3_64(&record.line);
            writeln!(text, "  {} {:?} {hash:x}", record.sequence, record.header).unwrap();
        }
        for attachment in store.attachments(&summary.key)? {
            let mut content = Vec::new();
            store.read_attachment(&summary.key, &attachment.name, &mut content)?;
            writeln!(text, "  {attachment:?} {}", content.len()).unwrap();
        }
        for alias in properties.aliases {
            let alias = SessionKey::new(summary.key.agent(), &alias).unwrap();
            writeln!(text, "  {alias} {:?}", store.by_alias(&alias)?).unwrap();
        }
    }
    store.sources().for_each(&mut |source| {
        writeln!(text, "{source:?}").unwrap();
        Ok(())
    })?;
    Ok(text)
}

/// That a store is whole.
pub(crate) fn assert_clean(store: &RedbStore, case: &dyn std::fmt::Debug) {
    let report = store
        .verify_deep(&[], &mut crate::store::unwatched)
        .unwrap();
    assert!(report.is_clean(), "{case:?}: {report:?}");
}

/// Imports a file as an import does: two chunks, each in a transaction with the file's state.
fn import(store: &RedbStore, name: &str, lines: u64) -> Result<()> {
    let agent = key(name);
    let mut builder = SessionBuilder::new(&agent, agents::of_agent(agent.agent()), 5);
    for half in 0..2 {
        let mut content = String::new();
        for number in 0..lines / 2 {
            let words = "words ".repeat(40);
            writeln!(
                content,
                "{{\"half\":{half},\"n\":{number},\"text\":\"{words}\"}}"
            )
            .unwrap();
        }
        let mut reader = LineReader::new(content.as_bytes());
        while let Some(line) = reader.next_line().unwrap() {
            builder.push(&line);
        }
        let mut bulk = Box::new(store.bulk()?);
        let number = match bulk.number_of(&agent)? {
            Some(number) => number,
            None => bulk.create(&agent)?,
        };
        bulk.write_chunk(number, &builder.take_chunk(), None)?;
        if half == 1 {
            bulk.write_attachment(number, "notes.txt", &mut &b"kept whole"[..])?;
        }
        let next_sequence = (half + 1) * (lines / 2);
        let offset = content.len() as u64 * (half + 1);
        let row = SourceRow {
            agent: agent.agent().to_owned(),
            kind: SourceKind::Lines,
            session: number,
            name: String::new(),
            relative: name.as_bytes().to_vec(),
            size: content.len() as u64 * 2,
            mtime_ns: 7,
            offset,
            lines: next_sequence,
            tail_offset: offset,
            hash: 1,
            next_sequence,
            complete: half == 1,
            revision: 0,
            inode: 0,
            changed_ns: 0,
        };
        bulk.write_source(&Source {
            path: name.as_bytes().to_vec(),
            generation: 1,
            row,
        })?;
        bulk.commit()?;
    }
    Ok(())
}

/// Several appends in one commit, as the queue writes them. A failure is everybody's.
fn appends_together(store: &RedbStore, round: u64) -> Result<()> {
    let line = vec![format!("{{\"round\":{round}}}\n").into_bytes()];
    let appends: Vec<Addition> = ["chat", "other", "third"]
        .iter()
        .map(|name| Addition {
            key: key(name),
            expect: Expect::Any,
            batch_id: None,
            lines: line.clone(),
            intent: Intent::Append,
            change: None,
        })
        .collect();
    let answers = appends::write(store, &appends.iter().collect::<Vec<_>>());
    assert_eq!(answers.len(), 3);
    let unknown = |answer: &Result<_>| matches!(answer, Err(Error::CommitUnknown { .. }));
    let count = answers.iter().filter(|answer| unknown(answer)).count();
    assert!(count == 0 || count == 3, "one commit: {answers:?}");
    answers.into_iter().try_for_each(|answer| answer.map(drop))
}

/// One call.
pub(crate) fn call(store: &RedbStore, number: u64) -> Result<()> {
    let chat = key("chat");
    let round = number / KINDS;
    let file = format!("file-{round}");
    match number % KINDS {
        0 => {
            let id = Some(Uuid::from_u128(u128::from(number) + 1));
            store.append(&chat, Expect::Any, id, &[said("a question")])?;
        }
        1 => appends_together(store, number)?,
        2 => {
            // Enough to seal the tail.
            let long = "an answer of many words, ".repeat(400);
            let many: Vec<NewRecord> = (0..8).map(|_| said(&long)).collect();
            store.append(&chat, Expect::Any, None, &many)?;
        }
        3 => import(store, &file, 60)?,
        4 => import(store, &format!("old-{round}"), 10)?,
        5 => drop(store.truncate(&chat, 5)?),
        6 => {
            let change = PropertiesChange {
                title: Some(Some(format!("title {number}"))),
                aliases: Some(vec![format!("alias-{number}")]),
                summary: Some("what was said ".repeat(300)),
                ..PropertiesChange::default()
            };
            store.update_properties(&chat, &change)?;
        }
        7 => drop(store.fork(&chat, &key(&format!("fork-{round}")), None)?),
        8 => drop(store.compact(&chat, None, None)?),
        9 => store.replace_history(&key("other"), &[said("from here on")])?,
        10 => drop(store.hide_before(&key("third"), round + 1)?),
        11 => drop(store.delete(&key(&file))?),
        12 => {
            let mut session = store.load(&chat)?;
            let message = Message::text(Role::Assistant, "saved");
            session.messages.push(message);
            store.save(&mut session)?;
        }
        13 => {
            let session = Session::native(format!("made-{round}"))?;
            store.ensure_meta(&session)?;
        }
        14 => {
            for name in ["a", "b", "c"] {
                import(store, &format!("{name}-{round}"), 2)?;
            }
        }
        // What was imported is older than everything else: more sessions than one batch takes.
        15 => {
            let before = chrono::DateTime::from_timestamp(1_000, 0).unwrap();
            store.cleanup_older_than(before)?;
        }
        _ => drop(store.reclaim()?),
    }
    Ok(())
}

/// One call as it was recorded.
pub(crate) struct Step {
    pub number: u64,
    /// What was on the disk before: that of a store that is open.
    pub start: Vec<u8>,
    pub log: Vec<Operation>,
    /// Operations of all kinds, reads and locks included, of a store that was just opened.
    pub operations: usize,
    /// The pictures that may be there: before, after each commit, and after all of it.
    pub states: Vec<String>,
}

impl Step {
    pub(crate) fn before(&self) -> &String {
        self.states.first().unwrap()
    }

    pub(crate) fn after(&self) -> &String {
        self.states.last().unwrap()
    }
}

/// Makes calls, and records what each does to the disk.
pub(crate) fn record(mode: Mode, calls: u64) -> Vec<Step> {
    let (disk, time) = (Disk::default(), Time::default());
    let store = open(&disk, mode, &time).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for number in 0..calls {
        time.begin(number + 1);
        let before = picture(&store).unwrap();
        let start = disk.durable();
        let commits = store.commits();
        // What the call before has left to flush goes with the writes of this one.
        disk.with(|state| state.log.clone_from(&state.pending));
        call(&store, number).unwrap();
        let log = disk.with(|state| state.log.clone());
        let operations = operations(&start, mode, number);
        let mut states = vec![before];
        if store.commits() > commits + 1 {
            states.extend(between(&start, &log, mode));
        }
        states.push(picture(&store).unwrap());
        states.dedup();
        let made = usize::try_from(store.commits() - commits).unwrap();
        assert!(
            made <= 1 || MANY.contains(&(number % KINDS)),
            "call {number}"
        );
        let most = made + 1;
        assert!(states.len() <= most, "call {number}: {states:#?}");
        steps.push(Step {
            number,
            start,
            log,
            operations,
            states,
        });
    }
    steps
}

/// How many operations a call is on a store that was just opened: more than later, when pages are
/// at hand.
fn operations(start: &[u8], mode: Mode, number: u64) -> usize {
    let (disk, time) = (Disk::of(start.to_vec()), Time::default());
    let store = open(&disk, mode, &time).unwrap();
    time.begin(number + 1);
    disk.set(None);
    call(&store, number).unwrap();
    disk.with(|state| state.operations)
}

/// The pictures after each flush of a call of several commits. There are no more of them than
/// commits, which `record` checks: so none is of a commit in part.
fn between(start: &[u8], log: &[Operation], mode: Mode) -> Vec<String> {
    let mut pictures = Vec::new();
    fates::along(start, log, |done, durable, pending| {
        if done > 0 && pending.is_empty() {
            let store = open(&Disk::of(durable.to_vec()), mode, &Time::default()).unwrap();
            pictures.push(picture(&store).unwrap());
        }
    });
    pictures
}
