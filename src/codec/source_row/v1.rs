//! Import states of formats 1 to 4: read as long as there are any, and never written again.

use bincode::{Decode, Encode};

use crate::codec::row::{self, RowError, RowFormat};

/// The version of these rows.
pub(super) const VERSION: u8 = 1;

/// What was made of a file, as version 1 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum SourceKindV1 {
    /// Its lines are records.
    Lines,
    /// It is kept whole.
    Attachment,
}

/// The import state of a file as version 1 has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct SourceRowV1 {
    /// The agent.
    pub agent: String,
    /// What was made of it.
    pub kind: SourceKindV1,
    /// Store number of the session; 0 for a file that belongs to a folder.
    pub session: u64,
    /// The attachment's name; empty for lines, and for a database that is read and not kept.
    pub name: String,
    /// Path relative to the folder that was imported, as bytes, `/` between components.
    pub relative: Vec<u8>,
    /// Size in bytes when it was last read.
    pub size: u64,
    /// Time of its last change then, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Bytes of it that are stored.
    pub offset: u64,
    /// Lines of it that are stored; of a database, the sessions in it.
    pub lines: u64,
    /// Where its last line starts, if that has no terminator; else equal to `offset`.
    pub tail_offset: u64,
    /// Hash of its first `tail_offset` bytes (of all of it for an attachment).
    pub hash: u128,
    /// The session's next sequence number after these lines; 0 for an attachment that gave none.
    pub next_sequence: u64,
    /// Whether all of the file was taken when it had that size.
    pub complete: bool,
}

/// Reads stored bytes of version 1.
pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<SourceRowV1, RowError> {
    row::decode(RowFormat::Source, VERSION, key, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::SourceRow;
    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let row = SourceRowV1 {
            agent: "codex".to_owned(),
            kind: SourceKindV1::Lines,
            session: 1,
            name: String::new(),
            relative: b"a/b.jsonl".to_vec(),
            size: 10,
            mtime_ns: -1,
            offset: 9,
            lines: 2,
            tail_offset: 8,
            hash: 5,
            next_sequence: 2,
            complete: true,
        };
        let key = super::super::key(b"/x/a/b.jsonl", 1);
        let bytes = row::encode(RowFormat::Source, VERSION, &key, &row).unwrap();
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
        let read = SourceRow::decode(b"/x/a/b.jsonl", 1, &bytes).unwrap();
        assert_eq!(read, row.into());
        assert_eq!((read.inode, read.changed_ns, read.revision), (0, 0, 0));
    }

    // As it was when rows of version 1 were written.
    const GOLDEN: u64 = 0xf65b_3921_9277_36c7;
}
