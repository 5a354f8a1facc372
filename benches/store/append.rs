//! Durable appends of 2 KB, one after the other and in batches, to a store that is empty and to one
//! of many sessions, beside SQLite and a bare file.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{Expect, Mode, NewRecord, Options, RedbStore, SessionKey, Store as _};

use crate::Outcome;
use crate::many::{Many, copy};
use crate::measure::{Contestant, compete};
use crate::rival;

/// Appends in a round.
const APPENDS: u32 = 200;

/// Batches in a round.
const BATCHES: u32 = 5;

/// Records in a batch.
const BATCH: usize = 1_000;

/// Bytes of a line.
const LINE_BYTES: usize = 2_000;

/// Bytes of a page of the store.
const PAGE_BYTES: usize = 4096;

/// Pages that an exclusive append writes, the header's included: to the empty store, and to the
/// full one. They lie where room was, each by itself.
const PAGES: [usize; 2] = [9, 15];

/// Pages of the file that they are written to for comparison.
const PLACES: usize = 16_384;

/// The session that grows.
const SESSION: &str = "append";

/// Runs the comparison of single appends.
pub(crate) fn run(many: &Many, scratch: &Path) -> Outcome {
    let line = line(1);
    let [small, large] = ["small", "large"].map(|name| scratch.join(name));
    fs::create_dir_all(&small)?;
    fs::create_dir_all(&large)?;
    for name in ["shared.redb", "exclusive.redb"] {
        copy(&many.store, &large.join(name))?;
    }
    copy(&many.rival, &large.join("sqlite"))?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(scratch.join("append.jsonl"))?;
    let [mut few, mut more] = [
        file_of_pages(scratch, "few")?,
        file_of_pages(scratch, "more")?,
    ];
    let (empty, full) = (Stores::open(&small)?, Stores::open(&large)?);
    let mut all = Vec::new();
    all.push(Contestant::new("scrollback, shared, empty store", || {
        scrollback(&empty.shared, &line)
    }));
    all.extend([
        Contestant::new("scrollback, exclusive, empty store", || {
            scrollback(&empty.exclusive, &line)
        }),
        Contestant::new("sqlite, WAL, FULL, same index, empty", || {
            rows(&empty.rival, &line)
        }),
    ]);
    all.push(Contestant::new("scrollback, shared, full store", || {
        scrollback(&full.shared, &line)
    }));
    all.extend([
        Contestant::new("scrollback, exclusive, full store", || {
            scrollback(&full.exclusive, &line)
        }),
        Contestant::new("sqlite, WAL, FULL, same index, full", || {
            rows(&full.rival, &line)
        }),
        Contestant::new("floor: write and fdatasync", || raw(&mut file, &line)),
        Contestant::new("floor: 9 pages here and there, fdatasync", || {
            pages(&mut few, PAGES[0])
        }),
        Contestant::new("floor: 15 pages here and there, fdatasync", || {
            pages(&mut more, PAGES[1])
        }),
    ]);
    compete(
        &format!(
            "one durable append of 2 KB, full: {} sessions, {} records",
            many.sessions,
            many.sessions * many.records
        ),
        APPENDS,
        all,
    )
}

/// Runs the comparison of batches.
pub(crate) fn batches(scratch: &Path) -> Outcome {
    let folder = scratch.join("batches");
    fs::create_dir_all(&folder)?;
    let stores = Stores::open(&folder)?;
    let lines: Vec<Vec<u8>> = (1..=BATCH).map(line).collect();
    let mut all = Vec::new();
    all.push(Contestant::new("scrollback, shared", || {
        batches_of(&stores.shared, &lines)
    }));
    all.extend([
        Contestant::new("scrollback, exclusive", || {
            batches_of(&stores.exclusive, &lines)
        }),
        Contestant::new("sqlite, one transaction each", || {
            batches_of_rows(&stores.rival, &lines)
        }),
    ]);
    compete(&format!("a batch of {BATCH} records of 2 KB"), BATCHES, all)
}

/// Those that are compared.
struct Stores {
    shared: RedbStore,
    exclusive: RedbStore,
    rival: Connection,
}

impl Stores {
    fn open(folder: &Path) -> Outcome<Self> {
        let mut rival = rival::open(&folder.join("sqlite"))?;
        rival::name_sessions(&mut rival, &[SESSION.to_owned()])?;
        Ok(Self {
            shared: open(&folder.join("shared.redb"), Mode::Shared)?,
            exclusive: open(&folder.join("exclusive.redb"), Mode::Exclusive)?,
            rival,
        })
    }
}

/// A line that compresses like prose, another one for each seed.
pub(crate) fn line(seed: usize) -> Vec<u8> {
    let mut line = String::from("{\"role\":\"user\",\"content\":\"");
    let mut number = seed % 65_520 + 1;
    while line.len() < LINE_BYTES {
        number = number * 48_271 % 65_521;
        line.push_str(&number.to_string());
        line.push(' ');
    }
    line.push_str("\"}\n");
    line.into_bytes()
}

/// Opens a store of its own.
pub(crate) fn open(path: &Path, mode: Mode) -> Outcome<RedbStore> {
    Ok(RedbStore::open(path, Options::default().with_mode(mode))?)
}

fn scrollback(store: &RedbStore, line: &[u8]) -> Outcome<Duration> {
    let key = SessionKey::new("example", SESSION)?;
    let record = [NewRecord::line(line)];
    let start = Instant::now();
    for _ in 0..APPENDS {
        store.append(&key, Expect::Any, None, &record)?;
    }
    Ok(start.elapsed())
}

fn rows(connection: &Connection, line: &[u8]) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..APPENDS {
        rival::append(connection, SESSION, &[line])?;
    }
    Ok(start.elapsed())
}

fn raw(file: &mut File, line: &[u8]) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..APPENDS {
        file.write_all(line)?;
        file.sync_data()?;
    }
    Ok(start.elapsed())
}

/// A file whose pages are all on disk.
fn file_of_pages(scratch: &Path, name: &str) -> Outcome<File> {
    let mut file = File::create(scratch.join(name))?;
    for _ in 0..PLACES {
        file.write_all(&[1; PAGE_BYTES])?;
    }
    file.sync_all()?;
    Ok(file)
}

/// What is left of an append when nothing but its pages is written: copies of pages take those that
/// the append before the last has given back, wherever these are.
fn pages(file: &mut File, count: usize) -> Outcome<Duration> {
    let start = Instant::now();
    for append in 0..APPENDS as usize {
        for page in 0..count {
            let place = (append % 2 * count + page) * 353 % PLACES;
            file.seek(SeekFrom::Start((place * PAGE_BYTES) as u64))?;
            file.write_all(&[2; PAGE_BYTES])?;
        }
        file.sync_data()?;
    }
    Ok(start.elapsed())
}

fn batches_of(store: &RedbStore, lines: &[Vec<u8>]) -> Outcome<Duration> {
    let key = SessionKey::new("example", SESSION)?;
    let start = Instant::now();
    for _ in 0..BATCHES {
        let records: Vec<_> = lines.iter().cloned().map(NewRecord::line).collect();
        store.append(&key, Expect::Any, None, &records)?;
    }
    Ok(start.elapsed())
}

fn batches_of_rows(connection: &Connection, lines: &[Vec<u8>]) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..BATCHES {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        rival::append(connection, SESSION, &lines)?;
    }
    Ok(start.elapsed())
}
