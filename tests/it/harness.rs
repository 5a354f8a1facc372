//! Temporary folders, and what lies in folders. The tests of the tool include this file too, and add
//! the tool to it (`cli/tests/it/tool.rs`), so it must not know the tool.

use std::path::{Path, PathBuf};

use scrollback::report::ExportReport;
use scrollback::{ExportFormat, Ingest, export_all, unwatched};

/// A temporary folder with a store path in it.
#[derive(Debug)]
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the store of this home lies.
    pub(crate) fn store_path(&self) -> PathBuf {
        self.path().join("store").join("scrollback.redb")
    }

    /// Writes a file below the folder, with its parents.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// The files in a folder and those below it.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// Exports everything as lines.
pub(crate) fn export_as_lines(store: &dyn Ingest, folder: &Path) -> ExportReport {
    export_all(store, None, ExportFormat::Jsonl, folder, &mut unwatched).unwrap()
}
