//! Opening the file of a store: beside whom, in which format, for reading or for writing.
//!
//! Everything that names redb's multi-process mode is in this file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use redb::{Builder, Database, ReadOnlyDatabase, ReadableDatabase as _};

use super::backend::{Backend, Hurry};
use super::errors::{busy, locked, opening, opening_io, storage};
use super::file::{check_magic, new_file_beside, open_private_file, sync_folder};
use super::handle::{Handle, Watch};
use super::health::Watched;
use super::locks::{self, Whole};
use super::named::REMOVED;
use super::note::Note;
use super::panics::guard;
use super::reserve::Reserve;
use crate::model::error::{Error, Result};
use crate::store::redb::tables::schema::FORMAT_WITH_STABLE_LOCKS;
use crate::store::redb::upkeep::migrate;
use crate::store::{Mode, Options};

/// Pause between two tries for a store that another process has alone.
const PAUSE: Duration = Duration::from_millis(3);

/// The options, with the mode that the file system of `file` allows.
pub(crate) fn in_force(path: &Path, file: &File, options: &Options) -> Result<Options> {
    let mode = locks::mode_in_force(file, path, options.mode)?;
    if mode != options.mode {
        tracing::warn!(
            store = %path.display(),
            "the file system has no range locks: the store is opened exclusively"
        );
    }
    Ok(options.clone().with_mode(mode))
}

