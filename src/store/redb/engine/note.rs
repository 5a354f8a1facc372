//! A small file beside the store that names the process that writes to it: only a hint for the
//! error of one that waited too long, and never read for anything else.
//!
//! - It is made by the first write, for the owner alone, and removed when the store is closed. A
//!   process that was killed leaves it; it may be deleted at any time.
//! - What it says is not believed further than the process can be seen: it may be an old one.
//! - Its content is not made durable. Where it cannot be written the hint is missing, and nothing
//!   else is.
//! - Whatever else lies under its name (a link, a pipe, somebody's file) is neither followed nor
//!   touched.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::store::callers::theirs;
use crate::store::{Options, Stamps};
use crate::system::{has_one_name, is_gone, is_same_file, private};

/// The length of the file.
const BYTES: u64 = 28;

/// The file that names who writes.
#[derive(Debug)]
pub(crate) struct Note {
    path: PathBuf,
    stamps: Stamps,
    file: Option<File>,
    /// There is to be none, or something is in its way: not tried again.
    given_up: bool,
}

impl Note {
    /// The note of the store at `path`. Nothing is written yet.
    pub(crate) fn of(store: &Path, options: &Options) -> Self {
        Self {
            path: path_of(store),
            stamps: options.stamps.clone(),
            file: None,
            given_up: false,
        }
    }

    /// The note of a file that nobody else knows yet: there is none.
    pub(crate) fn none(store: &Path, options: &Options) -> Self {
        Self {
            given_up: true,
            ..Self::of(store, options)
        }
    }

    /// Names this process. What fails here is only missed in an error of somebody else.
    pub(crate) fn write(&mut self) {
        // Written into a file without a name, nobody would read it.
        if self.file.as_ref().is_some_and(is_deleted) {
            self.file = None;
        }
        if self.file.is_none() && !self.given_up {
            self.file = open(&self.path, true).ok();
            self.given_up = self.file.is_none();
        }
        if let Some(file) = &self.file {
            // Its panic ends the call that this is in.
            let since = theirs(|| (self.stamps.clock)().timestamp_millis()).unwrap_or_default();
            let text = format!("{:>10} {since:>16}\n", std::process::id());
            let _missed = write_at_start(file, text.as_bytes());
        }
    }

    /// Removes the file if it names this process still.
    pub(crate) fn remove(&mut self) {
        // Another process may have written since: its note stays, for those who wait for it.
        if self.file.take().is_some_and(|file| !is_deleted(&file))
            && read(&self.path).is_ok_and(|(pid, _)| pid == std::process::id())
        {
            let _left = std::fs::remove_file(&self.path);
        }
    }
}

/// What a process is in the way with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// It writes.
    Writer,
    /// It has the store for itself.
    Store,
}

/// Who seems to be in the way, and since when, in words. A note outlives a process that was killed,
/// and one that may not write it leaves that of somebody else: it is believed only as far as the
/// process it names can be seen.
pub(crate) fn holder(store: &Path, holds: Holds, options: &Options) -> String {
    let (does, has_done) = match holds {
        Holds::Writer => ("is writing to it", "has been writing to it for"),
        Holds::Store => ("has it open", "has had it open for at least"),
    };
    match read(&path_of(store)) {
        Ok((pid, _)) if is_gone(pid) => format!(
            "another process {does}; the last one that is known to have, {pid}, is not to be seen \
             here"
        ),
        Ok((pid, since)) => {
            let now = theirs(|| (options.stamps.clock)().timestamp_millis()).unwrap_or_default();
            let seconds = now.saturating_sub(since).max(0) / 1000;
            format!("process {pid} {has_done} {seconds} s")
        }
        Err(_) => format!("another process {does}"),
    }
}

/// Beside the file itself, whatever link leads to it, and whichever folder is the current one later.
fn path_of(store: &Path) -> PathBuf {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut name = OsString::from(store);
    name.push("-writer");
    PathBuf::from(name)
}

