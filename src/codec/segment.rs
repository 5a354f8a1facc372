//! Segments: consecutive records, packed and compressed. A record of the tail is a segment of one.
//!
//! A segment's bytes are `[count u32][first u64][last u64][index u32][raw u64][method u8][data]`,
//! little endian. The data is, compressed with zstd or stored, an index of `count` entries and
//! then the lines, one after another. The index is by columns, so that it compresses well:
//! sequence numbers as distance from the first (u32), lengths (u32), messages (u32), times (i64,
//! the smallest number standing for none), kinds, roles and flags (u8 each).
//!
//! A segment is stored in parts (see [`parts`](super::parts)), each a framed row; all headers of a
//! segment's records are in its first bytes, but reading them takes decompressing it.

use std::cell::RefCell;

use super::packer::{ENTRY_BYTES, NO_TIME};
pub(crate) use super::packer::{Packer, Sealed};
use super::row::RowError;
use crate::model::limits::{LINE_BYTES_MAX, SEGMENT_BYTES, SEGMENT_RECORDS};
use crate::model::message::Role;
use crate::model::record::{Record, RecordFlags, RecordHeader, RecordKind};

/// Most bytes that a segment may unpack to: a longer one is damaged, or an attack.
const RAW_BYTES_MAX: usize = LINE_BYTES_MAX + SEGMENT_BYTES + SEGMENT_RECORDS * ENTRY_BYTES;

thread_local! {
    // A zstd context takes longer to make than to use on a small segment.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// What compressed bytes unpack to, if that is no more than so many bytes.
pub(super) fn decompress(packed: &[u8], bytes_max: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| match decompressor {
        Some(ready) => ready.decompress(packed, bytes_max),
        None => decompressor
            .insert(zstd::bulk::Decompressor::new()?)
            .decompress(packed, bytes_max),
    })
}

/// A segment as it was read, unpacked.
#[derive(Debug)]
pub(crate) struct Segment {
    raw: Vec<u8>,
    count: usize,
    first: u64,
}

impl Segment {
    /// Reads a segment's bytes, its parts put together again.
    pub(crate) fn open(bytes: &[u8]) -> Result<Self, RowError> {
        let mut rest = bytes;
        let count = u32::from_le_bytes(take(&mut rest)?) as usize;
        let first = u64::from_le_bytes(take(&mut rest)?);
        let last = u64::from_le_bytes(take(&mut rest)?);
        let index_bytes = u32::from_le_bytes(take(&mut rest)?) as usize;
        let raw_bytes = u64::from_le_bytes(take(&mut rest)?);
        let [method] = take::<1>(&mut rest)?;
        // Checked before anything is unpacked: a few bytes may claim to be terabytes.
        let raw_bytes = usize::try_from(raw_bytes)
            .ok()
            .filter(|bytes| *bytes <= RAW_BYTES_MAX)
            .ok_or_else(|| RowError(format!("a segment that unpacks to {raw_bytes} bytes")))?;
        let raw = match method {
            0 => rest.to_vec(),
            1 => decompress(rest, raw_bytes)
                .map_err(|error| RowError(format!("a segment that does not unpack: {error}")))?,
            other => return Err(RowError(format!("a segment of unknown method {other}"))),
        };
        // The index is as long as its entries: all that is looked up in it below then lies inside.
        if raw.len() != raw_bytes || count == 0 || index_bytes != count * ENTRY_BYTES {
            return Err(RowError(format!(
                "a segment of {count} records in {} bytes",
                raw.len()
            )));
        }
        let segment = Self { raw, count, first };
        // Lines that add up to all that is there cannot lie outside of it.
        let lengths: u64 = (0..count).map(|at| u64::from(segment.length(at))).sum();
        if lengths + index_bytes as u64 != raw_bytes as u64 || !segment.ascends_to(last) {
            return Err(RowError(format!(
                "a segment whose {count} lines do not add up"
            )));
        }
        Ok(segment)
    }

    /// Whether its sequence numbers ascend from its first to `last`: only then can they be added up.
    fn ascends_to(&self, last: u64) -> bool {
        let distance = |at: usize| u64::from(self.number(at, 0));
        distance(0) == 0
            && (1..self.count).all(|at| distance(at - 1) < distance(at))
            && self.first.checked_add(distance(self.count - 1)) == Some(last)
    }

    /// Bytes of its lines.
    pub(crate) fn line_bytes(&self) -> usize {
        self.raw.len() - self.count * ENTRY_BYTES
    }

    /// Sequence number of the record at a place.
    pub(crate) fn sequence(&self, at: usize) -> u64 {
        self.first + u64::from(self.number(at, 0))
    }

