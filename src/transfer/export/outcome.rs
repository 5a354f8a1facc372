//! What an export came to.

use serde::Serialize;

use super::item::Item;
use crate::model::error::Error;
use crate::transfer::files::paths;
use crate::transfer::report::ImportProblem;

/// What an export wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportReport {
    /// Files written.
    pub files: u64,
    /// Sessions written.
    pub sessions: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Files that are not there because what is stored of them is damaged:
    /// [`verify`](crate::RedbStore::verify) tells more.
    pub problems: Vec<ImportProblem>,
    /// What whoever reads the files should know: a session that is not called as its agent would call
    /// it, since another one is; lines that are longer than the agent's program takes; an index that
    /// cannot be read.
    pub notes: Vec<ImportProblem>,
}

/// A file that cannot be written, because what is stored of it is damaged.
pub(super) fn problem(item: &Item, error: &Error) -> ImportProblem {
    told(&item.names, format!("is not written: {error}"))
}

/// Something about a file.
pub(super) fn told(names: &[Vec<u8>], reason: String) -> ImportProblem {
    let names = names.iter();
    ImportProblem {
        path: names.map(|name| paths::from_bytes(name)).collect(),
        line: None,
        offset: None,
        reason,
    }
}
