//! Restores: a backup as a new store, or in place of all that a store holds.
//!
//! - The backup is opened for reading, and never written to. One that a crash has left so that the
//!   engine has to repair it is copied aside first.
//! - A store that is in use keeps its file: one transaction takes everything out and puts the
//!   backup's rows in, so that others see all of it or nothing, and write to no file that is gone.
//! - Session numbers are never used twice in one file, not even across a restore, and each restore
//!   leaves a mark: an import that began before it stops (`restored_mark`).

use std::io;
use std::path::{Path, PathBuf};

use redb::{ReadTransaction, ReadableTable};
use tempfile::NamedTempFile;

use super::copy::{self, CopyInto, damaged};
use super::copy_file::{self, CopyFile, Kind, io_error};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::store::Watcher;
use crate::store::copies::{Existing, Restored, StoreCounts};
use crate::store::ingest::RestoredMark;
use crate::store::redb::engine::Engine;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::file::{create_private_folder, folder_of};
use crate::store::redb::engine::panics::guard;
use crate::store::redb::pages::PageFile;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::row_counts::ReadCounts;
use crate::store::redb::tables::schema::{
    ATTACHMENTS, INFO_NEXT_SESSION, INFO_RESTORED, SESSIONS, STORE_INFO,
};
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::redb::tables::writer::Writer;
use crate::store::redb::upkeep::migrate;
use crate::store::{Options, VerifyReport};

