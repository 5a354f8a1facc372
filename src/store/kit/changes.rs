//! What one commit writes, and what has to be as it was seen for it to happen.

use super::cells::Cell;
use super::row::Columns;

/// What an engine writes in one commit, all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Sessions of which all cells go, before anything below is written.
    pub emptied: Vec<u64>,
    /// Summary rows, in the order in which they are to be written: a name is free before another row
    /// gets it.
    pub rows: Vec<RowChange>,
    /// Cells, each once.
    pub cells: Vec<CellChange>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.cells.is_empty() && self.emptied.is_empty()
    }

    /// The changes of rows alone: for engines that keep cells elsewhere.
    #[must_use]
    pub fn rows_alone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            ..Self::default()
        }
    }
}

/// A summary row that is made, written anew or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowChange {
    /// The session's number.
    pub number: u64,
    /// The version that the stored row has to have; 0 if there must be none. The new one is one more.
    pub seen: u64,
    /// The new row, with what filters need of it; `None` to remove it.
    pub row: Option<(Columns, Vec<u8>)>,
}

impl RowChange {
    pub(crate) fn new(number: u64, seen: u64, row: Option<(Columns, Vec<u8>)>) -> Self {
        Self { number, seen, row }
    }
}

/// A cell that is written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CellChange {
    /// Its place.
    pub cell: Cell,
    /// What has to be there.
    pub seen: Seen,
    /// The new value; `None` to remove it. With [`Seen::Nothing`] that writes nothing: the cell has to be
    /// missing, and stays so.
    pub value: Option<Vec<u8>>,
}

impl CellChange {
    /// Whether there has to be nothing in the cell.
    pub fn must_be_new(&self) -> bool {
        self.seen == Seen::Nothing
    }

    pub(crate) fn new(cell: Cell, seen: Seen, value: Option<Vec<u8>>) -> Self {
        Self { cell, seen, value }
    }
}

/// What has to be in a cell for a commit to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// Anything, or nothing.
    Any,
    /// Nothing.
    Nothing,
}
