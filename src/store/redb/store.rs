//! The store: opening it, its transactions, and what it tells of itself.

use std::io::Write;
use std::path::Path;

use super::engine::Engine;
use super::engine::panics::guard;
use super::ingest::bulk::RedbBulk;
use super::tables::attachments;
use super::tables::deleted;
use super::tables::row_counts::ReadCounts;
use super::tables::snapshot::Snapshot;
use super::tables::writer::Writer;
use super::upkeep::stats;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::addition::Addition;
use crate::store::callers::TheirOutput;
use crate::store::deleted::DeletedSession;
use crate::store::query::{Appended, AttachmentInfo, StoreStats, TableReads};
use crate::store::queue::CommitQueue;
use crate::store::{Mode, Options};

/// A store in one database file.
///
/// Any number of processes use one file at the same time ([`Mode::Shared`], the default), and take
/// turns with their writes. Within a process, share one `RedbStore` between threads;
/// several on one file are allowed, and are to each other as processes are.
///
/// - The locks are those of the file, whatever name or link leads to it, and end with the process.
/// - A store that is open must not be used on both sides of a `fork(2)`, nor closed on both: the two
///   processes have one lock together, and would write at the same time. Open it after the fork,
///   or let the other side `exec` or `_exit` at once.
/// - A file that is removed, moved away or replaced while it is open takes no more writes: the next
///   one fails with [`Error::Gone`], also if that happens while it commits. One that was moved takes
///   writes again once it is back. Reads go on with the file that was opened. What is copied over the
///   file is noticed where it is an older copy of it or another store, by the next write; then reads
///   fail too, and nothing is written over the copy. To replace a store that is in use, restore into
///   it ([`replace_with`](Self::replace_with)).
/// - Where the file system has no range locks, one process at a time has the store
///   ([`mode`](Self::mode)); where it takes no locks at all, opening fails. Several machines on one
///   file over a network are not supported.
///
/// ```
/// use scrollback::{ListQuery, Options, RedbStore, Session, Store};
///
/// let folder = tempfile::tempdir()?;
/// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
/// store.save(&mut Session::native("chat-1")?)?;
/// assert_eq!(store.list(&ListQuery::default())?.sessions[0].key.id(), "chat-1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RedbStore {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) counts: ReadCounts,
    pub(crate) queue: CommitQueue<Addition, Result<Appended>>,
}

