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
use super::locks::Gate;
use super::note::Note;
use super::pages::PageFile;
use super::panics::guard;
use super::reopen::{self, Opener};
use super::{locks, migrate};
use crate::model::error::{Error, Result};

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
    /// Whether locks are waited for only shortly.
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
    Reader(ReadOnlyDatabase, Gate),
    /// It failed, and could not be opened again yet.
    Closed,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writer(_) => "Writer",
            Self::Reader(..) => "Reader",
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
                Handle::Reader(database, gate) => {
                    pass(gate, &self.place, &self.options)?;
                    database.begin_read()
                }
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
            Handle::Reader(..) => Err(self.read_only()),
            Handle::Closed => Err(reopen::failed("it is closed")),
        })
    }

    /// Why a transaction did not begin.
    fn beginning(&self, error: redb::TransactionError, action: &'static str) -> Error {
        match error {
            redb::TransactionError::Storage(redb::StorageError::Io(error))
                if error.kind() == std::io::ErrorKind::TimedOut =>
            {
                busy(&self.place, &self.options)
            }
            error => storage(action)(error),
        }
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

/// Opens a store, and waits as long as the options say for one that somebody has for himself.
fn patiently<T>(options: &Options, mut open: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match open() {
            Err(Error::Locked { .. }) if began.elapsed() < options.lock_wait => {
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
        #[cfg(feature = "shared")]
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
    let note = if watch.is_new {
        Note::none(path, options)
    } else {
        Note::of(path, options)
    };
    let backend = Backend::new(file, note, options, &watch.hurry).map_err(|source| {
        if source.kind() == std::io::ErrorKind::WouldBlock {
            locked(path, options)
        } else {
            opening_io(path)(source)
        }
    })?;
    builder(options)
        .create_with_backend(Watched::new(backend, &watch.health))
        .map_err(opening(path, options))
}

/// Opens a store's file, which may be empty, for reading and writing.
fn open_for_writing(file: File, path: &Path, options: &Options, watch: &Watch) -> Result<Handle> {
    if !check_magic(path, &file, true)? {
        // Before a writer is: opening one already writes, and a store of a newer format, or
        // another program's database, has to stay as it is.
        let gate = Gate::of(&file, options.mode).map_err(opening_io(path))?;
        check_format(path, options, &gate)?;
    }
    let database = create(file, path, options, watch)?;
    migrate::migrate(path, &database, options)?;
    Ok(Handle::Writer(database))
}

/// Opens a store for reading only, and writes nothing: `None` if only a writer can put in order
/// what a crash has left.
fn open_as_it_is(path: &Path, options: &Options) -> Result<Option<Handle>> {
    let file = open_there(path, false)?;
    let gate = Gate::of(&file, options.mode).map_err(opening_io(path))?;
    pass(&gate, path, options)?;
    match builder(options).open_read_only(path) {
        Ok(database) => Ok(Some(Handle::Reader(database, gate))),
        Err(redb::DatabaseError::RepairAborted) => Ok(None),
        Err(error) => Err(opening(path, options)(error)),
    }
}

/// Opens a store that is to be read, and puts in order what a crash has left.
fn open_repaired(path: &Path, options: &Options, watch: &Watch) -> Result<Handle> {
    let file = open_there(path, true)?;
    create(file, path, options, watch).map(Handle::Writer)
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

/// Waits until nobody has the header for itself.
fn pass(gate: &Gate, path: &Path, options: &Options) -> Result<()> {
    if gate.pass(options.lock_wait) {
        Ok(())
    } else if gate.is_kept() {
        Err(locked(path, options))
    } else {
        Err(busy(path, options))
    }
}

/// Refuses a store that this version must not write, without writing. One that has to be repaired
/// first is let through: it is checked again once it is open.
fn check_format(path: &Path, options: &Options, gate: &Gate) -> Result<()> {
    pass(gate, path, options)?;
    match builder(options).open_read_only(path) {
        Ok(database) => {
            let txn = database.begin_read().map_err(storage("begin reading"))?;
            migrate::check_writable(path, &txn)
        }
        Err(redb::DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(opening(path, options)(error)),
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
    drop(database);
    // Where this fails there is a store already, or the file system cannot name a file only if the
    // name is free: what opens the path next makes the store in place.
    drop(new.persist_noclobber(path));
    sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "shared")]
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
