//! The database under the store: opening, transactions, and redb's errors in our words.
//!
//! Everything that names redb's multi-process mode is in this file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase as _, WriteTransaction,
};

use super::super::{Mode, Options, Reclaimed};
use super::backend::Backend;
use super::file::{check_magic, create_private_folder, folder_of, open_private_file, sync_folder};
use super::health::{Health, Watched};
use super::panics::guard;
use super::reopen::{self, Opener};
use super::{migrate, note};
use crate::error::{Error, Result};

/// The open database.
#[derive(Debug)]
pub(crate) struct Engine {
    path: PathBuf,
    pub(super) options: Options,
    pub(super) database: RwLock<Handle>,
    pub(super) health: Health,
    pub(super) opener: Opener,
    /// Whether it was opened for writing: only then it has this version's format.
    is_writable: bool,
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
        let file = open_private_file(path)?;
        let health = Health::default();
        let handle = guard(|| open_for_writing(file, path, options, &health))?;
        let (place, as_before) = (path.to_owned(), options.clone());
        let opener = Opener::new(move |health| {
            // A file that is gone is not made anew.
            open_for_writing(open_there(&place, true)?, &place, &as_before, health)
        });
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            database: RwLock::new(handle),
            health,
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
        let opener = Opener::new(move |health| {
            let database = builder(&as_before)
                .create_with_backend(Watched::new(storage.clone(), health))
                .map_err(opening(&place))?;
            migrate::migrate(&place, &database, &as_before)?;
            Ok(Handle::Writer(database))
        });
        let health = Health::default();
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            database: RwLock::new(opener.open(&health)?),
            health,
            opener,
            is_writable: true,
        })
    }

    /// Opens a store that is there for reading only; it is repaired first if it has to be.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<Self> {
        let health = Health::default();
        let handle = guard(|| open_for_reading(path, options, &health))?;
        let (place, as_before) = (path.to_owned(), options.clone());
        let opener = Opener::new(move |health| open_for_reading(&place, &as_before, health));
        let engine = Self {
            path: path.to_owned(),
            options: options.clone(),
            database: RwLock::new(handle),
            health,
            opener,
            is_writable: false,
        };
        guard(|| migrate::check(path, &engine.begin_read()?))?;
        Ok(engine)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
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
            begun.map_err(storage("begin reading"))
        })
    }

    /// A write transaction; waits for the one that is open, in another process for as long as the
    /// options say.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction> {
        if !self.is_writable {
            return Err(self.read_only());
        }
        self.begun(|| match &*self.handle() {
            Handle::Writer(database) => database.begin_write().map_err(|error| match error {
                redb::TransactionError::Storage(redb::StorageError::Io(error))
                    if error.kind() == std::io::ErrorKind::TimedOut =>
                {
                    Error::Busy {
                        reason: note::holder(&self.path, &self.options),
                    }
                }
                error => storage("begin writing")(error),
            }),
            Handle::Reader(_) => Err(self.read_only()),
            Handle::Closed => Err(reopen::failed("it is closed")),
        })
    }

    fn read_only(&self) -> Error {
        Error::ReadOnly {
            path: self.path.clone(),
        }
    }

    /// Gives space back to the file system.
    pub(crate) fn reclaim(&self) -> Result<Reclaimed> {
        if !self.is_writable {
            return Err(self.read_only());
        }
        let bytes_before = self.disk_bytes()?;
        // Opens it again if it has failed.
        drop(self.begin_read()?);
        let mut handle = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Handle::Writer(database) = &mut *handle else {
            return Err(self.read_only());
        };
        let refused = loop {
            match database.compact() {
                Ok(true) => {}
                Ok(false) => break None,
                Err(redb::CompactionError::TransactionInProgress) => {
                    break Some("the store is being read or written elsewhere".to_owned());
                }
                Err(error) => return Err(storage("give space back")(error)),
            }
        };
        drop(handle);
        Ok(Reclaimed {
            bytes_before,
            bytes_after: self.disk_bytes()?,
            refused,
        })
    }

    /// Bytes that the file takes on disk: less than its length where it has pages never written.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        let metadata = std::fs::metadata(&self.path).map_err(|source| Error::Io {
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
fn create(file: File, path: &Path, options: &Options, health: &Health) -> Result<Database> {
    let backend = Backend::new(file, path, options).map_err(|source| Error::Io {
        action: "open the store",
        path: path.to_owned(),
        source,
    })?;
    builder(options)
        .create_with_backend(Watched::new(backend, health))
        .map_err(opening(path))
}