/// The process that a note names, and since when.
fn read(path: &Path) -> io::Result<(u32, i64)> {
    words(&open(path, false)?)?.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// What a file says if it is a note; `None` if it is empty.
fn words(file: &File) -> io::Result<Option<(u32, i64)>> {
    let mut text = String::new();
    file.take(BYTES + 1).read_to_string(&mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    let since = words.next().and_then(|word| word.parse().ok());
    match (pid, since, words.next()) {
        (Some(pid), Some(since), None) if text.len() as u64 == BYTES => Ok(Some((pid, since))),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Opens a note, and nothing else that may lie there.
fn open(path: &Path, for_writing: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(for_writing);
    let there = match std::fs::symlink_metadata(path) {
        Ok(there) if is_plain(&there) => Some(there),
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if for_writing && error.kind() == io::ErrorKind::NotFound => {
            // Fails where something has come there meanwhile, even a link.
            private(options.create_new(true));
            None
        }
        Err(error) => return Err(error),
    };
    let file = options.open(path)?;
    if let Some(there) = there {
        // Something else may have got the name between the look and the opening.
        if !is_same_file(&there, &file.metadata()?) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // A file of somebody else, however small, is not to be written over.
        words(&file)?;
    }
    io::Seek::rewind(&mut &file)?;
    Ok(file)
}

/// Whether it can be a note: a file under one name.
fn is_plain(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.len() <= BYTES && has_one_name(metadata)
}

/// Whether somebody deleted it meanwhile: another process that closed the store, say.
fn is_deleted(file: &File) -> bool {
    #[cfg(unix)]
    let links = |metadata: Metadata| std::os::unix::fs::MetadataExt::nlink(&metadata);
    #[cfg(not(unix))]
    let links = |_: Metadata| 1;
    file.metadata().map_or(0, links) == 0
}

#[cfg(unix)]
fn write_at_start(file: &File, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    io::Seek::rewind(&mut file)?;
    io::Write::write_all(&mut file, bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const UNKNOWN: &str = "another process is writing to it";

    fn store() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("s.redb");
        let note = folder.path().join("s.redb-writer");
        (folder, store, note)
    }

    #[test]
    fn a_note_names_who_writes_and_goes_with_the_last_one() {
        let (_folder, store, path) = store();
        let options = Options::default();
        let own = format!(
            "process {} has been writing to it for 0 s",
            std::process::id()
        );
        let (mut first, mut second) = (Note::of(&store, &options), Note::of(&store, &options));
        assert!(!path.exists(), "made by the first write");
        first.write();
        assert_eq!(fs::metadata(&path).unwrap().len(), BYTES);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode;
            assert_eq!(
                mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
                0o600
            );
        }
        second.write();
        assert_eq!(holder(&store, Holds::Writer, &options), own);
        first.remove();
        assert!(!path.exists());
        second.write();
        assert_eq!(holder(&store, Holds::Writer, &options), own, "made anew");
        second.remove();
        assert!(!path.exists());
    }

    #[test]
    fn a_note_that_names_somebody_else_stays() {
        let (_folder, store, path) = store();
        let mut note = Note::of(&store, &Options::default());
        note.write();
        // More than any system gives out.
        let other = format!("{:>10} {:>16}\n", u32::MAX, 5);
        fs::write(&path, &other).unwrap();
        note.remove();
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
        #[cfg(target_os = "linux")]
        for (holds, words) in [
            (Holds::Writer, "another process is writing to it; the last"),
            (Holds::Store, "another process has it open; the last"),
        ] {
            let said = holder(&store, holds, &Options::default());
            assert!(
                said.starts_with(words) && said.contains("4294967295, is not"),
                "{said}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_else_lies_there_is_neither_followed_nor_touched() {
        let (folder, store, path) = store();
        let options = Options::default();
        let precious = folder.path().join("precious");
        let names_one = format!("{:>10} {:>16}\n", 1, 5);
        let long = "not a note, and longer than one is";
        for text in ["", "short", long, names_one.as_str()] {
            for kind in ["link", "second name", "file"] {
                fs::write(&precious, text).unwrap();
                match kind {
                    "link" => std::os::unix::fs::symlink(&precious, &path).unwrap(),
                    "second name" => fs::hard_link(&precious, &path).unwrap(),
                    _ if text == "short" || text == long => fs::write(&path, text).unwrap(),
                    _ => continue,
                }
                let mut note = Note::of(&store, &options);
                note.write();
                note.remove();
                assert_eq!(fs::read_to_string(&path).unwrap(), text, "{kind}");
                assert_eq!(fs::read_to_string(&precious).unwrap(), text, "{kind}");
                assert_eq!(holder(&store, Holds::Writer, &options), UNKNOWN, "{kind}");
                fs::remove_file(&path).unwrap();
            }
        }
        // A link to nothing makes nothing.
        let nothing = folder.path().join("nothing");
        std::os::unix::fs::symlink(&nothing, &path).unwrap();
        Note::of(&store, &options).write();
        assert!(!nothing.exists());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        Note::of(&store, &options).write();
        assert_eq!(holder(&store, Holds::Writer, &options), UNKNOWN);
    }
}
