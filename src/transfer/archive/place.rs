//! Which file of an archive is whose: `NAME.jsonl`, or `NAME~2.jsonl` and so on where that is
//! somebody else's. A note beside each file says whose it is, and stays as long as the file. It must
//! not know which lines are written.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::note::{Note, Owner, invalid};
use crate::agents::parts::meta_file::META_ENDING;
use crate::model::error::{Error, Result};
use crate::transfer::files::lock::Lock;
use crate::transfer::files::paths;

/// How long one run waits for another one that is at the same file.
const WAIT: Duration = Duration::from_secs(60);

/// A file of an archive, and the lock that nobody else is at it.
#[derive(Debug)]
pub(in crate::transfer) struct ArchiveFile {
    /// The file with the lines.
    pub lines: PathBuf,
    /// The file of its note.
    pub(super) note: PathBuf,
    /// What the note says, if there is one yet.
    pub(super) found: Option<Note>,
    _lock: Lock,
}

impl ArchiveFile {
    /// Finds an owner's file of a name in a folder, or the one that it gets: the first that is
    /// nobody's. A file of before there were notes is taken by the first run that comes.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another process is at it; [`Error::Io`].
    pub(in crate::transfer) fn of(folder: &Path, name: &OsStr, owner: &Owner) -> Result<Self> {
        for number in 1..=u32::MAX {
            let stem = stem(name, number);
            let note = folder.join(with(&stem, ".note"));
            let is_others =
                |note: &Option<Note>| note.as_ref().is_some_and(|note| !note.owner.is(owner));
            // Whose it is never changes, so for a look the lock is not needed.
            if is_others(&Note::read(&note)?) {
                continue;
            }
            let lines = folder.join(with(&stem, ".jsonl"));
            let what = format!("the archive `{}`", lines.display());
            let lock = Lock::take(&folder.join(with(&stem, ".lock")), &what, WAIT)?;
            // Read again under the lock: another run may have claimed the name meanwhile.
            let found = Note::read(&note)?;
            if is_others(&found) {
                continue;
            }
            if found.is_none() && lines.symlink_metadata().is_ok() {
                // A file of before there were notes had no number, so this one is somebody's own.
                if number > 1 {
                    continue;
                }
                check_no_history(folder, &stem)?;
            }
            return Ok(Self {
                lines,
                note,
                found,
                _lock: lock,
            });
        }
        Err(Error::Io {
            action: "find a free name in the archive",
            path: folder.join(name),
            source: io::ErrorKind::AlreadyExists.into(),
        })
    }

    /// Whether a folder has a note for a name.
    pub(super) fn is_noted(folder: &Path, name: &OsStr) -> bool {
        let note = folder.join(with(&stem(name, 1), ".note"));
        fs::symlink_metadata(note).is_ok()
    }

    /// Notes whose file it is, if that is not noted.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(in crate::transfer) fn claim(&mut self, owner: &Owner) -> Result<()> {
        if self.found.is_none() {
            let note = Note::new(owner, None);
            note.write(&self.note)?;
            self.found = Some(note);
        }
        Ok(())
    }
}

/// Whether a file has a name that [`ArchiveFile::of`] gives for this one.
pub(in crate::transfer) fn is_named(lines: &Path, name: &OsStr) -> bool {
    let found = stem_of(lines).map(|stem| paths::to_bytes(&stem));
    let name = paths::to_bytes(Path::new(name));
    let Some(rest) = found
        .as_ref()
        .and_then(|found| found.strip_prefix(name.as_slice()))
    else {
        return false;
    };
    let digits = rest.strip_prefix(b"~").unwrap_or_default();
    rest.is_empty() || (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// A file that an agent's program goes on with is no archive.
fn check_no_history(folder: &Path, stem: &OsStr) -> Result<()> {
    let meta = folder.join(with(stem, META_ENDING));
    if fs::symlink_metadata(&meta).is_err() {
        return Ok(());
    }
    Err(Error::Io {
        action: "write an archive beside",
        path: meta,
        source: invalid("the folder has histories that are in use; name another folder"),
    })
}

/// The name of a file of lines, without what it ends with.
fn stem_of(lines: &Path) -> Option<PathBuf> {
    let name = paths::to_bytes(Path::new(lines.file_name()?));
    name.strip_suffix(b".jsonl").map(paths::from_bytes)
}

fn stem(name: &OsStr, number: u32) -> OsString {
    let mut stem = name.to_owned();
    if number > 1 {
        stem.push(format!("~{number}"));
    }
    stem
}

fn with(stem: &OsStr, suffix: &str) -> OsString {
    let mut name = stem.to_owned();
    name.push(suffix);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_are_told_from_those_of_another() {
        let name = OsStr::new("a.b");
        for (file, is) in [
            ("x/a.b.jsonl", true),
            ("a.b~2.jsonl", true),
            ("a.b~.jsonl", false),
            ("a.b~x.jsonl", false),
            ("a.jsonl", false),
            ("a.bc.jsonl", false),
        ] {
            assert_eq!(is_named(Path::new(file), name), is, "{file}");
        }
    }
}
