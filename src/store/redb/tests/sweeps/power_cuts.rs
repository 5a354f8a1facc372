//! Power cuts: a workload is cut after each operation. What was flushed is there afterwards; what
//! was not is lost, kept or torn. Each time the store opens, is whole, and has either all of the
//! call that was cut off or nothing of it (of a call of several commits, the first of them).

use std::path::Path;

use super::disk::{Disk, Operation};
use super::fates::{Fate, after_cut, along};
use super::modes;
use super::workload::{KINDS, Time, assert_clean, key, open, picture, record, said};
use crate::store::redb::store::RedbStore;
use crate::store::{Expect, Mode, Store as _};

/// Opens what a cut has left, and checks it: one of these pictures, whole, and it can be written.
fn check(content: Vec<u8>, mode: Mode, states: &[String], case: &dyn std::fmt::Debug) -> RedbStore {
    let store = open(&Disk::of(content), mode, &Time::default()).unwrap();
    let found = picture(&store).unwrap();
    assert!(states.contains(&found), "{case:?}: {found}");
    assert_clean(&store, case);
    store
}

/// What was done.
#[derive(Debug, Default)]
struct Tally {
    cuts: usize,
    /// Cuts of an opening after a cut.
    recoveries: usize,
}

/// How much of everything is done.
struct Extent {
    rounds: u64,
    /// Of the cuts along the log, one in so many.
    every: usize,
    /// Torn in so many ways, besides lost and kept.
    tears: u64,
    /// Of the cuts, one in so many is followed by cuts of the recovery.
    recoveries: usize,
}

const DAILY: Extent = Extent {
    rounds: 1,
    every: 2,
    tears: 0,
    recoveries: 41,
};

const LONG: Extent = Extent {
    rounds: 4,
    every: 1,
    tears: 6,
    recoveries: 997,
};

impl Extent {
    /// The fates of one cut: one of the three in turn, or all.
    fn fates(&self, number: usize) -> Vec<Fate> {
        if self.tears == 0 {
            return vec![match number / self.every % 3 {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => Fate::Torn(number as u64),
            }];
        }
        let mut fates = vec![Fate::Lost, Fate::Kept];
        fates.extend((0..self.tears).map(|seed| Fate::Torn(number as u64 * self.tears + seed)));
        fates
    }
}

/// Cuts a log everywhere.
fn cut_everywhere(
    (start, log): (&[u8], &[Operation]),
    mode: Mode,
    states: &[String],
    extent: &Extent,
    case: &str,
    tally: &mut Tally,
) {
    along(start, log, |done, durable, pending| {
        let last = done == log.len();
        if !done.is_multiple_of(extent.every) && !last {
            return;
        }
        for fate in extent.fates(done) {
            tally.cuts += 1;
            let case = format!("{case}, {mode:?}, cut after {done}, {fate:?}");
            // After the last operation the call has returned: then it is there, whatever was not
            // flushed.
            let allowed = if last {
                &states[states.len() - 1..]
            } else {
                states
            };
            let content = after_cut(durable, pending, fate);
            let store = check(content.clone(), mode, allowed, &case);
            if tally.cuts.is_multiple_of(8) {
                let later = store.append(&key("later"), Expect::Any, None, &[said("on")]);
                later.unwrap();
            }
            drop(store);
            if tally.cuts.is_multiple_of(extent.recoveries) {
                tally.recoveries += cut_recovery(&content, mode, allowed, extent, &case, 0);
            }
        }
    });
}

/// Cuts the opening after a cut, and again the opening after that.
fn cut_recovery(
    content: &[u8],
    mode: Mode,
    states: &[String],
    extent: &Extent,
    case: &str,
    depth: usize,
) -> usize {
    let disk = Disk::of(content.to_vec());
    let store = open(&disk, mode, &Time::default()).unwrap();
    drop(picture(&store).unwrap());
    drop(store);
    let log = disk.with(|state| state.log.clone());
    let mut cuts = 0;
    along(content, &log, |done, durable, pending| {
        for fate in extent.fates(done * extent.every) {
            cuts += 1;
            let case = format!("{case}; its recovery cut after {done}, {fate:?}");
            let content = after_cut(durable, pending, fate);
            drop(check(content.clone(), mode, states, &case));
            if depth == 0 && done % 7 == 3 {
                cuts += cut_recovery(&content, mode, states, extent, &case, 1);
            }
        }
    });
    cuts
}

fn sweep(extent: &Extent) -> Tally {
    let mut tally = Tally::default();
    for mode in modes() {
        for step in record(mode, KINDS * extent.rounds) {
            let case = format!("call {}", step.number);
            let log = (step.start.as_slice(), step.log.as_slice());
            cut_everywhere(log, mode, &step.states, extent, &case, &mut tally);
        }
    }
    println!("power cuts: {tally:?}");
    tally
}

#[test]
fn a_power_cut_at_any_write_leaves_each_call_done_or_not_there() {
    let tally = sweep(&DAILY);
    assert!(tally.cuts >= 300 && tally.recoveries >= 60, "{tally:?}");
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn a_power_cut_at_any_write_with_every_fate() {
    let tally = sweep(&LONG);
    assert!(
        tally.cuts >= 10_000 && tally.recoveries >= 5_000,
        "{tally:?}"
    );
}

#[test]
fn a_power_cut_during_a_migration_leaves_the_old_format_or_the_new() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut tally = Tally::default();
    for old in ["v1", "v2", "v3"] {
        let start = std::fs::read(fixtures.join(old).join("store.redb")).unwrap();
        for mode in modes() {
            let disk = Disk::of(start.clone());
            let store = open(&disk, mode, &Time::default()).unwrap();
            let states = [picture(&store).unwrap()];
            let log = disk.with(|state| state.log.clone());
            let extent = Extent {
                every: 1,
                tears: 1,
                ..DAILY
            };
            cut_everywhere((&start, &log), mode, &states, &extent, old, &mut tally);
        }
    }
    println!("power cuts of migrations: {tally:?}");
    assert!(tally.cuts >= 60, "{tally:?}");
}

/// A store is made under another name, which it then loses: so it is enough that it is whole when
/// that happens, and that is after it was closed.
#[test]
fn a_store_that_gets_its_name_is_on_disk_whole() {
    for mode in modes() {
        let disk = Disk::default();
        drop(open(&disk, mode, &Time::default()).unwrap());
        let log = disk.with(|state| state.log.clone());
        assert!(log.len() > 10, "{} operations", log.len());
        let mut checked = 0;
        along(&[], &log, |done, durable, pending| {
            if done == log.len() {
                for fate in (0..20).map(Fate::Torn).chain([Fate::Lost, Fate::Kept]) {
                    let content = after_cut(durable, pending, fate);
                    check(content, mode, &[String::new()], &(mode, fate));
                    checked += 1;
                }
            }
        });
        assert_eq!(checked, 22);
    }
}
