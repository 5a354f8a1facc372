//! Opening another program's SQLite database so that nothing of it changes.
//!
//! What SQLite does by itself when it reads a database in WAL mode is too much: it makes `-wal`
//! and `-shm` files where there are none, and writes read marks into the `-shm` file. So the way
//! of opening depends on what lies there:
//!
//! - With a `-shm` and a `-wal` file, a program may have it open: the `-shm` file is opened for
//!   reading only (`readonly_shm`). Rows in the WAL are seen, locks are those of SQLite.
//! - With a `-wal` file alone, the program is gone and left rows in it: both files are copied to
//!   a private folder, and the copy is read.
//! - Without a `-wal` file, all rows are in the database: it is read as it lies (`immutable`), and
//!   after each read it is checked that no program has come meanwhile; else it is opened again.
//! - A database that is not in WAL mode is opened read-only as usual.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempDir;

use crate::model::error::{Error, Result};

/// How long to wait for a program that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a database is opened again because it changed under a read without locks.
const TRIES: usize = 5;

/// Steps of SQLite's machine after which it is asked whether a read goes on.
const STEPS: i32 = 1_000_000;

/// How often it goes on: a read of more steps has no end. A whole session, of a million messages
/// found by an index, takes about a hundredth of it; all of it takes some 20 seconds.
const STEPS_TIMES_MAX: u64 = 2000;

/// What every SQLite database starts with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where a database's header says whether it is in WAL mode, and what it says then.
const WAL_MODE: (std::ops::Range<usize>, u8) = (18..20, 2);

/// What is done, in errors.
const READ: &str = "read the database";

/// Another program's database, open for reading.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    path: PathBuf,
    /// How many times [`STEPS`] the current read took.
    steps: Arc<AtomicU64>,
    /// What the files were like, if they are read without locks.
    unlocked: Option<Files>,
    /// The copy that is read instead.
    _copy: Option<TempDir>,
}

/// The size and the time of a file; `None` if it is not there.
type State = Option<(u64, Option<SystemTime>)>;

/// What the files of a database are like.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Files {
    database: State,
    log: State,
    shared: State,
    is_wal: bool,
}

impl Database {
    /// Opens a database.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read or is no database, [`Error::Busy`] if another program
    /// is in the way for too long.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // Links are resolved first, since the other files lie beside the target.
        let path = fs::canonicalize(path).map_err(|source| failed(path, source))?;
        for _ in 0..TRIES {
            let files = Files::of(&path)?;
            let log = files.log.is_some_and(|(bytes, _)| bytes > 0);
            let (uri, folder, unlocked) = match (files.is_wal || log, files.log, files.shared) {
                (false, ..) => (uri(&path, ""), None, false),
                (true, Some(_), Some(_)) => (uri(&path, "?readonly_shm=1"), None, false),
                (true, Some(_), None) if log => match copy(&path, &files)? {
                    Some((copied, folder)) => (uri(&copied, ""), Some(folder), false),
                    None => continue,
                },
                (true, ..) => (uri(&path, "?immutable=1"), None, true),
            };
            let steps = Arc::new(AtomicU64::new(0));
            let connection = connect(&uri, &steps).map_err(|error| refused(&path, error))?;
            return Ok(Self {
                connection,
                path,
                steps,
                unlocked: unlocked.then_some(files),
                _copy: folder,
            });
        }
        Err(changing(&path))
    }

    /// Reads in one transaction.
    ///
    /// `work` may be called again, if another program came while nothing was locked.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and those of `work`.
    pub(crate) fn read<T>(
        &mut self,
        mut work: impl FnMut(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        for _ in 0..TRIES {
            self.steps.store(0, Ordering::Relaxed);
            let got = in_transaction(&self.connection, &mut work);
            match &self.unlocked {
                Some(files) if Files::of(&self.path)? != *files => {
                    *self = Self::open(&self.path)?;
                }
                _ => return got.map_err(|error| refused(&self.path, error)),
            }
        }
        Err(changing(&self.path))
    }
}

