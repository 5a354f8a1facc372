//! Summary rows of format 2: read as long as there are any, and never written again. They are those
//! of format 1 and, behind them, what was given to the session.

use bincode::{Decode, Encode};

use super::v1::SessionRowV1;
use crate::codec::row::{self, RowError, RowFormat};

/// The version of these rows.
pub(super) const VERSION: u8 = 2;

/// What was given to a session, as format 2 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct GivenV2 {
    /// A title, cut.
    pub title: Option<String>,
    /// A folder, cut.
    pub project: Option<String>,
    /// A parent, cut.
    pub parent: Option<String>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
}

/// Reads stored bytes of version 2.
pub(super) fn decode(number: u64, bytes: &[u8]) -> Result<(SessionRowV1, GivenV2), RowError> {
    let key = number.to_be_bytes();
    row::decode(RowFormat::Session, VERSION, &key, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::SessionRow;
    use super::super::v1::tests::stored;
    use super::*;

    #[test]
    fn the_bytes_of_version_2_are_fixed() {
        let given = GivenV2 {
            title: Some("Green again".to_owned()),
            archived: true,
            ..GivenV2::default()
        };
        let key = 9_u64.to_be_bytes();
        let row = (stored(), given.clone());
        let bytes = row::encode(RowFormat::Session, VERSION, &key, &row).unwrap();
        assert_eq!(bytes.len(), 238);
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
        let row = SessionRow::decode(9, &bytes).unwrap();
        assert_eq!(row, SessionRow::of_v1(stored(), given.into(), None));
        assert_eq!(row.shown_title(), "Green again");
        assert!(SessionRow::decode(8, &bytes).is_err());
    }

    // As it was when rows of version 2 were written.
    const GOLDEN: u64 = 0x43ff_94ef_27aa_a3e9;
}
