//! How a store is opened, and where it takes its time and its ids from.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::{NoContext, Timestamp, Uuid};

use super::callers::theirs;
use crate::model::error::{Error, Result};

/// How processes share a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// Any number of processes read and write at the same time. On a file system without range
    /// locks the store is opened exclusively instead, which
    /// [`RedbStore::mode`](crate::RedbStore::mode) tells.
    Shared,
    /// One process at a time: one `fsync` a commit instead of two.
    Exclusive,
}

/// How a store is opened, with the [`Stamps`] that it takes its time and its ids from.
///
/// ```
/// use scrollback::{Mode, Options};
///
/// let options = Options::default().with_mode(Mode::Exclusive);
/// assert_eq!(options.cache_bytes, 48 * 1024 * 1024);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How processes share the store. All of them must say the same. The default is
    /// [`Mode::Shared`].
    pub mode: Mode,
    /// Memory for pages of the file, in bytes. The default is 48 MiB.
    pub cache_bytes: usize,
    /// How long a call waits for another process: a write for one that is writing, a read for one
    /// that gives space back ([`Store::reclaim`](crate::Store::reclaim)), before it fails with
    /// [`Busy`](crate::Error::Busy); opening for one that has the store for itself, before it fails
    /// with [`Locked`](crate::Error::Locked). A call that queues behind one of another thread that
    /// waits already takes at most as long again. The default is 60 seconds.
    pub lock_wait: Duration,
    /// The clock and the ids.
    pub stamps: Stamps,
}

impl Options {
    /// The same, shared in this way.
    #[must_use]
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The same, with so many bytes of memory for pages.
    #[must_use]
    pub fn with_cache_bytes(self, cache_bytes: usize) -> Self {
        Self {
            cache_bytes,
            ..self
        }
    }

    /// The same, waiting so long for other processes.
    #[must_use]
    pub fn with_lock_wait(self, lock_wait: Duration) -> Self {
        Self { lock_wait, ..self }
    }

    /// The same, with this clock and these ids.
    #[must_use]
    pub fn with_stamps(self, stamps: Stamps) -> Self {
        Self { stamps, ..self }
    }

    /// The same, with another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        let stamps = self.stamps.clone().with_clock(clock);
        self.with_stamps(stamps)
    }

    /// The same, with another source of ids.
    #[must_use]
    pub fn with_ids(self, ids: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        let stamps = self.stamps.clone().with_ids(ids);
        self.with_stamps(stamps)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::Shared,
            cache_bytes: 48 * 1024 * 1024,
            lock_wait: Duration::from_secs(60),
            stamps: Stamps::default(),
        }
    }
}

/// What new records and sessions are stamped with: a clock and a source of ids.
///
/// ```
/// use scrollback::{MemoryStore, Session, Stamps, Store, chrono::DateTime};
///
/// let store = MemoryStore::new(Stamps::default().with_clock(|| DateTime::UNIX_EPOCH));
/// let mut session = Session::native("chat-1")?;
/// store.save(&mut session)?;
/// assert_eq!(session.updated_at, Some(DateTime::UNIX_EPOCH));
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Stamps {
    /// The clock. The default is the system's. Where it stands before 1970, writes fail with
    /// [`Clock`](crate::Error::Clock); reads do not ask it. If it panics, the panic passes through.
    pub clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// The source of ids. The default makes uuids of version 7.
    pub ids: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

impl Stamps {
    /// The same, with another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// The same, with another source of ids.
    #[must_use]
    pub fn with_ids(self, ids: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        Self {
            ids: Arc::new(ids),
            ..self
        }
    }

    /// What the clock says.
    ///
    /// # Errors
    ///
    /// [`Error::Clock`] if that is before 1970.
    pub(crate) fn now(&self) -> Result<DateTime<Utc>> {
        let now = theirs(|| (self.clock)())?;
        if now < DateTime::UNIX_EPOCH {
            return Err(Error::Clock { now });
        }
        Ok(now)
    }

    /// A new id.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if its source panicked, see [`theirs`].
    pub(crate) fn new_id(&self) -> Result<Uuid> {
        theirs(|| (self.ids)())
    }
}

impl Default for Stamps {
    fn default() -> Self {
        Self {
            clock: Arc::new(system_clock),
            ids: Arc::new(|| id_of(system_time())),
        }
    }
}

impl fmt::Debug for Stamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamps").finish_non_exhaustive()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system"
)]
fn system_time() -> SystemTime {
    SystemTime::now()
}

/// The system's clock, which may stand before 1970.
fn system_clock() -> DateTime<Utc> {
    system_time().into()
}

/// An id of version 7. Of a time before 1970 it has none: then that of 1970.
fn id_of(now: SystemTime) -> Uuid {
    if now < UNIX_EPOCH {
        return Uuid::new_v7(Timestamp::from_unix(NoContext, 0, 0));
    }
    Uuid::now_v7()
}
