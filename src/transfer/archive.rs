//! Compaction with an archive: the lines that go are first appended to one JSONL file a session,
//! private, and on disk before anything is removed. Links in the archive are not followed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files::atomic::{append_private, make_private, private_folder};
use super::files::paths::file_safe;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{Compacted, Store};

/// Removes for good what is hidden of a session, as [`Store::compact`] does, and first appends the
/// lines that go to `folder/<agent>/<id>.jsonl`, a file that only its owner can read. In the file's
/// name, whatever is neither a letter, a digit nor one of `._-` is percent-encoded.
///
/// ```
/// use scrollback::{MemoryStore, Message, Role, Session, Store, StoreExt, compact_archived};
///
/// let folder = tempfile::tempdir()?;
/// let store = MemoryStore::default();
/// let mut session = Session::native("chat-1")?;
/// store.append_message(&mut session, Message::text(Role::User, "hello"))?;
/// store.truncate(&session.key, 0)?;
/// let removed = compact_archived(&store, &session.key, None, folder.path())?;
/// assert_eq!(removed.messages, 1);
/// assert!(folder.path().join("native/chat-1.jsonl").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
///
/// The archive is on disk before anything is removed. If the compaction fails, the lines are taken
/// out of the archive again; after [`Error::CommitUnknown`] they stay there, since they may be gone
/// from the store.
///
/// # Errors
///
/// Those of [`Store::compact`]; [`Error::Io`] with the archive's file if that cannot be written:
/// then nothing was removed.
pub fn compact_archived(
    store: &dyn Store,
    key: &SessionKey,
    through: Option<u64>,
    folder: &Path,
) -> Result<Compacted> {
    let mut file = ArchiveFile::new(folder, key);
    match store.compact(key, through, Some(&mut file)) {
        Ok(removed) => file.keep().map(|()| removed),
        // They may be gone from the store: the archive is all there is.
        Err(error @ Error::CommitUnknown { .. }) => Err(error),
        Err(error) => {
            let path = file.path.clone();
            // The first error is the one to tell.
            drop(file.take_back());
            Err(match error {
                Error::Output { source } => Error::Io {
                    action: "write",
                    path,
                    source,
                },
                other => other,
            })
        }
    }
}

/// The archive file of one session. It is made when the first byte comes; `flush` returns when
/// all of it is on disk.
#[derive(Debug)]
struct ArchiveFile {
    path: PathBuf,
    opened: Option<Opened>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    bytes_before: u64,
}

impl ArchiveFile {
    /// The file for a session below `folder`.
    fn new(folder: &Path, key: &SessionKey) -> Self {
        let path = folder
            .join(key.agent())
            .join(format!("{}.jsonl", file_safe(key.id())));
        Self { path, opened: None }
    }

    /// Ends a compaction that succeeded.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be made sure that the lines are on disk.
    fn keep(mut self) -> Result<()> {
        self.flush().map_err(|source| self.failed("write", source))
    }

    /// Ends a compaction that failed and removed nothing: takes back what was written, so that
    /// the next try does not write it twice.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if that fails; the archive then has lines that are still in the store.
    fn take_back(self) -> Result<()> {
        match &self.opened {
            Some(opened) => opened
                .file
                .set_len(opened.bytes_before)
                .map_err(|source| self.failed("shorten", source)),
            None => Ok(()),
        }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Error {
        Error::Io {
            action,
            path: self.path.clone(),
            source,
        }
    }

    fn file(&mut self) -> io::Result<&mut File> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => open(&self.path)?,
        };
        Ok(&mut self.opened.insert(opened).file)
    }
}

impl Write for ArchiveFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.opened {
            Some(opened) => opened.file.sync_all(),
            None => Ok(()),
        }
    }
}

fn open(path: &Path) -> io::Result<Opened> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private(folder.parent().unwrap_or(Path::new(".")), true)?;
    private_folder(folder)?;
    let file = append_private(path)?;
    let bytes_before = file.metadata()?.len();
    // The file's name has to survive as well as its content.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(Opened { file, bytes_before })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_appended_to_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = SessionKey::native("a/b").unwrap();
        let path = folder.path().join("deep/native/a%2Fb.jsonl");
        for line in ["one\n", "two\n"] {
            let mut archive = ArchiveFile::new(&folder.path().join("deep"), &key);
            archive.write_all(line.as_bytes()).unwrap();
            archive.keep().unwrap();
        }
        let mut failed = ArchiveFile::new(&folder.path().join("deep"), &key);
        failed.write_all(b"three\n").unwrap();
        failed.take_back().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            let folder = path.parent().unwrap();
            assert_eq!(
                fs::metadata(folder).unwrap().permissions().mode() & 0o777,
                0o700
            );
        }
    }

    #[test]
    fn a_session_that_loses_nothing_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = SessionKey::native("a").unwrap();
        ArchiveFile::new(folder.path(), &key).keep().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
