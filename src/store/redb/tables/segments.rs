//! Segments in their table: written in parts, found by any sequence number, read whole.

use redb::{AccessGuard, ReadableTable, Table, TableHandle};

use super::ranges::within;
use super::row_counts::ReadCounts;
use crate::codec::parts;
use crate::codec::row::{self, FRAME_BYTES, RowError, RowFormat};
use crate::codec::segment::{Packer, Sealed, Segment};
use crate::model::error::{Error, Result};
use crate::model::record::RecordHeader;
use crate::store::redb::engine::errors::storage;

const VERSION: u8 = 1;

/// Before the data of a segment's first part: the length of all its data, u64.
const LENGTH_BYTES: usize = 8;

/// The key and the value of the table of records.
pub(crate) type RecordsKey = (u64, u64, u32);

/// A segment and where it stands.
#[derive(Debug)]
pub(crate) struct Found {
    /// Sequence number of its first record: its key.
    pub first: u64,
    /// The segment.
    pub segment: Segment,
}

/// Where one transaction has written segments last, so that the next one goes on in a page that has
/// room. Nothing but the lengths of parts rests on it.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    last: Option<RecordsKey>,
    used: usize,
}

impl Edge {
    /// What the page before a key has left: known at the end of the table, as long as nobody else
    /// writes there; elsewhere as far as the rows around tell.
    fn room(&self, table: &Table<'_, RecordsKey, &'static [u8]>, key: RecordsKey) -> Result<usize> {
        if let Some(ours) = self.last.filter(|last| *last < key) {
            let last = table.last().map_err(storage("write records"))?;
            if last.is_some_and(|(last, _)| last.value() == ours) {
                return Ok(parts::PAGE_BYTES.saturating_sub(self.used));
            }
        }
        let before = within(table, ..key, "write records")?.rev();
        let before = shared_bytes(before)?;
        // The row before fills its own pages: there is no rest to go on in.
        if before == 0 {
            return Ok(0);
        }
        // Rows behind the key may stand in the same page.
        let used = before + shared_bytes(within(table, key.., "write records")?)?;
        Ok(parts::PAGE_BYTES.saturating_sub(parts::PAGE_HEAD_BYTES + used))
    }

    /// A row was written: into the last page where it fits there, or else into one of its own.
    fn wrote(&mut self, key: RecordsKey, row: usize) {
        let bytes = parts::ENTRY_BYTES + row;
        self.used = if self.last.is_some() && self.used + bytes <= parts::PAGE_BYTES {
            self.used + bytes
        } else {
            (parts::PAGE_HEAD_BYTES + bytes).min(parts::PAGE_BYTES)
        };
        self.last = Some(key);
    }
}

/// The bytes that rows take in a page, up to the first one that leaves no room for another, and not
/// much more than there are in one page.
fn shared_bytes<'t>(
    rows: impl Iterator<Item = Result<(AccessGuard<'t, RecordsKey>, AccessGuard<'t, &'static [u8]>)>>,
) -> Result<usize> {
    let mut bytes = 0;
    for row in rows {
        let row = parts::ENTRY_BYTES + row?.1.value().len();
        if parts::fills_page(row) {
            break;
        }
        bytes += row;
        if bytes >= parts::PAGE_BYTES {
            break;
        }
    }
    Ok(bytes)
}

