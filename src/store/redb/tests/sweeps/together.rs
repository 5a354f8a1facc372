//! Faults under threads that append at the same time: each gets its own answer, in time, and it is
//! true.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use super::disk::{Disk, Fault, Kind};
use super::modes;
use super::workload::{Time, assert_clean, key, open};
use crate::model::error::{Error, Result};
use crate::store::{Expect, Mode, NewRecord, ScanQuery, Store as _, StoreExt as _};

const THREADS: usize = 8;

/// Appends of each thread.
const APPENDS: usize = 4;

/// Nobody waits longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a caller heard of one line.
struct Heard {
    line: String,
    answer: Result<()>,
}

/// How often something came.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    appended: usize,
    failed: usize,
    unknown: usize,
}

fn append_from_threads(disk: &Disk, mode: Mode, fault: Fault) -> Vec<Heard> {
    let store = Arc::new(open(disk, mode, &Time::default()).unwrap());
    let together = Arc::new(Barrier::new(THREADS));
    let (sender, receiver) = channel();
    disk.set(Some(fault));
    for thread in 0..THREADS {
        let (store, together, sender) = (Arc::clone(&store), Arc::clone(&together), sender.clone());
        thread::spawn(move || {
            together.wait();
            for number in 0..APPENDS {
                let line = format!("{{\"n\":\"{thread}.{number}\"}}\n");
                let record = NewRecord::line(line.as_str());
                // Half of them in one session of all.
                let of = if number % 2 == 0 { THREADS } else { thread };
                let key = key(&format!("session-{of}"));
                let answer = store.append(&key, Expect::Any, None, &[record]).map(drop);
                sender.send(Heard { line, answer }).unwrap();
            }
        });
    }
    drop(sender);
    let mut heard = Vec::new();
    for _ in 0..THREADS * APPENDS {
        let next = receiver.recv_timeout(PATIENCE);
        heard.push(next.unwrap_or_else(|_| panic!("{mode:?}, {fault:?}: somebody waits still")));
    }
    heard
}

/// Every line in the store.
fn stored(content: Vec<u8>, mode: Mode, case: &dyn std::fmt::Debug) -> Vec<String> {
    let store = open(&Disk::of(content), mode, &Time::default()).unwrap();
    assert_clean(&store, case);
    let mut lines = Vec::new();
    for of in 0..=THREADS {
        let key = key(&format!("session-{of}"));
        for record in store.records(&key, ScanQuery::default()) {
            match record {
                Ok(record) => lines.push(String::from_utf8(record.line).unwrap()),
                Err(Error::NotFound { .. }) => break,
                Err(error) => panic!("{case:?}: {error:?}"),
            }
        }
    }
    lines
}

fn sweep(cases: usize) -> Tally {
    let mut tally = Tally::default();
    let ways = [
        (Kind::Error, false),
        (Kind::Error, true),
        (Kind::Full, false),
    ];
    for mode in modes() {
        let empty = Disk::default();
        drop(open(&empty, mode, &Time::default()).unwrap());
        for case in 0..cases {
            for (kind, lasts) in ways {
                // One commit of a small store is some thirty operations.
                let at = case * 7 % 331;
                let fault = Fault { at, kind, lasts };
                let disk = Disk::of(empty.durable());
                let heard = append_from_threads(&disk, mode, fault);
                disk.set(None);
                tally.cases += 1;
                let lines = stored(disk.content(), mode, &(mode, fault));
                for Heard { line, answer } in &heard {
                    let count = lines.iter().filter(|stored| *stored == line).count();
                    let right = match answer {
                        Ok(()) => {
                            tally.appended += 1;
                            count == 1
                        }
                        Err(Error::CommitUnknown { .. }) => {
                            tally.unknown += 1;
                            count <= 1
                        }
                        Err(Error::Storage { .. } | Error::Io { .. }) => {
                            tally.failed += 1;
                            count == 0
                        }
                        Err(_) => false,
                    };
                    assert!(
                        right,
                        "{mode:?}, {fault:?}: {line} {answer:?}, {count} times"
                    );
                }
            }
        }
    }
    println!("faults under {THREADS} threads: {tally:?}");
    tally
}

#[test]
fn threads_that_share_a_commit_that_fails_each_hear_the_truth() {
    let tally = sweep(12);
    assert!(
        tally.cases >= 36 && tally.unknown > 0 && tally.failed > 0,
        "{tally:?}"
    );
}

#[test]
#[ignore = "a minute; run by `.ci/run long`"]
fn threads_that_share_commits_that_fail_anywhere_hear_the_truth() {
    let tally = sweep(331);
    assert!(
        tally.cases >= 900 && tally.unknown > 100 && tally.failed > 100,
        "{tally:?}"
    );
}
