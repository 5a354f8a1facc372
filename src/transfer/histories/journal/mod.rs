//! Rewrites one truncated history so that a crash at any moment neither brings removed lines back
//! nor hides live ones.
//!
//! A history is two files, and no order of two renames is right: with the new lines and the old
//! `skip`, live lines are hidden; with the new `skip` and the old lines, removed ones come back. So
//! a journal stands between, and every step is on disk before the next one begins:
//!
//! 1. With an archive: the journal says how long the archive's file is; the removed lines are
//!    appended to it.
//! 2. The remaining lines are written to a file of another name.
//! 3. The journal says what they are: their length and hash.
//! 4. The file of lines is replaced.
//! 5. The two numbers in the meta file are replaced.
//! 6. The journal is removed.
//!
//! What a crash leaves is put right at the beginning of the next run. Before step 4 nothing of the
//! history has changed: it is taken back. From step 4 on it is finished. Where the file of lines is
//! neither as it was nor as it was to be, nothing is touched, and it is reported.
//!
//! All of it, the meta file's first look and what a crash left too, is for whoever has the history's lock
//! alone. It is a file of its own: the others are renamed away.
//!
//! The folder may be somebody else's work. So a file in the making replaces what lies under its name
//! and follows no link, a meta file or journal that is no file of a likely size is not read, and
//! what a journal says of an archive is believed only of the archive that the caller names.

mod archived;

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use self::archived::Archived;
use super::history::{History, JOURNAL_SUFFIX, LOCK_SUFFIX, LineCount, Meta, count_lines};
use super::refusal::{Refusal, failed};
use crate::agents::parts::meta_file::META_ENDING;
use crate::system::is_same_file;
use crate::transfer::archive::ArchiveFile;
use crate::transfer::files::atomic::{self, append_private, create_private};
use crate::transfer::files::hash::hash_all;
use crate::transfer::files::open::open_regular;
use crate::transfer::files::paths;

/// What the name of the file with the remaining lines ends with.
const LINES_TEMPORARY: &str = ".jsonl.compact-new";

/// What the names of other files in the making end with.
const OTHER_TEMPORARY: &str = ".compact-new";

/// Longest meta file or journal that is read, in bytes.
const SMALL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is written down before a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    /// Lines are being appended to this archive, or have been.
    archive: Option<Archived>,
    /// The history is being replaced.
    replace: Option<Replaced>,
}

/// A history as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Replaced {
    /// The old `skip`.
    skip: u64,
    /// Length of the new lines.
    bytes: u64,
    /// Their hash, in hexadecimal digits.
    hash: String,
}

/// What a rewrite removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// Lines removed.
    pub lines: u64,
    /// Bytes of those, zero-length lines between them included.
    pub bytes: u64,
}

/// A rewrite that has been looked into: there are lines to remove.
#[derive(Debug)]
pub(super) struct Rewrite<'h> {
    history: &'h History,
    skip: u64,
    count: LineCount,
    lines: File,
    journal: Journal,
    /// The archive's file, which nobody else is at meanwhile.
    place: Option<ArchiveFile>,
}

impl<'h> Rewrite<'h> {
    /// Looks into a history that hides so many lines.
    pub(super) fn begin(history: &'h History, skip: u64) -> Result<Self, Refusal> {
        for path in [history.lines(), history.meta()] {
            let found = fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
            if !found.is_file() {
                return Err(format!(
                    "`{}` is a link or no file; left alone",
                    path.display()
                ));
            }
        }
        let path = history.lines();
        let lines = File::open(&path).map_err(failed("read", &path))?;
        let count = count_lines(&lines, skip).map_err(failed("read", &path))?;
        // The meta file may belong to other lines, or to later ones: nobody knows what is hidden.
        if count.lines < skip {
            let lines = count.lines;
            return Err(format!(
                "`skip` is {skip}, but there are {lines} lines; left alone"
            ));
        }
        Ok(Self {
            history,
            skip,
            count,
            lines,
            journal: Journal::default(),
            place: None,
        })
    }

    /// Does all steps.
    pub(super) fn run(mut self, archive: Option<&Path>) -> Result<Rewritten, Refusal> {
        if let Some(archive) = archive {
            self.archive(archive)?;
        }
        // After the archive: a line is there, on disk, before it leaves the history.
        self.write_remaining()?;
        self.replace_lines()?;
        finish(self.history, self.skip)?;
        Ok(Rewritten {
            lines: self.skip,
            bytes: self.count.cut,
        })
    }

