//! The database under the store: an open one, and its transactions.
//!
//! - `opening`: the file, beside whom and in which format; `file`: before and beside the database
//! - `handle`: what is open; `health`: what its file failed at; `reopen`: going on after that
//! - `named`: whether the file is still the one under its name
//! - `backend`: the file below redb, with waits that end; `locks`: which there are; `note`: who holds one; `who`: which
//!   processes have the file open
//! - `reserve`: space for what frees space on a full disk
//! - `errors`, `panics`: those of redb, in our words

pub(crate) mod backend;
pub(crate) mod errors;
pub(crate) mod file;
pub(crate) mod handle;
pub(crate) mod health;
pub(crate) mod locks;
pub(crate) mod named;
pub(crate) mod note;
pub(crate) mod opening;
pub(crate) mod panics;
pub(crate) mod reopen;
pub(crate) mod reserve;
pub(crate) mod who;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use redb::{ReadTransaction, ReadableDatabase as _, WriteTransaction};

use self::errors::opening;
use self::file::{check_magic, create_private_folder, open_private_file};
use self::handle::{Handle, Opener, Watch};
#[cfg(test)]
use self::health::Watched;
use self::named::Named;
#[cfg(test)]
use self::opening::builder;
use self::opening::{
    began, create_whole, in_force, open_as_it_is, open_for_writing, open_new, open_repaired,
    open_there, patiently, place_of,
};
use self::panics::{commit, guard, guard_opening};
use self::reserve::Reserve;
use crate::model::error::{Error, Result};
use crate::store::redb::pages::PageFile;
use crate::store::redb::upkeep::migrate;
use crate::store::{Mode, Options, callers};

/// The open database.
#[derive(Debug)]
pub(crate) struct Engine {
    path: PathBuf,
    /// The same file, whichever folder is the current one.
    pub(crate) place: PathBuf,
    /// With the mode that is in force.
    pub(crate) options: Options,
    pub(crate) database: RwLock<Handle>,
    pub(crate) watch: Watch,
    pub(crate) opener: Opener,
    /// The same file, below the engine; none where the storage is no file.
    pages: Option<PageFile>,
    /// Whether it is still there; none where the storage is no file.
    pub(crate) named: Option<Arc<Named>>,
    reserve: Reserve,
    /// Whether it was opened for writing: only then it has this version's format.
    is_writable: bool,
}