impl RedbStore {
    /// Makes a new store at `path` from a backup, with the backup's content and id. A backup of an
    /// older format is brought to this version's, in the copy; the backup stays as it is. Costs a
    /// read and a write of everything, and a read of the new store.
    ///
    /// # Durability
    ///
    /// The store is on disk under its name when this returns `Ok`. If it fails or is killed there
    /// is no store at `path`, and at most a hidden file as a [`backup`](Self::backup) leaves one.
    ///
    /// # Errors
    ///
    /// [`Error::FileExists`] if there is a file at `path`; [`Error::DamagedBackup`];
    /// [`Error::NotAStore`], [`Error::UnsupportedVersion`] or [`Error::Io`]; [`Error::Cancelled`]:
    /// then there is no store at `path`.
    ///
    /// ```
    /// use scrollback::{Existing, Options, RedbStore, Session, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let (path, file) = (folder.path().join("s.redb"), folder.path().join("backup.redb"));
    /// let store = RedbStore::open(&path, Options::default())?;
    /// store.save(&mut Session::native("chat-1")?)?;
    /// store.backup(&file, Existing::Refuse, &mut scrollback::unwatched)?;
    ///
    /// let other = folder.path().join("other.redb");
    /// RedbStore::restore(&other, &file, &Options::default(), &mut scrollback::unwatched)?;
    /// let restored = store.replace_with(&file, &mut scrollback::unwatched)?;
    /// assert_eq!(restored.counts.sessions, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore(
        path: impl AsRef<Path>,
        backup: impl AsRef<Path>,
        options: &Options,
        progress: &mut Watcher<'_>,
    ) -> Result<Restored> {
        let (path, backup) = (path.as_ref(), backup.as_ref());
        copy_file::check_target(path, Existing::Refuse, None, options)?;
        create_private_folder(folder_of(path))?;
        let source = Backup::open(backup, path, options)?;
        let from = source.begin_read()?;
        let copy = CopyFile::make(from, path, Kind::Restore(backup), options, progress)?;
        let counts = StoreCounts::of(&copy.report);
        copy.name(path, Existing::Refuse)?;
        Ok(Restored {
            counts,
            replaced: None,
        })
    }

    /// Puts a backup's content in place of all that this store holds: sessions, sources, the
    /// store's id. Others who have the store open, in this process or another, see all of the new
    /// content from their next call on; those who write wait, for as long as their
    /// [`Options::lock_wait`] says. An import that runs meanwhile fails with [`Error::Busy`].
    ///
    /// The backup is verified before anything is changed. Costs that read of it, a second one, and
    /// a write of everything; the store's file grows by the size of the backup, until
    /// [`reclaim`](crate::Store::reclaim).
    ///
    /// # Durability
    ///
    /// One transaction: it is on disk when this returns `Ok`; after [`Error::CommitUnknown`] all
    /// of it may be there or nothing; after any other error, or a kill, nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedBackup`]; [`Error::NotAStore`] or [`Error::UnsupportedVersion`] of the
    /// backup; [`Error::Busy`], [`Error::ReadOnly`], [`Error::Io`] or [`Error::Storage`];
    /// [`Error::Corrupt`] if the store is damaged so that it cannot be emptied: then move its file
    /// away, and [`restore`](Self::restore); [`Error::Cancelled`]: then nothing is changed.
    pub fn replace_with(
        &self,
        backup: impl AsRef<Path>,
        progress: &mut Watcher<'_>,
    ) -> Result<Restored> {
        let path = backup.as_ref();
        if copy_file::is_same_file(path, self.path()) {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is the store itself");
            return Err(io_error("restore from", path, source));
        }
        let backup = Backup::open(path, self.path(), &self.options)?;
        let counts = ReadCounts::default();
        let snapshot = Snapshot::new(backup.begin_read()?, &counts, backup.pages());
        let report = backup.verify(&snapshot, progress)?;
        let replaced = self.write(|writer| {
            let open = storage("count the sessions");
            let replaced = counts_of(
                &writer.txn().open_table(SESSIONS).map_err(&open)?,
                &writer.txn().open_table(ATTACHMENTS).map_err(&open)?,
            )?;
            // Before the backup's rows take the place of the store's own: numbers go on from the
            // higher one.
            let next = next_session(writer)?;
            let target = CopyInto::Transaction(writer.txn());
            copy::copy(snapshot.txn(), target, Some(path), progress)?;
            migrate::migrate_within(writer.txn(), &self.options.stamps)?;
            self.mark_restored(writer, next)?;
            Ok(replaced)
        })?;
        Ok(Restored {
            counts: StoreCounts::of(&report),
            replaced: Some(replaced),
        })
    }

    /// Verifies a backup, and tells what it holds, and what a store at `path` holds that a restore
    /// would replace. Changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`restore`](Self::restore), but for what is at `path`, and those of opening that.
    pub fn rehearse_restore(
        path: impl AsRef<Path>,
        backup: impl AsRef<Path>,
        options: &Options,
        progress: &mut Watcher<'_>,
    ) -> Result<Restored> {
        let (path, backup) = (path.as_ref(), backup.as_ref());
        let source = Backup::open(backup, path, options)?;
        let counts = ReadCounts::default();
        let snapshot = Snapshot::new(source.begin_read()?, &counts, source.pages());
        let report = source.verify(&snapshot, progress)?;
        let mut replaced = None;
        if path.exists() {
            let store = Self::open_read_only(path, options.clone())?;
            replaced = Some(store.read(|snapshot| {
                let open = storage("count the sessions");
                counts_of(
                    &snapshot.txn().open_table(SESSIONS).map_err(&open)?,
                    &snapshot.txn().open_table(ATTACHMENTS).map_err(&open)?,
                )
            })?);
        }
        Ok(Restored {
            counts: StoreCounts::of(&report),
            replaced,
        })
    }

    /// Notes that the store's content was replaced. Numbers of sessions that were there before,
    /// below `next`, are not used again: somebody may still hold one.
    fn mark_restored(&self, writer: &Writer<'_>, next: u64) -> Result<()> {
        let action = storage("note the restore");
        let next = next_session(writer)?.max(next);
        let mut info = writer
            .txn()
            .open_table(STORE_INFO)
            .map_err(storage("note the restore"))?;
        info.insert(INFO_NEXT_SESSION, next.to_le_bytes().as_slice())
            .map_err(&action)?;
        let id = self.options.stamps.new_id()?;
        // Whoever read numbers of sessions before compares it, and writes to none of the new ones
        // by them.
        info.insert(INFO_RESTORED, id.as_bytes().as_slice())
            .map_err(&action)?;
        Ok(())
    }
}

