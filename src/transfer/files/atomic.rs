//! Files that are there whole or not at all: written under another name in the same folder, then
//! renamed; and files and folders for their owner alone, at which no link leads elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::paths;
use crate::model::error::{Error, Result};
use crate::system::{is_same_file, private};

/// What is in the way of a file or folder.
const IN_THE_WAY: &str = "something else is in the way; links are not followed";

/// A folder that an export writes to. Nothing is written outside of it: links within it are not
/// followed, and names that lead out of it are refused, whoever made them. The folder itself may be
/// a link.
#[derive(Debug)]
pub(in crate::transfer) struct ExportFolder {
    root: PathBuf,
}

impl ExportFolder {
    /// Opens a folder, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(in crate::transfer) fn open(root: &Path) -> Result<Self> {
        make_private(root, true).map_err(io_error("make the folder", root))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Writes a file, readable by its owner only, replacing one of that name. `fill` gives its
    /// content and tells its bytes.
    ///
    /// # Errors
    ///
    /// Those of `fill`, and [`Error::Io`], which names the file.
    pub(in crate::transfer) fn write(
        &self,
        names: &[Vec<u8>],
        mtime_ns: Option<i64>,
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
    ) -> Result<u64> {
        self.write_as(names, mtime_ns, true, fill)
    }

    /// Writes a file that is not there, with today's time.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write), and [`Error::FileExists`] where something has that name.
    pub(in crate::transfer) fn write_new(
        &self,
        names: &[Vec<u8>],
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
    ) -> Result<u64> {
        self.write_as(names, None, false, fill)
    }

    fn write_as(
        &self,
        names: &[Vec<u8>],
        mtime_ns: Option<i64>,
        replaces: bool,
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
    ) -> Result<u64> {
        let Some((name, parents)) = names.split_last() else {
            return Ok(0);
        };
        if let Some(bad) = names.iter().find(|name| !is_plain(name)) {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is no name of a file");
            return Err(io_error("write", &paths::from_bytes(bad))(source));
        }
        let folder = self.prepare(parents)?;
        let path = folder.join(paths::from_bytes(name));
        let failed = || io_error("write", &path);
        // In the same folder: a rename leads to no other file system.
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
        // Before it has its name: whoever finds it there sees the time that it is to keep.
        if let Some(mtime_ns) = mtime_ns {
            set_mtime(temporary.as_file(), mtime_ns).map_err(failed())?;
        }
        // A folder may have become a link while the file was written.
        self.prepare(parents)?;
        let named = if replaces {
            temporary.persist(&path)
        } else {
            temporary.persist_noclobber(&path)
        };
        named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists if !replaces => Error::FileExists { path: path.clone() },
            _ => failed()(error.error),
        })?;
        Ok(bytes)
    }

    /// The folder of these names, made where it is not there. Looked at anew each time: somebody
    /// may have put a link in the place of a folder.
    fn prepare(&self, names: &[Vec<u8>]) -> Result<PathBuf> {
        let mut folder = self.root.clone();
        for name in names {
            folder.push(paths::from_bytes(name));
            private_folder(&folder).map_err(io_error("make the folder", &folder))?;
        }
        Ok(folder)
    }
}

/// Whether a name leads nowhere but to a file or folder of that name.
fn is_plain(name: &[u8]) -> bool {
    let path = paths::from_bytes(name);
    let mut components = path.components();
    let is_one = matches!(components.next(), Some(Component::Normal(_)));
    is_one && components.next().is_none() && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
}

/// Turns a system's error into one that names the path.
pub(in crate::transfer) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> Error {
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

/// Makes a folder in one that is there, for its owner alone, unless it is there already. A link in
/// its place is refused.
///
/// # Errors
///
/// Those of the system.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    let is_there = || match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, IN_THE_WAY)),
        Err(_) => Ok(false),
    };
    if is_there()? {
        return Ok(());
    }
    match make_private(folder, false) {
        // Another process made it, or something else, meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_there()? => Ok(()),
        made => made,
    }
}