/// Writes a segment; returns its bytes. With an edge it goes on in the page before it, where that
/// has room; without, as a record of the tail that a sealing replaces, it stays in one row.
pub(crate) fn insert(
    table: &mut Table<'_, RecordsKey, &'static [u8]>,
    number: u64,
    sealed: &Sealed,
    mut edge: Option<&mut Edge>,
) -> Result<u64> {
    // A row that does not fit what is left of a page gets one of its own: a first part that is cut
    // to the rest wastes none.
    let room = match &edge {
        Some(edge) => edge.room(table, (number, sealed.first, 0))?,
        None => 0,
    };
    let mut rest = sealed.bytes.as_slice();
    let mut part = 0_u32;
    let mut written = 0;
    while part == 0 || !rest.is_empty() {
        let before = if part == 0 { LENGTH_BYTES } else { 0 };
        let length = if part == 0 {
            parts::first_length(rest.len() + before, FRAME_BYTES, room)
        } else {
            parts::next_length(rest.len(), FRAME_BYTES)
        }
        .saturating_sub(before);
        let (now, later) = rest.split_at(length.min(rest.len()));
        let mut body = Vec::with_capacity(before + now.len());
        if part == 0 {
            // The length stands in front, so that a last part that is missing is noticed.
            body.extend_from_slice(&(sealed.bytes.len() as u64).to_le_bytes());
        }
        body.extend_from_slice(now);
        let key = (number, sealed.first, part);
        let framed = row::seal(RowFormat::Segment, VERSION, &key_bytes(key), &body);
        written += framed.len() as u64;
        table
            .insert(key, framed.as_slice())
            .map_err(storage("write records"))?;
        if let Some(edge) = &mut edge {
            edge.wrote(key, framed.len());
        }
        rest = later;
        part += 1;
    }
    Ok(written)
}

/// All segments of a session as they lie, put together and not unpacked, in their order.
pub(crate) fn sealed(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    counts: &ReadCounts,
) -> Result<Vec<Sealed>> {
    let mut found: Vec<Sealed> = Vec::new();
    let (mut length, mut next) = (0_u64, 0);
    let is_whole =
        |last: Option<&Sealed>, length| last.is_none_or(|last| last.bytes.len() as u64 == length);
    let range = (number, 0, 0)..=(number, u64::MAX, u32::MAX);
    for entry in within(table, range, "read records")? {
        let (key, value) = entry?;
        counts.records(1);
        let key = key.value();
        let (_, first, part) = key;
        let body = open(key, value.value())?;
        match found.last_mut() {
            Some(last) if last.first == first && part == next => last.bytes.extend_from_slice(body),
            // The next segment begins only behind a whole one: a last part that is missing leaves
            // no gap.
            last if part == 0 && is_whole(last.as_deref(), length) => {
                let (head, data) = body.split_first_chunk::<LENGTH_BYTES>().ok_or_else(|| {
                    corrupt(key, &RowError("a part without its length".to_owned()))
                })?;
                length = u64::from_le_bytes(*head);
                let bytes = data.to_vec();
                found.push(Sealed { first, bytes });
            }
            _ => return Err(missing((number, first, next))),
        }
        next = part + 1;
    }
    match found.last() {
        last if is_whole(last, length) => Ok(found),
        last => Err(missing((number, last.map_or(0, |last| last.first), next))),
    }
}

/// Puts the bodies of the parts of a segment together, and reads it. `None` if some are missing, or
/// do not belong together.
pub(crate) fn assemble(parts: &[Vec<u8>]) -> Option<Segment> {
    let mut data = parts.concat();
    let length = u64::from_le_bytes(*data.first_chunk::<LENGTH_BYTES>()?);
    data.drain(..LENGTH_BYTES);
    (data.len() as u64 == length)
        .then(|| Segment::open(&data).ok())
        .flatten()
}

/// The segment that holds a sequence number, or else the last one before it.
pub(crate) fn at_or_before(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    sequence: u64,
    counts: &ReadCounts,
) -> Result<Option<Found>> {
    let read = storage("read records");
    let range = (number, 0, 0)..=(number, sequence, u32::MAX);
    let Some(entry) = within(table, range, "read records")?.next_back() else {
        return Ok(None);
    };
    let (key, value) = entry?;
    let (_, first, part) = key.value();
    let get = |key| table.get(key).map_err(&read);
    if part == 0 {
        return found((number, first), value.value(), counts, get).map(Some);
    }
    // The last row before a place is the last part of its segment, which is read from its first.
    let start = get((number, first, 0))?.ok_or_else(|| missing((number, first, 0)))?;
    found((number, first), start.value(), counts, get).map(Some)
}

