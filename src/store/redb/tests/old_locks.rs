//! A store of a format whose builds lock it otherwise is opened by one process alone.

use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{ReadableDatabase as _, StorageBackend as _};

use crate::model::error::{Error, Result};
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{FORMAT, INFO_FORMAT, INFO_FORMAT_READABLE, STORE_INFO};
use crate::store::{ListQuery, Mode, Options, Store as _};

/// Locked, shared, by every reader of a shared store, in old builds too.
const READERS: Bound<u64> = Bound::Included((1 << 62) + 2);

/// Locked, shared, by everybody who has a shared store open for writing.
const WRITERS: Bound<u64> = Bound::Included((1 << 62) + 1);

/// Locked, shared, by readers that keep all writers out.
const KEEPS_OUT: Bound<u64> = Bound::Included((1 << 62) + 3);

fn options(wait: u64) -> Options {
    Options::default().with_lock_wait(Duration::from_millis(wait))
}

/// A store that says that it is of the last format with other locks.
fn old_store(folder: &Path) -> PathBuf {
    let path = folder.join("s.redb");
    RedbStore::open(&path, Options::default())
        .unwrap()
        .close()
        .unwrap();
    let database = redb::Database::open(&path).unwrap();
    let txn = database.begin_write().unwrap();
    let mut info = txn.open_table(STORE_INFO).unwrap();
    for name in [INFO_FORMAT, INFO_FORMAT_READABLE] {
        info.insert(name, 3_u32.to_le_bytes().as_slice()).unwrap();
    }
    drop(info);
    txn.commit().unwrap();
    path
}

fn format(path: &Path) -> u32 {
    let database = redb::ReadOnlyDatabase::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    crate::store::redb::upkeep::migrate::format(&txn)
        .unwrap()
        .unwrap()
}

fn is_busy(opened: Result<RedbStore>) -> bool {
    match opened {
        Err(Error::Busy { reason }) => {
            assert!(
                reason.contains("format 3") && reason.contains("older version"),
                "{reason}"
            );
            true
        }
        _ => false,
    }
}

#[test]
fn a_store_of_an_old_format_is_opened_only_while_nobody_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = old_store(folder.path());
    let handle = || File::options().read(true).write(true).open(&path).unwrap();

    // Old builds that write hold the whole file's lock, shared.
    let writer = handle();
    writer.lock_shared().unwrap();
    assert!(is_busy(RedbStore::open(&path, options(30))));
    drop(writer);
    // And the byte of writers, which keeps out those who read alone.
    let writer = FileBackend::new(handle()).unwrap();
    assert!(writer.try_lock_shared_range(WRITERS, WRITERS).unwrap());
    assert!(is_busy(RedbStore::open(&path, options(30))));
    let reader = RedbStore::open_read_only(&path, options(30));
    assert!(matches!(reader, Err(Error::Locked { .. })), "{reader:?}");
    writer.unlock_range(WRITERS, WRITERS).unwrap();
    assert_eq!(format(&path), 3);

    // Those that read hold a byte of their own, and nothing else.
    let reader = FileBackend::new(handle()).unwrap();
    assert!(reader.try_lock_shared_range(READERS, READERS).unwrap());
    assert!(is_busy(RedbStore::open(&path, options(30))));
    assert_eq!(format(&path), 3);
    reader.unlock_range(READERS, READERS).unwrap();

    RedbStore::open(&path, options(30)).unwrap();
    assert_eq!(format(&path), FORMAT);
}

#[test]
fn who_opens_an_old_store_keeps_old_builds_out_and_a_new_store_is_shared_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = old_store(folder.path());
    // As an old build tries it: the byte of writers, and whether a reader keeps them out.
    let old_build = || {
        let file = FileBackend::new(File::options().read(true).write(true).open(&path).unwrap());
        let file = file.unwrap();
        file.try_lock_shared_range(WRITERS, WRITERS).unwrap()
            && !file.query_lock_range(KEEPS_OUT, KEEPS_OUT).unwrap()
    };

    let reader = RedbStore::open_read_only(&path, options(30)).unwrap();
    assert!(!old_build(), "an old build beside a reader");
    let second = RedbStore::open(&path, options(30));
    assert!(matches!(second, Err(Error::Busy { .. })), "{second:?}");
    let other = RedbStore::open_read_only(&path, options(30)).unwrap();
    assert!(
        reader
            .list(&ListQuery::default())
            .unwrap()
            .sessions
            .is_empty()
    );
    drop((reader, other));
    assert!(old_build(), "the lock ends with the readers");

    let writer = RedbStore::open(&path, options(30)).unwrap();
    let (second, reader) = (
        RedbStore::open(&path, options(30)).unwrap(),
        RedbStore::open_read_only(&path, options(30)).unwrap(),
    );
    for store in [&writer, &second, &reader] {
        assert_eq!(store.mode(), Mode::Shared);
        store.list(&ListQuery::default()).unwrap();
    }
}

#[test]
fn many_open_an_old_store_at_once_and_one_after_the_other_is_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = old_store(folder.path());
    thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let open = if number % 2 == 0 {
                    RedbStore::open
                } else {
                    RedbStore::open_read_only
                };
                open(path, options(20_000)).unwrap().close().unwrap();
            });
        }
    });
    assert_eq!(format(&path), FORMAT);
}
