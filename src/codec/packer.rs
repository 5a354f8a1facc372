//! Packing records into segments; their layout is that of [`segment`](super::segment).

use std::cell::RefCell;
use std::io::Write as _;

use zstd::zstd_safe::CParameter;

use crate::model::limits::{SEGMENT_BYTES, SEGMENT_RECORDS};
use crate::model::message::Role;
use crate::model::record::RecordHeader;

/// zstd level: 1 packs session lines to about a fifth at several hundred MB a second.
const LEVEL: i32 = 1;

/// Bits of the table in which zstd finds what was there before; level 1 would take 14 for a segment
/// that is full. 15 pack sessions 1 to 2 % smaller.
const TABLE_BITS: u32 = 15;

/// Shorter data is stored as it is.
const COMPRESS_BYTES_MIN: usize = 256;

/// Bytes of an index entry.
pub(super) const ENTRY_BYTES: usize = 4 + 4 + 4 + 8 + 3;

const HEAD_BYTES: usize = 4 + 8 + 8 + 4 + 8 + 1;

/// No time.
pub(super) const NO_TIME: i64 = i64::MIN;

/// Room before the lines of a segment, in which the index of most is written: so the lines need not
/// be moved to make one piece with it.
const INDEX_ROOM: usize = 16 * 1024;

/// Bytes of a full segment with its index.
const FULL_BYTES: usize = INDEX_ROOM + SEGMENT_BYTES;

/// A buffer that one large segment has grown beyond this is given back after it.
const BUFFER_KEPT_BYTES: usize = 4 * SEGMENT_BYTES;

thread_local! {
    // A zstd context takes longer to make than to use on a small segment; so does its output.
    static COMPRESSOR: RefCell<Option<(zstd::bulk::Compressor<'static>, Vec<u8>)>> =
        const { RefCell::new(None) };
}

/// Records on their way into a segment.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    entries: Vec<Entry>,
    /// Nothing, or room for the index and then the lines.
    raw: Vec<u8>,
}

/// A sequence number, a header, and the length of a line.
type Entry = (u64, RecordHeader, u32);

/// A finished segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Sequence number of its first record.
    pub first: u64,
    /// Its bytes, not yet cut into parts.
    pub bytes: Vec<u8>,
}

impl Packer {
    /// Takes a record. Sequence numbers ascend.
    pub(crate) fn push(&mut self, sequence: u64, header: RecordHeader, line: &[u8]) {
        if self.raw.is_empty() {
            self.raw.resize(INDEX_ROOM, 0);
        }
        self.entries.push((sequence, header, length_of(line)));
        // What has become a sixteenth of a segment is about to be a whole one: without the copies
        // that growing step by step would take.
        if self.raw.len() > INDEX_ROOM * 2 && self.raw.capacity() < FULL_BYTES {
            self.raw.reserve_exact(FULL_BYTES - self.raw.len());
        }
        self.raw.extend_from_slice(line);
    }

    /// Whether a line of `length` bytes has to go into another segment.
    pub(crate) fn is_full_for(&self, sequence: u64, length: usize) -> bool {
        let Some((first, ..)) = self.entries.first() else {
            return false;
        };
        self.raw.len() - INDEX_ROOM + length > SEGMENT_BYTES
            || self.entries.len() >= SEGMENT_RECORDS
            // The index has room for distances of 32 bits.
            || sequence - first > u64::from(u32::MAX)
    }

    /// Packs what was taken, and starts afresh. `None` if nothing was.
    pub(crate) fn seal(&mut self) -> Option<Sealed> {
        let (first, last) = (self.entries.first()?.0, self.entries.last()?.0);
        let index = index_of(&self.entries);
        let start = INDEX_ROOM.saturating_sub(index.len());
        // Rare: more than some 700 short lines. Then the lines are moved after all.
        if index.len() > INDEX_ROOM {
            self.raw.splice(..INDEX_ROOM, index.iter().copied());
        } else if let Some(room) = self.raw.get_mut(start..INDEX_ROOM) {
            room.copy_from_slice(&index);
        }
        let raw = self.raw.get(start..).unwrap_or_default();
        let mut bytes = head(self.entries.len(), (first, last), index.len(), raw.len());
        compress(raw, |packed| {
            bytes.push(u8::from(packed.is_some()));
            bytes.extend_from_slice(packed.unwrap_or(raw));
        });
        self.entries.clear();
        self.raw.clear();
        if self.raw.capacity() > BUFFER_KEPT_BYTES {
            self.raw = Vec::new();
        }
        Some(Sealed { first, bytes })
    }

    /// Packs one record alone, without a copy of its line: that may be a hundred megabytes.
    pub(crate) fn seal_alone(sequence: u64, header: RecordHeader, line: &[u8]) -> Sealed {
        let index = index_of(&[(sequence, header, length_of(line))]);
        let raw_bytes = index.len() + line.len();
        let mut bytes = head(1, (sequence, sequence), index.len(), raw_bytes);
        bytes.push(1);
        bytes = match compress_pieces(&bytes, &[&index, line]) {
            // An image in base64 may not pack at all: stored as it is, it is read without
            // unpacking.
            Some(packed) if packed.len() - bytes.len() < raw_bytes => packed,
            _ => {
                bytes.pop();
                [bytes.as_slice(), &[0], &index, line].concat()
            }
        };
        Sealed {
            first: sequence,
            bytes,
        }
    }
}

