//! Scrubs: a store rewritten so that nothing is left in its file of what was removed from it.
//!
//! Removed rows stay in free pages, and in what is left of pages that were changed, until something else is
//! written there. So the rows that are there are copied into a new file, which takes the store's name in
//! one step; nobody else may have the store open meanwhile, since whoever has it would go on with a file
//! that has no name any more.
//!
//! - That a scrub is due is noted in the store before anything is removed, and the note is missing in the
//!   new file: after a kill at any moment the next scrub does what is left to do, and `verify` tells.
//! - Blocks that the old file gives back are the file system's: what reads the disk below it may find them.

use std::path::Path;

use super::copy_file::{self, CopyFile, Kind, io_error};
use super::scrub_due;
use crate::model::error::Result;
use crate::store::copies::{Existing, Scrubbed};
use crate::store::ingest::{Source, Sources as _};
use crate::store::query::StoredFile;
use crate::store::redb::engine::file::folder_of;
use crate::store::redb::engine::panics::guard;
use crate::store::redb::ingest::attached;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::attachments;
use crate::store::redb::upkeep::files;
use crate::store::{Mode, Options, Watcher};

/// What reads in errors.
const ACTION: &str = "scrub";

impl RedbStore {
    /// Removes the databases of agents that earlier versions kept whole, with the credentials that may be
    /// in them, and rewrites the file so that nothing is left in it of them, nor of anything else that was
    /// deleted before: sessions, older versions of files, removed records. The sessions that were read from
    /// the databases stay.
    ///
    /// The store has to be closed everywhere: waits for others as long as
    /// [`Options::lock_wait`](crate::Options::lock_wait) says. Costs a read and a write of everything, and
    /// a read of the new file. Backups, copies and other names of the file keep what they have.
    ///
    /// # Durability
    ///
    /// The new file is on disk under the store's name when this returns `Ok`. If it fails or is killed the
    /// store is as it was, or without those databases but with their bytes in free pages;
    /// [`VerifyReport::scrub_due`](crate::report::VerifyReport::scrub_due) says so, and the next scrub goes on.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`](crate::Error::Locked) or [`Error::Busy`](crate::Error::Busy) if somebody has the
    /// store open, [`Error::Corrupt`](crate::Error::Corrupt) with the first damage that was found,
    /// [`Error::Io`](crate::Error::Io), and [`Error::Cancelled`](crate::Error::Cancelled).
    ///
    /// ```
    /// use scrollback::{Options, RedbStore, Session, Store, unwatched};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("s.redb");
    /// let store = RedbStore::open(&path, Options::default())?;
    /// let mut session = Session::native("chat-1")?;
    /// store.save(&mut session)?;
    /// store.note_scrub()?;
    /// store.delete(&session.key)?;
    /// store.close()?;
    /// let done = RedbStore::scrub(&path, &Options::default(), &mut unwatched)?;
    /// assert_eq!(done.files.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scrub(
        path: impl AsRef<Path>,
        options: &Options,
        progress: &mut Watcher<'_>,
    ) -> Result<Scrubbed> {
        // The new file has to take the place of the file, and not of a link to it.
        let path = std::fs::canonicalize(&path)
            .map_err(|source| io_error(ACTION, path.as_ref(), source))?;
        let alone = Options {
            mode: Mode::Exclusive,
            ..options.clone()
        };
        let store = Self::open(&path, alone)?;
        let bytes_before = store.engine.disk_bytes()?;
        let files = store.databases()?;
        store.remove_databases(&files)?;
        let from = guard(|| store.engine.begin_read())?;
        let copy = CopyFile::make(from, &path, Kind::Scrub, options, progress)?;
        // A new file is its owner's alone; the store may have been opened to a group.
        copy.like(&path)?;
        copy.name(&path, Existing::Replace)?;
        // Until here nobody else could open the file that has gone.
        let bytes_after = store.engine.disk_bytes()?;
        drop(store);
        Ok(Scrubbed {
            files,
            bytes_before,
            bytes_after,
            beside: copy_file::hidden_in(folder_of(&path)),
        })
    }

    /// What a scrub would remove; changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`open_read_only`](Self::open_read_only), and [`Error::Corrupt`](crate::Error::Corrupt).
    pub fn rehearse_scrub(path: impl AsRef<Path>, options: &Options) -> Result<Scrubbed> {
        let store = Self::open_read_only(&path, options.clone())?;
        let bytes = store.engine.disk_bytes()?;
        Ok(Scrubbed {
            files: store.databases()?,
            bytes_before: bytes,
            bytes_after: bytes,
            beside: copy_file::hidden_in(folder_of(path.as_ref())),
        })
    }

    /// Notes that a [`scrub`](Self::scrub) is due, before something is deleted of which no byte is to stay:
    /// [`verify`](crate::RedbStore::verify) and an import tell so until one is done.
    ///
    /// # Durability
    ///
    /// On disk when this returns `Ok`.
    ///
    /// # Errors
    ///
    /// Those of a write.
    pub fn note_scrub(&self) -> Result<()> {
        self.write(|writer| scrub_due::note(writer.txn()))
    }

    fn databases(&self) -> Result<Vec<StoredFile>> {
        let mut files = self.read(files::files)?;
        files.retain(|file| file.is_database);
        Ok(files)
    }

    /// Removes databases that are kept beside folders, with their sources.
    fn remove_databases(&self, files: &[StoredFile]) -> Result<()> {
        let sources = self.of_session(0)?;
        let of = |file: &StoredFile| -> Vec<&Source> {
            let named = |source: &&Source| source.row.name == file.name;
            sources.iter().filter(named).collect()
        };
        self.write(|writer| {
            scrub_due::note(writer.txn())?;
            for file in files {
                for source in of(file) {
                    attached::remove_source(writer, source)?;
                }
                // Also one to which no source leads.
                attachments::remove(writer, 0, &file.name)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;
    use std::time::Duration;

    use memchr::memmem;

    use super::*;
    use crate::codec::source_row::{SourceKind, SourceRow};
    use crate::model::error::Error;
    use crate::model::key::SessionKey;
    use crate::store::ingest::Bulk as _;
    use crate::store::{Expect, NewRecord, Store as _, unwatched};

    const SECRET: &str = "INVENTED-SECRET-OF-A-DATABASE";
    const SAID: &str = "INVENTED-SECRET-OF-A-SESSION";
    const STAYS: &str = "what stays";

    fn options() -> Options {
        Options {
            lock_wait: Duration::from_millis(50),
            ..Options::default()
        }
    }

    /// Bytes that no packing makes smaller, with a secret among them.
    fn noise(start: &[u8], secret: &str) -> Vec<u8> {
        let mut state = 7_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .take(9_000)
        .collect();
        [start, secret.as_bytes(), &noise].concat()
    }

    /// Keeps a file of a folder, as an earlier version did.
    fn keep(store: &RedbStore, path: &str, content: &[u8]) {
        let mut bulk = Box::new(store.bulk().unwrap());
        let (bytes, hash) = bulk.write_attachment(0, path, &mut &*content).unwrap();
        let row = SourceRow {
            agent: "opencode".to_owned(),
            kind: SourceKind::Attachment,
            session: 0,
            name: path.to_owned(),
            relative: path.as_bytes().to_vec(),
            size: bytes,
            mtime_ns: 1,
            offset: bytes,
            lines: 0,
            tail_offset: bytes,
            hash,
            next_sequence: 0,
            complete: true,
            revision: 0,
            inode: 0,
            changed_ns: 0,
        };
        let source = Source {
            path: path.as_bytes().to_vec(),
            generation: 1,
            row,
        };
        bulk.write_source(&source).unwrap();
        bulk.commit().unwrap();
    }

    /// A store as an earlier version has left it, with more in it than a page has room for.
    fn old_store(path: &Path) -> RedbStore {
        let store = RedbStore::open(path, options()).unwrap();
        let append = |id: &str, text: &str| {
            let key = SessionKey::native(id).unwrap();
            let record = NewRecord::line(format!("{{\"text\":\"{text}\"}}"));
            store.append(&key, Expect::Any, None, &[record]).unwrap();
        };
        for number in 0..40 {
            append(&format!("s{number}"), STAYS);
        }
        append("secret", SAID);
        keep(
            &store,
            "/h/opencode.db",
            &noise(b"SQLite format 3\0", SECRET),
        );
        keep(
            &store,
            "/h/opencode.db-wal",
            &noise(b"\x37\x7f\x06\x82", SECRET),
        );
        keep(
            &store,
            "/h/some-cache.db",
            &noise(b"SQLite format 3\0", SECRET),
        );
        keep(&store, "/h/logs.json", &noise(b"", "no database"));
        store
    }

    /// How many files of a folder hold a text.
    fn files_with(folder: &Path, text: &str) -> usize {
        let files = fs::read_dir(folder).unwrap();
        files
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .filter(|bytes| memmem::find(bytes, text.as_bytes()).is_some())
            .count()
    }

    #[test]
    fn nothing_is_left_of_what_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let store = old_store(&path);
        let report = store.verify(&mut unwatched).unwrap();
        let names: Vec<&str> = report.databases.iter().map(|file| &*file.name).collect();
        let databases = ["/h/opencode.db", "/h/opencode.db-wal", "/h/some-cache.db"];
        assert_eq!(names, databases);
        assert!(report.is_clean() && !report.scrub_due, "{report:?}");
        store.note_scrub().unwrap();
        store
            .delete(&SessionKey::native("secret").unwrap())
            .unwrap();
        assert!(store.verify(&mut unwatched).unwrap().scrub_due);
        store.close().unwrap();
        for text in [SECRET, SAID] {
            assert_eq!(
                files_with(folder.path(), text),
                1,
                "{text} is looked for as it lies"
            );
        }
        let told = RedbStore::rehearse_scrub(&path, &options()).unwrap();
        assert_eq!(told.files.len(), 3);
        let done = RedbStore::scrub(&path, &options(), &mut unwatched).unwrap();
        assert_eq!((done.files.len(), done.beside.len()), (3, 0));
        for text in [SECRET, SAID] {
            assert_eq!(files_with(folder.path(), text), 0, "{text}");
        }
        let store = RedbStore::open(&path, options()).unwrap();
        let report = store.verify(&mut unwatched).unwrap();
        assert!(report.is_clean() && !report.scrub_due, "{report:?}");
        assert_eq!((report.sessions, report.attachments), (40, 1));
        assert_eq!(report.databases, []);
        assert_eq!(files_with(folder.path(), STAYS), 1);
    }

    #[test]
    fn a_scrub_that_was_stopped_is_told_and_ended_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        old_store(&path).close().unwrap();
        let stopped = RedbStore::scrub(&path, &options(), &mut |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        let store = RedbStore::open(&path, options()).unwrap();
        let report = store.verify(&mut unwatched).unwrap();
        assert!(
            report.scrub_due && report.databases.is_empty(),
            "{report:?}"
        );
        store.close().unwrap();
        let done = RedbStore::scrub(&path, &options(), &mut unwatched).unwrap();
        assert_eq!(done.files, []);
        assert_eq!(files_with(folder.path(), SECRET), 0);
        let store = RedbStore::open(&path, options()).unwrap();
        assert!(!store.verify(&mut unwatched).unwrap().scrub_due);
    }

    #[test]
    fn a_store_that_somebody_has_open_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let store = old_store(&path);
        let refused = RedbStore::scrub(&path, &options(), &mut unwatched);
        assert!(
            matches!(&refused, Err(error) if error.is_retryable()),
            "{refused:?}"
        );
        assert_eq!(store.verify(&mut unwatched).unwrap().databases.len(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn the_new_file_has_the_mode_of_the_old_one_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        old_store(&path).close().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.redb");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        RedbStore::scrub(&link, &options(), &mut unwatched).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(files_with(folder.path(), SECRET), 0);
    }
}
