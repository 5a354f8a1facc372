//! A copy's file: made under a hidden name beside the one that it is to have, private to its
//! owner, verified and flushed, and only then given its name.
//!
//! Whatever stops this leaves at most the hidden file. The next copy to the same folder removes
//! those that nobody writes to any longer.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use redb::ReadTransaction;
use tempfile::NamedTempFile;

use super::copy::{CopyInto, copy};
use super::scrub_due as scrub;
use crate::model::error::{Error, Result};
use crate::store::Watcher;
use crate::store::copies::Existing;
use crate::store::redb::engine::Engine;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::file::{folder_of, sync_folder};
use crate::store::redb::engine::handle::Watch;
use crate::store::redb::engine::opening;
use crate::store::redb::engine::panics::{commit, guard};
use crate::store::redb::tables::row_counts::ReadCounts;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::redb::upkeep::migrate;
use crate::store::redb::upkeep::verify::depth::Depth;
use crate::store::redb::upkeep::verify::slices;
use crate::store::{Mode, Options, VerifyReport};

/// How the name of a file that is being made starts.
const PREFIX: &str = ".scrollback-";

/// How it ends.
const SUFFIX: &str = ".copy";

/// A file that nobody has written to for so long is abandoned, if nobody has it locked.
const ABANDONED_AFTER: Duration = Duration::from_secs(600);

/// What kind of copy is made.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'k> {
    /// Of the store: in the store's own format.
    Backup,
    /// Of a backup, whose path this is: in this version's format.
    Restore(&'k Path),
    /// Of the store, to take its place: it owes no scrub any more.
    Scrub,
}

/// A copy that is whole and on disk, and has no name yet.
pub(crate) struct CopyFile {
    file: NamedTempFile,
    /// What it holds.
    pub report: VerifyReport,
}

impl CopyFile {
    /// Makes a copy of all that a snapshot sees, to be named `path`.
    pub(crate) fn make(
        from: ReadTransaction,
        path: &Path,
        kind: Kind<'_>,
        options: &Options,
        progress: &mut Watcher<'_>,
    ) -> Result<Self> {
        remove_abandoned(folder_of(path), options);
        let file = new_file(path)?;
        let writing = |source| io_error("write", path, source);
        // Nobody else knows of it: one flush a commit is enough.
        let options = options.clone().with_mode(Mode::Exclusive);
        guard(|| fill(&file, from, kind, &options, progress)).map_err(no_commit)?;
        // Read again as it lies in the file: what memory had may not be what was written.
        let report = verified(file.path(), &options, progress)?;
        if let Some(problem) = report.problems.first() {
            let damage = Error::Corrupt {
                table: problem.table,
                key: problem.key.clone(),
                detail: problem.detail.clone(),
            };
            return Err(match kind {
                Kind::Backup | Kind::Scrub => damage,
                Kind::Restore(backup) => crate::store::redb::copies::copy::damaged(backup, damage),
            });
        }
        // Before the name is given: a name on disk must not lead to content that is not.
        file.as_file().sync_all().map_err(writing)?;
        Ok(Self { file, report })
    }

    /// Gives it the mode of a file that it is to take the place of.
    pub(crate) fn like(&self, other: &Path) -> Result<()> {
        let mode = fs::metadata(other).map(|found| found.permissions());
        mode.and_then(|mode| self.file.as_file().set_permissions(mode))
            .map_err(|source| io_error("write", other, source))
    }

    /// Gives it its name, durably.
    pub(crate) fn name(self, path: &Path, existing: Existing) -> Result<File> {
        let named = match existing {
            // The system asks again: since the target was looked at a file may have come there.
            Existing::Refuse => self.file.persist_noclobber(path),
            Existing::Replace => self.file.persist(path),
        };
        let file = named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => Error::FileExists {
                path: path.to_owned(),
            },
            _ => io_error("name the new file", path, error.error),
        })?;
        sync_folder(path)?;
        Ok(file)
    }
}

/// The hidden files of copies in a folder.
pub(crate) fn hidden_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let hidden = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    });
    hidden.map(|entry| entry.path()).collect()
}

/// A new private file beside `path`.
pub(crate) fn new_file(path: &Path) -> Result<NamedTempFile> {
    let folder = folder_of(path);
    let making = |source| io_error("make a file in", folder, source);
    if !fs::metadata(folder).map_err(making)?.is_dir() {
        return Err(making(io::ErrorKind::NotADirectory.into()));
    }
    // Private to its owner, whatever the umask, as all files that tempfile makes.
    tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .tempfile_in(folder)
        .map_err(making)
}

