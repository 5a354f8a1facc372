//! Backups while other processes append, import, delete and compact: each backup is whole, and is
//! the store as it was at one moment.
//!
//! Each writer appends its batches one after the other, to two sessions in turn, and notes each
//! one that was acknowledged. So a backup has to hold the batches of a writer up to one of them,
//! without a gap, across both sessions; and at least those noted before it began.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use scrollback::{
    Error, Expect, ImportOptions, NewRecord, Options, RedbStore, ScanQuery, SessionKey, Store,
    StoreExt, import,
};

use crate::harness::Home;

const WRITERS: usize = 2;
const RECORDS: usize = 3;

/// Tells a writer who it is, where its store lies, where it notes what was acknowledged, and
/// which file ends it.
const WRITER: &str = "SCROLLBACK_TEST_BACKUP_WRITER";

fn key(session: usize) -> SessionKey {
    SessionKey::new("jsonl", format!("s{session}")).unwrap()
}

fn append_batches(store: &RedbStore, writer: &str, acknowledged: &Path, stop: &Path) {
    let mut note = OpenOptions::new();
    let mut note = note.create(true).append(true).open(acknowledged).unwrap();
    let mut batch = 0;
    while !stop.exists() {
        let records: Vec<NewRecord> = (0..RECORDS)
            .map(|part| {
                let said = format!("{writer} {batch} {part}");
                let line = format!("{{\"role\":\"user\",\"content\":\"{said}\"}}");
                NewRecord::line(line)
            })
            .collect();
        let appended = store.append(&key(batch % 2), Expect::Any, None, &records);
        appended.unwrap();
        note.write_all(b"\n").unwrap();
        batch += 1;
    }
}

/// Imports files, deletes some of their sessions and compacts, until it is told to end.
fn churn(store: &RedbStore, folder: &Path, stop: &Path) {
    let mut round = 0;
    while !stop.exists() {
        let file = folder.join(format!("churn-{round}.jsonl"));
        let line = "{\"role\":\"user\",\"content\":\"words of an imported file\"}\n";
        fs::write(&file, line.repeat(400)).unwrap();
        let options = ImportOptions::default();
        let imported = import(store, &[file], &options, &mut scrollback::unwatched).unwrap();
        assert_eq!(imported.records, 400);
        if round > 2 {
            let old = SessionKey::new("jsonl", format!("churn-{}", round - 3)).unwrap();
            store.truncate(&old, 7).unwrap();
            store.compact(&old, None, None).unwrap();
            store.delete(&old).unwrap();
        }
        if round % 5 == 0 {
            store.reclaim().unwrap();
        }
        round += 1;
    }
}

#[test]
#[ignore = "a writer, started by the tests below"]
fn writer() {
    let Some(name) = std::env::var_os(WRITER) else {
        return;
    };
    let name = name.into_string().unwrap();
    let path = PathBuf::from(std::env::var_os("SCROLLBACK_STORE").unwrap());
    let folder = path.parent().unwrap();
    let stop = folder.join("stop");
    let store = RedbStore::open(&path, Options::default()).unwrap();
    if name == "churn" {
        churn(&store, folder, &stop);
    } else {
        append_batches(
            &store,
            &name,
            &folder.join(format!("{name}.acknowledged")),
            &stop,
        );
    }
}

/// Writers, which end with the test.
#[derive(Default)]
struct Writers(Vec<Child>);

impl Drop for Writers {
    fn drop(&mut self) {
        for writer in &mut self.0 {
            // Of one that has ended this does nothing.
            writer.kill().unwrap();
            writer.wait().unwrap();
        }
    }
}

