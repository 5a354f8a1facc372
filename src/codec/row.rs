//! The frame of every stored value: `[format u8][version u8][body][checksum u64]`.
//!
//! The checksum is the 64-bit xxh3 hash of the row's key, format, version and body, little
//! endian: a row that was damaged, or that stands under another row's key, is noticed on every
//! read. (redb does not verify its own checksums on plain reads.) Bodies of small rows are written
//! by bincode, little endian, under a size limit, and are never evolved in place: a new layout is a
//! new version. Integers have a fixed width; those of rows that every session has are as long as they
//! need to be (`encode_short`).

use bincode::config::{Config, standard};
use bincode::{Decode, Encode};
use xxhash_rust::xxh3::Xxh3;

/// Most bytes that a bincode body may have; the limit keeps a damaged length from allocating.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a row that are not its body.
pub(crate) const FRAME_BYTES: usize = 2 + 8;

/// What a row is; the first byte of it. Never change one; append new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RowFormat {
    /// A summary row, with the state of its session.
    Session = 1,
    /// The import state of a file.
    Source = 2,
    /// A part of a segment of records.
    Segment = 3,
    /// A part of an attachment.
    Attachment = 4,
    /// What is kept of a session beside its lines.
    Properties = 5,
    /// Whose another name of a session is.
    Alias = 6,
    /// A batch that the session's row has no room for.
    Batch = 7,
    /// Which records the file of a session has, in which order.
    FileOrder = 8,
    /// A mark of a session that was deleted.
    Deleted = 9,
    /// What only other lines tell of a record.
    Exception = 20,
    /// A block of what leads from ids to records.
    Course = 21,
    /// A run of the index of messages.
    SearchRun = 30,
    /// Documents of a run.
    SearchDocuments = 31,
    /// Lists of a run: which documents have what.
    SearchGrams = 32,
    /// From where on a session is not indexed.
    SearchTail = 33,
}

/// Why a row cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RowError(pub String);

/// Frames a body.
pub(crate) fn seal(format: RowFormat, version: u8, key: &[u8], body: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(body.len() + FRAME_BYTES);
    row.push(format as u8);
    row.push(version);
    row.extend_from_slice(body);
    let checksum = checksum(key, &row);
    row.extend_from_slice(&checksum.to_le_bytes());
    row
}

/// Checks a row's frame and gives its body.
pub(crate) fn open<'a>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    row: &'a [u8],
) -> Result<&'a [u8], RowError> {
    let Some((framed, stored)) = row.split_last_chunk::<8>() else {
        return Err(RowError(format!(
            "a row of {} bytes is too short",
            row.len()
        )));
    };
    let computed = checksum(key, framed);
    let stored = u64::from_le_bytes(*stored);
    // Before format and version: one that a flipped bit has changed is damage, and no other
    // version.
    if computed != stored {
        return Err(RowError(format!(
            "checksum {computed:016x}, expected {stored:016x}"
        )));
    }
    match framed {
        [found, v, body @ ..] if *found == format as u8 && *v == version => Ok(body),
        [found, v, ..] => Err(RowError(format!(
            "row of format {found} version {v}, expected format {} version {version}",
            format as u8
        ))),
        _ => Err(RowError("an empty row".to_owned())),
    }
}

/// The version that a row says it has: for readers of more than one. Nothing of it is checked.
pub(crate) fn version(row: &[u8]) -> Option<u8> {
    row.get(1).copied()
}

/// Frames a value as bincode. Fails on a value that [`decode`] would refuse for its size.
pub(crate) fn encode<T: Encode>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    value: &T,
) -> Result<Vec<u8>, RowError> {
    encode_within::<BODY_BYTES_MAX, T>(format, version, key, value)
}

/// As [`encode`], for bodies of up to `MAX` bytes.
pub(crate) fn encode_within<const MAX: usize, T: Encode>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    value: &T,
) -> Result<Vec<u8>, RowError> {
    encode_as(config::<MAX>(), MAX, (format, version, key), value)
}

/// As [`encode_within`], with integers as long as they need to be.
pub(crate) fn encode_short<const MAX: usize, T: Encode>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    value: &T,
) -> Result<Vec<u8>, RowError> {
    encode_as(short_config::<MAX>(), MAX, (format, version, key), value)
}

