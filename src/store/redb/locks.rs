//! Which locks a file system has, found out by taking some, and what follows from that.
//!
//! - Sharing a store stands on locks of ranges. Where there are none, it is opened exclusively.
//! - Exclusive opening stands on ranges too, or else on the lock of the whole file. Where there is
//!   not even that, redb would go on with no lock at all: here the store is refused.
//! - A lock that is refused for another reason (a table of locks that is full, a lock service that
//!   does not answer) is not a lock that does not exist: others may hold theirs. It is an error.
//! - A reader passes the header's lock, for which redb waits without a limit: the gate makes that wait
//!   end. A process that was stopped in the middle of a compaction would stop all readers too.
//! - Who shares a store holds the whole file's lock as well, shared. So a process that finds no
//!   ranges, since it reaches the file on another way, does not come in beside those that do.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend as _};

use super::super::Mode;
use crate::model::error::{Error, Result};

/// The first of the bytes that redb leaves to what lies under it: far behind the end of any file.
const FREE: u64 = (1 << 62) + 896;

/// Taken for a moment to find out whether that is possible.
const PROBE: Bound<u64> = Bound::Included(FREE + 8);

/// Held by the process that writes next, see `backend`.
pub(crate) const TURN: Bound<u64> = Bound::Included(FREE + 16);

/// The first byte of the header: whoever changes that has the whole of it for itself.
const HEADER: Bound<u64> = Bound::Included(0);

/// Locked by the one who writes.
const WRITER: Bound<u64> = Bound::Included(1 << 62);

/// Locked, shared, by every reader of a store that is shared: only who has the store for itself can
/// be in the way.
const READERS: Bound<u64> = Bound::Included((1 << 62) + 2);

/// Pause between two looks at the gate.
const PAUSE: Duration = Duration::from_millis(1);

/// What readers pass. A writer shuts it for a moment with each commit, and for as long as a
/// compaction takes.
#[derive(Debug)]
pub(crate) struct Gate {
    /// None where nothing is shared.
    ranges: Option<FileBackend>,
}

impl Gate {
    /// The gate of an open file.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn of(file: &File, mode: Mode) -> io::Result<Self> {
        let is_shared = mode != Mode::Exclusive;
        let ranges = is_shared.then(|| second_handle(file)).transpose()?;
        Ok(Self { ranges })
    }

    /// Whether it is shut since somebody has the store for itself.
    pub(crate) fn is_kept(&self) -> bool {
        self.ranges.as_ref().is_some_and(|ranges| {
            match ranges.try_lock_shared_range(READERS, READERS) {
                Ok(true) => {
                    let _unlocked = ranges.unlock_range(READERS, READERS);
                    false
                }
                Ok(false) => true,
                Err(_) => false,
            }
        })
    }

    /// Waits until it is open. `false` if that takes too long.
    pub(crate) fn pass(&self, wait: Duration) -> bool {
        let Some(ranges) = &self.ranges else {
            return true;
        };
        let began = Instant::now();
        loop {
            match ranges.try_lock_shared_range(HEADER, HEADER) {
                Ok(false) if began.elapsed() >= wait => return false,
                Ok(false) => thread::sleep(PAUSE),
                // What is wrong with the lock the engine is going to say.
                Ok(true) | Err(_) => {
                    let _unlocked = ranges.unlock_range(HEADER, HEADER);
                    return true;
                }
            }
        }
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

/// Keeps out who cannot lock ranges, where that is possible. `false` if such a process is in.
///
/// # Errors
///
/// What the system says.
pub(crate) fn keep_out_rangeless(file: &File, ranges: &FileBackend) -> io::Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => {
            // Over a network the one may be made of the other: then it would be in the way.
            if !matches!(ranges.query_lock_range(PROBE, PROBE), Ok(false)) {
                file.unlock()?;
            }
            Ok(true)
        }
        Err(TryLockError::WouldBlock) => Ok(false),
        // Then nobody has this lock.
        Err(TryLockError::Error(_)) => Ok(true),
    }
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

#[cfg(all(test, feature = "shared"))]
mod tests {
    use super::super::super::Options;
    use super::super::engine::Engine;
    use super::*;

    #[test]
    fn nobody_waits_for_ever_behind_one_that_has_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let options = Options {
            lock_wait: Duration::from_millis(50),
            ..Options::default()
        };
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
