//! What only other lines tell of a record, or of a run of records.

use super::numbers::{number, take_number};
use super::row::{self, RowError, RowFormat};
use crate::model::exception::{Exception, ExceptionKind};

const VERSION: u8 = 1;

/// The key of the table: session number, code of the kind, first record.
pub(crate) type ExceptionKey = (u64, u8, u64);

/// The key and the stored bytes of an exception in a session. The body, version 1, is numbers as
/// [`course_row`](super::course_row) writes them: how far behind the first record the last is; where the record that caused it
/// is (0: nowhere, 1: before the first, 2: it or one behind it, each but the first with the distance); the
/// messages.
pub(crate) fn encode(session: u64, exception: &Exception) -> (ExceptionKey, Vec<u8>) {
    let key = (session, exception.kind.code(), exception.first);
    let mut body = Vec::with_capacity(8);
    number(&mut body, exception.last.wrapping_sub(exception.first));
    match exception.by {
        None => number(&mut body, 0),
        Some(by) if by < exception.first => {
            number(&mut body, 1);
            number(&mut body, exception.first - by);
        }
        Some(by) => {
            number(&mut body, 2);
            number(&mut body, by - exception.first);
        }
    }
    number(&mut body, u64::from(exception.messages));
    let bytes = row::seal(RowFormat::Exception, VERSION, &bytes_of(key), &body);
    (key, bytes)
}

/// Reads stored bytes.
pub(crate) fn decode(key: ExceptionKey, bytes: &[u8]) -> Result<Exception, RowError> {
    let mut body = row::open(RowFormat::Exception, VERSION, &bytes_of(key), bytes)?;
    let kind = ExceptionKind::from_code(key.1)
        .ok_or_else(|| RowError(format!("an exception of the unknown kind {}", key.1)))?;
    let body = &mut body;
    let beyond = || RowError("it leads beyond all records".to_owned());
    // Checked: sums that wrap would speak of other records.
    let last = key.2.checked_add(take_number(body)?).ok_or_else(beyond)?;
    let by = match take_number(body)? {
        0 => None,
        1 => Some(key.2.checked_sub(take_number(body)?).ok_or_else(beyond)?),
        2 => Some(key.2.checked_add(take_number(body)?).ok_or_else(beyond)?),
        other => return Err(RowError(format!("a cause of the unknown kind {other}"))),
    };
    let messages = u32::try_from(take_number(body)?).map_err(|_| beyond())?;
    if !body.is_empty() {
        return Err(RowError("it goes on behind its end".to_owned()));
    }
    Ok(Exception {
        kind,
        first: key.2,
        last,
        by,
        messages,
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let exception = Exception {
            kind: ExceptionKind::TakenBack,
            first: 5,
            last: 9,
            by: Some(300),
            messages: 0,
        };
        let (key, bytes) = encode(7, &exception);
        assert_eq!(key, (7, 3, 5));
        assert_eq!(bytes[..bytes.len() - 8], [20, 1, 4, 2, 0xA7, 2, 0]);
        assert_eq!(decode(key, &bytes).unwrap(), exception);
        assert!(decode((7, 3, 6), &bytes).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(
            kind in proptest::sample::select(&ExceptionKind::ALL[..]),
            first in any::<u32>(), length in any::<u32>(),
            by in any::<Option<u32>>(), messages in any::<u32>(),
        ) {
            let exception = Exception {
                kind,
                first: first.into(),
                last: u64::from(first) + u64::from(length),
                by: by.map(u64::from),
                messages,
            };
            let (key, bytes) = encode(7, &exception);
            prop_assert_eq!(decode(key, &bytes), Ok(exception));
        }

        #[test]
        fn any_body_is_read_or_refused(
            body in prop::collection::vec(any::<u8>(), 0..30), kind in any::<u8>(), first in any::<u64>(),
        ) {
            let key = (7, kind, first);
            let bytes = row::seal(RowFormat::Exception, VERSION, &bytes_of(key), &body);
            if let Ok(read) = decode(key, &bytes) {
                prop_assert!(read.last >= first);
            }
        }
    }
}
