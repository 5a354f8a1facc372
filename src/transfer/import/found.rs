//! A file that was found, before anybody opens it.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that may be a session or lie beside one.
#[derive(Clone, Debug)]
pub(super) struct FoundFile {
    /// Its canonical path.
    pub path: PathBuf,
    /// The path under which it was found, if that is another one.
    pub link: Option<PathBuf>,
    /// Its place below the folder that was named, as bytes.
    pub relative: Vec<u8>,
    /// Its size in bytes.
    pub size: u64,
    /// Its last change, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its number in its file system; 0 where there is none.
    pub inode: u64,
    /// When anything of it changed last, in nanoseconds since 1970; 0 where that is not known.
    pub changed_ns: i64,
    /// Whether it was named itself.
    pub named: bool,
    /// Whether it is an older content, by the list of an export.
    pub is_older: bool,
}

impl FoundFile {
    /// The path by whose names the file is recognised.
    pub(super) fn name_path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }
}

/// Time of a file's last change in nanoseconds since 1970; 0 where there is none.
pub(super) fn mtime_ns(metadata: &Metadata) -> i64 {
    let nanoseconds = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    };
    metadata.modified().map_or(0, nanoseconds)
}

/// Why a file or folder is left out.
pub(super) fn cannot_read(error: Option<&io::Error>) -> String {
    error.map_or_else(
        || "cannot be read".to_owned(),
        |error| format!("cannot be read: {error}"),
    )
}