fn in_transaction<T>(
    connection: &Connection,
    work: &mut impl FnMut(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.unchecked_transaction()?;
    let got = work(&transaction)?;
    transaction.finish()?;
    Ok(got)
}

fn connect(uri: &str, steps: &Arc<AtomicU64>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A damaged or hostile file can have a table without end.
    let steps = Arc::clone(steps);
    let is_endless = move || steps.fetch_add(1, Ordering::Relaxed) >= STEPS_TIMES_MAX;
    connection.progress_handler(STEPS, Some(is_endless))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A schema of a stranger must not make SQLite do more than read tables.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

impl Files {
    fn of(path: &Path) -> Result<Self> {
        let mut head = Vec::new();
        File::open(path)
            .and_then(|file| file.take(100).read_to_end(&mut head))
            .map_err(|source| failed(path, source))?;
        if !head.starts_with(MAGIC) {
            let reason = io::Error::new(io::ErrorKind::InvalidData, "not a SQLite database");
            return Err(failed(path, reason));
        }
        // Read from the header: SQLite could tell it too, but only by opening the file, which may
        // make others.
        let (place, mark) = WAL_MODE;
        let is_wal = head.get(place).is_some_and(|bytes| bytes.contains(&mark));
        Ok(Self {
            database: state(path),
            log: state(&beside(path, "-wal")),
            shared: state(&beside(path, "-shm")),
            is_wal,
        })
    }
}

fn state(path: &Path) -> State {
    let of = |metadata: Metadata| (metadata.len(), metadata.modified().ok());
    fs::metadata(path).ok().map(of)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Copies a database and its WAL; `None` if they changed meanwhile.
fn copy(path: &Path, files: &Files) -> Result<Option<(PathBuf, TempDir)>> {
    let folder = tempfile::tempdir().map_err(|source| failed(path, source))?;
    let copied = folder.path().join("copy.db");
    for ending in ["", "-wal"] {
        let (from, to) = (beside(path, ending), beside(&copied, ending));
        fs::copy(&from, &to).map_err(|source| failed(&from, source))?;
    }
    Ok((Files::of(path)? == *files).then_some((copied, folder)))
}

/// A path as SQLite's URI.
fn uri(path: &Path, options: &str) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(*byte));
            }
            _ => {
                // Writing to a string does not fail.
                let _written = write!(uri, "%{byte:02X}").is_ok();
            }
        }
    }
    uri + options
}

/// That the database cannot be read.
pub(crate) fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: READ,
        path: path.to_owned(),
        source,
    }
}

/// What SQLite says, by what a caller can do about it.
pub(crate) fn refused(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy {
            reason: format!("another program writes to `{}`", path.display()),
        },
        Some(ErrorCode::OperationInterrupted) => {
            let reason = "reading it has no end; it may be damaged";
            failed(path, io::Error::new(io::ErrorKind::InvalidData, reason))
        }
        _ => failed(path, io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

fn changing(path: &Path) -> Error {
    Error::Busy {
        reason: format!("`{}` changes while it is read", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_without_end_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch("CREATE TABLE t (a)").unwrap();
        drop(made);
        let mut database = Database::open(&path).unwrap();
        let steps = Arc::clone(&database.steps);
        let endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) \
                       SELECT count(*) FROM r";
        let stopped = database.read(|connection| {
            steps.store(STEPS_TIMES_MAX - 3, Ordering::Relaxed);
            connection.query_row(endless, [], |_| Ok(()))
        });
        let error = stopped.unwrap_err();
        assert!(
            matches!(&error, Error::Io { source, .. } if source.to_string().contains("no end")),
            "{error:?}"
        );
        // The next read has all of its steps again.
        let count = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(database.read(count).unwrap(), 0);
    }
}
