//! The database under the store: opening, transactions, and redb's errors in our words.
//!
//! Everything that names redb's multi-process mode is in this file.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase as _, WriteTransaction,
};

use super::super::{Mode, Options, Reclaimed};
use super::backend::Backend;
use super::panics::guard;
use super::{migrate, note};
use crate::error::{Error, Result};

/// How a redb file starts.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// The open database.
#[derive(Debug)]
pub(crate) struct Engine {
    path: PathBuf,
    options: Options,
    database: RwLock<Handle>,
    /// Whether it was opened for writing: only then it has this version's format.
    is_writable: bool,
}

enum Handle {
    Writer(Database),
    Reader(ReadOnlyDatabase),
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writer(_) => "Writer",
            Self::Reader(_) => "Reader",
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
        if !check_magic(path, &file, true)? {
            // Before a writer is: opening one already writes, and a store of a newer format, or
            // another program's database, has to stay as it is.
            guard(|| check_format(path, options))?;
        }
        let database = guard(|| create(file, path, options))?;
        guard(|| migrate::migrate(path, &database, options))?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            database: RwLock::new(Handle::Writer(database)),
            is_writable: true,
        })
    }

    /// A store over any storage; of `path` only the size on disk is read.
    #[cfg(test)]
    pub(crate) fn over(
        path: &Path,
        storage: impl redb::StorageBackend,
        options: &Options,
    ) -> Result<Self> {
        let database = guard(|| {
            builder(options)
                .create_with_backend(storage)
                .map_err(opening(path))
        })?;
        guard(|| migrate::migrate(path, &database, options))?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            database: RwLock::new(Handle::Writer(database)),
            is_writable: true,
        })
    }

    /// Opens a store that is there for reading only; it is repaired first if it has to be.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<Self> {
        if let Some(engine) = Self::open_unchanged(path, options)? {
            return Ok(engine);
        }
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|source| Error::Io {
            action: "put the store in order",
            path: path.to_owned(),
            source,
        })?;
        let database = guard(|| create(file, path, options))?;
        Self::reader(path, options, Handle::Writer(database))
    }

    /// Opens a store that is there for reading only, and never writes to it: `None` if a crash has
    /// left it so that it has to be repaired first.
    pub(crate) fn open_unchanged(path: &Path, options: &Options) -> Result<Option<Self>> {
        let file = File::open(path).map_err(|source| Error::Io {
            action: "open the store",
            path: path.to_owned(),
            source,
        })?;
        check_magic(path, &file, false)?;
        drop(file);
        let reader = guard(|| match builder(options).open_read_only(path) {
            Ok(database) => Ok(Some(database)),
            // An unclean exit: only a writer can put the file in order.
            Err(redb::DatabaseError::RepairAborted) => Ok(None),
            Err(error) => Err(opening(path)(error)),
        })?;
        reader
            .map(|database| Self::reader(path, options, Handle::Reader(database)))
            .transpose()
    }

    /// A store to read, if this version can.
    fn reader(path: &Path, options: &Options, handle: Handle) -> Result<Self> {
        let engine = Self {
            path: path.to_owned(),
            options: options.clone(),
            database: RwLock::new(handle),
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
        let begun = match &*self.handle() {
            Handle::Writer(database) => database.begin_read(),
            Handle::Reader(database) => database.begin_read(),
        };
        begun.map_err(storage("begin reading"))
    }

    /// A write transaction; waits for the one that is open, in another process for as long as the
    /// options say.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction> {
        match &*self.handle() {
            Handle::Writer(database) if self.is_writable => {
                database.begin_write().map_err(|error| match error {
                    redb::TransactionError::Storage(redb::StorageError::Io(error))
                        if error.kind() == std::io::ErrorKind::TimedOut =>
                    {
                        Error::Busy {
                            reason: note::holder(&self.path, &self.options),
                        }
                    }
                    error => storage("begin writing")(error),
                })
            }
            _ => Err(self.read_only()),
        }
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
pub(crate) fn create(file: File, path: &Path, options: &Options) -> Result<Database> {
    let backend = Backend::new(file, path, options).map_err(|source| Error::Io {
        action: "open the store",
        path: path.to_owned(),
        source,
    })?;
    builder(options)
        .create_with_backend(backend)
        .map_err(opening(path))
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
        error @ (redb::Error::TypeDefinitionChanged { .. } | redb::Error::TableIsMultimap(_)) => {
            Error::Corrupt {
                table: "(tables)",
                key: "unknown".to_owned(),
                detail: error.to_string(),
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

/// Refuses files that are something else, before redb touches them. Returns whether it is empty.
fn check_magic(path: &Path, file: &File, may_be_empty: bool) -> Result<bool> {
    let io = |source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let metadata = file.metadata().map_err(io)?;
    let not_a_store = |reason: &str| Error::NotAStore {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    if !metadata.is_file() {
        return Err(not_a_store("it is not a regular file"));
    }
    if metadata.len() == 0 {
        return if may_be_empty {
            Ok(true)
        } else {
            Err(not_a_store("it is empty"))
        };
    }
    let mut start = Vec::new();
    let mut reader = file;
    reader
        .by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(io)?;
    std::io::Seek::rewind(&mut reader).map_err(io)?;
    if start == MAGIC {
        Ok(false)
    } else {
        Err(not_a_store("it starts with other bytes"))
    }
}

/// Creates a folder and its parents, for the owner alone; one that is there stays as it is.
pub(crate) fn create_private_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Error::Io {
        action: "create the folder",
        path: folder.to_owned(),
        source,
    })
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
    let database = guard(|| create(file, path, options))?;
    guard(|| migrate::migrate(path, &database, options))?;
    drop(database);
    // Where this fails there is a store already, or the file system cannot name a file only if the
    // name is free: what opens the path next makes the store in place.
    drop(new.persist_noclobber(path));
    sync_folder(path)
}

/// Opens a file, or creates it for the owner alone.
fn open_private_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| Error::Io {
        action: "open the store",
        path: path.to_owned(),
        source,
    })
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a new file's name durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::Io {
            action: "make the folder durable:",
            path: folder.to_owned(),
            source,
        })
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
