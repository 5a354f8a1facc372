//! placeholder
use std::path::Path;
use super::import::Progress;
use super::report::ImportProblem;
use crate::error::Result;

/// What the compaction of a folder did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderCompactReport {
    /// Files of truncated histories found.
    pub files: u64,
    /// Files rewritten.
    pub rewritten: u64,
    /// Records removed.
    pub records: u64,
    /// Bytes removed.
    pub bytes: u64,
    /// What could not be compacted.
    pub problems: Vec<ImportProblem>,
}

/// Rewrites the truncated histories of a folder.
pub fn compact_folder(_dir: &Path, _archive: Option<&Path>, _progress: &mut dyn FnMut(Progress)) -> Result<FolderCompactReport> { unimplemented!() }
