//! Backups, restores and scrubs that are killed: what they were to make or replace is there whole, or as it
//! was.
//!
//! The real tool is killed at moments spread over the time that it takes undisturbed. A kill counts
//! if the process was still at it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use scrollback::{Existing, Expect, NewRecord, Options, RedbStore, SessionKey, Store};

use crate::harness::Home;

/// Lines that hardly compress, so that the file has about this size.
const BYTES: usize = 6 * 1024 * 1024;

/// Adds sessions to a store, which make its file that much larger.
pub(crate) fn fill(store: &RedbStore, name: &str, bytes: usize) {
    let mut state = 7_u64;
    let line = 60_000;
    for number in 0..bytes / line {
        let mut text = String::with_capacity(line);
        while text.len() < line {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            write!(text, "{:016x}", state ^ (state >> 29)).unwrap();
        }
        let key = SessionKey::native(format!("{name}-{}", number / 4)).unwrap();
        let record = NewRecord::line(format!("{{\"text\":\"{text}\"}}"));
        store.append(&key, Expect::Any, None, &[record]).unwrap();
    }
}

/// Records in a store that has to be whole.
fn records_of(path: &Path) -> u64 {
    let store = RedbStore::open(path, Options::default()).unwrap();
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(
        report.is_clean(),
        "{}: {:?}",
        path.display(),
        report.problems
    );
    report.records
}

/// Kills a command again and again, at moments spread over the time that it takes, until `kills`
/// came while it ran. `between` checks what each left, and puts things as they were.
pub(crate) fn kill_spread(home: &Home, command: &[&str], kills: u32, between: &mut dyn FnMut()) {
    let begun = Instant::now();
    home.ok(command);
    let first = begun.elapsed();
    let mut whole = first;
    between();
    let (mut hit, mut tried) = (0, 0);
    while hit < kills {
        // A golden section of the time after the other: spread, however many there are.
        tried += 1;
        assert!(
            tried < kills * 4 + 20,
            "{hit} of {tried} kills came in time"
        );
        let part = (f64::from(tried) * 0.618_034).fract();
        let mut child = home
            .command()
            .args(command)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let at = Instant::now() + whole.mul_f64(part);
        while Instant::now() < at && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        hit += u32::from(!ended);
        if ended {
            // It was faster than the one that was measured, or this process was late.
            whole = whole.mul_f64(0.9).max(first / 4);
        }
        between();
    }
    println!("{command:?}: {hit} kills of {tried} came while it ran ({whole:?})");
}

/// Removes what killed copies left; returns how many files that were.
fn remove_hidden(folder: &Path) -> usize {
    let mut removed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with(".scrollback-") {
            assert!(
                Path::new(&name)
                    .extension()
                    .is_some_and(|kind| kind == "copy"),
                "{name}"
            );
            fs::remove_file(path).unwrap();
            removed += 1;
        }
    }
    removed
}

fn killed_backups(kills: u32) {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    fill(&store, "old", BYTES / 8);
    let old = home.path().join("old.redb");
    store
        .backup(&old, Existing::Refuse, &mut scrollback::unwatched)
        .unwrap();
    fill(&store, "new", BYTES);
    drop(store);
    let (before, now) = (records_of(&old), records_of(&home.store_path()));
    assert!(before < now);
    let file = home.path().join("b.redb");
    let (mut there, mut left) = (0, 0);
    kill_spread(&home, &["backup", "b.redb"], kills, &mut || {
        left += remove_hidden(home.path());
        if file.exists() {
            there += 1;
            assert_eq!(records_of(&file), now);
            fs::remove_file(&file).unwrap();
        }
    });
    assert!(left > 0, "no kill came while the copy was written");
    let mut kept = 0;
    fs::copy(&old, &file).unwrap();
    kill_spread(&home, &["backup", "--force", "b.redb"], kills, &mut || {
        remove_hidden(home.path());
        let found = records_of(&file);
        assert!([before, now].contains(&found), "{found} records");
        kept += u32::from(found == before);
        fs::copy(&old, &file).unwrap();
    });
    assert!(kept > 0, "no kill left the old file");
    assert_eq!(records_of(&home.store_path()), now);
    println!("{there} new files were whole, {left} hidden ones left, {kept} old ones kept");
}

