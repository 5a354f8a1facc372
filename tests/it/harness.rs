//! Temporary folders, and the built tool in a clean environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A temporary folder with a store path in it, and the tool to run against that store.
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

    /// The tool, with this home's store, nothing of the caller's environment, and a fixed clock.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scrollback"));
        command
            .env_clear()
            .env("HOME", self.path())
            .env("SCROLLBACK_STORE", self.store_path())
            .env("SCROLLBACK_NOW", "2026-06-01T12:00:00Z")
            .current_dir(self.path());
        command
    }

    /// Runs the tool.
    #[must_use]
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs the tool, which has to succeed, and gives its standard output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// How many cases a property test runs: `PROPTEST_CASES` if it is set, as in `.ci/run long`.
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(usual)
}
