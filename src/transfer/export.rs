//! placeholder
use super::import::Progress;
use crate::error::Result;
use crate::model::key::SessionKey;
use crate::store::{RedbStore, Store};
use std::io::Write;
use std::path::Path;

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// The lines, byte for byte.
    #[default]
    Jsonl,
    /// A transcript.
    Markdown,
}

/// What an export wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Files written.
    pub files: u64,
    /// Sessions written.
    pub sessions: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Writes one session to `out`. Returns bytes written.
pub fn export_session(
    _store: &dyn Store,
    _key: &SessionKey,
    _format: ExportFormat,
    _out: &mut dyn Write,
) -> Result<u64> {
    unimplemented!()
}

/// Writes sessions to files under `folder`: all of the store, or those in `keys`.
pub fn export_all(
    _store: &RedbStore,
    _keys: Option<&[SessionKey]>,
    _format: ExportFormat,
    _folder: &Path,
    _progress: &mut dyn FnMut(Progress),
) -> Result<ExportReport> {
    unimplemented!()
}
