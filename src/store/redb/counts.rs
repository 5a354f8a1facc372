//! Counts that may not creep: what an append gives to the disk, what a list and a cleanup read.

use chrono::DateTime;

use super::RedbStore;
use super::sweeps::disk::{Disk, Operation};
use super::sweeps::modes;
use super::sweeps::workload::{Time, open};
use crate::model::key::SessionKey;
use crate::store::{Expect, ListQuery, Mode, NewRecord, Options, Store as _};

/// What was done to a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    flushes: u64,
    writes: u64,
    bytes: u64,
}

/// What was done to a disk since it was asked last.
fn done(disk: &Disk) -> Done {
    let mut done = Done::default();
    for operation in disk.with(|state| std::mem::take(&mut state.log)) {
        match operation {
            Operation::Flush => done.flushes += 1,
            Operation::Write(_, bytes) => {
                done.writes += 1;
                done.bytes += bytes.len() as u64;
            }
            Operation::Length(_) => {}
        }
    }
    done
}

fn append(store: &RedbStore, id: &str) {
    let key = SessionKey::native(id).unwrap();
    let line = format!(
        "{{\"role\":\"user\",\"content\":\"{}\"}}",
        "so it was. ".repeat(180)
    );
    let record = [NewRecord::line(line)];
    store.append(&key, Expect::Any, None, &record).unwrap();
}

/// The most that one of some appends, none of which seals its tail, gives to the disk.
fn most_of_an_append(store: &RedbStore, disk: &Disk) -> Done {
    append(store, "grows");
    done(disk);
    let all = (0..10).map(|_| {
        append(store, "grows");
        done(disk)
    });
    all.reduce(|one, other| Done {
        flushes: one.flushes.max(other.flushes),
        writes: one.writes.max(other.writes),
        bytes: one.bytes.max(other.bytes),
    })
    .unwrap()
}

#[test]
fn an_append_writes_few_pages_and_no_more_of_them_to_a_larger_store() {
    for mode in modes() {
        let (disk, time) = (Disk::default(), Time::default());
        let store = open(&disk, mode, &time).unwrap();
        let first = most_of_an_append(&store, &disk);
        let flushes = if mode == Mode::Exclusive { 1 } else { 2 };
        assert_eq!(first.flushes, flushes, "{mode:?}: {first:?}");
        assert!(first.writes <= WRITES, "{mode:?}: {first:?}");
        assert!(first.bytes <= BYTES, "{mode:?}: {first:?}");
        for number in 0..400 {
            append(&store, &format!("other-{number}"));
            done(&disk);
        }
        let later = most_of_an_append(&store, &disk);
        assert_eq!(later.flushes, flushes, "{mode:?}: {later:?}");
        // Each of the trees may have a level more.
        assert!(
            later.writes <= first.writes + LEVELS,
            "{mode:?}: {first:?} {later:?}"
        );
        assert!(
            later.bytes <= first.bytes + LEVELS * 4096,
            "{mode:?}: {first:?} {later:?}"
        );
    }
}

/// Most writes of an append, its header's included.
const WRITES: u64 = 24;

/// Most bytes of an append of 2 KB.
const BYTES: u64 = 80 * 1024;

/// Most levels that the trees of an append grow by.
const LEVELS: u64 = 8;

#[test]
fn a_cleanup_reads_rows_of_what_goes_and_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    for number in 0..20 {
        append(&store, &format!("s-{number:02}"));
    }
    let times: Vec<_> = store
        .list(&ListQuery::default())
        .unwrap()
        .sessions
        .iter()
        .map(|session| session.updated_at.timestamp_micros())
        .collect();
    // Newest first: what is older than the eighth goes.
    let before = DateTime::from_timestamp_micros(times[7]).unwrap();
    let expected = times.iter().filter(|time| **time < times[7]).count() as u64;
    let start = store.table_reads();
    let removed = store.cleanup_older_than(before).unwrap();
    let read = store.table_reads();
    assert_eq!((removed.sessions, removed.records), (expected, expected));
    assert_eq!(read.sessions - start.sessions, expected);
    assert_eq!(read.indexes - start.indexes, expected);
    assert_eq!(read.records - start.records, 0);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}
