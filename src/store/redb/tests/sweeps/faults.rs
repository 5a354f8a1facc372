//! Faults: the same calls, with an error of the disk at each operation: once, and for ever; of every
//! operation, of writes that find the disk full, and of writes that end half-way.
//!
//! Each time the call gives a typed error, or is done all the same. If it is not `CommitUnknown`
//! nothing of the call is there, or whole commits of one that makes several. What was acknowledged before is there. Once the disk works the same
//! store goes on: it reads, is whole, and writes. So does one that is opened on the disk, and on what
//! a power cut leaves of it.

use super::disk::{Disk, Fault, Kind};
use super::modes;
use super::workload::{KINDS, Step, Time, assert_clean, call, key, open, picture, record, said};
use crate::model::error::{Error, Result};
use crate::store::redb::store::RedbStore;
use crate::store::{Expect, Mode, Store as _};

/// Every way to fail.
const WAYS: [(Kind, bool); 5] = [
    (Kind::Error, false),
    (Kind::Error, true),
    (Kind::Full, false),
    (Kind::Full, true),
    (Kind::Short, false),
];

/// What came of all cases.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    /// The fault hit something.
    hit: usize,
    errors: usize,
    unknown: usize,
    /// Of those, how many were there nevertheless.
    unknown_there: usize,
    /// Done in spite of the fault.
    absorbed: usize,
    /// The same store went on afterwards.
    went_on: usize,
    /// It refused to, after a flush that failed.
    refused: usize,
}

/// That an error is one that a fault may give.
fn assert_typed(error: &Error, case: &str) {
    let typed = matches!(
        error,
        Error::Storage { .. } | Error::Io { .. } | Error::CommitUnknown { .. }
    );
    assert!(typed, "{case}: {error:?}");
}

/// After a flush that failed in the exclusive mode a store does not go on by itself.
fn goes_on(disk: &Disk, mode: Mode) -> bool {
    mode != Mode::Exclusive || !disk.with(|state| state.flush_failed)
}

/// Makes one call, with one fault.
fn one(step: &Step, mode: Mode, fault: Fault, tally: &mut Tally) {
    let case = format!("call {}, {mode:?}, {fault:?}", step.number);
    let (disk, time) = (Disk::of(step.start.clone()), Time::default());
    let store = open(&disk, mode, &time).unwrap();
    time.begin(step.number + 1);
    disk.set(Some(fault));
    let done = call(&store, step.number);
    let hit = disk.with(|state| state.failed > 0);
    if fault.lasts {
        // Nothing stops while it lasts either, nor is anything made up.
        if let Ok(found) = picture(&store) {
            assert!(step.states.contains(&found), "{case}: {found}");
        }
    }
    disk.set(None);
    tally.cases += 1;
    tally.hit += usize::from(hit);
    tally.absorbed += usize::from(hit && done.is_ok());
    let found = after(&store, &disk, mode, &case, tally);
    match done {
        Ok(()) => assert_eq!(&found, step.after(), "{case}"),
        Err(error) => {
            assert_typed(&error, &case);
            tally.errors += 1;
            if matches!(error, Error::CommitUnknown { .. }) {
                tally.unknown += 1;
                tally.unknown_there += usize::from(found == *step.after());
                assert!(step.states.contains(&found), "{case}: {found}");
            } else if step.states.len() <= 2 {
                assert_eq!(&found, step.before(), "{case}: {error:?}");
            } else {
                // Whole commits, all of them if what failed is a read behind the last one.
                assert!(step.states.contains(&found), "{case}: {error:?}: {found}");
            }
        }
    }
}

