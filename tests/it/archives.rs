//! Archives of compactions, by the call that everybody has: what others do meanwhile, removals that
//! fail, stores that are restored or copied, sessions that are made again, folders that cannot be
//! written. Runs that stop in the middle are tested beside the code, and by killed processes of the
//! tool.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use scrollback::{
    Error, Existing, Expect, MemoryStore, Message, NewRecord, Options, RedbStore, Role, ScanQuery,
    SessionKey, Store, StoreExt as _, compact_archived,
};

use crate::conformance::broken::Broken;
use crate::harness::{Home, files_below};

fn key() -> SessionKey {
    SessionKey::native("s").unwrap()
}

fn say(store: &dyn Store, texts: &[&str]) {
    for text in texts {
        let message = NewRecord::message(Message::text(Role::User, *text));
        store.append(&key(), Expect::Any, None, &[message]).unwrap();
    }
}

fn lines(store: &dyn Store) -> Vec<String> {
    let records = store.records(&key(), ScanQuery::default());
    records
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

fn open(path: &Path) -> RedbStore {
    RedbStore::open(path, Options::default()).unwrap()
}

fn file(home: &Home, name: &str) -> PathBuf {
    home.path().join("archive/native").join(name)
}

fn archived(home: &Home, name: &str) -> Vec<String> {
    let text = fs::read_to_string(file(home, name)).unwrap_or_default();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Every line of the archive, and how often it is there.
fn counts(home: &Home) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for path in files_below(&home.path().join("archive")) {
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            for line in fs::read_to_string(path).unwrap().lines() {
                *counts.entry(line.to_owned()).or_default() += 1;
            }
        }
    }
    counts
}

fn compact(home: &Home, store: &dyn Store) -> scrollback::Result<scrollback::report::Compacted> {
    compact_archived(store, &key(), None, &home.path().join("archive"))
}

/// A store of six messages of which four are hidden, in which something is broken.
fn broken(breaks: fn(&mut Broken)) -> (Home, Broken, Vec<String>) {
    let home = Home::new();
    let mut broken = Broken::over(Arc::new(MemoryStore::default()));
    say(&broken, &["1", "2", "3", "4", "5", "6"]);
    broken.truncate(&key(), 2).unwrap();
    let all = lines(&broken);
    breaks(&mut broken);
    (home, broken, all)
}

fn refused() -> Error {
    Error::Busy {
        reason: "as was asked for".to_owned(),
    }
}

fn unknown() -> Error {
    Error::CommitUnknown {
        source: "as was asked for".into(),
    }
}

#[test]
fn a_removal_that_fails_leaves_no_line_in_the_archive() {
    let (home, store, all) = broken(|b| b.calls.compact = |_, _, _, _| Err(refused()));
    for _ in 0..3 {
        assert!(matches!(compact(&home, &store), Err(Error::Busy { .. })));
        assert_eq!(archived(&home, "s.jsonl"), [""; 0]);
    }
    compact(&home, store.store.as_ref()).unwrap();
    assert_eq!(archived(&home, "s.jsonl"), all[..4]);
}

#[test]
fn a_removal_of_which_nobody_knows_is_settled_by_what_the_store_has() {
    // It was done after all, or not.
    let done: fn(&mut Broken) = |b| {
        b.calls.compact = |b, key, through, archive| {
            if b.count.fetch_add(1, Ordering::SeqCst) > 0 {
                return b.store.compact(key, through, archive);
            }
            b.store.compact(key, through, archive)?;
            Err(unknown())
        };
    };
    let not_done: fn(&mut Broken) = |b| {
        b.calls.compact = |b, key, through, archive| match b.count.fetch_add(1, Ordering::SeqCst) {
            0 => Err(unknown()),
            _ => b.store.compact(key, through, archive),
        };
    };
    for breaks in [done, not_done] {
        let (home, store, all) = broken(breaks);
        let failed = compact(&home, &store);
        assert!(
            matches!(failed, Err(Error::CommitUnknown { .. })),
            "{failed:?}"
        );
        assert_eq!(archived(&home, "s.jsonl"), all[..4]);
        compact(&home, &store).unwrap();
        assert_eq!(archived(&home, "s.jsonl"), all[..4]);
        assert_eq!(lines(&store), all[4..]);
    }
}

#[test]
fn records_that_others_show_again_before_the_removal_are_not_in_the_archive() {
    let (home, store, all) = broken(|b| {
        b.calls.compact = |b, key, through, archive| {
            b.store.truncate(key, 4)?;
            b.store.compact(key, through, archive)
        };
    });
    assert_eq!(compact(&home, &store).unwrap().records, 2);
    assert_eq!(archived(&home, "s.jsonl"), all[..2]);
    assert_eq!(lines(&store), all[2..]);
}

#[test]
fn records_that_others_remove_meanwhile_stay_in_the_archive() {
    let others: [fn(&mut Broken); 2] = [
        |b| {
            b.calls.compact = |b, key, through, archive| {
                b.store.compact(key, Some(3), None)?;
                b.store.compact(key, through, archive)
            };
        },
        |b| {
            b.calls.compact = |b, key, through, archive| {
                b.store.delete(key)?;
                b.store.compact(key, through, archive)
            };
        },
    ];
    for (number, breaks) in others.into_iter().enumerate() {
        let (home, store, all) = broken(breaks);
        let done = compact(&home, &store);
        let is_gone = matches!(done, Err(Error::NotFound { .. }));
        assert_eq!(is_gone, number == 1, "{done:?}");
        assert_eq!(archived(&home, "s.jsonl"), all[..4]);
    }
}

