//! The store in one file, over redb. One path through it a file:
//!
//! - `engine`: opening, transactions, errors; `file`: before and beside the database; `backend`: its
//!   waits for locks, `locks`: which of them there are, `note`: who holds one; `errors`, `panics`:
//!   those of redb; `health`: what its file failed at, `reopen`: going on after that; `pages`: the
//!   file below redb; `schema`: every table; `migrate`: format versions
//! - `list`: the path of lists; `read`, `scan`, `visit`, `write`, `segments`, `attachments`: those of one
//!   session; `delete`: of one or of many
//! - `queue`: appends of several threads share a commit; `appends`: how one is written
//! - `properties`: what is kept beside the lines; `outside`: what an import finds beside the files
//! - `bulk`: many sessions at once; `known`: what is stored of many files; `origins`: where
//!   sessions came from
//! - `compact`, `reclaim`, `stats`, `verify`, `repair`: maintenance; `rechain`: digest
//!   chains where records go
//! - `backup`, `restore`: copies of a store, and back; `copy`: all tables, row by row; `copy_file`:
//!   a copy's file; `rows`: what is wrong with one row

mod appends;
mod attachments;
mod backend;
mod backup;
mod bulk;
#[cfg(test)]
mod chain_paths;
mod compact;
mod copy;
mod copy_file;
#[cfg(test)]
mod counts;
mod delete;
mod engine;
mod errors;
mod file;
mod health;
mod known;
mod list;
mod locks;
mod migrate;
mod note;
mod origins;
mod outside;
mod pages;
mod panics;
mod properties;
mod queue;
#[cfg(test)]
mod races;
mod ranges;
mod read;
mod reads;
mod rechain;
mod reclaim;
mod reopen;
mod repair;
mod restore;
mod rows;
mod scan;
mod schema;
mod segments;
mod stats;
#[cfg(test)]
mod sweeps;
#[cfg(test)]
mod tampering;
mod verify;
mod visit;
mod write;

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::appends::Append;
pub(crate) use self::bulk::{Bulk, Source, Sources};
use self::delete::Deletion;
use self::engine::Engine;
pub(crate) use self::known::Known;
pub(crate) use self::panics::guard;
use self::queue::CommitQueue;
use self::read::Snapshot;
use self::reads::ReadCounts;
pub use self::repair::{Loss, RepairReport};
pub(crate) use self::restore::RestoredMark;
use self::verify::Depth;
use self::write::Writer;
use super::addition::Addition;
use super::properties::Claims;
use super::query::{
    Appended, AttachmentInfo, Compacted, Expect, ListQuery, NewRecord, Reclaimed, RecordPage,
    Removed, ScanQuery, SessionPage, StoreStats, TableReads, Truncated, VerifyReport,
};
use super::sessions::{self, Primitives, Visit};
use super::{Mode, Options, Store, saving};
use crate::codec::session_row::SessionRow;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::session::{Session, Summary};
use crate::store::Watcher;