fn fill(
    file: &NamedTempFile,
    from: ReadTransaction,
    kind: Kind<'_>,
    options: &Options,
    progress: &mut Watcher<'_>,
) -> Result<()> {
    let handle = file.as_file().try_clone();
    let handle = handle.map_err(|source| io_error("write", file.path(), source))?;
    let mut database = opening::create(handle, file.path(), options, &Watch::of_new())?;
    let backup = match kind {
        Kind::Backup | Kind::Scrub => None,
        Kind::Restore(backup) => Some(backup),
    };
    copy(&from, CopyInto::Database(&database), backup, progress)?;
    // The snapshot of the source is held no longer than the copy needs it: it keeps freed pages
    // there.
    drop(from);
    if !matches!(kind, Kind::Backup) {
        let txn = database.begin_write().map_err(storage("begin writing"))?;
        match kind {
            Kind::Scrub => scrub::note_done(&txn)?,
            _ => migrate::migrate_within(&txn, &options.stamps)?,
        }
        commit(txn)?;
    }
    // A compaction moves what it can in one go; another one goes on, until nothing is left to move.
    while database
        .compact()
        .map_err(storage("make the copy compact"))?
    {}
    database.close().map_err(storage("close the copy"))
}

/// Verifies a copy.
fn verified(path: &Path, options: &Options, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
    let engine = Engine::open_read_only(path, options)?;
    let counts = ReadCounts::default();
    guard(|| {
        let snapshot = Snapshot::new(engine.begin_read()?, &counts, engine.pages());
        verify_snapshot(&snapshot, progress)
    })
}

/// Verifies what a snapshot sees.
pub(crate) fn verify_snapshot(
    snapshot: &Snapshot<'_>,
    progress: &mut Watcher<'_>,
) -> Result<VerifyReport> {
    slices::verify(snapshot, Depth::Plain, progress)
}

/// A commit that failed in a file without a name left nothing that counts.
fn no_commit(error: Error) -> Error {
    match error {
        Error::CommitUnknown { source } => Error::Storage {
            action: "write the copy",
            source,
        },
        error => error,
    }
}

/// Removes what copies that were killed have left in a folder. What cannot be removed stays: it is
/// in nobody's way.
fn remove_abandoned(folder: &Path, options: &Options) {
    // By a clock that stands before 1970 nothing is old.
    let Ok(now) = options.stamps.now() else {
        return;
    };
    let now = Duration::from_micros(now.timestamp_micros().unsigned_abs());
    for path in hidden_in(folder) {
        let _left = remove_if_abandoned(&path, now);
    }
}

fn remove_if_abandoned(path: &Path, now: Duration) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    let written = found.modified()?.duration_since(UNIX_EPOCH);
    let written = written.map_err(io::Error::other)?;
    if !found.is_file() || now.saturating_sub(written) < ABANDONED_AFTER {
        return Ok(());
    }
    // A process that still works on it has it locked.
    let file = File::open(path)?;
    if file.try_lock().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Checks where a new file is to go, before anything is written. `store` must not be that file.
pub(crate) fn check_target(
    path: &Path,
    existing: Existing,
    store: Option<&Path>,
    options: &Options,
) -> Result<()> {
    let refused = |kind, reason: &str| {
        let source = io::Error::new(kind, reason.to_owned());
        Err(io_error("write", path, source))
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io_error("write", path, source)),
    };
    if found.is_dir() {
        return refused(io::ErrorKind::IsADirectory, "it is a folder");
    }
    // A rename would take the link's place, and leave the file that it leads to.
    if found.is_symlink() {
        let reason = "it is a link: name the file that it leads to, or another one";
        return refused(io::ErrorKind::InvalidInput, reason);
    }
    if !found.is_file() {
        return refused(io::ErrorKind::InvalidInput, "it is no regular file");
    }
    if let Some(store) = store
        && is_same_file(path, store)
    {
        return refused(io::ErrorKind::InvalidInput, "it is the store itself");
    }
    if existing == Existing::Refuse {
        return Err(Error::FileExists {
            path: path.to_owned(),
        });
    }
    // Whoever has a store open there would go on writing into a file without a name.
    let options = options.clone().with_mode(Mode::Exclusive);
    match Engine::open_unchanged(path, &options) {
        Err(error @ Error::Locked { .. }) => Err(error),
        // A damaged store, or what is none, may be replaced.
        _ => Ok(()),
    }
}

/// Whether two paths lead to the same file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use crate::system::FileId;
        matches!((FileId::at(one), FileId::at(other)), (Ok(one), Ok(other)) if one == other)
    }
    #[cfg(not(unix))]
    {
        let real = |path: &Path| path.canonicalize();
        matches!((real(one), real(other)), (Ok(one), Ok(other)) if one == other)
    }
}

/// An error of a file, by its path.
pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
