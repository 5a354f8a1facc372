//! The file under the database, with waits that end: redb waits for the writer's lock of another
//! process without a limit, and does not know who holds it.
//!
//! Beside the store lies a small file that names the process that holds the lock: only a hint for
//! the error of one that waited too long, and never read for anything else. Its content is not
//! made durable, and it may be deleted at any time.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::super::Options;
use super::note::Note;

/// Longest pause between two tries for a lock.
const PAUSE_MAX: Duration = Duration::from_millis(2);

/// The file of a store, shared with other processes.
#[derive(Debug)]
pub(crate) struct Backend {
    file: FileBackend,
    wait: Duration,
    note: Mutex<Note>,
}

impl Backend {
    /// Over the open file of the store at `path`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn new(file: File, path: &Path, options: &Options) -> io::Result<Self> {
        let file = FileBackend::new(file).map_err(|error| match error {
            redb::DatabaseError::Storage(redb::StorageError::Io(error)) => error,
            error => io::Error::other(error),
        })?;
        Ok(Self {
            file,
            wait: options.lock_wait,
            note: Mutex::new(Note::of(path, options)),
        })
    }

    fn note(&self) -> MutexGuard<'_, Note> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries for a lock until it is there or the wait is over.
    fn lock(
        &self,
        mut attempt: impl FnMut() -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        if attempt()? {
            return Ok(());
        }
        let began = Instant::now();
        let mut pause = Duration::from_micros(100);
        while began.elapsed() < self.wait {
            thread::sleep(pause);
            if attempt()? {
                return Ok(());
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(BackendError::Io(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> Result<u64, io::Error> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.file.write(offset, data)
    }

    fn close(&self) -> Result<(), io::Error> {
        self.note().remove();
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|| self.file.try_lock_range(start, end))?;
        // The writer's lock is a single byte; the other one, of the header, is held for no time.
        if start == end {
            self.note().write();
        }
        Ok(())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|| self.file.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