    /// Sequence number of its last record.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.sequence(self.count - 1)
    }

    /// The records in order: sequence number, header, line.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = (u64, RecordHeader, &[u8])> {
        let mut start = self.count * ENTRY_BYTES;
        // Where a line starts is the sum of all lengths before it: so the last one is found, too.
        let spans: Vec<(usize, usize)> = (0..self.count)
            .map(|at| {
                let end = start + self.length(at) as usize;
                let span = (start, end);
                start = end;
                span
            })
            .collect();
        spans.into_iter().enumerate().map(|(at, (start, end))| {
            (
                self.sequence(at),
                self.header(at),
                self.raw.get(start..end).unwrap_or_default(),
            )
        })
    }

    /// Its lines from a sequence number on, one behind another.
    pub(crate) fn lines_from(&self, sequence: u64) -> &[u8] {
        let before = (0..self.count).take_while(|at| self.sequence(*at) < sequence);
        let passed: usize = before.map(|at| self.length(at) as usize).sum();
        self.raw
            .get(self.count * ENTRY_BYTES + passed..)
            .unwrap_or_default()
    }

    /// A record, owned.
    pub(crate) fn owned((sequence, header, line): (u64, RecordHeader, &[u8])) -> Record {
        Record {
            sequence,
            header,
            line: line.to_vec(),
        }
    }

    fn length(&self, at: usize) -> u32 {
        self.number(at, 4)
    }

    /// The header of the record at a place; unknown numbers of a later version count as unknown.
    fn header(&self, at: usize) -> RecordHeader {
        // Behind the columns of distances, lengths and messages, of 4 bytes each.
        let times = self.count * 12;
        let time = self
            .raw
            .get(times + at * 8..)
            .and_then(|bytes| bytes.first_chunk::<8>())
            .map_or(NO_TIME, |bytes| i64::from_le_bytes(*bytes));
        let byte = |column: usize| {
            self.raw
                .get(self.count * (20 + column) + at)
                .copied()
                .unwrap_or_default()
        };
        RecordHeader {
            kind: RecordKind::from_code(byte(0)).unwrap_or(RecordKind::Unknown),
            role: Role::from_code(byte(1)),
            flags: RecordFlags::from_bits(byte(2)),
            messages: self.number(at, 8),
            time_us: (time != NO_TIME).then_some(time),
        }
    }

    /// The number at a place in the column of u32 that starts after `before` bytes a record.
    fn number(&self, at: usize, before: usize) -> u32 {
        self.raw
            .get(self.count * before + at * 4..)
            .and_then(|bytes| bytes.first_chunk::<4>())
            .map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

/// The first bytes of `rest`, which goes on after them.
fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], RowError> {
    let (chunk, after) = rest
        .split_first_chunk::<N>()
        .ok_or_else(|| RowError("a segment that is cut off".to_owned()))?;
    *rest = after;
    Ok(*chunk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_header() -> impl Strategy<Value = RecordHeader> {
        (
            0..6_u8,
            0..6_u8,
            any::<u8>(),
            any::<u32>(),
            proptest::option::of(-9_i64..i64::MAX),
        )
            .prop_map(|(kind, role, flags, messages, time_us)| RecordHeader {
                kind: RecordKind::from_code(kind).unwrap(),
                role: Role::from_code(role),
                flags: RecordFlags::from_bits(flags),
                messages,
                time_us,
            })
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            records in prop::collection::vec(
                (1_u64..5, any_header(), prop::collection::vec(any::<u8>(), 0..600)), 1..40),
            first in 0..u64::from(u32::MAX),
        ) {
            let mut packer = Packer::default();
            let mut sequence = first;
            let mut expected = Vec::new();
            for (step, header, line) in records {
                sequence += step;
                packer.push(sequence, header, &line);
                expected.push(Record { sequence, header, line });
            }
            let sealed = packer.seal().unwrap();
            prop_assert!(packer.seal().is_none());
            prop_assert_eq!(sealed.first, expected[0].sequence);
            let segment = Segment::open(&sealed.bytes).unwrap();
            prop_assert_eq!(segment.records().map(Segment::owned).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(segment) = Segment::open(&bytes) {
                prop_assert_eq!(segment.records().count(), segment.count);
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let mut packer = Packer::default();
        let header = RecordHeader {
            kind: RecordKind::Blank,
            role: None,
            flags: RecordFlags::default(),
            messages: 0,
            time_us: None,
        };
        packer.push(0, header, &[b' '; 1000]);
        let mut bytes = packer.seal().unwrap().bytes;
        bytes[24..32].copy_from_slice(&(RAW_BYTES_MAX as u64 + 1).to_le_bytes());
        assert!(Segment::open(&bytes).unwrap_err().0.contains("unpacks to"));
    }

    /// The numbers would be added up past their end.
    #[test]
    fn sequence_numbers_that_do_not_ascend_to_the_last_are_refused() {
        let segment = |first: u64, last: u64, distances: [u32; 2]| {
            let mut bytes = 2_u32.to_le_bytes().to_vec();
            bytes.extend_from_slice(&first.to_le_bytes());
            bytes.extend_from_slice(&last.to_le_bytes());
            bytes.extend_from_slice(&46_u32.to_le_bytes());
            bytes.extend_from_slice(&46_u64.to_le_bytes());
            bytes.push(0);
            for distance in distances {
                bytes.extend_from_slice(&distance.to_le_bytes());
            }
            bytes.extend_from_slice(&[0; 38]);
            Segment::open(&bytes).is_ok()
        };
        assert!(segment(7, 9, [0, 2]));
        assert!(segment(u64::MAX - 2, u64::MAX, [0, 2]));
        assert!(!segment(u64::MAX - 2, 0, [0, 3]));
        assert!(!segment(u64::MAX - 2, u64::MAX, [9, 2]));
        assert!(!segment(7, 9, [2, 2]));
        assert!(!segment(7, 9, [1, 2]));
        assert!(!segment(7, 8, [0, 2]));
    }
}