    /// Step 1: appends what goes to the archive's file of the same name.
    fn archive(&mut self, archive: &Path) -> Result<(), Refusal> {
        let place = archived::claim(self.history, archive)?;
        let path = std::path::absolute(&place.lines).map_err(failed("find", &place.lines))?;
        // Kept to the end of the rewrite, with its lock: nobody appends in between.
        self.place = Some(place);
        let file = append_private(&path).map_err(failed("write", &path))?;
        let found = file.metadata().map_err(failed("look at", &path))?;
        let lines = self.lines.metadata().map_err(failed("look at", &path))?;
        if is_same_file(&found, &lines) {
            return Err("is the archive's file itself; name another folder".to_owned());
        }
        let bytes = found.len();
        self.journal.archive = Some(Archived {
            path: paths::to_bytes(&path),
            bytes,
        });
        // Before a byte is appended: after a crash the archive is cut to this length again.
        write_journal(self.history, &self.journal)?;
        self.append(&file, bytes).map_err(failed("write", &path))?;
        sync_folder(archive)
    }

    fn append(&mut self, mut archive: &File, bytes: u64) -> io::Result<()> {
        self.lines.seek(SeekFrom::Start(0))?;
        if bytes > 0 {
            let mut last = [0];
            archive.seek(SeekFrom::Start(bytes - 1))?;
            archive.read_exact(&mut last)?;
            // What somebody else left there may lack its end: these lines begin a line of their
            // own.
            if last != *b"\n" {
                archive.write_all(b"\n")?;
            }
        }
        let copied = io::copy(&mut (&self.lines).take(self.count.cut), &mut archive)?;
        if copied != self.count.cut {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the history got shorter",
            ));
        }
        archive.sync_all()
    }

    /// Steps 2 and 3: writes what stays to a file of another name, and the journal.
    fn write_remaining(&mut self) -> Result<(), Refusal> {
        let path = self.history.with(LINES_TEMPORARY);
        self.journal.replace = Some(self.copy_remaining(&path).map_err(failed("write", &path))?);
        // Before the journal tells of it: where that does and the file is not there, it counts as
        // renamed.
        sync_folder(&self.history.folder)?;
        write_journal(self.history, &self.journal)
    }

    fn copy_remaining(&mut self, path: &Path) -> io::Result<Replaced> {
        self.lines.seek(SeekFrom::Start(self.count.cut))?;
        let mut out = create_private(path)?;
        let mut hasher = Xxh3::new();
        let mut buffer = vec![0; 256 * 1024];
        let mut bytes = 0;
        // As far as was counted: what the agent appends meanwhile is noticed before the rename.
        let mut lines = (&self.lines).take(self.count.bytes - self.count.cut);
        loop {
            let read = lines.read(&mut buffer)?;
            let Some(content) = buffer.get(..read).filter(|content| !content.is_empty()) else {
                break;
            };
            hasher.update(content);
            out.write_all(content)?;
            bytes += content.len() as u64;
        }
        // The agent has to read and write it as before.
        out.set_permissions(self.lines.metadata()?.permissions())?;
        out.sync_all()?;
        let hash = format!("{:032x}", hasher.digest128());
        Ok(Replaced {
            skip: self.skip,
            bytes,
            hash,
        })
    }

    /// Step 4: replaces the file of lines, unless something was added to it meanwhile.
    fn replace_lines(&self) -> Result<(), Refusal> {
        let path = self.history.lines();
        let now = fs::metadata(&path).map_err(failed("look at", &path))?;
        let before = self.lines.metadata().map_err(failed("look at", &path))?;
        // An agent appends without a lock: what it wrote since the lines were counted would be
        // lost.
        if now.len() != self.count.bytes || !is_same_file(&now, &before) {
            take_back(self.history, &self.journal, self.place.as_ref())?;
            return Err("was written to meanwhile; left alone, try again".to_owned());
        }
        let temporary = self.history.with(LINES_TEMPORARY);
        fs::rename(&temporary, &path).map_err(failed("replace", &path))?;
        sync_folder(&self.history.folder)
    }
}

/// Puts right what a crash has left of an earlier rewrite. Returns whether there was anything.
/// `archive` is the folder for what this run removes.
pub(super) fn recover(history: &History, archive: Option<&Path>) -> Result<bool, Refusal> {
    let path = history.with(JOURNAL_SUFFIX);
    let text = match read_small(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A crash in step 2.
            return remove(&history.with(LINES_TEMPORARY));
        }
        Err(error) => return Err(failed("read", &path)(error)),
    };
    let journal: Journal = serde_json::from_slice(&text)
        .map_err(|error| format!("journal `{}` is damaged: {error}", path.display()))?;
    let made = history.with(LINES_TEMPORARY).exists();
    match &journal.replace {
        // The new lines have lost their other name: step 4 was done, and the rest goes on from
        // there.
        Some(replaced) if !made => {
            if !starts_with(&history.lines(), replaced.bytes, &replaced.hash)? {
                return Err(format!(
                    "journal `{}` is of a rewrite that was interrupted, but the lines are not \
                     those that it tells of; nothing was touched",
                    path.display()
                ));
            }
            finish(history, replaced.skip)?;
        }
        _ => {
            let place = archived::find(history, journal.archive.as_ref(), archive)?;
            take_back(history, &journal, place.as_ref())?;
        }
    }
    Ok(true)
}

