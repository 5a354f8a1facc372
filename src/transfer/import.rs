//! placeholder
use super::report::ImportReport;
use crate::error::Result;
use crate::store::RedbStore;
use std::path::PathBuf;

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Take every session file for one of this agent, instead of finding out.
    pub agent: Option<String>,
    /// Read and report everything, write nothing.
    pub dry_run: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files dealt with.
    pub files: u64,
    /// Files found; 0 while the search goes on.
    pub files_total: u64,
    /// Bytes dealt with.
    pub bytes: u64,
    /// Bytes to deal with.
    pub bytes_total: u64,
}

/// Imports files and folders.
pub fn import(
    _store: &RedbStore,
    _paths: &[PathBuf],
    _options: &ImportOptions,
    _progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport> {
    unimplemented!()
}
