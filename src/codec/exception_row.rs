//! What only other lines tell of a record, or of a run of records.

use bincode::{Decode, Encode};

use super::row::{self, RowError, RowFormat};
use crate::model::exception::{Exception, ExceptionKind};

const VERSION: u8 = 1;

/// The key of the table: session number, code of the kind, first record.
pub(crate) type ExceptionKey = (u64, u8, u64);

/// The row of table `exceptions`, version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct ExceptionRow {
    /// The last record that it is about.
    last: u64,
    /// The record that caused it, or that is meant instead.
    by: Option<u64>,
    /// Messages of the record that are not shown at its place.
    messages: u32,
}

/// The key and the stored bytes of an exception in a session.
pub(crate) fn encode(
    session: u64,
    exception: &Exception,
) -> Result<(ExceptionKey, Vec<u8>), RowError> {
    let key = (session, exception.kind.code(), exception.first);
    let row = ExceptionRow {
        last: exception.last,
        by: exception.by,
        messages: exception.messages,
    };
    let bytes = row::encode(RowFormat::Exception, VERSION, &bytes_of(key), &row)?;
    Ok((key, bytes))
}

/// Reads stored bytes.
pub(crate) fn decode(key: ExceptionKey, bytes: &[u8]) -> Result<Exception, RowError> {
    let row: ExceptionRow = row::decode(RowFormat::Exception, VERSION, &bytes_of(key), bytes)?;
    let kind = ExceptionKind::from_code(key.1)
        .ok_or_else(|| RowError(format!("an exception of the unknown kind {}", key.1)))?;
    if row.last < key.2 {
        return Err(RowError(format!(
            "it ends at {}, before it begins",
            row.last
        )));
    }
    Ok(Exception {
        kind,
        first: key.2,
        last: row.last,
        by: row.by,
        messages: row.messages,
    })
}

fn bytes_of((session, kind, first): ExceptionKey) -> Vec<u8> {
    let mut key = session.to_be_bytes().to_vec();
    key.push(kind);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let exception = Exception {
            kind: ExceptionKind::TakenBack,
            first: 5,
            last: 9,
            by: Some(10),
            messages: 0,
        };
        let (key, bytes) = encode(7, &exception).unwrap();
        assert_eq!(key, (7, 3, 5));
        let body = [
            &[20, 1][..],
            &9_u64.to_le_bytes(),
            &[1],
            &10_u64.to_le_bytes(),
            &[0; 4],
        ];
        assert_eq!(bytes[..bytes.len() - 8], body.concat());
        assert_eq!(decode(key, &bytes).unwrap(), exception);
        assert!(decode((7, 3, 6), &bytes).is_err());
    }

    #[test]
    fn what_ends_before_it_begins_or_has_no_kind_is_refused() {
        let row = ExceptionRow {
            last: 4,
            by: None,
            messages: 0,
        };
        for key in [(7, 3, 5), (7, 99, 4)] {
            let bytes = row::encode(RowFormat::Exception, 1, &bytes_of(key), &row).unwrap();
            assert!(decode(key, &bytes).is_err());
        }
    }
}
