//! Summary rows of format 1: read as long as there are any, and never written again.

use bincode::{Decode, Encode};

use crate::codec::row::{self, RowError, RowFormat};

/// The version of these rows.
pub(super) const VERSION: u8 = 1;

/// A batch of records as format 1 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct BatchV1 {
    /// The caller's id.
    pub id: u128,
    /// Its first sequence number.
    pub first: u64,
    /// Its last one.
    pub last: u64,
}

/// A session's row as format 1 has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct SessionRowV1 {
    /// The agent.
    pub agent: String,
    /// The agent's own id.
    pub id: String,
    /// Folder that the session worked in.
    pub project: Option<String>,
    /// Title, cut; empty if there is none.
    pub title: String,
    /// Worth of the title: 0 is none.
    pub title_rank: u8,
    /// First time, in microseconds since 1970.
    pub created_us: i64,
    /// Last time.
    pub updated_us: i64,
    /// Whether the lines state a time; if not, both times are those of the file or the call.
    pub time_stated: bool,
    /// Whether a line states when the session was created; if not, that is its first time.
    pub created_stated: bool,
    /// The model that spoke last.
    pub model: Option<String>,
    /// The git branch that was named last.
    pub branch: Option<String>,
    /// The session that this one came from.
    pub parent: Option<String>,
    /// Messages stored.
    pub messages: u64,
    /// Messages stored below the mark.
    pub hidden: u64,
    /// Records stored.
    pub records: u64,
    /// Bytes of lines stored.
    pub bytes: u64,
    /// Records that could not be read in whole.
    pub malformed: u64,
    /// Attachments.
    pub attachments: u64,
    /// First visible sequence number.
    pub mark: u64,
    /// Sequence number of the next record.
    pub next: u64,
    /// Sequence number of the first record of the tail; equal to `next` if the tail is empty.
    pub tail_first: u64,
    /// Bytes of lines in the tail.
    pub tail_bytes: u64,
    /// Whether the last record lacks its line terminator.
    pub unterminated: bool,
    /// The last record that describes the session as a whole, if its dialect has such records.
    pub header_sequence: Option<u64>,
    /// The latest batches, oldest first.
    pub batches: Vec<BatchV1>,
}

/// Reads stored bytes of version 1.
pub(super) fn decode(number: u64, bytes: &[u8]) -> Result<SessionRowV1, RowError> {
    let key = number.to_be_bytes();
    row::decode(RowFormat::Session, VERSION, &key, bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Given, SessionRow};
    use super::*;

    /// A row as it was stored.
    pub(in super::super) fn stored() -> SessionRowV1 {
        SessionRowV1 {
            agent: "codex".to_owned(),
            id: "s-1".to_owned(),
            project: Some("/w/demo".to_owned()),
            title: "Fix the test".to_owned(),
            title_rank: 0,
            created_us: 1_700_000_000_000_000,
            updated_us: 1_700_000_000_000_000,
            time_stated: false,
            created_stated: false,
            model: None,
            branch: None,
            parent: None,
            messages: 0,
            hidden: 0,
            records: 0,
            bytes: 0,
            malformed: 0,
            attachments: 0,
            mark: 0,
            next: 0,
            tail_first: 0,
            tail_bytes: 0,
            unterminated: false,
            header_sequence: None,
            batches: vec![BatchV1 {
                id: 3,
                first: 0,
                last: 1,
            }],
        }
    }

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let key = 9_u64.to_be_bytes();
        let bytes = row::encode(RowFormat::Session, VERSION, &key, &stored()).unwrap();
        assert_eq!(bytes.len(), 214);
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
        let row = SessionRow::decode(9, &bytes).unwrap();
        assert_eq!(row, SessionRow::of_v1(stored(), Given::default(), None));
        assert_eq!(
            (row.shown_title(), row.shown_project()),
            ("Fix the test", Some("/w/demo"))
        );
        assert!(SessionRow::decode(8, &bytes).is_err());
    }

    const GOLDEN: u64 = 0x8138_e759_3fd6_0b80;
}