/// What the last restore into this file left.
pub(crate) fn mark_of(
    info: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<RestoredMark> {
    let mark = info
        .get(INFO_RESTORED)
        .map_err(storage("read `store_info`"))?;
    Ok(RestoredMark(mark.map(|mark| mark.value().to_vec())))
}

/// Fails if the store's content was replaced since the mark was read.
pub(crate) fn check_mark(mark: &RestoredMark, writer: &Writer<'_>) -> Result<()> {
    let table = writer
        .txn()
        .open_table(STORE_INFO)
        .map_err(storage("read `store_info`"))?;
    if mark_of(&table)? == *mark {
        return Ok(());
    }
    Err(Error::Busy {
        reason: "its content was replaced from a backup meanwhile".to_owned(),
    })
}

fn next_session(writer: &Writer<'_>) -> Result<u64> {
    let info = writer
        .txn()
        .open_table(STORE_INFO)
        .map_err(storage("read `store_info`"))?;
    copy::next_session(&info)
}

/// How much a store holds, by its summary rows and the keys of its attachments. A damaged row
/// counts as a session; it is about to go.
fn counts_of(
    sessions: &impl ReadableTable<u64, &'static [u8]>,
    attachments: &impl ReadableTable<(u64, &'static str, u32), &'static [u8]>,
) -> Result<StoreCounts> {
    let read = storage("count the sessions");
    let mut counts = StoreCounts::default();
    for entry in sessions.iter().map_err(&read)? {
        let (number, value) = entry.map_err(&read)?;
        counts.sessions += 1;
        if let Ok(row) = SessionRow::decode(number.value(), value.value()) {
            counts.records += row.records;
            counts.bytes += row.bytes;
        }
    }
    for entry in attachments.iter().map_err(&read)? {
        let (_, _, part) = entry.map_err(&read)?.0.value();
        counts.attachments += u64::from(part == 0);
    }
    Ok(counts)
}

/// A backup that is open for reading.
struct Backup {
    path: PathBuf,
    engine: Engine,
    /// The copy that is read instead, where the backup itself would have to be repaired.
    _aside: Option<NamedTempFile>,
}

impl Backup {
    /// Opens a backup; what it takes to read it is put beside `store`.
    fn open(path: &Path, store: &Path, options: &Options) -> Result<Self> {
        let opened = Engine::open_unchanged(path, options).map_err(|error| match error {
            Error::Io { source, .. } => io_error("open the backup", path, source),
            error => damaged(path, error),
        })?;
        let (engine, aside) = if let Some(engine) = opened {
            (engine, None)
        } else {
            // To open it would be to repair it, and so to write to it: a copy is repaired instead.
            let aside = copy_aside(path, store)?;
            let engine = Engine::open_read_only(aside.path(), options)
                .map_err(|error| damaged(path, error))?;
            (engine, Some(aside))
        };
        Ok(Self {
            path: path.to_owned(),
            engine,
            _aside: aside,
        })
    }

    /// The file below its engine.
    fn pages(&self) -> Option<&PageFile> {
        self.engine.pages()
    }

    /// A snapshot of it, if it is of a format that this version knows all of.
    fn begin_read(&self) -> Result<ReadTransaction> {
        guard(|| {
            let from = self.engine.begin_read()?;
            migrate::check_writable(&self.path, &from)?;
            Ok(from)
        })
        .map_err(|error| damaged(&self.path, error))
    }

    /// Verifies it.
    fn verify(&self, snapshot: &Snapshot<'_>, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        let report = guard(|| copy_file::verify_snapshot(snapshot, progress))
            .map_err(|error| damaged(&self.path, error))?;
        match report.problems.first() {
            None => Ok(report),
            Some(problem) => Err(Error::DamagedBackup {
                path: self.path.clone(),
                detail: format!(
                    "table `{}`, key {}: {}",
                    problem.table, problem.key, problem.detail
                ),
            }),
        }
    }
}

/// A copy of a backup's bytes beside the store.
fn copy_aside(path: &Path, store: &Path) -> Result<NamedTempFile> {
    let mut from =
        std::fs::File::open(path).map_err(|source| io_error("open the backup", path, source))?;
    // Beside the store, and not beside the backup, whose folder may not be written to.
    let mut aside = copy_file::new_file(store)?;
    io::copy(&mut from, aside.as_file_mut())
        .map_err(|source| io_error("copy the backup to", folder_of(store), source))?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;
    use crate::model::session::Session;
    use crate::store::Store as _;
    use crate::store::ingest::IngestStore as _;

    #[test]
    fn what_was_read_before_a_restore_is_not_written_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        store.save(&mut Session::native("a").unwrap()).unwrap();
        let file = folder.path().join("b.redb");
        store
            .backup(&file, Existing::Refuse, &mut crate::store::unwatched)
            .unwrap();
        let mark = store.restored_mark().unwrap();
        let mut bulk = store.begin(&mark).unwrap();
        let before = bulk.create(&SessionKey::native("b").unwrap()).unwrap();
        bulk.commit().unwrap();
        store
            .replace_with(&file, &mut crate::store::unwatched)
            .unwrap();
        let refused = store.begin(&mark).map(drop);
        assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
        let next = store.restored_mark().unwrap();
        assert_ne!(mark, next);
        let mut bulk = store.begin(&next).unwrap();
        assert!(bulk.create(&SessionKey::native("b").unwrap()).unwrap() > before);
        drop(bulk);
        // Each restore is another one, also of the same backup.
        store
            .replace_with(&file, &mut crate::store::unwatched)
            .unwrap();
        assert_ne!(store.restored_mark().unwrap(), next);
        assert!(
            store
                .verify(&mut crate::store::unwatched)
                .unwrap()
                .is_clean()
        );
    }
}
