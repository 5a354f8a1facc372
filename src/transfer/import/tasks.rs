//! What an import is going to do with a file: one task a file.

use std::path::PathBuf;

use super::found::FoundFile;
use crate::agents::{Agent, Document, Sidecar};
use crate::store::Source;

/// A file of lines to be read.
#[derive(Debug)]
pub(super) struct LinesTask {
    /// The file.
    pub file: FoundFile,
    /// What was imported from its path before.
    pub previous: Option<Source>,
}

/// A session in one document.
#[derive(Debug)]
pub(super) struct DocumentTask {
    /// The file.
    pub file: FoundFile,
    /// What was imported from its path before.
    pub previous: Option<Source>,
    /// Whether the session of that is still there.
    pub previous_lives: bool,
    /// What it is.
    pub document: Document,
}

/// A database of sessions.
#[derive(Debug)]
pub(super) struct DatabaseTask {
    /// The agent that keeps its sessions in it.
    pub agent: &'static dyn Agent,
    /// The file.
    pub file: FoundFile,
    /// What was imported from its path before.
    pub previous: Option<Source>,
}

/// A file to be kept whole.
#[derive(Debug)]
pub(super) struct SidecarTask {
    /// The file.
    pub file: FoundFile,
    /// What was imported from its path before.
    pub previous: Option<Source>,
    /// Whether the session of that is still there.
    pub previous_lives: bool,
    /// The agent.
    pub agent: &'static str,
    /// Whose it is.
    pub owner: Sidecar,
}

/// A file of a folder that is kept and has not changed.
#[derive(Debug)]
pub(super) struct KeptFile {
    /// The agent.
    pub agent: String,
    /// Its path.
    pub path: PathBuf,
    /// Its name among the attachments of folders.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}
