//! A small disk in memory that can be full, for who may mount one.

use std::path::Path;
use std::process::Command;

use crate::cluster::{give_to_server, is_root};

/// The disk, which the server's user may use.
#[derive(Debug)]
pub(crate) struct Disk(tempfile::TempDir);

impl Disk {
    /// One of that size; `None` where this user may mount none, which is said aloud.
    pub(crate) fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        let is_mounted =
            is_root() && mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], folder.path());
        if !is_mounted {
            eprintln!("SKIPPED: this user may not mount a small disk");
            return None;
        }
        let disk = Self(folder);
        // Without that user there is no server either, which says so.
        give_to_server(disk.path());
        Some(disk)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn grow(&self, size: &str) {
        assert!(mount(&["-o", &format!("remount,size={size}")], self.path()));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _status = Command::new("umount").arg(self.path()).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let mut command = Command::new("mount");
    let output = command.args(arguments).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}