fn encode_as<T: Encode>(
    config: impl Config,
    bytes_max: usize,
    (format, version, key): (RowFormat, u8, &[u8]),
    value: &T,
) -> Result<Vec<u8>, RowError> {
    let body = bincode::encode_to_vec(value, config)
        .map_err(|error| RowError(format!("a row that does not encode: {error}")))?;
    if body.len() > bytes_max {
        return Err(RowError(format!("a row of {} bytes", body.len())));
    }
    Ok(seal(format, version, key, &body))
}

/// Reads a value that [`encode`] framed.
pub(crate) fn decode<T: Decode<()>>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    row: &[u8],
) -> Result<T, RowError> {
    decode_within::<BODY_BYTES_MAX, T>(format, version, key, row)
}

/// As [`decode`], for bodies of up to `MAX` bytes.
pub(crate) fn decode_within<const MAX: usize, T: Decode<()>>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    row: &[u8],
) -> Result<T, RowError> {
    decode_as(config::<MAX>(), open(format, version, key, row)?)
}

/// Reads a value that [`encode_short`] framed.
pub(crate) fn decode_short<const MAX: usize, T: Decode<()>>(
    format: RowFormat,
    version: u8,
    key: &[u8],
    row: &[u8],
) -> Result<T, RowError> {
    decode_as(short_config::<MAX>(), open(format, version, key, row)?)
}

fn decode_as<T: Decode<()>>(config: impl Config, body: &[u8]) -> Result<T, RowError> {
    let (value, read) = bincode::decode_from_slice(body, config)
        .map_err(|error| RowError(format!("body does not decode: {error}")))?;
    if read == body.len() {
        Ok(value)
    } else {
        Err(RowError(format!(
            "body has {} bytes, {read} were expected",
            body.len()
        )))
    }
}

fn config<const MAX: usize>() -> impl Config {
    standard()
        .with_little_endian()
        .with_fixed_int_encoding()
        .with_limit::<MAX>()
}

fn short_config<const MAX: usize>() -> impl Config {
    standard()
        .with_little_endian()
        .with_variable_int_encoding()
        .with_limit::<MAX>()
}

fn checksum(key: &[u8], framed: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(key);
    hash.update(framed);
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_row_are_fixed() {
        let row = encode(RowFormat::Source, 1, b"key", &7_u64).unwrap();
        assert_eq!(row[..10], [2, 1, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(row.len(), 18);
        assert_eq!(decode::<u64>(RowFormat::Source, 1, b"key", &row), Ok(7));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let row = encode(RowFormat::Source, 1, b"key", &7_u64).unwrap();
        for bit in 0..row.len() * 8 {
            let mut damaged = row.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                decode::<u64>(RowFormat::Source, 1, b"key", &damaged).is_err(),
                "bit {bit}"
            );
        }
        for length in 0..row.len() {
            assert!(decode::<u64>(RowFormat::Source, 1, b"key", &row[..length]).is_err());
        }
    }

    #[test]
    fn a_row_under_another_key_is_noticed() {
        let row = encode(RowFormat::Source, 1, b"key", &7_u64).unwrap();
        assert!(decode::<u64>(RowFormat::Source, 1, b"kez", &row).is_err());
        assert!(decode::<u64>(RowFormat::Source, 2, b"key", &row).is_err());
        assert!(decode::<u64>(RowFormat::Session, 1, b"key", &row).is_err());
    }

    #[test]
    fn a_corrupt_length_does_not_allocate() {
        let mut body = u64::MAX.to_le_bytes().to_vec();
        body.extend_from_slice(b"text");
        let row = seal(RowFormat::Session, 1, b"", &body);
        assert!(decode::<String>(RowFormat::Session, 1, b"", &row).is_err());
    }

    #[test]
    fn a_body_is_refused_past_its_limit() {
        for (bytes, fits) in [(BODY_BYTES_MAX - 8, true), (BODY_BYTES_MAX - 7, false)] {
            let text = "x".repeat(bytes);
            let row = encode(RowFormat::Session, 1, b"", &text);
            assert_eq!(row.is_ok(), fits, "{bytes}");
            // The same body, framed without a look at its length.
            let body = [&(bytes as u64).to_le_bytes()[..], text.as_bytes()].concat();
            let row = seal(RowFormat::Session, 1, b"", &body);
            let read = decode::<String>(RowFormat::Session, 1, b"", &row);
            assert_eq!(read.is_ok(), fits, "{bytes}");
        }
    }
}
