//! Which locks a file system has, found out by taking some, and what follows from that.
//!
//! - Sharing a store stands on locks of ranges. Where there are none, it is opened exclusively.
//! - Exclusive opening stands on ranges too, or else on the lock of the whole file. Where there is
//!   not even that, redb would go on with no lock at all: here the store is refused.
//! - A lock that is refused for another reason (a table of locks that is full, a lock service that
//!   does not answer) is not a lock that does not exist: others may hold theirs. It is an error.
//! - Whoever shares a store holds the whole file's lock as well, shared. So a process that finds no
//!   ranges, since it reaches the file by another way, does not come in beside those that do.
//! - Builds up to format 3 lock other ranges than redb does since its version 4.5, which cannot see
//!   them. They take the whole file's lock too, shared: whoever has it exclusively is alone.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend as _};

use crate::model::error::{Error, Result};
use crate::store::Mode;

/// The first of the bytes that redb leaves to what lies under it: far behind the end of any file.
const FREE: u64 = (1 << 62) + 896;

/// Taken for a moment to find out whether that is possible.
const PROBE: Bound<u64> = Bound::Included(FREE + 8);

/// Held by the process that writes next, see `backend`.
pub(crate) const TURN: Bound<u64> = Bound::Included(FREE + 16);

/// Locked by the one who writes. Behind it lie the bytes of those who have the store open.
const WRITER: Bound<u64> = Bound::Included(1 << 62);

/// The lock of the whole of an open file, beside those of its ranges.
///
/// All clones are one lock. It ends when it is given back, or with the last of them and of the handles
/// that the file was opened with.
#[derive(Clone, Debug)]
pub(crate) struct Whole(Arc<File>);

impl Whole {
    /// Of an open file. Nothing is locked yet.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self(Arc::new(file.try_clone()?)))
    }

    /// Takes it together with others, to keep out processes that cannot lock ranges. `false` if such a process,
    /// or one that has to be alone, is in.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn share(&self) -> io::Result<bool> {
        match self.0.try_lock_shared() {
            Ok(()) => self.unless_in_the_way(),
            Err(TryLockError::WouldBlock) => Ok(false),
            // Then nobody has this lock.
            Err(TryLockError::Error(_)) => Ok(true),
        }
    }

    /// Takes it alone. `false` if anybody else has the store open, of whichever version.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn keep(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            // Then nobody has this lock: the ranges alone tell.
            Err(TryLockError::Error(_)) => return self.is_first(),
        }
        if self.is_first()? {
            return self.unless_in_the_way();
        }
        self.give_back();
        Ok(false)
    }

    /// Whether nobody else has a lock by which a process shows that it has the store open. Readers of
    /// old builds have no other.
    fn is_first(&self) -> io::Result<bool> {
        let ranges = second_handle(&self.0)?;
        match ranges.query_lock_range(WRITER, Bound::Excluded(FREE)) {
            Ok(is_held) => Ok(!is_held),
            // Then nobody can have locked a range.
            Err(BackendError::Unsupported) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Over a network this lock may be made of those of ranges: then it would be in their way.
    fn unless_in_the_way(&self) -> io::Result<bool> {
        let ranges = second_handle(&self.0)?;
        if !matches!(ranges.query_lock_range(PROBE, PROBE), Ok(false)) {
            self.0.unlock()?;
        }
        Ok(true)
    }

    /// Gives it back. Without a lock to give back, and where there is no such lock, that is no
    /// failure.
    pub(crate) fn give_back(&self) {
        let _unlocked = self.0.unlock();
    }
}

/// The mode in which a store can be opened: what is wanted, or else the exclusive one.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be locked at all.
pub(crate) fn mode_in_force(file: &File, path: &Path, wanted: Mode) -> Result<Mode> {
    // There are always some on Windows, and none that are free to be tried.
    if cfg!(windows) {
        return Ok(wanted);
    }
    let ranges = second_handle(file).map_err(|source| Error::Io {
        action: "open the store",
        path: path.to_owned(),
        source,
    })?;
    match has_ranges(&ranges) {
        Ok(true) => Ok(wanted),
        Ok(false) => match has_whole(file) {
            Ok(()) => Ok(Mode::Exclusive),
            Err(error) => Err(cannot_lock(path, &error)),
        },
        Err(error) => Err(cannot_lock(path, &error)),
    }
}

/// Whether somebody is writing to an open file: then it may be longer than its header says.
pub(crate) fn is_being_written(file: &File) -> bool {
    second_handle(file)
        .is_ok_and(|ranges| matches!(ranges.query_lock_range(WRITER, WRITER), Ok(true)))
}

/// Of the same open file: what one handle locks the other can unlock.
fn second_handle(file: &File) -> io::Result<FileBackend> {
    FileBackend::new(file.try_clone()?).map_err(io::Error::other)
}

fn has_ranges(ranges: &FileBackend) -> io::Result<bool> {
    match ranges.try_lock_shared_range(PROBE, PROBE) {
        Ok(true) => {
            ranges.unlock_range(PROBE, PROBE)?;
            Ok(true)
        }
        // Somebody else has it just now: so there are such locks.
        Ok(false) => Ok(true),
        Err(BackendError::Unsupported) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn has_whole(file: &File) -> io::Result<()> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock(),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn cannot_lock(path: &Path, error: &io::Error) -> Error {
    Error::Io {
        action: "lock the store",
        path: path.to_owned(),
        source: io::Error::new(
            io::ErrorKind::Unsupported,
            format!("the file system takes no locks: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::store::Options;
    use crate::store::redb::engine::Engine;

    #[test]
    fn nobody_waits_for_ever_behind_one_that_has_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let options = Options::default().with_lock_wait(Duration::from_millis(50));
        let writer = Engine::open(&path, &options).unwrap();
        writer.begin_write().unwrap().commit().unwrap();
        let reader = Engine::open_read_only(&path, &options).unwrap();
        // As a process does that was stopped in the middle of a commit or a compaction.
        let stopped = File::options().read(true).write(true).open(&path).unwrap();
        let stopped = FileBackend::new(stopped).unwrap();
        let header = (Bound::Included(0), Bound::Included(319));
        assert!(stopped.try_lock_range(header.0, header.1).unwrap());
        let tries: [&dyn Fn() -> Result<()>; 5] = [
            &|| reader.begin_read().map(drop),
            &|| writer.begin_read().map(drop),
            &|| writer.begin_write().map(drop),
            &|| Engine::open_read_only(&path, &options).map(drop),
            &|| Engine::open(&path, &options).map(drop),
        ];
        for (number, attempt) in tries.iter().enumerate() {
            let began = Instant::now();
            let failed = attempt();
            let is_busy = matches!(failed, Err(Error::Busy { .. }));
            assert!(is_busy, "{number}: {failed:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{number}");
        }
        stopped.unlock_range(header.0, header.1).unwrap();
        for attempt in tries {
            attempt().unwrap();
        }
    }
}
