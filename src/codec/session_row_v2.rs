//! Summary rows of format 2: read as long as there are any, and never written again. They are those
//! of format 1 and, behind them, what was given to the session.

use super::row::{self, RowError, RowFormat};
use super::session_row::{Given, SessionRow};
use super::session_row_v1::SessionRowV1;

/// The version of these rows.
pub(crate) const VERSION: u8 = 2;

/// Reads stored bytes of version 2 as a row of today.
pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<SessionRow, RowError> {
    let key = number.to_be_bytes();
    let (row, given): (SessionRowV1, Given) =
        row::decode(RowFormat::Session, VERSION, &key, bytes)?;
    Ok(row.upgraded(given))
}

#[cfg(test)]
mod tests {
    use super::super::session_row_v1::tests::stored;
    use super::*;

    #[test]
    fn the_bytes_of_version_2_are_fixed() {
        let given = Given {
            title: Some("Green again".to_owned()),
            archived: true,
            ..Given::default()
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
        assert_eq!(row, stored().upgraded(given));
        assert_eq!(row.shown_title(), "Green again");
        assert!(SessionRow::decode(8, &bytes).is_err());
    }

    // As it was when rows of version 2 were written.
    const GOLDEN: u64 = 0x43ff_94ef_27aa_a3e9;
}
