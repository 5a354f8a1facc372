//! The database under the store: opening it, and its transactions.
//!
//! Everything that names redb's multi-process mode is in this file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::{Duration, Instant};

use redb::{
    Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase as _, WriteTransaction,
};

use super::super::{Mode, Options};
use super::backend::{Backend, Hurry};
use super::errors::{busy, locked, opening, opening_io, storage};
use super::file::{
    check_magic, create_private_folder, new_file_beside, open_private_file, sync_folder,
};
use super::health::{Health, Watched};
use super::locks::Whole;
use super::note::Note;
use super::pages::PageFile;
use super::panics::{commit, guard};
use super::reopen::{self, Opener};
use super::schema::FORMAT_WITH_STABLE_LOCKS;
use super::{locks, migrate};
use crate::error::{Error, Result};

/// Pause between two tries for a store that somebody has for himself.
const PAUSE: Duration = Duration::from_millis(3);

/// The open database.
#[derive(Debug)]
pub(crate) struct Engine {
    path: PathBuf,
    /// The same file, whichever folder is the current one.
    pub(super) place: PathBuf,
    /// With the mode that is in force.
    pub(super) options: Options,
    pub(super) database: RwLock<Handle>,
    pub(super) watch: Watch,
    pub(super) opener: Opener,
    /// The same file, below the engine; none where the storage is no file.
    pages: Option<PageFile>,
    /// Whether it was opened for writing: only then it has this version's format.
    is_writable: bool,
}

/// What a database and the file under it tell each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// Whether locks are waited for only briefly.
    pub(super) hurry: Hurry,
    /// What the file has failed at.
    pub(super) health: Health,
    /// Whether the file is being made, under a name that nobody else knows.
    pub(super) is_new: bool,
}

impl Watch {
    /// Of a file that is being made, under a name that nobody else knows.
    pub(crate) fn of_new() -> Self {
        Self {
            is_new: true,
            ..Self::default()
        }
    }
}

/// The database, as it was opened.
pub(super) enum Handle {
    /// For writing.
    Writer(Database),
    /// For reading only.
    Reader(ReadOnlyDatabase),
    /// It failed, and could not be opened again yet.
    Closed,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writer(_) => "Writer",
            Self::Reader(_) => "Reader",
            Self::Closed => "Closed",
        })
    }
}

