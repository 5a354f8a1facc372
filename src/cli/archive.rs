//! Where `compact --archive` puts the lines that it removes: one JSONL file a session, private,
//! appended to and on disk before anything is removed.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::key::SessionKey;

/// Longest file name made of an id, in bytes; file systems take 255.
const NAME_BYTES_MAX: usize = 200;

/// The archive file of one session. It is made when the first byte comes; `flush` returns when
/// all of it is on disk.
#[derive(Debug)]
pub(crate) struct ArchiveFile {
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
    pub(crate) fn new(folder: &Path, key: &SessionKey) -> Self {
        let path = folder
            .join(key.agent())
            .join(format!("{}.jsonl", file_name(key.id())));
        Self { path, opened: None }
    }

    /// Ends a compaction that succeeded.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be made sure that the lines are on disk.
    pub(crate) fn keep(mut self) -> Result<()> {
        self.flush().map_err(|source| self.failed("write", source))
    }

    /// Ends a compaction that failed and removed nothing: takes back what was written, so that
    /// the next try does not write it twice.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if that fails; the archive then has lines that are still in the store.
    pub(crate) fn take_back(self) -> Result<()> {
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
    make_folder(folder)?;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let bytes_before = file.metadata()?.len();
    // The file's name has to survive as well as its content.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(Opened { file, bytes_before })
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file name for an id: other bytes than letters, digits, `-`, `_` and inner dots are
/// percent-encoded; a long name is cut and gets the id's hash.
fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (index, byte) in id.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && index > 0) {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    if name.len() > NAME_BYTES_MAX {
        name.truncate(NAME_BYTES_MAX);
        let _ = write!(name, "~{:016x}", xxhash_rust::xxh3::xxh3_64(id.as_bytes()));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_leads_nowhere_else() {
        assert_eq!(file_name("0199aaaa-bbbb"), "0199aaaa-bbbb");
        assert_eq!(file_name("../x"), "%2E.%2Fx");
        assert_eq!(file_name("telegram:1%"), "telegram%3A1%25");
        let (one, other) = ("a".repeat(1000), "a".repeat(1001));
        assert_ne!(file_name(&one), file_name(&other));
        assert!(file_name(&"é".repeat(500)).len() <= 255 - ".jsonl".len());
    }

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