fn killed_restores(kills: u32) {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    fill(&store, "new", BYTES);
    let backup = home.path().join("b.redb");
    store
        .backup(&backup, Existing::Refuse, &mut scrollback::unwatched)
        .unwrap();
    drop(store);
    let whole = records_of(&backup);
    let kept = fs::read(&backup).unwrap();

    let new = home.path().join("s.redb");
    let mut left = 0;
    kill_spread(
        &home,
        &["--store", "s.redb", "restore", "b.redb"],
        kills,
        &mut || {
            left += remove_hidden(home.path());
            if new.exists() {
                assert_eq!(records_of(&new), whole);
                fs::remove_file(&new).unwrap();
            }
        },
    );
    assert!(left > 0, "no kill came while the copy was written");

    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    fill(&store, "other", BYTES / 8);
    let more = store.verify(&mut scrollback::unwatched).unwrap().records;
    assert!(more > whole);
    let key = SessionKey::native("other-0").unwrap();
    let (mut as_before, mut replaced) = (0, 0);
    // With a handle open all the time, as an agent has one.
    kill_spread(
        &home,
        &["restore", "--replace", "b.redb"],
        kills,
        &mut || {
            let report = store.verify(&mut scrollback::unwatched).unwrap();
            assert!(report.is_clean(), "{:?}", report.problems);
            if report.records == whole {
                replaced += 1;
                fill(&store, "other", BYTES / 8);
                assert_eq!(
                    store.verify(&mut scrollback::unwatched).unwrap().records,
                    more
                );
            } else {
                as_before += 1;
                assert_eq!(report.records, more);
                store.summary(&key).unwrap();
            }
        },
    );
    drop(store);
    records_of(&home.store_path());
    assert!(
        as_before > 0 && replaced > 0,
        "{as_before} as before, {replaced} replaced"
    );
    assert!(
        fs::read(&backup).unwrap() == kept,
        "the backup was written to"
    );
    println!("{as_before} as before, {replaced} replaced");
}

/// What must be nowhere once a session was scrubbed.
const SECRET: &str = "INVENTED-SECRET-OF-A-SESSION";

/// How many files of a folder hold the secret.
fn files_with_secret(folder: &Path) -> usize {
    let is_there = |path: &Path| {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(_) if path.is_dir() => return false,
            Err(error) => panic!("{error}"),
        };
        bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes())
    };
    let files = fs::read_dir(folder).unwrap();
    files
        .filter(|file| is_there(&file.as_ref().unwrap().path()))
        .count()
}

fn killed_scrubs(kills: u32) {
    let home = Home::new();
    let path = home.store_path();
    let folder = path.parent().unwrap();
    let store = RedbStore::open(&path, Options::default()).unwrap();
    fill(&store, "old", BYTES);
    let kept = store.verify(&mut scrollback::unwatched).unwrap().records;
    let key = SessionKey::native("secret").unwrap();
    let record = NewRecord::line(format!("{{\"text\":\"{SECRET}\"}}"));
    store.append(&key, Expect::Any, None, &[record]).unwrap();
    drop(store);
    let original = fs::read(&path).unwrap();
    assert_eq!(files_with_secret(folder), 1, "it is looked for as it lies");
    let (mut as_before, mut due, mut done, mut left) = (0, 0, 0, 0);
    kill_spread(&home, &["delete", "--scrub", "secret"], kills, &mut || {
        let store = RedbStore::open(&path, Options::default()).unwrap();
        let report = store.verify(&mut scrollback::unwatched).unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        let is_there = store.summary(&key).is_ok();
        assert_eq!(report.records, kept + u64::from(is_there));
        drop(store);
        if is_there {
            as_before += 1;
        } else if files_with_secret(folder) > 0 {
            due += 1;
            assert!(report.scrub_due, "bytes are left, and nothing tells");
            home.ok(&["scrub"]);
            assert_eq!(files_with_secret(folder), 0);
            assert_eq!(records_of(&path), kept);
        } else {
            done += 1;
        }
        left += remove_hidden(folder);
        fs::write(&path, &original).unwrap();
    });
    assert!(due > 0, "{as_before} as before, {done} done");
    println!("{as_before} as before, {due} due, {done} done, {left} hidden files left");
}

#[test]
fn a_scrub_that_is_killed_leaves_nothing_or_says_so() {
    killed_scrubs(8);
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn many_scrubs_that_are_killed_leave_nothing_or_say_so() {
    killed_scrubs(150);
}

#[test]
fn a_backup_that_is_killed_leaves_no_file_or_a_whole_one() {
    killed_backups(8);
}

#[test]
fn a_restore_that_is_killed_leaves_the_store_as_it_was_or_restored() {
    killed_restores(8);
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn many_backups_that_are_killed_leave_no_file_or_a_whole_one() {
    killed_backups(150);
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn many_restores_that_are_killed_leave_the_store_as_it_was_or_restored() {
    killed_restores(150);
}
