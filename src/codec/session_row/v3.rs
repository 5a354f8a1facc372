//! Summary rows of formats 3 and 4: read as long as there are any, and never written again. They are
//! those of format 2 and, behind them, the digest chain.

use bincode::{Decode, Encode};

use super::v1::SessionRowV1;
use super::v2::GivenV2;
use crate::codec::row::{self, RowError, RowFormat};

/// The version of these rows.
pub(super) const VERSION: u8 = 3;

/// A digest chain as format 3 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct ChainV3 {
    /// The first sequence number that it covers.
    pub from: u64,
    /// Records that it covers.
    pub records: u64,
    /// How often records of the session were removed or replaced.
    pub rewrites: u64,
    /// The digest over them.
    pub digest: [u8; 32],
}

/// Reads stored bytes of version 3.
pub(super) fn decode(
    number: u64,
    bytes: &[u8],
) -> Result<(SessionRowV1, GivenV2, ChainV3), RowError> {
    let key = number.to_be_bytes();
    row::decode(RowFormat::Session, VERSION, &key, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::SessionRow;
    use super::super::v1::tests::stored;
    use super::*;
    use crate::codec::chain::Chain;

    #[test]
    fn the_bytes_of_version_3_are_fixed() {
        let given = GivenV2 {
            title: Some("Green again".to_owned()),
            archived: true,
            ..GivenV2::default()
        };
        let mut pushed = Chain::starting_at(0);
        pushed.push(&[7; 32]);
        let chain = ChainV3 {
            from: 0,
            records: 1,
            rewrites: 0,
            digest: pushed.digest,
        };
        let key = 9_u64.to_be_bytes();
        let row = (stored(), given.clone(), chain);
        let bytes = row::encode(RowFormat::Session, VERSION, &key, &row).unwrap();
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            (bytes.len(), hash),
            (294, GOLDEN),
            "the layout of a released version never changes: {hash:#x}"
        );
        let row = SessionRow::decode(9, &bytes).unwrap();
        assert_eq!(
            row,
            SessionRow::of_v1(stored(), given.into(), Some(chain.into()))
        );
        assert_eq!(row.chain.records, 1);
        assert!(SessionRow::decode(8, &bytes).is_err());
    }

    // As it was when rows of version 3 were written.
    const GOLDEN: u64 = 0xe861_27dc_2c15_f54c;
}