/// Where the segment starts that holds a sequence number, or else the last one before it.
pub(crate) fn start_at_or_before(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    sequence: u64,
) -> Result<Option<u64>> {
    let range = (number, 0, 0)..=(number, sequence, u32::MAX);
    let last = within(table, range, "read records")?.next_back();
    Ok(last.transpose()?.map(|(key, _)| key.value().1))
}

/// The first segment that starts at a sequence number or after it.
pub(crate) fn starting_from(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    number: u64,
    sequence: u64,
    counts: &ReadCounts,
) -> Result<Option<Found>> {
    let range = (number, sequence, 0)..=(number, u64::MAX, u32::MAX);
    let Some(entry) = within(table, range, "read records")?.next() else {
        return Ok(None);
    };
    let (key, value) = entry?;
    let (_, first, part) = key.value();
    if part != 0 {
        return Err(missing((number, first, 0)));
    }
    let get = |key| table.get(key).map_err(storage("read records"));
    found((number, first), value.value(), counts, get).map(Some)
}

/// Removes a segment.
pub(crate) fn remove(
    table: &mut Table<'_, RecordsKey, &'static [u8]>,
    number: u64,
    first: u64,
) -> Result<()> {
    table
        .retain_in((number, first, 0)..=(number, first, u32::MAX), |_, _| false)
        .map_err(storage("remove records"))
}

/// Removes the records from a sequence number on; what shares a segment with them stays. Returns
/// what was removed, with the bytes of each line: costs as much as that is.
pub(crate) fn cut(
    table: &mut Table<'_, RecordsKey, &'static [u8]>,
    number: u64,
    sequence: u64,
    counts: &ReadCounts,
) -> Result<Vec<(u64, RecordHeader, u64)>> {
    let mut removed = Vec::new();
    let before = at_or_before(table, number, sequence, counts)?;
    let mut from = before.map_or(sequence, |found| found.first);
    while let Some(found) = starting_from(table, number, from, counts)? {
        from = found.segment.last_sequence() + 1;
        // Where the record itself is missing, the search gave the segment before it.
        if from <= sequence {
            continue;
        }
        // Before the rest is written: that has the same key, and perhaps fewer parts.
        remove(table, number, found.first)?;
        let mut packer = Packer::default();
        for (at, header, line) in found.segment.records() {
            if at < sequence {
                packer.push(at, header, line);
            } else {
                removed.push((at, header, line.len() as u64));
            }
        }
        if let Some(sealed) = packer.seal() {
            insert(table, number, &sealed, None)?;
        }
    }
    Ok(removed)
}

/// The segment at a key: its first part is here, and `more` gives the others in order.
pub(crate) fn found<'g>(
    (number, first): (u64, u64),
    start: &[u8],
    counts: &ReadCounts,
    mut more: impl FnMut(RecordsKey) -> Result<Option<AccessGuard<'g, &'static [u8]>>>,
) -> Result<Found> {
    let key = (number, first, 0);
    counts.records(1);
    let body = open(key, start)?;
    let (length, data) = body
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or_else(|| corrupt(key, &RowError("a first part without its length".to_owned())))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    // In one part, as most are: then nothing is copied.
    let segment = if data.len() == length {
        Segment::open(data)
    } else {
        let mut data = data.to_vec();
        let mut part = 1;
        while data.len() < length {
            let key = (number, first, part);
            let value = more(key)?.ok_or_else(|| missing(key))?;
            counts.records(1);
            data.extend_from_slice(open(key, value.value())?);
            part += 1;
        }
        if data.len() != length {
            let detail = format!("{} bytes in parts, {length} were expected", data.len());
            return Err(corrupt(key, &RowError(detail)));
        }
        Segment::open(&data)
    };
    let segment = segment.map_err(|error| corrupt(key, &error))?;
    if segment.sequence(0) == first {
        Ok(Found { first, segment })
    } else {
        let detail = format!("starts with record {}", segment.sequence(0));
        Err(corrupt(key, &RowError(detail)))
    }
}

