//! Which locks a file system has, found out by taking some, and what follows from that.
//!
//! - Sharing a store stands on locks of ranges. Where there are none, it is opened exclusively.
//! - Exclusive opening stands on ranges too, or else on the lock of the whole file. Where there is
//!   not even that, redb would go on with no lock at all: here the store is refused.
//! - A lock that is refused for another reason (a table of locks that is full, a lock service that
//!   does not answer) is not a lock that does not exist: others may hold theirs. It is an error.
//! - Who shares a store holds the whole file's lock as well, shared. So a process that finds no
//!   ranges, since it reaches the file on another way, does not come in beside those that do.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::Bound;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend as _};

use super::super::Mode;
use crate::error::{Error, Result};

/// The first of the bytes that redb leaves to what lies under it: far behind the end of any file.
const FREE: u64 = (1 << 62) + 896;

/// Taken for a moment to find out whether that is possible.
const PROBE: Bound<u64> = Bound::Included(FREE + 8);

/// Held by the process that writes next, see `backend`.
pub(crate) const TURN: Bound<u64> = Bound::Included(FREE + 16);

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
    // A second handle of the same open file: what one locks the other can unlock.
    let ranges = file
        .try_clone()
        .and_then(|file| FileBackend::new(file).map_err(io::Error::other));
    let ranges = ranges.map_err(|source| Error::Io {
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

/// Keeps out who cannot lock ranges, where that is possible. `false` if such a process is in.
///
/// # Errors
///
/// What the system says.
#[cfg(feature = "shared")]
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
