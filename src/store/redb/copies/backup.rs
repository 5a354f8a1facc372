//! Backups: a copy of what one snapshot sees, as a store of its own.

use std::path::Path;

use super::copy_file::{self, CopyFile, Kind};
use crate::model::error::Result;
use crate::store::Watcher;
use crate::store::copies::{BackedUp, Existing, StoreCounts};
use crate::store::redb::engine::panics::guard;
use crate::store::redb::store::RedbStore;
use crate::store::redb::upkeep::migrate;

impl RedbStore {
    /// Writes a copy of the store, as it is at one moment, to a file: a store of its own, with the
    /// same id, compact, readable by its owner only. Others read and write meanwhile.
    ///
    /// Every row is checked on the way, and the copy is verified before it gets its name; where
    /// something is damaged there is no backup. Costs a read and a write of everything, and a
    /// read of the copy. While rows are being copied, what others replace or delete keeps its
    /// place in the store's file, so that the file grows by what they write.
    ///
    /// # Durability
    ///
    /// The backup is on disk under its name when this returns `Ok`. If it fails or is killed there
    /// is no file of that name, or the one that was there before; a kill leaves a hidden file
    /// `.scrollback-*.copy` beside it, which the next backup to that folder removes once it is
    /// ten minutes old.
    ///
    /// # Errors
    ///
    /// [`FileExists`](crate::Error::FileExists) if there is a file and it is not to be replaced;
    /// [`Locked`](crate::Error::Locked) if it is a store that somebody has open;
    /// [`Io`](crate::Error::Io) if it is a link, a folder or this store, or cannot be written;
    /// [`Corrupt`](crate::Error::Corrupt) with the first damage of the store;
    /// [`UnsupportedVersion`](crate::Error::UnsupportedVersion) for a store that a newer version
    /// has written; [`Cancelled`](crate::Error::Cancelled): then nothing is left of the new file.
    ///
    /// ```
    /// use scrollback::{Existing, Options, RedbStore, Session, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("s.redb"), Options::default())?;
    /// store.save(&mut Session::native("chat-1")?)?;
    /// let file = folder.path().join("backup.redb");
    /// let made = store.backup(&file, Existing::Refuse, &mut scrollback::unwatched)?;
    /// assert_eq!(made.counts.sessions, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup(
        &self,
        file: impl AsRef<Path>,
        existing: Existing,
        progress: &mut Watcher<'_>,
    ) -> Result<BackedUp> {
        let file = file.as_ref();
        copy_file::check_target(file, existing, Some(self.path()), &self.options)?;
        let from = guard(|| self.engine.begin_read())?;
        // A newer format may have tables that this version does not know of.
        guard(|| migrate::check_writable(self.path(), &from))?;
        let copy = CopyFile::make(from, file, Kind::Backup, &self.options, progress)?;
        let counts = StoreCounts::of(&copy.report);
        let named = copy.name(file, existing)?;
        let file_bytes = named
            .metadata()
            .map_err(|source| copy_file::io_error("read the size of", file, source))?
            .len();
        Ok(BackedUp { counts, file_bytes })
    }
}