#[test]
fn two_stores_never_share_a_file_and_a_session_made_again_has_its_own() {
    let home = Home::new();
    let stores = [
        open(&home.path().join("a.redb")),
        open(&home.path().join("b.redb")),
    ];
    for (store, name) in stores.iter().zip(["s.jsonl", "s~2.jsonl"]) {
        say(store, &["1", "2"]);
        let all = lines(store);
        for keep in [1, 0] {
            store.truncate(&key(), keep).unwrap();
            compact(&home, store).unwrap();
        }
        assert_eq!(archived(&home, name), all);
    }
    let old = archived(&home, "s.jsonl");
    stores[0].delete(&key()).unwrap();
    say(&stores[0], &["1"]);
    let all = lines(&stores[0]);
    stores[0].truncate(&key(), 0).unwrap();
    compact(&home, &stores[0]).unwrap();
    assert_eq!(archived(&home, "s.jsonl"), old);
    assert_eq!(archived(&home, "s~3.jsonl"), all);
}

#[test]
fn a_store_without_an_id_goes_on_with_no_file() {
    let (home, store, all) = broken(|b| b.calls.id = |_| Ok(None));
    compact(&home, &store).unwrap();
    store.truncate(&key(), 0).unwrap();
    compact(&home, &store).unwrap();
    assert_eq!(archived(&home, "s.jsonl"), all[..4]);
    assert_eq!(archived(&home, "s~2.jsonl"), all[4..]);
}

#[test]
fn sequence_numbers_that_a_restore_gives_again_are_told_apart_by_their_records() {
    let home = Home::new();
    let (path, backup) = (home.path().join("a.redb"), home.path().join("backup.redb"));
    let store = open(&path);
    say(&store, &["1", "2", "3", "4"]);
    store
        .backup(&backup, Existing::Refuse, &mut scrollback::unwatched)
        .unwrap();
    let mut seen: Vec<String> = Vec::new();
    for round in 0..3 {
        // Records 4 and 5 have the same numbers each time, and are others each time.
        let texts = [format!("5 of {round}"), format!("6 of {round}")];
        say(&store, &[&texts[0], &texts[1]]);
        seen.extend(lines(&store));
        store.truncate(&key(), 0).unwrap();
        compact(&home, &store).unwrap();
        assert_eq!(lines(&store), [""; 0]);
        store
            .replace_with(&backup, &mut scrollback::unwatched)
            .unwrap();
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4 + 3 * 2);
    let counts = counts(&home);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    assert_eq!(counts.len(), seen.len());
}

#[test]
fn a_copy_of_a_store_takes_nothing_back_that_the_other_one_removed() {
    let home = Home::new();
    let path = home.path().join("a.redb");
    let mut store = Broken::over(Arc::new(open(&path)));
    say(&store, &["1", "2", "3", "4"]);
    let all = lines(&store);
    let copy = home.path().join("copy.redb");
    let backup = open(&path);
    backup
        .backup(&copy, Existing::Refuse, &mut scrollback::unwatched)
        .unwrap();
    store.truncate(&key(), 1).unwrap();
    // Removed, and the note does not know it.
    store.calls.compact = |b, key, through, archive| {
        b.store.compact(key, through, archive)?;
        Err(unknown())
    };
    compact(&home, &store).unwrap_err();
    // The copy shows all of them, and hides two later.
    let copy = open(&copy);
    compact(&home, &copy).unwrap();
    assert_eq!(archived(&home, "s.jsonl"), all[..3]);
    copy.truncate(&key(), 2).unwrap();
    compact(&home, &copy).unwrap();
    assert_eq!(archived(&home, "s.jsonl"), all[..3]);
}

#[cfg(unix)]
#[test]
fn an_archive_that_cannot_be_written_removes_nothing_and_is_named() {
    use std::os::unix::fs::symlink;
    let (home, store, all) = broken(|_| {});
    let archive = home.path().join("archive");
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let victim = elsewhere.join("victim");
    for case in ["file", "lines", "note", "lock", "dangling", "damaged"] {
        drop(fs::remove_dir_all(&archive));
        fs::write(&victim, "keep").unwrap();
        if case == "file" {
            drop(fs::remove_file(&archive));
            fs::write(&archive, "keep").unwrap();
        } else {
            drop(fs::remove_file(&archive));
            fs::create_dir_all(archive.join("native")).unwrap();
        }
        match case {
            "lines" => symlink(&victim, file(&home, "s.jsonl")).unwrap(),
            "note" => symlink(&victim, file(&home, "s.note")).unwrap(),
            "lock" => symlink(&victim, file(&home, "s.lock")).unwrap(),
            "dangling" => symlink(elsewhere.join("none"), file(&home, "s.jsonl")).unwrap(),
            "damaged" => fs::write(file(&home, "s.note"), "{").unwrap(),
            _ => {}
        }
        let failed = compact(&home, &store).unwrap_err();
        let said = failed.to_string();
        assert!(matches!(failed, Error::Io { .. }), "{case}: {failed:?}");
        assert!(said.contains("archive"), "{case}: {said}");
        assert_eq!(lines(&store), all, "{case}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "keep", "{case}");
        assert!(!elsewhere.join("none").exists());
    }
}
