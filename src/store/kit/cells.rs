//! Cells: everything of a store that is no summary row. A cell is a value under a table, an owner and
//! a key; cells of one owner are in the order of their keys' bytes.

/// What a cell is of. The numbers are for good: an engine stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Table {
    /// Records of a session, packed: by their first sequence number.
    Records = 1,
    /// What only other lines tell of a record.
    Exceptions = 2,
    /// What leads from ids to records.
    Courses = 3,
    /// Batches that a summary row has no room for.
    Batches = 4,
    /// What is kept of a session beside its lines.
    Properties = 5,
    /// Files that are kept whole, in parts.
    Attachments = 6,
    /// Which records a session's file has, in which order.
    FileOrders = 7,
    /// What a session was imported from.
    SessionSources = 8,
    /// Claims to other names of sessions. Of the whole store, as all below.
    Aliases = 32,
    /// Files that were imported, by their paths.
    Sources = 33,
    /// The contents of an id that has several.
    Contents = 34,
    /// Under which id the session of a folder is kept.
    Homes = 35,
    /// Marks of sessions that were deleted.
    Deleted = 36,
    /// What a store knows of itself.
    Store = 37,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Records,
        Self::Exceptions,
        Self::Courses,
        Self::Batches,
        Self::Properties,
        Self::Attachments,
        Self::FileOrders,
        Self::SessionSources,
        Self::Aliases,
        Self::Sources,
        Self::Contents,
        Self::Homes,
        Self::Deleted,
        Self::Store,
    ];

    /// The number that an engine stores.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The table of a stored number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.code() == code)
    }

    /// Its name, for errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Exceptions => "exceptions",
            Self::Courses => "courses",
            Self::Batches => "batches",
            Self::Properties => "properties",
            Self::Attachments => "attachments",
            Self::FileOrders => "file_orders",
            Self::SessionSources => "session_sources",
            Self::Aliases => "aliases",
            Self::Sources => "sources",
            Self::Contents => "contents",
            Self::Homes => "homes",
            Self::Deleted => "deleted",
            Self::Store => "store_info",
        }
    }
}

/// A cell's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Its table.
    pub table: Table,
    /// The number of the session that it belongs to; 0 for one of the whole store.
    pub owner: u64,
    /// Its key: any bytes.
    pub key: Vec<u8>,
}

impl Cell {
    /// The cell at a place.
    pub fn new(table: Table, owner: u64, key: impl Into<Vec<u8>>) -> Self {
        Self {
            table,
            owner,
            key: key.into(),
        }
    }
}

/// Cells of one table and owner, by a range of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CellQuery {
    /// The table.
    pub table: Table,
    /// The owner.
    pub owner: u64,
    /// The first key that is meant.
    pub from: Vec<u8>,
    /// The last one; `None` for no end.
    pub to: Option<Vec<u8>>,
    /// Whether the last key comes first.
    pub backward: bool,
    /// Most cells to give, at least one.
    pub limit: usize,
}

impl CellQuery {
    /// All cells of an owner, in order.
    pub fn of(table: Table, owner: u64) -> Self {
        Self {
            table,
            owner,
            from: Vec::new(),
            to: None,
            backward: false,
            limit: usize::MAX,
        }
    }

    /// The same, of keys from one to another.
    #[must_use]
    pub fn between(self, from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Self {
        Self {
            from: from.into(),
            to: Some(to.into()),
            ..self
        }
    }

    /// The same, of keys from one on.
    #[must_use]
    pub fn starting_at(self, from: impl Into<Vec<u8>>) -> Self {
        Self {
            from: from.into(),
            ..self
        }
    }

    /// The same, the last key first.
    #[must_use]
    pub fn backward(self) -> Self {
        Self {
            backward: true,
            ..self
        }
    }

    /// The same, with at most so many cells.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Whether a key is in the range.
    pub fn has(&self, key: &[u8]) -> bool {
        *self.from <= *key && self.to.as_ref().is_none_or(|to| *key <= **to)
    }
}

/// Adds bytes to a key so that what comes behind cannot be taken for a part of them, and the order of
/// keys is that of the bytes.
pub(crate) fn push_text(key: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        key.push(*byte);
        if *byte == 0 {
            // A zero that is of the text, where its end has two: so no text is the start of another
            // one's key, and a shorter one sorts before those that begin with it.
            key.push(0xFF);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

/// Takes what [`push_text`] added from the start of a key.
pub(crate) fn take_text(key: &mut &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        match key {
            [0, 0, rest @ ..] => {
                *key = rest;
                return Some(text);
            }
            [0, 0xFF, rest @ ..] => {
                text.push(0);
                *key = rest;
            }
            [0, ..] | [] => return None,
            [byte, rest @ ..] => {
                text.push(*byte);
                *key = rest;
            }
        }
    }
}

/// The last key that begins with these bytes and 16 more at most.
pub(crate) fn last_of(prefix: &[u8]) -> Vec<u8> {
    [prefix, &[0xFF; 17]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_keys_come_back_and_keep_their_order() {
        let texts: [&[u8]; 5] = [b"", b"\0", b"\0a", b"a", b"a\0"];
        let mut keys = Vec::new();
        for text in texts {
            let mut key = Vec::new();
            push_text(&mut key, text);
            key.push(7);
            let mut rest = key.as_slice();
            assert_eq!(take_text(&mut rest).as_deref(), Some(text));
            assert_eq!(rest, [7]);
            keys.push(key);
        }
        assert!(keys.is_sorted(), "{keys:?}");
        for damaged in [&[0, 1][..], &[0], &[], b"a"] {
            assert_eq!(take_text(&mut { damaged }), None);
        }
    }

    #[test]
    fn tables_keep_their_numbers() {
        for table in Table::ALL {
            assert_eq!(Table::from_code(table.code()), Some(table));
        }
        assert_eq!(Table::from_code(0), None);
        assert_eq!((Table::Records.code(), Table::Store.code()), (1, 37));
    }
}
