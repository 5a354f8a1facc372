//! Summary rows of formats 5 and 6: read as long as there are any, and never written again. They are those of
//! format 3 and more, in one struct, with integers that are as long as they need to be.

use bincode::{Decode, Encode};

use super::v1::BatchV1;
use super::v2::GivenV2;
use super::v3::ChainV3;
use crate::codec::row::{self, BODY_BYTES_MAX, RowError, RowFormat};

/// The version of these rows.
pub(super) const VERSION: u8 = 4;

/// A session's row as formats 5 and 6 have it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct SessionRowV4 {
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
    /// What a list shows instead of what the lines say; a copy of what the properties hold.
    pub given: GivenV2,
    /// The digest chain of the lines.
    pub chain: ChainV3,
    /// Its number among the contents of its id, by arrival, from 1.
    pub content: u32,
    /// How many contents its id has: kept in the row of the newest one, and 0 in those of the others.
    pub contents: u32,
    /// Whether its records have an order other than that of their numbers, or not all of them are in
    /// its file: the row of its file order tells.
    pub reordered: bool,
    /// Titles that better ones have beaten and that hold again once those are taken back: worth and
    /// text, the least first.
    pub beaten_titles: Vec<(u8, String)>,
    /// Whether its agent has put it away, and nobody here has taken it out since.
    pub archived_by_agent: bool,
    /// Whether its parent started it to do a part of its work.
    pub subagent: bool,
    /// Rows of what only other lines tell of its records.
    pub exceptions: u64,
    /// Blocks of what leads from ids to its records.
    pub blocks: u64,
    /// The version of its agent's reader that what is derived here comes from; 0 is older than all.
    pub reader: u16,
}

/// Reads stored bytes of version 4.
pub(super) fn decode(number: u64, bytes: &[u8]) -> Result<SessionRowV4, RowError> {
    let key = number.to_be_bytes();
    row::decode_short::<BODY_BYTES_MAX, _>(RowFormat::Session, VERSION, &key, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::SessionRow;
    use super::*;
    use crate::codec::chain::Chain;
    use crate::model::key::SessionKey;

    /// A row as it was stored.
    fn stored() -> SessionRowV4 {
        let mut pushed = Chain::starting_at(0);
        pushed.push(&[7; 32]);
        SessionRowV4 {
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
            given: GivenV2 {
                title: Some("Green again".to_owned()),
                archived: true,
                ..GivenV2::default()
            },
            chain: ChainV3 {
                from: 0,
                records: 1,
                rewrites: 0,
                digest: pushed.digest,
            },
            content: 1,
            contents: 1,
            reordered: false,
            beaten_titles: Vec::new(),
            archived_by_agent: false,
            subagent: false,
            exceptions: 0,
            blocks: 0,
            reader: 0,
        }
    }

    #[test]
    fn the_bytes_of_version_4_are_fixed() {
        let key = 9_u64.to_be_bytes();
        let row = stored();
        let bytes = row::encode_short::<BODY_BYTES_MAX, _>(RowFormat::Session, VERSION, &key, &row)
            .unwrap();
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            (bytes.len(), hash),
            (143, GOLDEN),
            "the layout of a released version never changes: {hash:#x}"
        );
        let read = SessionRow::decode(9, &bytes).unwrap();
        assert_eq!(read, SessionRow::from(row));
        assert_eq!((read.chain.records, read.shown_title()), (1, "Green again"));
        let summary = read.clone().into_summary(9).unwrap();
        assert_eq!(summary.key, SessionKey::new("codex", "s-1").unwrap());
        assert_eq!(summary.written_at, None);
        assert!(SessionRow::decode(8, &bytes).is_err());
        // Written again it is a row of the present version, and says the same.
        let again = read.encode(9).unwrap();
        assert_eq!(row::version(&again), Some(super::super::VERSION));
        assert_eq!(SessionRow::decode(9, &again), Ok(read));
    }

    // As it was when rows of version 4 were written.
    const GOLDEN: u64 = 0x9afb_9688_5f30_eda3;
}
