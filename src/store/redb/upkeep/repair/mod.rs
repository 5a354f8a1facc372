//! Repair: what can be read of a damaged store, in a new one; the damaged one is only read.
//!
//! - `gather`: the rows that are what was written, read below the engine; `keys`: their keys
//! - `contents`: file orders, and the contents of ids
//! - `rebuild`: the new store; `session`: one session of it; `beside`: what is kept beside its lines
//! - `missing`: what is not there any more; `report`: how that is told
//!
//! Rows of records and attachments go into the new store as the bytes that they are, under the same
//! numbers. Everything that is derived is derived again: counts, indexes, names.

mod beside;
mod contents;
mod gather;
mod keys;
mod missing;
mod put;
mod rebuild;
mod report;
mod session;

use std::path::Path;

use self::gather::gather;
pub use self::report::{Loss, RepairReport};
use crate::model::error::{Error, Result};
use crate::store::Options;
use crate::store::redb::engine::file;
use crate::store::redb::pages::PageFile;
use crate::store::redb::store::RedbStore;
use crate::store::{Progress, Step, Watcher};

impl RedbStore {
    /// Saves what can be read of a damaged store into a new one, and says what could not be. The
    /// damaged file is only read, whatever state it is in; nobody should write to it meanwhile.
    ///
    /// A session of which lines are lost keeps its other lines under their sequence numbers. Its
    /// import state is left out, so that the next import of its file reads it again, and gives the
    /// session what it lacks: in the file's order, under new sequence numbers.
    ///
    /// # Durability
    ///
    /// The new store is there, whole and on disk, when this returns; on an error it is not there. A
    /// kill leaves a hidden file (`.scrollback-repair-*.new`), which the next repair into that folder
    /// removes.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the damaged file cannot be read, or if there is a file at `target`
    /// already; [`Error::NotAStore`] if nothing in it is of a store; those of a write;
    /// [`Error::Cancelled`]: then there is no new store.
    ///
    /// ```
    /// use scrollback::{Options, RedbStore, Session, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let (path, target) = (folder.path().join("s.redb"), folder.path().join("new.redb"));
    /// let store = RedbStore::open(&path, Options::default())?;
    /// store.save(&mut Session::native("chat-1")?)?;
    /// drop(store);
    /// let report = RedbStore::repair(&path, &target, Options::default(), &mut scrollback::unwatched)?;
    /// assert!(report.is_whole() && report.sessions == 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn repair(
        damaged: impl AsRef<Path>,
        target: impl AsRef<Path>,
        options: Options,
        progress: &mut Watcher<'_>,
    ) -> Result<RepairReport> {
        let (damaged, target) = (damaged.as_ref(), target.as_ref());
        let file = PageFile::open(damaged)?;
        if target.exists() {
            return Err(taken(target));
        }
        let length = file.length()?;
        let mut tell = |done| Progress::at(Step::Repairing, done, length).tell(progress);
        // As much to write as to read, for the one who waits.
        let gathered = gather(&file, &mut |bytes, _| tell(bytes / 2))?;
        let has_marks = !gathered.deleted.is_empty();
        if gathered.sessions.is_empty()
            && gathered.records.is_empty()
            && gathered.names.is_empty()
            && !has_marks
        {
            return Err(Error::NotAStore {
                path: damaged.to_owned(),
                reason: "nothing in it is a session or a record".to_owned(),
            });
        }
        file::remove_killed_repairs(target);
        let new = file::new_repair_beside(target)?;
        let store = Self::open(&new, options)?;
        let report = rebuild::rebuild(&file, &gathered, &store, &mut |done, all| {
            tell(length / 2 + length / 2 * done / all.max(1))
        })?;
        tell(length)?;
        // Closed before it has its name: whoever opens it next has nothing to put in order.
        drop(store);
        new.persist_noclobber(target).map_err(|error| Error::Io {
            action: "create the store",
            path: target.to_owned(),
            source: error.error,
        })?;
        file::sync_folder(target)?;
        Ok(report)
    }
}

fn taken(target: &Path) -> Error {
    Error::Io {
        action: "create the store",
        path: target.to_owned(),
        source: std::io::Error::from(std::io::ErrorKind::AlreadyExists),
    }
}