impl Engine {
    /// Opens a store for reading and writing; creates it if the file is not there or empty.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            create_private_folder(folder)?;
        }
        if !path.exists() {
            create_whole(path, options)?;
        }
        let options = in_force(path, &open_private_file(path)?, options)?;
        let (watch, place) = (Watch::default(), place_of(path));
        let handle = patiently(&options, || {
            guard(|| open_for_writing(open_private_file(path)?, path, &options, &watch))
        })?;
        let (again, as_before) = (place.clone(), options.clone());
        let opener = Opener::new(move |watch| {
            // A file that is gone is not made anew.
            open_for_writing(open_there(&again, true)?, &again, &as_before, watch)
        });
        Ok(Self {
            path: path.to_owned(),
            pages: Some(PageFile::open(path)?),
            place,
            options,
            database: RwLock::new(handle),
            watch,
            opener,
            is_writable: true,
        })
    }

    /// A store over any storage; of `path` only the size on disk is read.
    #[cfg(test)]
    pub(crate) fn over(
        path: &Path,
        storage: impl redb::StorageBackend + Clone,
        options: &Options,
    ) -> Result<Self> {
        let (place, as_before) = (path.to_owned(), options.clone());
        let opener = Opener::new(move |watch| {
            let database = builder(&as_before)
                .create_with_backend(Watched::new(storage.clone(), &watch.health))
                .map_err(opening(&place, &as_before))?;
            migrate::migrate(&place, &database, &as_before)?;
            Ok(Handle::Writer(database))
        });
        let watch = Watch::default();
        Ok(Self {
            path: path.to_owned(),
            place: place_of(path),
            options: options.clone(),
            pages: None,
            database: RwLock::new(opener.open(&watch)?),
            watch,
            opener,
            is_writable: true,
        })
    }

    /// Opens a store that is there for reading only; it is repaired first if it has to be.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<Self> {
        Self::reader(
            path,
            options,
            |place, options, watch| match open_as_it_is(place, options)? {
                Some(handle) => Ok(Some(handle)),
                None => open_repaired(place, options, watch).map(Some),
            },
        )?
        .ok_or_else(|| reopen::failed("it has to be repaired"))
    }

    /// Opens a store that is there for reading only, and never writes to it: `None` if a crash has
    /// left it so that it has to be repaired first.
    pub(crate) fn open_unchanged(path: &Path, options: &Options) -> Result<Option<Self>> {
        Self::reader(path, options, |place, options, _| {
            open_as_it_is(place, options)
        })
    }

    /// A store to read, if this version can.
    fn reader(
        path: &Path,
        options: &Options,
        open: fn(&Path, &Options, &Watch) -> Result<Option<Handle>>,
    ) -> Result<Option<Self>> {
        let file = open_there(path, false)?;
        check_magic(path, &file, false)?;
        let options = in_force(path, &file, options)?;
        let (watch, place) = (Watch::default(), place_of(path));
        let opened = patiently(&options, || guard(|| open(path, &options, &watch)))?;
        let Some(handle) = opened else {
            return Ok(None);
        };
        let (again, as_before) = (place.clone(), options.clone());
        let opener = Opener::new(move |watch| {
            open(&again, &as_before, watch)?.ok_or_else(|| reopen::failed("it has to be repaired"))
        });
        let engine = Self {
            path: path.to_owned(),
            pages: Some(PageFile::open(path)?),
            place,
            options,
            database: RwLock::new(handle),
            watch,
            opener,
            is_writable: false,
        };
        guard(|| migrate::check(path, &engine.begin_read()?))?;
        Ok(Some(engine))
    }

    /// The mode in force.
    pub(crate) fn mode(&self) -> Mode {
        self.options.mode
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file below the engine, if the storage is one.
    pub(crate) fn pages(&self) -> Option<&PageFile> {
        self.pages.as_ref()
    }

    fn handle(&self) -> RwLockReadGuard<'_, Handle> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A snapshot.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction> {
        self.begun(|| {
            let begun = match &*self.handle() {
                Handle::Writer(database) => database.begin_read(),
                Handle::Reader(database) => database.begin_read(),
                Handle::Closed => return Err(reopen::failed("it is closed")),
            };
            begun.map_err(|error| self.beginning(error, "begin reading"))
        })
    }

    /// A write transaction; waits for the one that is open, in another process for as long as the
    /// options say.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction> {
        if !self.is_writable {
            return Err(self.read_only());
        }
        self.begun(|| match &*self.handle() {
            Handle::Writer(database) => database
                .begin_write()
                .map_err(|error| self.beginning(error, "begin writing")),
            Handle::Reader(_) => Err(self.read_only()),
            Handle::Closed => Err(reopen::failed("it is closed")),
        })
    }

    /// Commits a write transaction of this database.
    pub(crate) fn commit(&self, txn: WriteTransaction) -> Result<()> {
        let _held = self.pages.as_ref().map(PageFile::committing);
        let committed = commit(txn);
        if matches!(committed, Err(Error::CommitUnknown { .. })) {
            // It may be on disk and not be shown until a writer has looked: then a read in between
            // would say that it is not there. Opening it again decides.
            self.watch.health.fail();
        }
        committed
    }

    /// Closes the database, and says what dropping it would hide.
    pub(crate) fn close(self) -> Result<()> {
        let handle = self.database.into_inner();
        let closing = opening(&self.place, &self.options);
        guard(|| match handle.unwrap_or_else(PoisonError::into_inner) {
            Handle::Writer(database) => database.close().map_err(closing),
            Handle::Reader(database) => database.close().map_err(closing),
            Handle::Closed => Ok(()),
        })
    }

    /// Why a transaction did not begin.
    fn beginning(&self, error: redb::TransactionError, action: &'static str) -> Error {
        began(&self.place, &self.options, error, action)
    }

    /// What a writer hears of a store that is open for reading only.
    pub(super) fn read_only(&self) -> Error {
        Error::ReadOnly {
            path: self.path.clone(),
        }
    }

    /// Bytes that the file takes on disk: less than its length where it has pages never written.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        let metadata = std::fs::metadata(&self.place).map_err(|source| Error::Io {
            action: "read the size of",
            path: self.path.clone(),
            source,
        })?;
        #[cfg(unix)]
        let bytes = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        #[cfg(not(unix))]
        let bytes = metadata.len();
        Ok(bytes)
    }
}