impl RedbStore {
    /// Opens a store for reading and writing; creates it, private to its owner, if the file is not
    /// there or empty. A store of an older format is brought to this version's. Waits for a process
    /// that has the store for itself, for as long as [`Options::lock_wait`] says.
    ///
    /// # Durability
    ///
    /// A new store is on disk, with its name in its folder, when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::NotAStore`], [`Error::UnsupportedVersion`], [`Error::Locked`], [`Error::Busy`],
    /// [`Error::Corrupt`], or [`Error::Io`], also where the file cannot be locked.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let engine = Engine::open(path.as_ref(), &options)?;
        Ok(Self {
            engine,
            options,
            counts: ReadCounts::default(),
            queue: CommitQueue::default(),
        })
    }

    /// Opens a store that is there for reading only, without writing anything, unless it was left
    /// by a crash: then it is put in order first, for which it has to be writable.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open); [`Error::Io`] if the file is not there.
    pub fn open_read_only(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let engine = Engine::open_read_only(path.as_ref(), &options)?;
        Ok(Self {
            engine,
            options,
            counts: ReadCounts::default(),
            queue: CommitQueue::default(),
        })
    }

    /// A store over any storage.
    #[cfg(test)]
    pub(crate) fn over(
        storage: impl ::redb::StorageBackend + Clone,
        options: Options,
    ) -> Result<Self> {
        let engine = Engine::over(Path::new(env!("CARGO_MANIFEST_DIR")), storage, &options)?;
        Ok(Self {
            engine,
            options,
            counts: ReadCounts::default(),
            queue: CommitQueue::default(),
        })
    }

    /// Closes the store, and says what dropping it would not: that the file could not be left in
    /// order, or a lock not be given back.
    ///
    /// # Durability
    ///
    /// What was acknowledged is on disk before. After an error, too, nothing of it is lost: the next
    /// opening puts the file in order.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Storage`]. It is closed all the same.
    pub fn close(self) -> Result<()> {
        self.engine.close()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.engine.path()
    }

    /// How processes share it: what the options say, or [`Mode::Exclusive`] where the file system
    /// has no range locks.
    pub fn mode(&self) -> Mode {
        self.engine.mode()
    }

    /// How it was to be opened; see [`mode`](Self::mode) for how it was.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How much there is in the store, by agent. Costs a read of every summary row.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`].
    pub fn stats(&self) -> Result<StoreStats> {
        let disk_bytes = self.engine.disk_bytes()?;
        self.read(|snapshot| stats::stats(snapshot, disk_bytes))
    }

    /// The sessions that were deleted, and that an import passes over: the marks that
    /// [`delete`](crate::Store::delete) and clean-up leave, in the order of agents and ids.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`].
    ///
    /// ```
    /// use scrollback::{Options, RedbStore, Session, SessionKey, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    /// let key = SessionKey::native("chat-1")?;
    /// store.save(&mut Session::new(key.clone()))?;
    /// store.delete(&key)?;
    /// assert_eq!(store.deleted()?[0].key, key);
    /// assert_eq!(store.forget_deleted(&key)?, 1);
    /// assert!(store.deleted()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deleted(&self) -> Result<Vec<DeletedSession>> {
        self.read(deleted::all)
    }

    /// Lifts the marks of a deleted session, so that the next import of its file takes it. Returns
    /// how many there were.
    ///
    /// # Durability
    ///
    /// As [`Store::append`](crate::Store::append).
    ///
    /// # Errors
    ///
    /// Those of a write.
    pub fn forget_deleted(&self, key: &SessionKey) -> Result<u64> {
        self.write(|writer| writer.forget_deleted(key, None))
    }

    /// Rows read since the store was opened.
    pub fn table_reads(&self) -> TableReads {
        self.counts.now()
    }

    /// Transactions committed since the store was opened. Appends of several threads at the same
    /// time share one.
    pub fn commits(&self) -> u64 {
        self.counts.commits()
    }

    /// The attachments of a session: its sidecars, and the document that it came from.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] or [`Error::Corrupt`].
    pub fn attachments(&self, key: &SessionKey) -> Result<Vec<AttachmentInfo>> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            attachments::list(snapshot, number, row.attachments)
        })
    }

    /// Writes an attachment of a session to `out`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NoAttachment`], [`Error::Corrupt`], or [`Error::Output`] if
    /// `out` fails.
    pub fn read_attachment(&self, key: &SessionKey, name: &str, out: &mut dyn Write) -> Result<()> {
        let found = self.read(|snapshot| {
            let (number, _) = snapshot.session_of(key)?;
            attachments::read(snapshot, number, name, &mut TheirOutput(out))
        })?;
        if found {
            Ok(())
        } else {
            Err(Error::NoAttachment {
                key: key.clone(),
                name: name.to_owned(),
            })
        }
    }

    /// Starts a write transaction for a bulk import.
    pub(crate) fn bulk(&self) -> Result<RedbBulk<'_>> {
        guard(|| Ok(RedbBulk::new(self.begin_write()?)))
    }

    /// Reads in a snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Snapshot<'_>) -> Result<T>) -> Result<T> {
        guard(|| {
            let txn = self.engine.begin_read()?;
            work(&Snapshot::new(txn, &self.counts, self.engine.pages()))
        })
    }

    /// Begins a write transaction.
    pub(crate) fn begin_write(&self) -> Result<Writer<'_>> {
        Writer::begin(&self.engine, &self.counts)
    }

    /// Writes in a transaction, which is committed if `work` succeeds.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Writer<'_>) -> Result<T>) -> Result<T> {
        guard(|| {
            let writer = self.begin_write()?;
            let done = work(&writer)?;
            writer.commit()?;
            Ok(done)
        })
    }
}