/// Opens a store, and waits as long as the options say for one that somebody else has alone, or that
/// has to be had alone.
pub(crate) fn patiently<T>(options: &Options, mut open: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match open() {
            Err(Error::Locked { .. } | Error::Busy { .. })
                if began.elapsed() < options.lock_wait =>
            {
                // Asked again and not waited for: the system's wait for a lock has no end.
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

pub(crate) fn builder(options: &Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    match options.mode {
        Mode::Shared => {
            builder.set_concurrency_mode(redb::ConcurrencyMode::MultiWriter);
        }
        Mode::Exclusive => {}
    }
    builder
}

/// Opens the database in a file for writing, and makes one in an empty file.
pub(crate) fn create(
    file: File,
    path: &Path,
    options: &Options,
    watch: &Watch,
) -> Result<Database> {
    let whole = shared_whole(&file, path, options)?;
    create_with(file, whole, path, options, watch)
}

/// As [`create`], where the lock of the whole file has been taken.
fn create_with(
    file: File,
    whole: Whole,
    path: &Path,
    options: &Options,
    watch: &Watch,
) -> Result<Database> {
    // A file that is being made is renamed: what lay beside its first name would stay behind.
    let (note, reserve) = if watch.is_new {
        (Note::none(path, options), Reserve::none())
    } else {
        (Note::of(path, options), Reserve::of(path))
    };
    let backend = Backend::new(file, whole, note, reserve, options, &watch.hurry)
        .map_err(opening_io(path))?;
    builder(options)
        .create_with_backend(Watched::new(backend, &watch.health))
        .map_err(opening(path, options))
}

/// The lock of a whole file, taken together with others where the store is shared. The exclusive
/// mode's own locks keep everybody out.
fn shared_whole(file: &File, path: &Path, options: &Options) -> Result<Whole> {
    let whole = Whole::of(file).map_err(opening_io(path))?;
    share(&whole, path, options)?;
    Ok(whole)
}

fn share(whole: &Whole, path: &Path, options: &Options) -> Result<()> {
    if options.mode == Mode::Exclusive || whole.share().map_err(opening_io(path))? {
        Ok(())
    } else {
        Err(locked(path, options))
    }
}

/// Whether processes with other locks may have a store of that format open.
fn is_old(format: u32) -> bool {
    format < FORMAT_WITH_STABLE_LOCKS
}

/// Keeps everybody else out of a store whose format says that processes with other locks may have
/// it open: neither would notice the other.
fn keep_if_old(whole: &Whole, format: Option<u32>, path: &Path, options: &Options) -> Result<()> {
    if !format.is_some_and(is_old)
        || options.mode == Mode::Exclusive
        || whole.keep().map_err(opening_io(path))?
    {
        Ok(())
    } else {
        Err(old_and_in_use(format.unwrap_or_default()))
    }
}

fn old_and_in_use(format: u32) -> Error {
    Error::Busy {
        reason: format!(
            "the store has format {format}, and another process has it open, perhaps one of an \
             older version, which would not be noticed: a store of this format is opened for \
             writing only while nobody else has it"
        ),
    }
}

/// Opens a store's file, which may be empty, for reading and writing.
pub(crate) fn open_for_writing(
    file: File,
    path: &Path,
    options: &Options,
    watch: &Watch,
) -> Result<Handle> {
    let whole = Whole::of(&file).map_err(opening_io(path))?;
    let before = if check_magic(path, &file, true)? {
        None
    } else {
        // Before a writer is: opening one already writes, and a store of a newer format, or
        // another program's database, has to stay as it is.
        check_format(path, options)?
    };
    // Alone from the start: a process of an older build that came in between would not be noticed
    // later.
    if before.is_some_and(is_old) {
        keep_if_old(&whole, before, path, options)?;
    } else {
        share(&whole, path, options)?;
    }
    let database = create_with(file, whole.clone(), path, options, watch)?;
    // A file that had to be repaired tells its format only now.
    let format = match before {
        Some(format) => Some(format),
        None => migrate::format_of(&database)?,
    };
    keep_if_old(&whole, format, path, options)?;
    // Done alone. From then on the format says which locks are used, and others may come.
    migrate::migrate(path, &database, &options.stamps)?;
    if format.is_some_and(is_old) {
        share(&whole, path, options)?;
    }
    Ok(Handle::Writer(database))
}

/// Opens a store for reading only, and writes nothing: `None` if only a writer can put in order
/// what a crash has left.
pub(crate) fn open_as_it_is(path: &Path, options: &Options) -> Result<Option<Handle>> {
    let Some(database) = open_read_only(path, options)? else {
        return Ok(None);
    };
    let txn = database.begin_read().map_err(opening_read(path, options))?;
    // Asked before it is trusted: what an older build writes meanwhile would not be seen.
    let is_old = migrate::format(&txn)?.is_some_and(is_old);
    drop(txn);
    if !is_old || options.mode == Mode::Exclusive {
        return Ok(Some(Handle::Reader(database)));
    }
    // Builds of this format do not see a reader beside them, but they see one that keeps all writers
    // out, which is the same in both versions of the engine.
    database.close().map_err(opening(path, options))?;
    let alone = options.clone().with_mode(Mode::Exclusive);
    Ok(open_read_only(path, &alone)?.map(Handle::Reader))
}

/// Opens the database of a store that is there for reading only: `None` if it has to be repaired.
fn open_read_only(path: &Path, options: &Options) -> Result<Option<ReadOnlyDatabase>> {
    let file = open_there(path, false)?;
    let whole = shared_whole(&file, path, options)?;
    let (note, reserve) = (Note::none(path, options), Reserve::none());
    let backend = Backend::new(file, whole, note, reserve, options, &Hurry::default())
        .map_err(opening_io(path))?;
    match builder(options).open_read_only_with_backend(backend) {
        Ok(database) => Ok(Some(database)),
        // The engine repairs nothing that it may not write to, and says so.
        Err(redb::DatabaseError::RepairAborted) => Ok(None),
        Err(error) => Err(opening(path, options)(error)),
    }
}

/// Opens a store that is to be read, and puts in order what a crash has left.
pub(crate) fn open_repaired(path: &Path, options: &Options, watch: &Watch) -> Result<Handle> {
    let file = open_there(path, true)?;
    let whole = shared_whole(&file, path, options)?;
    let database = create_with(file, whole.clone(), path, options, watch)?;
    keep_if_old(&whole, migrate::format_of(&database)?, path, options)?;
    Ok(Handle::Writer(database))
}

/// Opens the file of a store that is there.
pub(crate) fn open_there(path: &Path, for_writing: bool) -> Result<File> {
    let file = OpenOptions::new().read(true).write(for_writing).open(path);
    file.map_err(|source| Error::Io {
        action: if for_writing {
            "put in order what a crash has left of the store"
        } else {
            "open the store"
        },
        path: path.to_owned(),
        source,
    })
}

/// A path that does not depend on the current folder.
pub(crate) fn place_of(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Refuses a store that this version must not write, without writing; gives its format otherwise.
/// `None` if there is no telling: it has to be repaired first, and is checked again once it is open.
fn check_format(path: &Path, options: &Options) -> Result<Option<u32>> {
    let Some(database) = open_read_only(path, options)? else {
        return Ok(None);
    };
    let txn = database.begin_read().map_err(opening_read(path, options))?;
    migrate::check_writable(path, &txn)?;
    migrate::format(&txn)
}

/// Turns redb's errors of a first transaction into ours.
fn opening_read(path: &Path, options: &Options) -> impl Fn(redb::TransactionError) -> Error {
    let (path, options) = (path.to_owned(), options.clone());
    move |error| began(&path, &options, error, "begin reading")
}

/// Why a transaction did not begin.
pub(crate) fn began(
    path: &Path,
    options: &Options,
    error: redb::TransactionError,
    action: &'static str,
) -> Error {
    match error {
        redb::TransactionError::Storage(redb::StorageError::Io(error))
            // As in an opening: `Backend` has waited for another process as long as it may.
            if error.kind() == std::io::ErrorKind::TimedOut =>
        {
            busy(path, options)
        }
        error => storage(action)(error),
    }
}

/// Creates a store whole or not at all: under another name, which is then given to nobody who is
/// faster. An engine that is killed half-way leaves a file that it refuses ever after, and another
/// process could take one that is half made for something else. Whether it has been given the name.
pub(crate) fn create_whole(path: &Path, options: &Options) -> Result<bool> {
    let new = new_file_beside(path)?;
    let file = open_private_file(&new)?;
    let mode = locks::mode_in_force(&file, path, options.mode)?;
    let options = &options.clone().with_mode(mode);
    let database = guard(|| create(file, &new, options, &Watch::of_new()))?;
    guard(|| migrate::migrate(path, &database, &options.stamps))?;
    // Closed in order before it has a name: whoever opens it next has nothing to repair.
    guard(|| database.close().map_err(opening(path, options)))?;
    // Where this fails there is a store already, or the file system cannot name a file only if the
    // name is free: what opens the path next makes the store in place.
    let is_named = new.persist_noclobber(path).is_ok();
    // The first append flushes the file alone: a power cut behind it could still take the name.
    sync_folder(path)?;
    Ok(is_named)
}

/// Opens a store that was made just now.
pub(crate) fn open_new(path: &Path, place: &Path) -> Result<File> {
    match open_there(path, true) {
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::Gone {
                path: place.to_owned(),
                how: REMOVED,
            })
        }
        opened => opened,
    }
}