/// A part of a segment is not where it has to be.
pub(crate) fn missing(key: RecordsKey) -> Error {
    corrupt(key, &RowError("the part is missing".to_owned()))
}

/// Checks a part by itself: its checksum, under its key.
pub(crate) fn check_part(key: RecordsKey, value: &[u8]) -> Result<()> {
    open(key, value).map(drop)
}

/// Checks a part of a segment, and gives what is in it.
pub(crate) fn open(key: RecordsKey, value: &[u8]) -> Result<&[u8]> {
    row::open(RowFormat::Segment, VERSION, &key_bytes(key), value)
        .map_err(|error| corrupt(key, &error))
}

/// A damaged row of the table of records.
pub(crate) fn corrupt((number, first, part): RecordsKey, error: &RowError) -> Error {
    Error::Corrupt {
        table: "records",
        key: format!("session {number}, record {first}, part {part}"),
        detail: error.to_string(),
    }
}

fn key_bytes((number, first, part): RecordsKey) -> [u8; 20] {
    let mut bytes = [0; 20];
    let (session, rest) = bytes.split_at_mut(8);
    let (record, piece) = rest.split_at_mut(8);
    session.copy_from_slice(&number.to_be_bytes());
    record.copy_from_slice(&first.to_be_bytes());
    piece.copy_from_slice(&part.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lines;
    use crate::store::redb::tables::schema::RECORDS;

    /// A segment of one line that does not compress.
    fn sealed(first: u64, bytes: usize) -> Sealed {
        let header = lines::piece(1).header;
        let mut noise = first + 1;
        let line: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            noise.to_be_bytes()[0]
        })
        .take(bytes)
        .collect();
        let mut packer = Packer::default();
        packer.push(first, header, &line);
        packer.seal().unwrap()
    }

    /// 9,000 bytes are a page of 8 KiB and 900 bytes more.
    #[test]
    fn a_segment_goes_on_in_the_page_before_it_where_that_has_room() {
        let memory = redb::backends::InMemoryBackend::new();
        let database = redb::Builder::new().create_with_backend(memory).unwrap();
        let txn = database.begin_write().unwrap();
        let mut table = txn.open_table(RECORDS).unwrap();
        let (mut one, mut other) = (Edge::default(), Edge::default());
        let mut put = |number: u64, first: u64, edge: Option<&mut Edge>| {
            insert(&mut table, number, &sealed(first, 9_000), edge).unwrap();
            let part = table.get((number, first, 0)).unwrap();
            part.map_or(0, |part| part.value().len())
        };
        let whole = 8_192 - 32;
        assert_eq!(put(1, 0, Some(&mut one)), whole, "the first one of all");
        assert_eq!(
            put(1, 1, Some(&mut one)),
            3_120,
            "known where the page ends"
        );
        assert_eq!(put(2, 0, None), whole, "a record of the tail");
        assert_eq!(put(3, 0, Some(&mut one)), 3_120, "told by the rows before");
        assert_eq!(put(5, 0, Some(&mut other)), 2_134, "by another transaction");
        assert_eq!(put(1, 2, Some(&mut other)), 2_134, "in the middle");
        assert_eq!(put(0, 0, Some(&mut other)), whole, "before all");
        for (number, first) in [
            (0, 0),
            (1, 0),
            (1, 1),
            (1, 2),
            (2, 0),
            (3, 0),
            (5, 0),
            (5, 1),
        ] {
            let found = at_or_before(&table, number, first, &ReadCounts::default()).unwrap();
            assert_eq!(found.unwrap().segment.line_bytes(), 9_000);
        }
    }
}
