//! Files that are there whole or not at all: written under another name in the same folder, then
//! renamed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::paths;
use crate::error::{Error, Result};

/// A folder that an export writes to. Nothing is written outside of it: links within it are not
/// followed.
#[derive(Debug)]
pub(super) struct ExportFolder {
    root: PathBuf,
    ready: HashSet<PathBuf>,
}

impl ExportFolder {
    /// Opens a folder, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(super) fn open(root: &Path) -> Result<Self> {
        make_private(root, true).map_err(io_error("make the folder", root))?;
        Ok(Self {
            root: root.to_owned(),
            ready: HashSet::new(),
        })
    }

    /// Writes a file, readable by its owner only, replacing one of that name. `fill` gives its
    /// content and tells its bytes.
    ///
    /// # Errors
    ///
    /// Those of `fill`, and [`Error::Io`], which names the file.
    pub(super) fn write(
        &mut self,
        names: &[Vec<u8>],
        mtime_ns: Option<i64>,
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
    ) -> Result<u64> {
        let Some((name, parents)) = names.split_last() else {
            return Ok(0);
        };
        let folder = self.prepare(parents)?;
        let path = folder.join(paths::from_bytes(name));
        let failed = || io_error("write", &path);
        let temporary = tempfile::Builder::new()
            .prefix(".scrollback-")
            .tempfile_in(&folder)
            .map_err(failed())?;
        let mut writer = BufWriter::with_capacity(256 * 1024, temporary);
        let bytes = fill(&mut writer).map_err(|error| match error {
            Error::Output { source } => failed()(source),
            other => other,
        })?;
        let temporary = writer
            .into_inner()
            .map_err(|error| failed()(error.into_error()))?;
        if let Some(mtime_ns) = mtime_ns {
            set_mtime(temporary.as_file(), mtime_ns).map_err(failed())?;
        }
        temporary
            .persist(&path)
            .map_err(|error| failed()(error.error))?;
        Ok(bytes)
    }

    /// The folder of these names, made where it is not there.
    fn prepare(&mut self, names: &[Vec<u8>]) -> Result<PathBuf> {
        let mut folder = self.root.clone();
        for name in names {
            folder.push(paths::from_bytes(name));
            if self.ready.contains(&folder) {
                continue;
            }
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    let reason =
                        "something that is no folder is in the way; links are not followed";
                    let source = io::Error::new(io::ErrorKind::AlreadyExists, reason);
                    return Err(io_error("make the folder", &folder)(source));
                }
                Err(_) => {
                    make_private(&folder, false).map_err(io_error("make the folder", &folder))?;
                }
            }
            self.ready.insert(folder.clone());
        }
        Ok(folder)
    }
}

/// Turns a system's error into one that names the path.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

/// Makes a folder that only its owner can look into.
pub(crate) fn make_private(folder: &Path, recursive: bool) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn set_mtime(file: &File, mtime_ns: i64) -> io::Result<()> {
    let distance = Duration::from_nanos(mtime_ns.unsigned_abs());
    let time = if mtime_ns < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.map_or(Ok(()), |time| file.set_modified(time))
}