/// Whether a history has nothing to be rewritten, and nothing that a run has left or is at: then it
/// needs no lock. `None` if that has to be looked into.
pub(super) fn at_rest(history: &History) -> Option<Resting> {
    let is_there = |suffix| history.with(suffix).symlink_metadata().is_ok();
    if [JOURNAL_SUFFIX, LINES_TEMPORARY, LOCK_SUFFIX]
        .into_iter()
        .any(is_there)
    {
        return None;
    }
    match hidden_lines(history) {
        Ok(None) => Some(Resting::Other),
        Ok(Some(0)) => Some(Resting::NothingHidden),
        Ok(Some(_)) | Err(_) => None,
    }
}

/// Why a history is left as it is.
pub(super) enum Resting {
    /// Its files are of another kind.
    Other,
    /// It hides no line.
    NothingHidden,
}

/// How many lines a history hides; `None` if the files are of another kind.
pub(super) fn hidden_lines(history: &History) -> Result<Option<u64>, Refusal> {
    Ok(read_meta(history)?.map(|(meta, _)| meta.skip))
}

/// Steps 5 and 6: with the new lines in place, makes the meta file say so.
fn finish(history: &History, skip: u64) -> Result<(), Refusal> {
    let path = history.lines();
    let lines = File::open(&path).map_err(failed("read", &path))?;
    let count = count_lines(&lines, 0).map_err(failed("read", &path))?.lines;
    if let Some((meta, text)) = read_meta(history)? {
        // Another `skip` is one that the agent has set since, for the lines that are there now.
        let skip = if meta.skip == skip { 0 } else { meta.skip };
        let text = meta.replace(&text, skip, count)?;
        write_file(
            &history.meta(),
            &history.with(format!("{META_ENDING}.compact-new")),
            text.as_bytes(),
        )?;
    }
    remove(&history.with(JOURNAL_SUFFIX))?;
    sync_folder(&history.folder)
}

/// Removes what steps 1 to 3 have made: the history itself has not changed.
fn take_back(
    history: &History,
    journal: &Journal,
    place: Option<&ArchiveFile>,
) -> Result<(), Refusal> {
    if let (Some(archived), Some(place)) = (&journal.archive, place) {
        archived::take_back(history, &place.lines, archived.bytes)?;
    }
    remove(&history.with(LINES_TEMPORARY))?;
    sync_folder(&history.folder)?;
    // Last: without it nobody would know that there is something to take back.
    remove(&history.with(JOURNAL_SUFFIX))?;
    sync_folder(&history.folder)
}

/// Whether a file starts with so many bytes of that hash.
fn starts_with(path: &Path, bytes: u64, hash: &str) -> Result<bool, Refusal> {
    let (read, found) = open_regular(path)
        .and_then(|file| hash_all(file.take(bytes)))
        .map_err(failed("read", path))?;
    Ok(read == bytes && format!("{found:032x}") == hash)
}

/// The numbers of a meta file, and its text; `None` if it is of another kind.
fn read_meta(history: &History) -> Result<Option<(Meta, String)>, Refusal> {
    let path = history.meta();
    let text = read_small(&path).map_err(failed("read", &path))?;
    let damaged = |reason: String| format!("`{}` is damaged: {reason}", path.display());
    let text = String::from_utf8(text).map_err(|error| damaged(error.to_string()))?;
    Ok(Meta::parse(&text)
        .map_err(damaged)?
        .map(|meta| (meta, text)))
}

/// All of a small file. What is none (a pipe, a device) may never end.
fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    open_regular(path)?
        .take(SMALL_BYTES_MAX + 1)
        .read_to_end(&mut text)?;
    if text.len() as u64 > SMALL_BYTES_MAX {
        let reason = format!("it has more than {SMALL_BYTES_MAX} bytes, the limit");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

fn write_journal(history: &History, journal: &Journal) -> Result<(), Refusal> {
    let text = serde_json::to_vec(journal).map_err(|error| error.to_string())?;
    let temporary = history.with([JOURNAL_SUFFIX, OTHER_TEMPORARY].concat());
    write_file(&history.with(JOURNAL_SUFFIX), &temporary, &text)
}

/// Writes a file whole: under another name first, then renamed, then the folder is synced. It
/// keeps the permissions of the file that it replaces.
fn write_file(path: &Path, temporary: &Path, content: &[u8]) -> Result<(), Refusal> {
    let write = || -> io::Result<()> {
        let mut file = create_private(temporary)?;
        file.write_all(content)?;
        if let Ok(replaced) = fs::metadata(path) {
            file.set_permissions(replaced.permissions())?;
        }
        file.sync_all()?;
        fs::rename(temporary, path)
    };
    write().map_err(failed("write", path))?;
    sync_folder(path.parent().unwrap_or(path))
}

/// Removes a file. Returns whether it was there.
fn remove(path: &Path) -> Result<bool, Refusal> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("remove", path)(error)),
    }
}

/// Makes the names in a folder durable, where the system can.
fn sync_folder(folder: &Path) -> Result<(), Refusal> {
    atomic::sync_folder(folder).map_err(failed("sync", folder))
}

#[cfg(test)]
mod tests;
