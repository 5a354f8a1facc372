//! Import states: what a file was when it was imported, and how far it was taken.

mod v1;

use bincode::{Decode, Encode};

use self::v1::{SourceKindV1, SourceRowV1};
use super::row::{self, BODY_BYTES_MAX, RowError, RowFormat};

const VERSION: u8 = 2;

/// What was made of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum SourceKind {
    /// Its lines are records.
    Lines,
    /// It is kept whole.
    Attachment,
}

/// A file that was imported, with what is needed to go on later and to export it again: the row
/// of table `sources`, version 2. Path and generation are the key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SourceRow {
    /// The agent.
    pub agent: String,
    /// What was made of it.
    pub kind: SourceKind,
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
    /// The revision of the session's file order that was seen here whole.
    pub revision: u32,
    /// The number of the file on its file system, where that has one; else 0.
    pub inode: u64,
    /// When the file, its name or its times were last changed, in nanoseconds since 1970, where the
    /// system says it; else 0.
    pub changed_ns: i64,
}

/// The stored form, version 2: the relative path is nearly always the end of the path, which is the key.
#[derive(Encode, Decode)]
struct Stored {
    /// The row; without a relative path, if that is the end of the path.
    row: SourceRow,
    /// How many bytes of the path it is then.
    end: Option<u32>,
}

impl Stored {
    fn of(row: SourceRow, path: &[u8]) -> Self {
        let is_end = !row.relative.is_empty() && path.ends_with(&row.relative);
        let end = u32::try_from(row.relative.len()).ok().filter(|_| is_end);
        let relative = match end {
            Some(_) => Vec::new(),
            None => row.relative,
        };
        let row = SourceRow { relative, ..row };
        Self { row, end }
    }

    fn into_row(mut self, path: &[u8]) -> Result<SourceRow, RowError> {
        if let Some(end) = self.end {
            let start = usize::try_from(end)
                .ok()
                .and_then(|end| path.len().checked_sub(end));
            let relative = start.and_then(|start| path.get(start..));
            self.row.relative = relative
                .ok_or_else(|| RowError(format!("{end} bytes of a path of {}", path.len())))?
                .to_vec();
        }
        Ok(self.row)
    }
}

impl SourceRow {
    /// Whether it is a document that brings nothing new: its name leads to the content of another place.
    pub(crate) fn is_copy(&self) -> bool {
        self.kind == SourceKind::Attachment && !self.name.is_empty() && self.offset != self.size
    }

    /// The stored bytes under a path and generation.
    pub(crate) fn encode(&self, path: &[u8], generation: u32) -> Result<Vec<u8>, RowError> {
        let (key, stored) = (key(path, generation), Stored::of(self.clone(), path));
        row::encode_short::<BODY_BYTES_MAX, _>(RowFormat::Source, VERSION, &key, &stored)
    }

    /// Reads stored bytes.
    pub(crate) fn decode(path: &[u8], generation: u32, bytes: &[u8]) -> Result<Self, RowError> {
        let key = key(path, generation);
        match row::version(bytes) {
            Some(v1::VERSION) => v1::decode(&key, bytes).map(Self::from),
            _ => row::decode_short::<BODY_BYTES_MAX, Stored>(
                RowFormat::Source,
                VERSION,
                &key,
                bytes,
            )?
            .into_row(path),
        }
    }
}

impl From<SourceRowV1> for SourceRow {
    fn from(row: SourceRowV1) -> Self {
        Self {
            agent: row.agent,
            kind: match row.kind {
                SourceKindV1::Lines => SourceKind::Lines,
                SourceKindV1::Attachment => SourceKind::Attachment,
            },
            session: row.session,
            name: row.name,
            relative: row.relative,
            size: row.size,
            mtime_ns: row.mtime_ns,
            offset: row.offset,
            lines: row.lines,
            tail_offset: row.tail_offset,
            hash: row.hash,
            next_sequence: row.next_sequence,
            complete: row.complete,
            revision: 0,
            inode: 0,
            changed_ns: 0,
        }
    }
}

fn key(path: &[u8], generation: u32) -> Vec<u8> {
    let mut key = path.to_vec();
    key.extend_from_slice(&generation.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_2_are_fixed() {
        let row = SourceRow {
            agent: "codex".to_owned(),
            kind: SourceKind::Lines,
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
            revision: 3,
            inode: 4,
            changed_ns: -6,
        };
        let bytes = row.encode(b"/x/a/b.jsonl", 1).unwrap();
        assert_eq!(
            SourceRow::decode(b"/x/a/b.jsonl", 1, &bytes).as_ref(),
            Ok(&row)
        );
        assert!(SourceRow::decode(b"/x/a/b.jsonl", 2, &bytes).is_err());
        // A path that is no end of the other, and one that is longer, are kept as they are.
        for path in [&b"/x/c.jsonl"[..], b"l"] {
            let bytes = row.encode(path, 1).unwrap();
            assert_eq!(SourceRow::decode(path, 1, &bytes).as_ref(), Ok(&row));
        }
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
    }

    const GOLDEN: u64 = 0x8ae6_8a68_724a_d2e6;
}