/// The options, with the mode that the file system of `file` allows.
fn in_force(path: &Path, file: &File, options: &Options) -> Result<Options> {
    let mode = locks::mode_in_force(file, path, options.mode)?;
    if mode != options.mode {
        tracing::warn!(
            store = %path.display(),
            "the file system has no range locks: the store is opened exclusively"
        );
    }
    Ok(Options {
        mode,
        ..options.clone()
    })
}

/// Opens a store, and waits as long as the options say for one that somebody else has alone, or that
/// has to be had alone.
fn patiently<T>(options: &Options, mut open: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match open() {
            Err(Error::Locked { .. } | Error::Busy { .. })
                if began.elapsed() < options.lock_wait =>
            {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

fn builder(options: &Options) -> Builder {
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
    let note = if watch.is_new {
        Note::none(path, options)
    } else {
        Note::of(path, options)
    };
    let backend =
        Backend::new(file, whole, note, options, &watch.hurry).map_err(opening_io(path))?;
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

/// Keeps everybody else out of a store whose format says that processes with other locks may have
/// it open: neither would notice the other.
fn keep_if_old(whole: &Whole, format: Option<u32>, path: &Path, options: &Options) -> Result<()> {
    let is_old = format.is_some_and(|format| format < FORMAT_WITH_STABLE_LOCKS);
    if !is_old || options.mode == Mode::Exclusive || whole.keep().map_err(opening_io(path))? {
        Ok(())
    } else {
        Err(old_and_in_use(format.unwrap_or_default()))
    }
}

fn old_and_in_use(format: u32) -> Error {
    Error::Busy {
        reason: format!(
            "the store has format {format}, and another process has it open, perhaps one of an \
             older version, which would not be noticed: a store of this format is opened only \
             while nobody else has it"
        ),
    }
}

/// Opens a store's file, which may be empty, for reading and writing.
fn open_for_writing(file: File, path: &Path, options: &Options, watch: &Watch) -> Result<Handle> {
    let whole = Whole::of(&file).map_err(opening_io(path))?;
    let mut format = None;
    if !check_magic(path, &file, true)? {
        // Before a writer is: opening one already writes, and a store of a newer format, or
        // another program's database, has to stay as it is.
        format = check_format(path, options)?;
    }
    if format.is_some_and(|format| format < FORMAT_WITH_STABLE_LOCKS) {
        keep_if_old(&whole, format, path, options)?;
    } else {
        share(&whole, path, options)?;
    }
    let database = create_with(file, whole.clone(), path, options, watch)?;
    // A file that had to be repaired tells its format only now; and who was faster may have brought
    // the store to this one.
    let format = migrate::format_of(&database)?;
    keep_if_old(&whole, format, path, options)?;
    migrate::migrate(path, &database, options)?;
    share(&whole, path, options)?;
    Ok(Handle::Writer(database))
}

/// Opens a store for reading only, and writes nothing: `None` if only a writer can put in order
/// what a crash has left.
fn open_as_it_is(path: &Path, options: &Options) -> Result<Option<Handle>> {
    let Some((database, whole)) = open_read_only(path, options)? else {
        return Ok(None);
    };
    let txn = database.begin_read().map_err(opening_read(path, options))?;
    // It stays alone for as long as it reads: old builds cannot see that it does.
    keep_if_old(&whole, migrate::format(&txn)?, path, options)?;
    drop(txn);
    Ok(Some(Handle::Reader(database)))
}

/// Opens the database of a store that is there for reading only: `None` if it has to be repaired.
fn open_read_only(path: &Path, options: &Options) -> Result<Option<(ReadOnlyDatabase, Whole)>> {
    let file = open_there(path, false)?;
    let whole = shared_whole(&file, path, options)?;
    let note = Note::none(path, options);
    let backend = Backend::new(file, whole.clone(), note, options, &Hurry::default())
        .map_err(opening_io(path))?;
    match builder(options).open_read_only_with_backend(backend) {
        Ok(database) => Ok(Some((database, whole))),
        Err(redb::DatabaseError::RepairAborted) => Ok(None),
        Err(error) => Err(opening(path, options)(error)),
    }
}

/// Opens a store that is to be read, and puts in order what a crash has left.
fn open_repaired(path: &Path, options: &Options, watch: &Watch) -> Result<Handle> {
    let file = open_there(path, true)?;
    let whole = shared_whole(&file, path, options)?;
    let database = create_with(file, whole.clone(), path, options, watch)?;
    keep_if_old(&whole, migrate::format_of(&database)?, path, options)?;
    Ok(Handle::Writer(database))
}

/// Opens the file of a store that is there.
fn open_there(path: &Path, for_writing: bool) -> Result<File> {
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
fn place_of(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Refuses a store that this version must not write, without writing; gives its format otherwise.
/// `None` if there is no telling: it has to be repaired first, and is checked again once it is open.
fn check_format(path: &Path, options: &Options) -> Result<Option<u32>> {
    let Some((database, _shared)) = open_read_only(path, options)? else {
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
fn began(
    path: &Path,
    options: &Options,
    error: redb::TransactionError,
    action: &'static str,
) -> Error {
    match error {
        redb::TransactionError::Storage(redb::StorageError::Io(error))
            if error.kind() == std::io::ErrorKind::TimedOut =>
        {
            busy(path, options)
        }
        error => storage(action)(error),
    }
}

/// Creates a store whole or not at all: under another name, which is then given to nobody who is
/// faster. An engine that is killed half-way leaves a file that it refuses ever after, and another
/// process could take one that is half made for something else.
fn create_whole(path: &Path, options: &Options) -> Result<()> {
    let new = new_file_beside(path)?;
    let file = open_private_file(&new)?;
    let mode = locks::mode_in_force(&file, path, options.mode)?;
    let options = &Options {
        mode,
        ..options.clone()
    };
    let database = guard(|| create(file, &new, options, &Watch::of_new()))?;
    guard(|| migrate::migrate(path, &database, options))?;
    guard(|| database.close().map_err(opening(path, options)))?;
    // Where this fails there is a store already, or the file system cannot name a file only if the
    // name is free: what opens the path next makes the store in place.
    drop(new.persist_noclobber(path));
    sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_waits_too_long_says_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let options = Options {
            lock_wait: std::time::Duration::from_millis(50),
            ..Options::default()
        };
        // Two handles on one file exclude each other like two processes.
        let (first, second) = (
            Engine::open(&path, &options).unwrap(),
            Engine::open(&path, &options).unwrap(),
        );
        let held = first.begin_write().unwrap();
        let Err(Error::Busy { reason }) = second.begin_write() else {
            panic!("two writers at a time");
        };
        let own = format!(
            "process {} has been writing to it for 0 s",
            std::process::id()
        );
        assert_eq!(reason, own);
        drop(held);
        second.begin_write().unwrap().commit().unwrap();
        drop((first, second));
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "the store alone: {left:?}");
    }
}
