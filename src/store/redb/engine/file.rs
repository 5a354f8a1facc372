//! The store's file and its folder, before and beside the database in it.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::Path;

use crate::model::error::{Error, Result};
use crate::system::{is_gone, private};

/// How a redb file starts.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";

/// Refuses files that are something else, before redb touches them. Returns whether it is empty.
pub(crate) fn check_magic(path: &Path, file: &File, may_be_empty: bool) -> Result<bool> {
    let io = |source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let metadata = file.metadata().map_err(io)?;
    let not_a_store = |reason: &str| Error::NotAStore {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    // Before a byte is read: a pipe may never have one.
    if !metadata.is_file() {
        return Err(not_a_store("it is not a regular file"));
    }
    if metadata.len() == 0 {
        return if may_be_empty {
            Ok(true)
        } else {
            Err(not_a_store("it is empty"))
        };
    }
    let mut start = Vec::new();
    let mut reader = file;
    reader
        .by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(io)?;
    // The handle is handed on as it came.
    std::io::Seek::rewind(&mut reader).map_err(io)?;
    if start == MAGIC {
        Ok(false)
    } else {
        Err(not_a_store("it starts with other bytes"))
    }
}

/// Creates a folder and its parents, for the owner alone; one that is there stays as it is.
pub(crate) fn create_private_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Error::Io {
        action: "create the folder",
        path: folder.to_owned(),
        source,
    })
}

/// Opens a file, or creates it for the owner alone.
pub(crate) fn open_private_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    private(options.read(true).write(true).create(true).truncate(false));
    options.open(path).map_err(|source| Error::Io {
        action: "open the store",
        path: path.to_owned(),
        source,
    })
}

/// An empty file under another name in the folder of a store, private to its owner. It goes when it
/// is dropped.
pub(crate) fn new_file_beside(path: &Path) -> Result<tempfile::TempPath> {
    create_private_folder(folder_of(path))?;
    let new = tempfile::Builder::new()
        .prefix(".scrollback-")
        .suffix(".new")
        // In the store's own folder: a file can be renamed only within its file system.
        .tempfile_in(folder_of(path))
        .map_err(|source| Error::Io {
            action: "create the store",
            path: path.to_owned(),
            source,
        })?;
    Ok(new.into_temp_path())
}

/// What the names of files that a repair makes start and end with; the process's number follows.
const REPAIR: (&str, &str) = (".scrollback-repair-", ".new");

/// As [`new_file_beside`], for a repair, by this process.
pub(crate) fn new_repair_beside(path: &Path) -> Result<tempfile::TempPath> {
    create_private_folder(folder_of(path))?;
    let new = tempfile::Builder::new()
        // The process in the name: another one that clears up sees whether this one is still at
        // work.
        .prefix(&format!("{}{}-", REPAIR.0, std::process::id()))
        .suffix(REPAIR.1)
        .tempfile_in(folder_of(path))
        .map_err(|source| Error::Io {
            action: "create the store",
            path: path.to_owned(),
            source,
        })?;
    Ok(new.into_temp_path())
}

/// Removes what repairs that were killed have left beside a path: of processes that are not to be
/// seen, where those can be, and that nobody has locked. What cannot be removed stays: it is in
/// nobody's way.
pub(crate) fn remove_killed_repairs(path: &Path) {
    let entries = std::fs::read_dir(folder_of(path));
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| {
            let rest = name.strip_prefix(REPAIR.0)?;
            // Beside a store lie its note and its reserve: those of the new one go with it.
            let rest = rest.strip_suffix("-writer").unwrap_or(rest);
            let rest = rest.strip_suffix("-reserve").unwrap_or(rest);
            rest.strip_suffix(REPAIR.1)?.split_once('-')?.0.parse().ok()
        });
        // A link of that name is nobody's leftover, and what it leads to is not looked at.
        let is_plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_plain
            && process.is_some_and(is_gone)
            // A process in another container or on another machine is not seen, but its lock is.
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            let _left = std::fs::remove_file(entry.path());
        }
    }
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a new file's name durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::Io {
            action: "make the folder durable:",
            path: folder.to_owned(),
            source,
        })
}
