//! Batches that were appended under an id, and that the session's row has no room for any more.

use bincode::{Decode, Encode};

use super::row::{self, RowError, RowFormat};

const VERSION: u8 = 1;

/// A batch: the row of table `batches`, version 1. The session's number and the caller's id are the
/// key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BatchRow {
    /// Its first sequence number.
    pub first: u64,
    /// Its last one.
    pub last: u64,
    /// When it left the session's row, in microseconds since 1970.
    pub since_us: i64,
}

impl BatchRow {
    /// The stored bytes under a session's number and an id.
    pub(crate) fn encode(&self, session: u64, id: u128) -> Result<Vec<u8>, RowError> {
        row::encode(RowFormat::Batch, VERSION, &key(session, id), self)
    }

    /// Reads stored bytes.
    pub(crate) fn decode(session: u64, id: u128, bytes: &[u8]) -> Result<Self, RowError> {
        row::decode(RowFormat::Batch, VERSION, &key(session, id), bytes)
    }
}

fn key(session: u64, id: u128) -> Vec<u8> {
    let mut key = session.to_be_bytes().to_vec();
    key.extend_from_slice(&id.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let row = BatchRow {
            first: 1,
            last: 2,
            since_us: -1,
        };
        let bytes = row.encode(7, 9).unwrap();
        let body = [
            &[7, 1][..],
            &1_u64.to_le_bytes(),
            &2_u64.to_le_bytes(),
            &[0xFF; 8],
        ];
        assert_eq!(bytes[..bytes.len() - 8], body.concat());
        assert_eq!(BatchRow::decode(7, 9, &bytes).unwrap(), row);
        assert!(BatchRow::decode(7, 8, &bytes).is_err());
        assert!(BatchRow::decode(8, 9, &bytes).is_err());
    }
}