/// A store in one database file.
///
/// With the feature `shared` (the default) any number of processes use one file at the same time,
/// and take turns with their writes. Within a process, share one `RedbStore` between threads;
/// several on one file are allowed, and are to each other as processes are.
///
/// - The locks are those of the file, whatever name or link leads to it, and end with the process.
/// - A store that is open must not be used on both sides of a `fork(2)`, nor closed on both: the two
///   processes have one lock together, and would write at the same time. Open it after the fork,
///   or let the other side `exec` or `_exit` at once.
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
    engine: Engine,
    options: Options,
    counts: ReadCounts,
    queue: CommitQueue<Append, Result<Appended>>,
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

    /// Reads everything and checks every checksum, count and index entry, both ways. What is
    /// wrong with the store is in the report.
    ///
    /// # Errors
    ///
    /// Only if reading as such fails, or [`Error::Cancelled`]: then nothing is known.
    pub fn verify(&self, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        self.read(|snapshot| verify::verify(snapshot, Depth::Plain, progress))
    }

    /// As [`Store::cleanup_older_than`], but pinned sessions stay.
    ///
    /// # Durability
    ///
    /// Each session is deleted whole or not at all; after an error some are gone.
    ///
    /// # Errors
    ///
    /// Those of [`Store::cleanup_older_than`].
    pub fn cleanup_unpinned_older_than(&self, before: DateTime<Utc>) -> Result<Removed> {
        self.clean_up(before, |row| !row.given.pinned)
    }

    fn clean_up(
        &self,
        before: DateTime<Utc>,
        goes: impl Fn(&SessionRow) -> bool,
    ) -> Result<Removed> {
        let before_us = before.timestamp_micros();
        let mut numbers = self.read(|snapshot| list::numbers_before(snapshot, before_us))?;
        // In the order of the tables: sessions that are neighbours there share pages.
        numbers.sort_unstable();
        let goes = |row: &SessionRow| row.updated_us < before_us && goes(row);
        let mut removed = Removed::default();
        let mut batches = numbers.chunks(delete::BATCH).peekable();
        while batches.peek().is_some() {
            removed += self.write(|writer| delete::many(writer, &mut batches, &goes))?;
        }
        Ok(removed)
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

    /// The files kept beside the lines of a session.
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

    /// Writes a file kept beside the lines of a session to `out`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NoAttachment`], [`Error::Corrupt`], or [`Error::Output`] if
    /// `out` fails.
    pub fn read_attachment(&self, key: &SessionKey, name: &str, out: &mut dyn Write) -> Result<()> {
        let found = self.read(|snapshot| {
            let (number, _) = snapshot.session_of(key)?;
            attachments::read(snapshot, number, name, out)
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
    pub(crate) fn bulk(&self) -> Result<Bulk<'_>> {
        guard(|| Ok(Bulk::new(self.begin_write()?)))
    }

    /// The sources, for planning an import or an export.
    pub(crate) fn sources(&self) -> Sources<'_> {
        Sources::new(self)
    }

    /// Reads in a snapshot.
    fn read<T>(&self, work: impl FnOnce(&Snapshot<'_>) -> Result<T>) -> Result<T> {
        guard(|| {
            let txn = self.engine.begin_read()?;
            work(&Snapshot::new(txn, &self.counts, self.engine.pages()))
        })
    }

    /// Begins a write transaction.
    fn begin_write(&self) -> Result<Writer<'_>> {
        let txn = self.engine.begin_write()?;
        Ok(Writer::new(txn, &self.counts, self.engine.pages()))
    }

    /// Writes in a transaction, which is committed if `work` succeeds.
    fn write<T>(&self, work: impl FnOnce(&Writer<'_>) -> Result<T>) -> Result<T> {
        guard(|| {
            let writer = self.begin_write()?;
            let done = work(&writer)?;
            writer.commit()?;
            Ok(done)
        })
    }
}

impl Primitives for RedbStore {
    fn options(&self) -> &Options {
        &self.options
    }

    fn visit(&self, key: &SessionKey, from: u64, each: &mut Visit<'_>) -> Result<()> {
        self.visit_records(key, from, each)
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>> {
        self.read(|snapshot| Ok(snapshot.session(key)?.map(|(_, row)| row)))
    }

    fn add(&self, key: &SessionKey, addition: &Addition<'_>) -> Result<Appended> {
        let append = Append::of(key, addition);
        let bytes = addition.lines.iter().map(Vec::len).sum();
        self.queue
            .submit(append, bytes, |appends| appends::write(self, appends))
            .unwrap_or_else(appends::stopped)
    }

    fn set_mark(
        &self,
        key: &SessionKey,
        seen: &SessionRow,
        mark: u64,
        hidden: u64,
    ) -> Result<bool> {
        self.write(|writer| {
            let (number, old) = writer.session_of(key)?;
            if !sessions::same_records(&old, seen) {
                return Ok(false);
            }
            let row = SessionRow {
                hidden,
                mark,
                ..old.clone()
            };
            writer.put_row(number, Some(&old), &row)?;
            Ok(true)
        })
    }
}

impl Store for RedbStore {
    fn save(&self, session: &mut Session) -> Result<()> {
        saving::save(self, session)
    }

    fn load(&self, key: &SessionKey) -> Result<Session> {
        sessions::load(self, key)
    }

    fn summary(&self, key: &SessionKey) -> Result<Summary> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            row.into_summary(number)
                .map_err(|error| read::corrupt_session(number, error.to_string()))
        })
    }

    fn list(&self, query: &ListQuery) -> Result<SessionPage> {
        self.read(|snapshot| list::list(snapshot, query))
    }

    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>> {
        self.read(|snapshot| snapshot.find(prefix, limit))
    }

    fn delete(&self, key: &SessionKey) -> Result<Removed> {
        self.write(|writer| {
            let (number, row) = writer.session_of(key)?;
            Deletion::open(writer)?.delete(number, row)
        })
    }

    fn delete_unchanged(&self, key: &SessionKey, next_sequence: u64) -> Result<Removed> {
        self.write(|writer| {
            let (number, row) = writer.session_of(key)?;
            sessions::check_next(key, next_sequence, row.next)?;
            Deletion::open(writer)?.delete(number, row)
        })
    }

    fn cleanup_older_than(&self, before: DateTime<Utc>) -> Result<Removed> {
        self.clean_up(before, |_| true)
    }

    fn export_markdown(&self, key: &SessionKey, out: &mut dyn Write) -> Result<()> {
        sessions::export_markdown(self, key, out)
    }

    fn append(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        records: &[NewRecord],
    ) -> Result<Appended> {
        sessions::append(self, key, expect, batch_id, records)
    }

    fn ensure_meta(&self, session: &Session) -> Result<bool> {
        saving::ensure_meta(self, session)
    }

    fn truncate(&self, key: &SessionKey, keep_last: u64) -> Result<Truncated> {
        sessions::truncate(self, key, keep_last)
    }

    fn compact(
        &self,
        key: &SessionKey,
        through: Option<u64>,
        archive: Option<&mut dyn Write>,
    ) -> Result<Compacted> {
        let mark = self.row_of(key)?.mark;
        let end = through.map_or(mark, |through| through.min(mark));
        if let Some(archive) = archive {
            compact::archive(self, key, end, archive)?;
        }
        self.write(|writer| {
            let (number, row) = writer.session_of(key)?;
            // A mark that moved back meanwhile shows records again: they stay.
            compact::compact(writer, number, &row, end.min(row.mark))
        })
    }

    fn reclaim(&self) -> Result<Reclaimed> {
        guard(|| self.engine.reclaim())
    }

    fn hide_before(&self, key: &SessionKey, sequence: u64) -> Result<Truncated> {
        sessions::hide_before(self, key, sequence)
    }

    fn replace_history(&self, key: &SessionKey, records: &[NewRecord]) -> Result<()> {
        sessions::replace_history(self, key, records)
    }

    fn properties(&self, key: &SessionKey) -> Result<Properties> {
        self.read(|snapshot| {
            let (number, _) = snapshot.session_of(key)?;
            properties::of_session(snapshot, number)
        })
    }

    fn update_properties(&self, key: &SessionKey, change: &PropertiesChange) -> Result<Properties> {
        self.write(|writer| {
            let (number, _) = writer.session_of(key)?;
            properties::change(writer, number, change, Claims::Exclusive)
        })
    }

    fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>> {
        self.read(|snapshot| properties::by_alias(snapshot, alias))
    }

    fn scan(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            snapshot.scan_of(number, Some(&row), query)
        })
    }
}
