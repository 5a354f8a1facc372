//! Marks of sessions that were deleted, so that an import passes over them.

use bincode::{Decode, Encode};

use super::chain::Digest;
use super::row::{self, RowError, RowFormat};

const VERSION: u8 = 1;

/// A mark: the row of table `deleted`, version 1. The agent, the id and the home are the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct DeletedRow {
    /// When the session was deleted, in microseconds since 1970.
    pub deleted_us: i64,
    /// What it was imported from.
    pub sources: Vec<DeletedSource>,
}

/// Numbers of contents from this one on mean lines: as many of a file as the number says beyond it.
const LINES: u32 = 1 << 31;

/// The number that means the first lines by which a file is known in another folder.
const FIRST: u32 = u32::MAX;

/// A content of a file that a deleted session was imported from; or the first lines of such files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) struct DeletedSource {
    /// xxh3-64 of the path; of lines, the first eight bytes of their digest.
    pub path: u64,
    /// Which content of it; of lines, what they are.
    pub generation: u32,
}

impl DeletedSource {
    /// That of a path.
    pub(crate) fn of(path: &[u8], generation: u32) -> Self {
        Self {
            path: path_hash(path),
            generation,
        }
    }

    /// The first lines of a file, by their number and the digest chain over them.
    pub(crate) fn of_lines(lines: u64, digest: &Digest) -> Option<Self> {
        let generation = u32::try_from(lines).ok()?.checked_add(LINES)?;
        // That number says that a file is known by its first lines alone: a count may not mean it
        // too.
        (generation != FIRST).then_some(Self {
            path: start_of(digest),
            generation,
        })
    }

    /// The first lines by which a file is known in another folder, by their digest.
    pub(crate) fn of_first(digest: &[u8]) -> Self {
        Self {
            path: start_of(digest),
            generation: FIRST,
        }
    }

    /// Whether it is the place of a file.
    pub(crate) fn is_place(self) -> bool {
        self.generation < LINES
    }

    /// Of the first lines of a file: how many, and the start of the digest chain over them.
    pub(crate) fn lines(self) -> Option<(u64, u64)> {
        let lines = self.generation.checked_sub(LINES);
        lines
            .filter(|_| self.generation != FIRST)
            .map(|lines| (lines.into(), self.path))
    }
}

/// The first eight bytes of a digest.
pub(crate) fn start_of(digest: &[u8]) -> u64 {
    u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}

/// What marks keep of a path.
pub(crate) fn path_hash(path: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(path)
}

impl DeletedRow {
    /// The stored bytes under a key.
    pub(crate) fn encode(&self, key: (&str, &str, &[u8])) -> Result<Vec<u8>, RowError> {
        row::encode(RowFormat::Deleted, VERSION, &bytes_of(key), self)
    }

    /// Reads stored bytes.
    pub(crate) fn decode(key: (&str, &str, &[u8]), bytes: &[u8]) -> Result<Self, RowError> {
        row::decode(RowFormat::Deleted, VERSION, &bytes_of(key), bytes)
    }
}

/// A zero byte ends the agent, which holds none, and the length of the id the id.
fn bytes_of((agent, id, home): (&str, &str, &[u8])) -> Vec<u8> {
    let length = (id.len() as u64).to_be_bytes();
    [agent.as_bytes(), &[0], &length, id.as_bytes(), home].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let row = DeletedRow {
            deleted_us: -1,
            sources: vec![DeletedSource {
                path: 7,
                generation: 2,
            }],
        };
        let key = ("codex", "s", &b"/f"[..]);
        let bytes = row.encode(key).unwrap();
        let body = [
            &[9, 1][..],
            &[0xFF; 8],
            &1_u64.to_le_bytes(),
            &7_u64.to_le_bytes(),
            &2_u32.to_le_bytes(),
        ];
        assert_eq!(bytes[..bytes.len() - 8], body.concat());
        assert_eq!(DeletedRow::decode(key, &bytes).unwrap(), row);
        for other in [
            ("codex", "s/", &b"f"[..]),
            ("codey", "s", b"/f"),
            ("codex", "s", b""),
        ] {
            assert!(DeletedRow::decode(other, &bytes).is_err());
        }
        assert_eq!(path_hash(b"/f/a.jsonl"), 10_042_624_133_119_459_967);
    }
}
