//! A file that was imported: where it lies, and what is known of it.

use crate::codec::source_row::SourceRow;

/// A file that was imported: its row, with the path and generation that are its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Absolute path, as bytes.
    pub path: Vec<u8>,
    /// 1 for the first content that was imported from this path, 2 for the next one, ...
    pub generation: u32,
    /// What is known of it.
    pub row: SourceRow,
}