/// Opens a store's file, which may be empty, for reading and writing.
fn open_for_writing(file: File, path: &Path, options: &Options, health: &Health) -> Result<Handle> {
    if !check_magic(path, &file, true)? {
        // Before a writer is: opening one already writes, and a store of a newer format, or
        // another program's database, has to stay as it is.
        check_format(path, options)?;
    }
    let database = create(file, path, options, health)?;
    migrate::migrate(path, &database, options)?;
    Ok(Handle::Writer(database))
}

/// Opens a store that is there for reading only; it is repaired first if it has to be.
fn open_for_reading(path: &Path, options: &Options, health: &Health) -> Result<Handle> {
    check_magic(path, &open_there(path, false)?, false)?;
    match builder(options).open_read_only(path) {
        Ok(database) => Ok(Handle::Reader(database)),
        // An unclean exit: only a writer can put the file in order.
        Err(redb::DatabaseError::RepairAborted) => {
            let file = open_there(path, true)?;
            Ok(Handle::Writer(create(file, path, options, health)?))
        }
        Err(error) => Err(opening(path)(error)),
    }
}

/// Opens the file of a store that is there.
fn open_there(path: &Path, for_writing: bool) -> Result<File> {
    let file = OpenOptions::new().read(true).write(for_writing).open(path);
    file.map_err(|source| Error::Io {
        action: if for_writing {
            "put the store in order"
        } else {
            "open the store"
        },
        path: path.to_owned(),
        source,
    })
}

/// Turns redb's errors into ours.
pub(crate) fn storage<E: Into<redb::Error>>(action: &'static str) -> impl Fn(E) -> Error {
    move |error| match error.into() {
        redb::Error::Corrupted(detail) => Error::Corrupt {
            table: "(pages)",
            key: "unknown".to_owned(),
            detail,
        },
        redb::Error::TableTypeMismatch { table, .. } | redb::Error::TableDoesNotExist(table) => {
            Error::Corrupt {
                table: "(tables)",
                key: table,
                detail: "the table is missing or of another type".to_owned(),
            }
        }
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::Corrupt {
                table: "(file)",
                key: "its end".to_owned(),
                detail: format!("cannot {action}: the file ends before its last page"),
            }
        }
        error => Error::Storage {
            action,
            source: cause(error),
        },
    }
}

/// The error below, without redb's wrapping where the system's own says it all.
pub(crate) fn cause(error: redb::Error) -> crate::error::Cause {
    match error {
        redb::Error::Io(error) => Box::new(error),
        error => Box::new(error),
    }
}

fn opening(path: &Path) -> impl Fn(redb::DatabaseError) -> Error {
    let path = path.to_owned();
    move |error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen | redb::DatabaseError::TransactionInProgress => {
            Error::Locked { path: path.clone() }
        }
        redb::DatabaseError::UpgradeRequired(found) => Error::NotAStore {
            path: path.clone(),
            reason: format!("a redb database of file format {found}"),
        },
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(detail)) => Error::Corrupt {
            table: "(file)",
            key: path.display().to_string(),
            detail,
        },
        redb::DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() == std::io::ErrorKind::UnexpectedEof =>
        {
            Error::Corrupt {
                table: "(file)",
                key: path.display().to_string(),
                detail: "it ends before its last page".to_owned(),
            }
        }
        redb::DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() == std::io::ErrorKind::TimedOut =>
        {
            Error::Busy {
                reason: "another process is writing to it".to_owned(),
            }
        }
        redb::DatabaseError::Storage(redb::StorageError::Io(source)) => Error::Io {
            action: "open the store",
            path: path.clone(),
            source,
        },
        error => Error::Storage {
            action: "open its file",
            source: cause(error.into()),
        },
    }
}

/// Refuses a store that this version must not write, without writing. One that has to be repaired
/// first is let through: it is checked again once it is open.
fn check_format(path: &Path, options: &Options) -> Result<()> {
    match builder(options).open_read_only(path) {
        Ok(database) => {
            let txn = database.begin_read().map_err(storage("begin reading"))?;
            migrate::check_writable(path, &txn)
        }
        Err(redb::DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(opening(path)(error)),
    }
}

/// Creates a store whole or not at all: under another name, which is then given to nobody who is
/// faster. An engine that is killed half-way leaves a file that it refuses ever after, and another
/// process could take one that is half made for something else.
fn create_whole(path: &Path, options: &Options) -> Result<()> {
    let io = |source| Error::Io {
        action: "create the store",
        path: path.to_owned(),
        source,
    };
    // Private to its owner, as all files that tempfile makes.
    let new = tempfile::Builder::new()
        .prefix(".scrollback-")
        .suffix(".new")
        .tempfile_in(folder_of(path))
        .map_err(io)?;
    let file = new.as_file().try_clone().map_err(io)?;
    let database = guard(|| create(file, path, options, &Health::default()))?;
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