/// Opens a file to read and to append to; where it is not there, it is made for its owner alone.
/// What is no file is refused, links too, and also where it came in between.
///
/// # Errors
///
/// Those of the system.
pub(crate) fn append_private(path: &Path) -> io::Result<File> {
    let refused = || io::Error::new(io::ErrorKind::InvalidInput, IN_THE_WAY);
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    let there = match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => Some(there),
        Ok(_) => return Err(refused()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Fails where something has come there meanwhile, even a link.
            private(options.create_new(true));
            None
        }
        Err(error) => return Err(error),
    };
    let file = options.open(path)?;
    match there {
        Some(there) if !is_same_file(&there, &file.metadata()?) => Err(refused()),
        _ => Ok(file),
    }
}

/// Makes a file anew, for its owner alone. What lies under its name is removed: a link, not what it
/// leads to.
///
/// # Errors
///
/// Those of the system.
pub(in crate::transfer) fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Only if nothing is there: what came in between, even a link, is an error.
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// Makes the names in a folder durable, where the system can.
///
/// # Errors
///
/// Those of the system.
pub(in crate::transfer) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    fn write(folder: &ExportFolder, path: &[&str]) -> Result<u64> {
        folder.write(&names(path), None, &mut |out| {
            out.write_all(b"x")
                .map(|()| 1)
                .map_err(|source| Error::Output { source })
        })
    }

    #[test]
    fn a_folder_that_several_make_at_once_is_there_for_all() {
        let root = tempfile::tempdir().unwrap();
        for round in 0..300 {
            let folder = root.path().join(round.to_string());
            let start = std::sync::Barrier::new(3);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        start.wait();
                        private_folder(&folder).unwrap();
                    });
                }
            });
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_whoever_made_them() {
        let root = tempfile::tempdir().unwrap();
        let folder = ExportFolder::open(&root.path().join("out")).unwrap();
        let bad = [
            "..", ".", "", "/", "/etc/x", "a/b", "a/", "a/.", "../x", "a\0",
        ];
        for name in bad {
            for path in [&[name][..], &[name, "x"], &["a", name], &["a", name, "x"]] {
                assert!(write(&folder, path).is_err(), "{path:?}");
            }
        }
        for name in ["...", "..a", "~", "-rf", " ", "a\n"] {
            write(&folder, &[name, name]).unwrap();
        }
        let outside: Vec<_> = fs::read_dir(root.path()).unwrap().collect();
        assert_eq!(outside.len(), 1, "{outside:?}");
    }

    #[test]
    fn a_folder_that_becomes_a_link_is_not_written_to() {
        let root = tempfile::tempdir().unwrap();
        let (out, outside) = (root.path().join("out"), root.path().join("outside"));
        fs::create_dir(&outside).unwrap();
        let folder = ExportFolder::open(&out).unwrap();
        // Between two files.
        write(&folder, &["a", "one"]).unwrap();
        fs::rename(out.join("a"), out.join("moved")).unwrap();
        symlink(&outside, out.join("a")).unwrap();
        assert!(write(&folder, &["a", "two"]).is_err());
        // While a file is written.
        fs::create_dir(out.join("b")).unwrap();
        let exchanged = folder.write(&names(&["b", "three"]), None, &mut |_| {
            fs::rename(out.join("b"), out.join("moved-too")).unwrap();
            symlink(&outside, out.join("b")).unwrap();
            Ok(0)
        });
        assert!(exchanged.is_err());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn a_private_file_is_made_anew_or_appended_to_and_never_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let victim = root.path().join("victim");
        fs::write(&victim, "keep").unwrap();
        let link = root.path().join("link");
        symlink(&victim, &link).unwrap();
        assert!(append_private(&link).is_err());
        create_private(&link).unwrap().write_all(b"new").unwrap();
        append_private(&link).unwrap().write_all(b"er").unwrap();
        assert_eq!(fs::read_to_string(&link).unwrap(), "newer");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "keep");
        let dangling = root.path().join("dangling");
        symlink(root.path().join("nowhere"), &dangling).unwrap();
        assert!(append_private(&dangling).is_err());
        assert!(private_folder(&dangling).is_err());
        assert!(!root.path().join("nowhere").exists());
    }
}
