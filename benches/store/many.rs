//! Many small sessions: a store of them, made by an import, and the rival with the same rows.
//!
//! Sessions are numbered in the order of their start, and each lasts up to a month of the year that
//! all of them lie in: the newest ones stand side by side with older ones, as they do in stores
//! that were used.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use scrollback::{
    ImportOptions, ListQuery, Options, RedbStore, ScanQuery, Store as _, StoreExt as _, import,
};

use crate::Outcome;
use crate::measure::say;
use crate::rival;

/// The start of the year, in seconds since 1970.
const YEAR: i64 = 1_735_689_600;

/// Seconds of the year.
const YEAR_SECONDS: u64 = 365 * 86_400;

/// The longest that a session lasts, in seconds.
const LASTS_SECONDS: u64 = 30 * 86_400;

/// Files in a folder.
const FILES_A_FOLDER: usize = 1_000;

/// Two databases with the same sessions.
#[derive(Debug)]
pub(crate) struct Many {
    /// How many sessions.
    pub(crate) sessions: usize,
    /// How many records each of them has.
    pub(crate) records: usize,
    /// The store.
    pub(crate) store: PathBuf,
    /// The rival.
    pub(crate) rival: PathBuf,
}

impl Many {
    /// Makes both, of so many sessions with so many records each, unless they are there.
    pub(crate) fn make(made: &Path, sessions: usize, records: usize) -> Outcome<Self> {
        let many = Self {
            sessions,
            records,
            store: made.join(format!("many-{sessions}.redb")),
            rival: made.join(format!("many-{sessions}.sqlite")),
        };
        if !many.rival.exists() {
            many.fill(made)?;
            say(&format!(
                "\nmade {sessions} sessions of {records} records each"
            ))?;
        }
        Ok(many)
    }

    fn fill(&self, made: &Path) -> Outcome {
        let folder = made.join("many");
        let mut seed = 1;
        for number in 0..self.sessions {
            let within = folder.join(format!("{:05}", number / FILES_A_FOLDER));
            if number % FILES_A_FOLDER == 0 {
                fs::create_dir_all(&within)?;
            }
            let text = session(number, self.sessions, self.records, &mut seed)?;
            fs::write(within.join(format!("rollout-{number}.jsonl")), text)?;
        }
        let store = RedbStore::open(&self.store, Options::default())?;
        let from = [folder.clone()];
        import(
            &store,
            &from,
            &ImportOptions::default(),
            &mut scrollback::unwatched,
        )?;
        fs::remove_dir_all(&folder)?;
        self.copy(&store)
    }

    /// The same sessions and records as rows.
    fn copy(&self, store: &RedbStore) -> Outcome {
        let unfinished = self.rival.with_extension("new");
        let mut connection = rival::open(&unfinished)?;
        let txn = connection.transaction()?;
        let mut query = ListQuery::default().with_limit(1_000);
        let mut sessions = Vec::new();
        loop {
            let page = store.list(&query)?;
            sessions.extend(page.sessions);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        sessions.sort_by_key(|session| session.number);
        for session in &sessions {
            rival::insert_session(&txn, session)?;
            copy_records(store, session, &txn)?;
        }
        txn.commit()?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(fs::rename(unfinished, &self.rival)?)
    }
}

fn copy_records(
    store: &RedbStore,
    session: &scrollback::Summary,
    txn: &Transaction<'_>,
) -> Outcome {
    for record in store.records(&session.key, ScanQuery::default()) {
        let record = record?;
        rival::insert_record(txn, session.number, record.sequence, &record.line)?;
    }
    Ok(())
}

/// Copies a database by its pages, as a process that works on it has them in memory: a copy made at
/// once stands there in folios of megabytes, which the kernel goes through with each flush.
pub(crate) fn copy(from: &Path, to: &Path) -> Outcome {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut page = [0; 4096];
    loop {
        let read = from.read(&mut page)?;
        if read == 0 {
            break;
        }
        to.write_all(page.get(..read).unwrap_or_default())?;
    }
    // What is left to write is no matter of who comes next.
    Ok(to.sync_all()?)
}

/// The time before which a tenth of the sessions was updated for the last time.
pub(crate) fn tenth() -> DateTime<Utc> {
    // A tenth of the year, and half of what a session lasts on average.
    let seconds = i64::try_from(YEAR_SECONDS / 10 + LASTS_SECONDS / 4).unwrap_or(0);
    DateTime::from_timestamp(YEAR + seconds, 0).unwrap_or_default()
}

/// The lines of a session.
fn session(number: usize, of: usize, records: usize, seed: &mut u64) -> Outcome<Vec<u8>> {
    let start = YEAR_SECONDS * number as u64 / of as u64;
    let start = DateTime::from_timestamp(YEAR + i64::try_from(start)?, 0).unwrap_or_default();
    let lasts = below(seed, LASTS_SECONDS);
    let id = format!(
        "{:08x}-0000-7000-8000-{number:012x}",
        below(seed, u64::from(u32::MAX))
    );
    let folder = format!("/home/ada/work/project-{}", below(seed, 40));
    let mut text = Vec::new();
    writeln!(
        text,
        "{{\"timestamp\":\"{}\",\"type\":\"session_meta\",\"payload\":{{\"id\":\"{id}\",\
         \"timestamp\":\"{}\",\"cwd\":\"{folder}\",\"originator\":\"codex_cli_rs\",\
         \"cli_version\":\"0.133.0\",\"source\":\"cli\",\"model_provider\":\"example\",\
         \"git\":{{\"branch\":\"main\"}}}}}}",
        stamp(start),
        stamp(start)
    )?;
    for record in 1..records {
        let passed = lasts * record as u64 / (records as u64 - 1).max(1);
        let time = stamp(start + TimeDelta::seconds(i64::try_from(passed)?));
        if record == 1 {
            writeln!(
                text,
                "{{\"timestamp\":\"{time}\",\"type\":\"turn_context\",\"payload\":{{\"cwd\":\
                 \"{folder}\",\"approval_policy\":\"never\",\"model\":\"gpt-example-5\"}}}}"
            )?;
            continue;
        }
        let (role, kind) = if record % 2 == 0 {
            ("user", "input_text")
        } else {
            ("assistant", "output_text")
        };
        writeln!(
            text,
            "{{\"timestamp\":\"{time}\",\"type\":\"response_item\",\"payload\":{{\"type\":\
             \"message\",\"role\":\"{role}\",\"content\":[{{\"type\":\"{kind}\",\"text\":\
             \"look at the test number {} of part {} again\"}}]}}}}",
            below(seed, 1_000_000),
            below(seed, 1_000)
        )?;
    }
    Ok(text)
}

fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The next number, below another one.
fn below(seed: &mut u64, end: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % end.max(1)
}