fn start(home: &Home, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "backup_beside::writer", "--ignored"])
        .env(WRITER, name)
        .env("SCROLLBACK_STORE", home.store_path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// How many batches each writer has had acknowledged.
fn acknowledged(home: &Home) -> Vec<usize> {
    let folder = home.store_path();
    let folder = folder.parent().unwrap();
    let count = |writer: usize| {
        fs::read(folder.join(format!("{writer}.acknowledged"))).map_or(0, |noted| noted.len())
    };
    (0..WRITERS).map(count).collect()
}

/// How many batches of each writer a store holds: whole, in order, without a gap.
fn batches(store: &RedbStore) -> Vec<usize> {
    let mut found: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for session in 0..2 {
        let mut next = None;
        let records = store.records(&key(session), ScanQuery::default());
        for (sequence, record) in (0..).zip(records) {
            let record = match record {
                // Nobody had written to it yet.
                Err(Error::NotFound { .. }) if sequence == 0 => break,
                record => record.unwrap(),
            };
            assert_eq!(record.sequence, sequence, "session {session}");
            let line = String::from_utf8(record.line).unwrap();
            let said = line.split('"').nth(7).unwrap();
            let words: Vec<usize> = said.split(' ').map(|word| word.parse().unwrap()).collect();
            let [writer, batch, part] = words[..] else {
                panic!("{line}")
            };
            assert_eq!(part, next.map_or(0, |(_, _, part)| part), "{line}");
            assert!(
                next.is_none_or(|(w, b, _)| (w, b) == (writer, batch)),
                "{line}"
            );
            next = (part + 1 < RECORDS).then_some((writer, batch, part + 1));
            *found.entry((writer, batch)).or_default() += 1;
        }
        assert_eq!(next, None, "half of a batch");
    }
    assert!(found.values().all(|records| *records == RECORDS));
    let count = |writer| {
        let own: Vec<usize> = found
            .keys()
            .filter(|key| key.0 == writer)
            .map(|key| key.1)
            .collect();
        let all: Vec<usize> = (0..own.len()).collect();
        assert_eq!(own, all, "writer {writer}: not a prefix of what it wrote");
        own.len()
    };
    (0..WRITERS).map(count).collect()
}

/// Makes backups for a while, beside writers; returns how many.
fn back_up_for(time: Duration, at_least: usize) -> usize {
    let home = Home::new();
    // Something to copy, so that others write while it is copied.
    let words = "{\"role\":\"user\",\"content\":\"a line that was there before\"}\n";
    home.write("in/before.jsonl", words.repeat(60_000));
    home.ok(&["import", "in"]);
    let mut writers = Writers::default();
    for writer in 0..WRITERS {
        writers.0.push(start(&home, &writer.to_string()));
    }
    writers.0.push(start(&home, "churn"));
    while acknowledged(&home).contains(&0) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let begun = Instant::now();
    let (mut backups, mut during) = (0, 0);
    while backups < at_least || begun.elapsed() < time {
        let before = acknowledged(&home);
        home.ok(&["backup", "--force", "b.redb"]);
        let after = acknowledged(&home);
        backups += 1;
        let backup = RedbStore::open(home.path().join("b.redb"), Options::default()).unwrap();
        let report = backup.verify(&mut scrollback::unwatched).unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        let found = batches(&backup);
        for writer in 0..WRITERS {
            assert!(
                found[writer] >= before[writer],
                "{found:?}, {before:?} before"
            );
            // One may be on disk before it is noted.
            assert!(
                found[writer] <= after[writer] + 1,
                "{found:?}, {after:?} after"
            );
            during += after[writer] - before[writer];
        }
    }
    fs::write(home.store_path().with_file_name("stop"), "").unwrap();
    for writer in &mut writers.0 {
        assert!(
            writer.wait().unwrap().success(),
            "a writer failed beside a backup"
        );
    }
    assert!(during > 0, "nobody wrote while backups were made");
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    assert_eq!(batches(&store), acknowledged(&home));
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    println!("{backups} backups, {during} batches acknowledged meanwhile");
    backups
}

#[test]
fn a_backup_beside_writers_is_the_store_at_one_moment() {
    assert!(back_up_for(Duration::ZERO, 4) >= 4);
}

#[test]
#[ignore = "a minute; run by `.ci/run long`"]
fn many_backups_beside_writers_are_the_store_at_one_moment() {
    assert!(back_up_for(Duration::from_secs(60), 20) >= 20);
}
