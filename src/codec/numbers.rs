//! Numbers and hashes as blocks of courses and rows of exceptions hold them.

use super::row::RowError;

/// What is wrong with a block that ends within a note.
pub(super) fn cut() -> RowError {
    RowError("a block of notes that is cut short".to_owned())
}

/// Writes a number, seven bits a byte, the lowest first.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7F);
        }
        out.push(low | 0x80);
    }
}

/// Reads such a number, and passes over it.
pub(super) fn take_number(bytes: &mut &[u8]) -> Result<u64, RowError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let next = byte(bytes).ok_or_else(cut)?;
        value |= u64::from(next & 0x7F) << shift;
        if next < 0x80 {
            return Ok(value);
        }
    }
    Err(cut())
}

/// Reads a hash, and passes over it.
pub(super) fn take_hash(bytes: &mut &[u8]) -> Result<u64, RowError> {
    let (hash, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    *bytes = rest;
    Ok(u64::from_le_bytes(*hash))
}

/// Reads a byte, and passes over it.
pub(super) fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// A number that is small where another, of either sign, is near to 0.
pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// The number that [`zigzag`] was given.
pub(super) fn of_zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
