//! Giving space back to the file system: the one thing that needs the database for itself, and is
//! in nobody's way until it has it.

use std::sync::{PoisonError, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Reclaimed;
use super::engine::{Engine, Handle, storage};
use super::note::{self, Holds};
use crate::error::{Error, Result};

/// Pause between two tries for the database.
const PAUSE: Duration = Duration::from_millis(1);

impl Engine {
    /// Gives space back to the file system. Nobody waits for it in vain: until it has the database
    /// for itself, reads and writes go on, and then it gives up rather than wait for somebody else.
    pub(crate) fn reclaim(&self) -> Result<Reclaimed> {
        let bytes_before = self.disk_bytes()?;
        let mut refused = Some("the store is being written".to_owned());
        // Another process's write is waited for here, where that is in nobody's way.
        match self.begin_write().map(drop) {
            Ok(()) => {
                if let Some(mut handle) = self.alone() {
                    self.hurry.set(true);
                    let done = self.compact(&mut handle);
                    self.hurry.set(false);
                    refused = done?;
                }
            }
            Err(Error::Busy { reason }) => refused = Some(reason),
            Err(error) => return Err(error),
        }
        Ok(Reclaimed {
            bytes_before,
            bytes_after: self.disk_bytes()?,
            refused,
        })
    }

    /// The database for one thread alone, or `None` if others do not let go of it in time. It is
    /// tried for, not waited for: behind a thread that waits, those that only read would wait too.
    fn alone(&self) -> Option<RwLockWriteGuard<'_, Handle>> {
        let began = Instant::now();
        loop {
            match self.database.try_write() {
                Ok(handle) => return Some(handle),
                Err(TryLockError::Poisoned(poisoned)) => {
                    return Some(PoisonError::into_inner(poisoned));
                }
                Err(TryLockError::WouldBlock) if began.elapsed() >= self.options.lock_wait => {
                    return None;
                }
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
    }

    /// Compacts the file, and tells why not if that cannot be done now.
    fn compact(&self, handle: &mut Handle) -> Result<Option<String>> {
        let Handle::Writer(database) = handle else {
            return Err(self.read_only());
        };
        loop {
            match database.compact() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(redb::CompactionError::TransactionInProgress) => {
                    let reason = "the store is being read or written elsewhere";
                    return Ok(Some(reason.to_owned()));
                }
                Err(redb::CompactionError::Storage(redb::StorageError::Io(error)))
                    if error.kind() == std::io::ErrorKind::TimedOut =>
                {
                    let reason = note::holder(&self.place, Holds::Writer, &self.options);
                    return Ok(Some(reason));
                }
                Err(error) => return Err(storage("give space back")(error)),
            }
        }
    }
}
