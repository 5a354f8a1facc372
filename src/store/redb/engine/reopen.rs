//! Opening the database again after its file has failed, so that a full disk or a disk that was
//! away for a moment ends no process that holds a store.
//!
//! - It is done by the next call that begins a transaction. Reads that are under way end with an
//!   error; a write transaction that is open keeps the old database until it ends, and so long
//!   every call gets an error.
//! - In the exclusive mode a commit writes its pages and the head of the file between two flushes. If
//!   a flush fails, the system may hold pages in memory that never reach the disk, and would give
//!   them to the database as if they had: then it is not opened again here. In the shared mode the
//!   pages are flushed before the head names them, and the head is written again in the opening.

use std::sync::{PoisonError, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::Engine;
use super::errors::failed;
use super::handle::Handle;
use super::panics::guard;
use crate::model::error::{Error, Result};
use crate::store::Mode;

/// How long to wait for threads that begin a transaction on a database that has failed: each of
/// them ends soon, unless it stands behind a write that goes on.
const WAIT: Duration = Duration::from_millis(100);

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(1);

impl Engine {
    /// Begins a transaction. Where the database has failed it is opened again first; nothing has
    /// been read or written yet that could be done twice.
    pub(crate) fn begun<T>(&self, begin: impl Fn() -> Result<T>) -> Result<T> {
        self.check_ours()?;
        if self.watch.health.has_failed() {
            self.reopen()?;
        }
        match begin() {
            // A commit that failed at a lock leaves a database that nothing can be written to.
            Err(error @ (Error::Storage { .. } | Error::Corrupt { .. })) => {
                self.watch.health.fail();
                self.reopen().map_err(|_| error)?;
                begin()
            }
            begun => begun,
        }
    }

    fn reopen(&self) -> Result<()> {
        let Some(mut handle) = self.alone(WAIT) else {
            return Err(failed("a transaction from before has not ended yet"));
        };
        if !self.watch.health.has_failed() {
            // Another thread was faster.
            return Ok(());
        }
        if self.watch.health.has_flush_failed() && self.options.mode == Mode::Exclusive {
            return Err(failed(
                "a flush failed, and what is in memory may not be on disk; check the disk, then \
                 open the store again",
            ));
        }
        // Closed first: the locks of the old database would keep the new one out.
        guard(|| {
            *handle = Handle::Closed;
            Ok(())
        })?;
        // A write transaction that is open keeps the old database, with its locks, until it ends.
        if self.watch.health.is_in_use() {
            return Err(failed("a write from before has not ended yet"));
        }
        if let Some(named) = &self.named {
            // A repair in the opening commits too: the number in the header tells nothing then.
            named.look_anew();
        }
        // Before the opening, since what fails during it counts against the new database.
        self.watch.health.begin_anew();
        match self.opener.open(&self.watch) {
            Ok(opened) => {
                *handle = opened;
                Ok(())
            }
            Err(error) => {
                self.watch.health.fail();
                Err(error)
            }
        }
    }

    /// The database for this thread alone, or `None` if others do not let go of it in time. It is
    /// tried for, not waited for: behind a thread that waits others would wait as well, those that
    /// only read, and the one perhaps that it waits for.
    pub(crate) fn alone(&self, wait: Duration) -> Option<RwLockWriteGuard<'_, Handle>> {
        let began = Instant::now();
        loop {
            match self.database.try_write() {
                Ok(handle) => return Some(handle),
                Err(TryLockError::Poisoned(poisoned)) => {
                    return Some(PoisonError::into_inner(poisoned));
                }
                Err(TryLockError::WouldBlock) if began.elapsed() >= wait => return None,
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
    }
}
