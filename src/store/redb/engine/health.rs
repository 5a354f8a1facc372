//! Notes what the file under the database fails at.
//!
//! After the first error of its file redb refuses everything until the database is opened again.
//! Whether it has come to that is known here first, wherever it happened: in a transaction, in a
//! commit, or in a read of another thread.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{BackendError, StorageBackend};

/// What is known of the file under a database.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    failed: AtomicBool,
    flush_failed: AtomicBool,
    in_use: AtomicBool,
    abandoned: AtomicBool,
}

impl Health {
    /// Whether the database has to be opened again.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Acquire)
    }

    /// Whether a flush has failed: what the system holds in memory may never reach the disk, and
    /// still be read as if it had.
    pub(crate) fn has_flush_failed(&self) -> bool {
        self.0.flush_failed.load(Ordering::Acquire)
    }

    /// Whether a database still has the file: one whose write transaction is open keeps it.
    pub(crate) fn is_in_use(&self) -> bool {
        self.0.in_use.load(Ordering::Acquire)
    }

    /// The file is somebody else's: nothing is written to it any more.
    pub(crate) fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Release);
    }

    /// Whether the file is somebody else's.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned.load(Ordering::Acquire)
    }

    fn check_ours(&self) -> io::Result<()> {
        if self.is_abandoned() {
            return Err(io::Error::other("the file is another store's now"));
        }
        Ok(())
    }

    /// The database has to be opened again.
    pub(crate) fn fail(&self) {
        self.0.failed.store(true, Ordering::Release);
    }

    /// The database is opened again.
    pub(crate) fn begin_anew(&self) {
        self.0.failed.store(false, Ordering::Release);
        self.0.flush_failed.store(false, Ordering::Release);
    }

    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.is_err() {
            self.fail();
        }
        done
    }
}

/// A file under a database, whose failures are noted.
#[derive(Debug)]
pub(crate) struct Watched<B> {
    file: B,
    health: Health,
}

impl<B> Watched<B> {
    /// Over a file, for one database.
    pub(crate) fn new(file: B, health: &Health) -> Self {
        health.0.in_use.store(true, Ordering::Release);
        Self {
            file,
            health: health.clone(),
        }
    }
}

impl<B: StorageBackend> StorageBackend for Watched<B> {
    fn len(&self) -> io::Result<u64> {
        self.health.note(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.health.note(self.file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.health.check_ours()?;
        self.health.note(self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.health.check_ours()?;
        let done = self.health.note(self.file.sync_data());
        if done.is_err() {
            self.health.0.flush_failed.store(true, Ordering::Release);
        }
        done
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.health.check_ours()?;
        self.health.note(self.file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        let closed = self.file.close();
        // Behind the closing: a database that is opened again meets no lock of this one then.
        self.health.0.in_use.store(false, Ordering::Release);
        closed
    }

    // A lock that cannot be had fails one call, and not the database. One that cannot be given back
    // fails it.
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
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let done = self.file.unlock_range(start, end);
        if done.is_err() {
            // It is held until the file is closed, and keeps others out for so long.
            self.health.fail();
        }
        done
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
