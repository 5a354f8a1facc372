//! A store whose file is removed, moved away, replaced or overwritten while it is open.

use std::fs;
use std::path::{Path, PathBuf};

use super::sweeps::modes;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::copies::Existing;
use crate::store::redb::store::RedbStore;
use crate::store::{Expect, Mode, NewRecord, Options, Store as _, unwatched};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A store with so many appends.
    fn store(&self, name: &str, mode: Mode, appends: usize) -> RedbStore {
        let store = open(&self.path(name), mode).unwrap();
        for _ in 0..appends {
            append(&store).unwrap();
        }
        store
    }
}

fn open(path: &Path, mode: Mode) -> Result<RedbStore> {
    let options = Options::default().with_mode(mode);
    RedbStore::open(path, options)
}

fn key() -> SessionKey {
    SessionKey::native("s").unwrap()
}

fn append(store: &RedbStore) -> Result<()> {
    let record = [NewRecord::line("{}")];
    store.append(&key(), Expect::Any, None, &record).map(drop)
}

fn records(store: &RedbStore) -> u64 {
    store.summary(&key()).unwrap().record_count
}

#[track_caller]
fn is_gone(done: Result<()>, how: &str) {
    let Err(error @ Error::Gone { .. }) = done else {
        panic!("{done:?}")
    };
    assert!(error.to_string().contains(how), "{error}");
    assert!(error.hint().is_some() && !error.is_retryable());
}

#[test]
fn a_removed_store_takes_no_more_writes_and_is_still_read() {
    for mode in modes() {
        let folder = Folder::new();
        let store = folder.store("s.redb", mode, 2);
        fs::remove_file(store.path()).unwrap();
        for _ in 0..2 {
            is_gone(append(&store), "was removed");
            is_gone(store.delete(&key()).map(drop), "was removed");
        }
        assert_eq!(records(&store), 2, "{mode:?}");
        store.close().unwrap();
        assert!(!folder.path("s.redb").exists(), "made anew");
    }
}

#[test]
fn a_store_that_goes_during_a_commit_is_not_ok() {
    for mode in modes() {
        let folder = Folder::new();
        let store = folder.store("s.redb", mode, 1);
        let done = store.write(|_| {
            fs::remove_file(store.path()).unwrap();
            Ok(())
        });
        is_gone(done, "was removed");
    }
}

#[test]
fn a_moved_store_takes_writes_again_once_it_is_back() {
    for mode in modes() {
        let folder = Folder::new();
        let (store, aside) = (folder.store("s.redb", mode, 1), folder.path("aside"));
        fs::rename(store.path(), &aside).unwrap();
        is_gone(append(&store), "moved away");
        fs::rename(&aside, store.path()).unwrap();
        append(&store).unwrap();
        assert_eq!(records(&store), 2);
        assert!(store.verify(&mut unwatched).unwrap().is_clean());
    }
}

#[test]
fn a_store_that_is_replaced_leaves_the_new_one_alone() {
    for mode in modes() {
        let folder = Folder::new();
        let store = folder.store("s.redb", mode, 3);
        folder.store("other.redb", mode, 1).close().unwrap();
        fs::rename(folder.path("other.redb"), store.path()).unwrap();
        is_gone(append(&store), "was replaced");
        assert_eq!(records(&store), 3, "the file that was opened");
        drop(store);
        let there = open(&folder.path("s.redb"), mode).unwrap();
        assert_eq!(records(&there), 1);
    }
}

/// What is copied over the file has its inode: an older copy of it, and another store, whose
/// transactions have higher numbers.
#[test]
fn a_store_that_is_copied_over_is_noticed_and_not_written_to() {
    for mode in modes() {
        for (name, appends) in [("older.redb", 1), ("another.redb", 30)] {
            let folder = Folder::new();
            let mut store = folder.store("s.redb", mode, 1);
            let other = if name == "older.redb" {
                store.close().unwrap();
                let older = fs::read(folder.path("s.redb")).unwrap();
                store = open(&folder.path("s.redb"), mode).unwrap();
                older
            } else {
                folder.store(name, mode, appends).close().unwrap();
                fs::read(folder.path(name)).unwrap()
            };
            for _ in 0..8 {
                append(&store).unwrap();
            }
            // In place, as `cp` does it; it cuts the file first, which a write finds damaged.
            let file = fs::File::options().write(true).open(store.path()).unwrap();
            std::io::Write::write_all(&mut &file, &other).unwrap();
            file.set_len(other.len() as u64).unwrap();
            is_gone(append(&store), "was overwritten");
            is_gone(append(&store), "was overwritten");
            is_gone(store.summary(&key()).map(drop), "was overwritten");
            drop(store);
            assert_eq!(fs::read(folder.path("s.redb")).unwrap(), other, "{mode:?}");
            let there = open(&folder.path("s.redb"), mode).unwrap();
            assert_eq!(records(&there), appends as u64);
            assert!(there.verify(&mut unwatched).unwrap().is_clean());
        }
    }
}

#[test]
fn a_restore_into_the_file_and_others_commits_are_no_replacement() {
    let folder = Folder::new();
    let (store, other) = (
        folder.store("s.redb", Mode::Shared, 2),
        folder.store("s.redb", Mode::Shared, 2),
    );
    append(&store).unwrap();
    let another = folder.store("another.redb", Mode::Shared, 1);
    let backup = folder.path("backup.redb");
    another
        .backup(&backup, Existing::Refuse, &mut unwatched)
        .unwrap();
    other.replace_with(&backup, &mut unwatched).unwrap();
    append(&store).unwrap();
    append(&other).unwrap();
    append(&store).unwrap();
    assert_eq!(records(&store), 4);
}