/// The length of a line, which is at most `LINE_BYTES_MAX`.
fn length_of(line: &[u8]) -> u32 {
    u32::try_from(line.len()).unwrap_or(u32::MAX)
}

/// What stands before the method and the data.
fn head(count: usize, (first, last): (u64, u64), index_bytes: usize, raw_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + raw_bytes.min(SEGMENT_BYTES) / 4);
    bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend_from_slice(&last.to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(index_bytes).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&(raw_bytes as u64).to_le_bytes());
    bytes
}

/// The index of some records, by columns.
fn index_of(entries: &[Entry]) -> Vec<u8> {
    let first = entries.first().map_or(0, |(first, ..)| *first);
    let mut index = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    // By columns, since equal things then stand side by side and pack to next to nothing.
    for (sequence, ..) in entries {
        let distance = u32::try_from(sequence - first).unwrap_or(u32::MAX);
        index.extend_from_slice(&distance.to_le_bytes());
    }
    for (_, _, length) in entries {
        index.extend_from_slice(&length.to_le_bytes());
    }
    for (_, header, _) in entries {
        index.extend_from_slice(&header.messages.to_le_bytes());
    }
    for (_, header, _) in entries {
        index.extend_from_slice(&header.time_us.unwrap_or(NO_TIME).to_le_bytes());
    }
    let role = |header: &RecordHeader| header.role.map_or(0, Role::code);
    index.extend(entries.iter().map(|(_, header, _)| header.kind.code()));
    index.extend(entries.iter().map(|(_, header, _)| role(header)));
    index.extend(entries.iter().map(|(_, header, _)| header.flags.bits()));
    index
}

fn new_compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::HashLog(TABLE_BITS))?;
    Ok(compressor)
}

/// Hands over the compressed form, if it is smaller.
pub(super) fn compress<T>(raw: &[u8], take: impl FnOnce(Option<&[u8]>) -> T) -> T {
    if raw.len() < COMPRESS_BYTES_MIN {
        return take(None);
    }
    COMPRESSOR.with_borrow_mut(|compressor| {
        if compressor.is_none() {
            let made = new_compressor().ok();
            *compressor = made.map(|made| (made, Vec::new()));
        }
        let Some((compressor, packed)) = compressor else {
            return take(None);
        };
        packed.clear();
        // With room for the worst case zstd writes straight into it, and never stops half-way.
        packed.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        let is_packed = compressor.compress_to_buffer(raw, packed).is_ok();
        let taken = take((is_packed && packed.len() < raw.len()).then_some(packed));
        if packed.capacity() > BUFFER_KEPT_BYTES {
            *packed = Vec::new();
        }
        taken
    })
}

/// Appends the compressed form of pieces, one after another, to a copy of what stands before.
fn compress_pieces(before: &[u8], pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(before.to_vec(), LEVEL).ok()?;
    let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
    // zstd fits its tables to the size that it is told.
    encoder.set_pledged_src_size(Some(bytes)).ok()?;
    for piece in pieces {
        encoder.write_all(piece).ok()?;
    }
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::segment::Segment;
    use crate::model::record::{RecordFlags, RecordKind};

    fn header() -> RecordHeader {
        RecordHeader {
            kind: RecordKind::Message,
            role: Some(Role::User),
            flags: RecordFlags::default(),
            messages: 1,
            time_us: Some(5),
        }
    }

    #[test]
    fn a_record_alone_is_packed_like_one_that_was_pushed() {
        let noise: Vec<u8> = (0..70_000_u32)
            .map(|at| (xxhash_rust::xxh3::xxh3_64(&at.to_le_bytes()) & 255) as u8)
            .collect();
        for line in [b"a\n".as_slice(), &b" ".repeat(300_000), &noise] {
            let sealed = Packer::seal_alone(7, header(), line);
            let mut packer = Packer::default();
            packer.push(7, header(), line);
            assert_eq!(sealed.first, 7);
            let [alone, pushed] = [sealed, packer.seal().unwrap()].map(|sealed| {
                let segment = Segment::open(&sealed.bytes).unwrap();
                let records: Vec<_> = segment.records().map(Segment::owned).collect();
                (sealed.bytes[HEAD_BYTES - 1], records)
            });
            assert_eq!(alone.1, pushed.1);
            assert!(alone.0 == pushed.0 || line.len() < COMPRESS_BYTES_MIN);
        }
    }

    #[test]
    fn an_index_that_is_longer_than_its_room_is_packed_too() {
        let mut packer = Packer::default();
        for sequence in 0..SEGMENT_RECORDS as u64 {
            assert!(!packer.is_full_for(sequence, 1));
            packer.push(sequence, header(), b"\n");
        }
        assert!(packer.is_full_for(SEGMENT_RECORDS as u64, 1));
        let segment = Segment::open(&packer.seal().unwrap().bytes).unwrap();
        assert_eq!(segment.records().count(), SEGMENT_RECORDS);
        assert_eq!(segment.line_bytes(), SEGMENT_RECORDS);
    }
}