impl Engine {
    /// Opens a store for reading and writing; creates it if the file is not there or empty.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            create_private_folder(folder)?;
        }
        let place = place_of(path);
        let file = if !path.exists() && create_whole(path, options)? {
            // It was there: a file that is gone is not made anew.
            open_new(path, &place)?
        } else {
            open_private_file(path)?
        };
        let named = Arc::new(Named::of(&file, &place)?);
        let options = in_force(path, &file, options)?;
        let watch = Watch::default();
        // By its name for each try, since the engine keeps the handle that it was given: where the
        // file went meanwhile, `Gone` is the answer, and not that it cannot be opened.
        let open_again = |path: &Path, named: &Named| named.or_gone(open_there(path, true));
        let handle = patiently(&options, || {
            guard_opening(path, || {
                open_for_writing(open_again(path, &named)?, path, &options, &watch)
            })
        })?;
        let (again, as_before, still) = (place.clone(), options.clone(), Arc::clone(&named));
        let opener = Opener::new(move |watch| {
            open_for_writing(open_again(&again, &still)?, &again, &as_before, watch)
        });
        let engine = Self {
            path: path.to_owned(),
            pages: Some(named.or_gone(PageFile::open(path))?),
            named: Some(named),
            reserve: Reserve::of(&place),
            place,
            options,
            database: RwLock::new(handle),
            watch,
            opener,
            is_writable: true,
        };
        // Here too: one that was given up or deleted is to be there before the disk is full again.
        engine.keep_reserve();
        Ok(engine)
    }

    /// A store over any storage; of `path` only the size on disk is read.
    #[cfg(test)]
    pub(crate) fn over(
        path: &Path,
        storage: impl redb::StorageBackend + Clone,
        options: &Options,
    ) -> Result<Self> {
        let (place, as_before) = (path.to_owned(), options.clone());
        let opener = Opener::new(move |watch| {
            let database = builder(&as_before)
                .create_with_backend(Watched::new(storage.clone(), &watch.health))
                .map_err(opening(&place, &as_before))?;
            migrate::migrate(&place, &database, &as_before.stamps)?;
            Ok(Handle::Writer(database))
        });
        let watch = Watch::default();
        Ok(Self {
            path: path.to_owned(),
            place: place_of(path),
            options: options.clone(),
            pages: None,
            named: None,
            reserve: Reserve::none(),
            database: RwLock::new(opener.open(&watch)?),
            watch,
            opener,
            is_writable: true,
        })
    }

    /// Opens a store that is there for reading only; it is repaired first if it has to be.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<Self> {
        Self::reader(
            path,
            options,
            |place, options, watch| match open_as_it_is(place, options)? {
                Some(handle) => Ok(Some(handle)),
                None => open_repaired(place, options, watch).map(Some),
            },
        )?
        .ok_or_else(|| errors::failed("it has to be repaired"))
    }

    /// Opens a store that is there for reading only, and never writes to it: `None` if a crash has
    /// left it so that it has to be repaired first.
    pub(crate) fn open_unchanged(path: &Path, options: &Options) -> Result<Option<Self>> {
        Self::reader(path, options, |place, options, _| {
            open_as_it_is(place, options)
        })
    }

    /// A store to read, if this version can.
    fn reader(
        path: &Path,
        options: &Options,
        open: fn(&Path, &Options, &Watch) -> Result<Option<Handle>>,
    ) -> Result<Option<Self>> {
        let file = open_there(path, false)?;
        check_magic(path, &file, false)?;
        let options = in_force(path, &file, options)?;
        let (watch, place) = (Watch::default(), place_of(path));
        let opened = patiently(&options, || {
            guard_opening(path, || open(path, &options, &watch))
        })?;
        let Some(handle) = opened else {
            return Ok(None);
        };
        let named = Arc::new(Named::of(&open_there(path, false)?, &place)?);
        let (again, as_before, still) = (place.clone(), options.clone(), Arc::clone(&named));
        let opener = Opener::new(move |watch| {
            // It is opened by its name: another file under it would answer for this one.
            still.check()?;
            open(&again, &as_before, watch)?.ok_or_else(|| errors::failed("it has to be repaired"))
        });
        let engine = Self {
            path: path.to_owned(),
            pages: Some(named.or_gone(PageFile::open(path))?),
            named: Some(named),
            reserve: Reserve::none(),
            place,
            options,
            database: RwLock::new(handle),
            watch,
            opener,
            is_writable: false,
        };
        guard_opening(path, || migrate::check(path, &engine.begin_read()?))?;
        Ok(Some(engine))
    }

    /// The mode in force.
    pub(crate) fn mode(&self) -> Mode {
        self.options.mode
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file below the engine, if the storage is one.
    pub(crate) fn pages(&self) -> Option<&PageFile> {
        self.pages.as_ref()
    }

    fn handle(&self) -> RwLockReadGuard<'_, Handle> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A snapshot.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction> {
        self.begun(|| {
            let begun = match &*self.handle() {
                Handle::Writer(database) => database.begin_read(),
                Handle::Reader(database) => database.begin_read(),
                Handle::Closed => return Err(errors::failed("it is closed")),
            };
            begun.map_err(|error| self.beginning(error, "begin reading"))
        })
    }

    /// A write transaction; waits for the one that is open, in another process for as long as the
    /// options say.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction> {
        if !self.is_writable {
            return Err(self.read_only());
        }
        let txn = self.begun(|| match &*self.handle() {
            Handle::Writer(database) => database
                .begin_write()
                .map_err(|error| self.beginning(error, "begin writing")),
            Handle::Reader(_) => Err(self.read_only()),
            Handle::Closed => Err(errors::failed("it is closed")),
        })?;
        // The clock was asked below the database.
        callers::undisturbed()?;
        self.check_named()?;
        Ok(txn)
    }

    /// Checks that what is about to be written would be in the store of that name.
    fn check_named(&self) -> Result<()> {
        let (Some(named), Some(pages)) = (&self.named, &self.pages) else {
            return Ok(());
        };
        named.check()?;
        let checked = named.check_content(pages);
        if matches!(checked, Err(Error::Gone { .. })) {
            // Closing the database, too, would write into somebody else's.
            self.watch.health.abandon();
        }
        checked
    }

    /// Refuses every call once the file was seen to be somebody else's.
    pub(crate) fn check_ours(&self) -> Result<()> {
        match &self.named {
            Some(named) if self.watch.health.is_abandoned() => Err(named.overwritten()),
            _ => Ok(()),
        }
    }

    /// Commits a write transaction of this database.
    pub(crate) fn commit(&self, txn: WriteTransaction) -> Result<()> {
        // In the exclusive mode pages and header are written in any order: reads below the engine
        // wait.
        let _held = self.pages.as_ref().map(PageFile::committing);
        let committed = commit(txn);
        if matches!(committed, Err(Error::CommitUnknown { .. })) {
            // It may be on disk and not be shown until a writer has looked: then a read in between
            // would say that it is not there. Opening it again decides.
            self.watch.health.fail();
        }
        committed?;
        // Behind the commit as well: records in a file that lost its name meanwhile are found by
        // nobody.
        self.named.as_ref().map_or(Ok(()), |named| named.check())
    }

    /// Runs what frees space. If it finds the disk full, the space that is kept for it is given up, and
    /// it is run again.
    pub(crate) fn freeing<T>(&self, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        let done = work();
        if !matches!(&done, Err(error) if error.is_disk_full()) || !self.reserve.give_up() {
            return done;
        }
        let done = work();
        // Out of what was freed, so that the next full disk finds one.
        self.keep_reserve();
        done
    }

    /// Keeps space for what frees space.
    fn keep_reserve(&self) {
        if let Some(bytes) = self.pages.as_ref().and_then(|pages| pages.length().ok()) {
            self.reserve.keep(bytes);
        }
    }

    /// Closes the database, and says what dropping it would hide.
    pub(crate) fn close(mut self) -> Result<()> {
        let handle = self.take();
        let closing = opening(&self.place, &self.options);
        guard(|| match handle {
            Handle::Writer(database) => database.close().map_err(closing),
            Handle::Reader(database) => database.close().map_err(closing),
            Handle::Closed => Ok(()),
        })
    }

    fn take(&mut self) -> Handle {
        let handle = self.database.get_mut();
        let handle = handle.unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(handle, Handle::Closed)
    }

    /// Why a transaction did not begin.
    fn beginning(&self, error: redb::TransactionError, action: &'static str) -> Error {
        began(&self.place, &self.options, error, action)
    }

    /// What a writer hears of a store that is open for reading only.
    pub(crate) fn read_only(&self) -> Error {
        Error::ReadOnly {
            path: self.path.clone(),
        }
    }

    /// Bytes that the file takes on disk: less than its length where it has pages never written.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        let metadata = std::fs::metadata(&self.place).map_err(|source| Error::Io {
            action: "read the size of",
            path: self.path.clone(),
            source,
        })?;
        #[cfg(unix)]
        let bytes = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        #[cfg(not(unix))]
        let bytes = metadata.len();
        Ok(bytes)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // redb's own closing panics where a panic within it has poisoned a lock: of a store that is done with,
        // nobody could do anything about that.
        panics::quietly(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_waits_too_long_says_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let options = Options::default().with_lock_wait(std::time::Duration::from_millis(50));
        // Two handles on one file exclude each other like two processes.
        let (first, second) = (
            Engine::open(&path, &options).unwrap(),
            Engine::open(&path, &options).unwrap(),
        );
        let held = first.begin_write().unwrap();
        let Err(Error::Busy { reason }) = second.begin_write() else {
            panic!("two writers at a time");
        };
        let own = format!(
            "process {} has been writing to it for 0 s",
            std::process::id()
        );
        assert_eq!(reason, own);
        drop(held);
        second.begin_write().unwrap().commit().unwrap();
        drop((first, second));
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "the store alone: {left:?}");
    }
}