/// What is there after a fault: the same by the store that had it, by one that is opened on the
/// disk, and after a power cut.
fn after(store: &RedbStore, disk: &Disk, mode: Mode, case: &str, tally: &mut Tally) -> String {
    let time = Time::default();
    if !goes_on(disk, mode) {
        tally.refused += 1;
        let error = picture(store).unwrap_err();
        assert!(matches!(error, Error::Storage { .. }), "{case}: {error:?}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("open the store again"), "{case}: {cause}");
        let again = open(&Disk::of(disk.content()), mode, &time).unwrap();
        assert_clean(&again, &case);
        return picture(&again).unwrap();
    }
    let read = picture(store);
    assert!(read.is_ok(), "{case}: {read:?}");
    let found = read.unwrap();
    assert_clean(store, &case);
    let again = open(&Disk::of(disk.content()), mode, &time).unwrap();
    assert_eq!(picture(&again).unwrap(), found, "{case}, opened again");
    drop(again);
    let later = [said("later")];
    let written = store.append(&key("later"), Expect::Any, None, &later);
    assert!(written.is_ok(), "{case}: {written:?}");
    tally.went_on += 1;
    let with_later = picture(store).unwrap();
    let cut = open(&Disk::of(disk.durable()), mode, &time).unwrap();
    assert_eq!(picture(&cut).unwrap(), with_later, "{case}, after a cut");
    assert_clean(&cut, &case);
    found
}

/// A fault of each way at one operation in so many of each call.
fn sweep(rounds: u64, every: usize) -> Tally {
    let mut tally = Tally::default();
    for mode in modes() {
        let mut number = 0_usize;
        for step in record(mode, KINDS * rounds) {
            for (way, (kind, lasts)) in WAYS.into_iter().enumerate() {
                for at in 0..step.operations {
                    number += 1;
                    // All ways and operations have their turn, however many are left out; the end of
                    // a commit, where it may be on disk or not, always.
                    let is_end = kind == Kind::Error && at + 3 >= step.operations;
                    if is_end || (number * 5 + way).is_multiple_of(every) {
                        one(&step, mode, Fault { at, kind, lasts }, &mut tally);
                    }
                }
            }
        }
    }
    println!("faults in calls: {tally:?}");
    tally
}

#[test]
fn a_fault_at_any_operation_fails_one_call_and_the_same_store_goes_on() {
    let tally = sweep(1, 29);
    assert!(tally.hit >= 250 && tally.unknown_there > 0, "{tally:?}");
    assert!(tally.went_on > tally.cases * 3 / 4, "{tally:?}");
}

/// Tried again it would be there twice where it was on disk after all.
#[test]
fn a_shared_commit_that_may_be_on_disk_is_not_tried_again() {
    let mut tally = Tally::default();
    for mode in modes() {
        let step = record(mode, 2).pop().unwrap();
        for at in 0..step.operations {
            let fault = Fault {
                at,
                kind: Kind::Error,
                lasts: false,
            };
            one(&step, mode, fault, &mut tally);
        }
    }
    println!("faults in shared commits: {tally:?}");
    assert!(tally.hit >= 30 && tally.unknown_there > 0, "{tally:?}");
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn a_fault_at_every_operation_in_every_way() {
    let tally = sweep(2, 1);
    assert!(tally.hit >= 8_000 && tally.unknown_there > 0, "{tally:?}");
}

/// A fault while a store is opened, of one that was not closed.
fn opening(content: &[u8], mode: Mode, state: &str, every: usize, tally: &mut Tally) {
    let disk = Disk::of(content.to_vec());
    drop(open(&disk, mode, &Time::default()).unwrap());
    let operations = disk.with(|state| state.operations);
    for (kind, lasts) in WAYS {
        for at in (0..operations).step_by(every) {
            let fault = Fault { at, kind, lasts };
            let case = format!("opening, {mode:?}, {fault:?}");
            let disk = Disk::of(content.to_vec());
            disk.set(Some(fault));
            let opened: Result<RedbStore> = open(&disk, mode, &Time::default());
            tally.cases += 1;
            match &opened {
                Ok(_) => tally.absorbed += 1,
                Err(error) => {
                    assert_typed(error, &case);
                    tally.errors += 1;
                }
            }
            // Closing can meet the fault as well.
            drop(opened);
            tally.hit += usize::from(disk.with(|state| state.failed > 0));
            disk.set(None);
            for left in [disk.content(), disk.durable()] {
                let store = open(&Disk::of(left), mode, &Time::default()).unwrap();
                assert_eq!(picture(&store).unwrap(), state, "{case}");
                assert_clean(&store, &case);
                let later = store.append(&key("later"), Expect::Any, None, &[said("on")]);
                assert!(later.is_ok(), "{case}: {later:?}");
            }
        }
    }
}

#[test]
fn a_fault_during_recovery_leaves_a_store_that_the_next_opening_puts_in_order() {
    let mut tally = Tally::default();
    for mode in modes() {
        for step in record(mode, KINDS)
            .iter()
            .filter(|step| step.number % 5 == 3)
        {
            opening(&step.start, mode, step.before(), 9, &mut tally);
        }
    }
    println!("faults in recoveries: {tally:?}");
    assert!(tally.hit >= 100, "{tally:?}");
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn a_fault_at_every_operation_of_recoveries_and_migrations() {
    let mut tally = Tally::default();
    for mode in modes() {
        for step in record(mode, KINDS) {
            opening(&step.start, mode, step.before(), 1, &mut tally);
        }
        migrations(mode, 1, &mut tally);
    }
    println!("faults in recoveries and migrations: {tally:?}");
    assert!(tally.hit >= 2_000, "{tally:?}");
}

fn migrations(mode: Mode, every: usize, tally: &mut Tally) {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for old in ["v1", "v2", "v3"] {
        let content = std::fs::read(fixtures.join(old).join("store.redb")).unwrap();
        let store = open(&Disk::of(content.clone()), mode, &Time::default()).unwrap();
        let state = picture(&store).unwrap();
        opening(&content, mode, &state, every, tally);
    }
}

#[test]
fn a_fault_during_a_migration_leaves_the_old_format_or_the_new() {
    let mut tally = Tally::default();
    for mode in modes() {
        migrations(mode, 11, &mut tally);
    }
    println!("faults in migrations: {tally:?}");
    assert!(tally.hit >= 40, "{tally:?}");
}

#[test]
fn a_fault_while_a_store_is_made_is_an_error() {
    let mut cases = 0;
    for mode in modes() {
        let disk = Disk::default();
        drop(open(&disk, mode, &Time::default()).unwrap());
        let operations = disk.with(|state| state.operations);
        for (kind, lasts) in WAYS {
            for at in 0..operations {
                let fault = Fault { at, kind, lasts };
                let disk = Disk::default();
                disk.set(Some(fault));
                if let Err(error) = open(&disk, mode, &Time::default()) {
                    assert_typed(&error, &format!("{mode:?}, {fault:?}"));
                }
                cases += 1;
            }
        }
    }
    println!("{cases} faults in the making of a store");
    assert!(cases >= 200, "{cases}");
}
