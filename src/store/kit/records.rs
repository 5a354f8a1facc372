//! Records in cells: segments, each under its first sequence number. An append makes a segment of its
//! records; a compaction packs what stays.

use super::cells::{CellQuery, Table};
use super::draft::Draft;
use super::engine::Engine;
use crate::codec::row::{self, RowError, RowFormat};
use crate::codec::segment::{Packer, Sealed, Segment};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::record::{Record, RecordFlags};
use crate::store::order::Order;
use crate::store::query::{RecordPage, ScanQuery};
use crate::store::select::PageFiller;

/// The version of the frame around a segment.
const VERSION: u8 = 1;

/// Segments that are read at once: a full one has 256 KiB of lines.
const SEGMENTS: usize = 16;

/// The key under whose checksum a segment lies.
fn frame_key(number: u64, first: u64) -> [u8; 16] {
    let mut key = [0; 16];
    let (head, tail) = key.split_at_mut(8);
    head.copy_from_slice(&number.to_be_bytes());
    tail.copy_from_slice(&first.to_be_bytes());
    key
}

fn corrupt(number: u64, key: &[u8], error: &RowError) -> Error {
    let first = key.first_chunk::<8>().map(|key| u64::from_be_bytes(*key));
    Error::Corrupt {
        table: Table::Records.name(),
        key: match first {
            Some(first) => format!("session {number}, from record {first}"),
            None => format!("session {number}"),
        },
        detail: error.0.clone(),
    }
}

/// A segment that is stored.
pub(crate) fn open(number: u64, key: &[u8], value: &[u8]) -> Result<Segment> {
    let opened = match key.first_chunk::<8>() {
        Some(first) if key.len() == 8 => {
            let first = u64::from_be_bytes(*first);
            row::open(
                RowFormat::Segment,
                VERSION,
                &frame_key(number, first),
                value,
            )
            .and_then(Segment::open)
            .and_then(|segment| match segment.sequence(0) {
                found if found == first => Ok(segment),
                found => Err(RowError(format!("a segment that begins with {found}"))),
            })
        }
        _ => Err(RowError("a key that is no sequence number".to_owned())),
    };
    opened.map_err(|error| corrupt(number, key, &error))
}

/// The bytes of a segment that is stored, out of their frame.
fn body(number: u64, (key, value): &(Vec<u8>, Vec<u8>)) -> Result<Sealed> {
    let first = key
        .first_chunk::<8>()
        .map_or(0, |key| u64::from_be_bytes(*key));
    let framed = frame_key(number, first);
    let bytes = row::open(RowFormat::Segment, VERSION, &framed, value)
        .map_err(|error| corrupt(number, key, &error))?;
    Ok(Sealed {
        first,
        bytes: bytes.to_vec(),
    })
}

/// All segments of a session as they lie, in their order.
pub(crate) fn sealed(engine: &dyn Engine, number: u64) -> Result<Vec<Sealed>> {
    let cells = engine.cells(&CellQuery::of(Table::Records, number))?;
    cells.iter().map(|cell| body(number, cell)).collect()
}

impl Draft<'_> {
    /// Writes a segment.
    pub(crate) fn put_segment(&mut self, number: u64, sealed: &Sealed) {
        let key = frame_key(number, sealed.first);
        let framed = row::seal(RowFormat::Segment, VERSION, &key, &sealed.bytes);
        let first = sealed.first.to_be_bytes();
        self.put(Table::Records, number, &first, framed);
    }

    /// Writes records, in as many segments as they take. A line without its end stays alone, so that
    /// an import can replace it.
    pub(crate) fn put_records<'r>(
        &mut self,
        number: u64,
        records: impl IntoIterator<Item = &'r Record>,
    ) {
        let mut packer = Packer::default();
        for record in records {
            let line = &record.line;
            let is_torn = record.header.flags.contains(RecordFlags::UNTERMINATED);
            if (is_torn || packer.is_full_for(record.sequence, line.len()))
                && let Some(sealed) = packer.seal()
            {
                self.put_segment(number, &sealed);
            }
            packer.push(record.sequence, record.header, line);
        }
        if let Some(sealed) = packer.seal() {
            self.put_segment(number, &sealed);
        }
    }

    /// All segments of a session, each with its first sequence number.
    pub(crate) fn segments(&self, number: u64) -> Result<Vec<(u64, Segment)>> {
        let cells = self.cells(&CellQuery::of(Table::Records, number))?;
        let opened = cells.iter().map(|(key, value)| {
            let segment = open(number, key, value)?;
            Ok((segment.sequence(0), segment))
        });
        opened.collect()
    }

    /// Removes a segment.
    pub(crate) fn remove_segment(&mut self, number: u64, first: u64) {
        self.remove(Table::Records, number, &first.to_be_bytes());
    }

    /// Removes the records of a session from one on. Returns them.
    pub(crate) fn cut(&mut self, number: u64, from: u64) -> Result<Vec<Record>> {
        let mut gone = Vec::new();
        for (first, segment) in self.segments(number)? {
            if segment.last_sequence() < from {
                continue;
            }
            self.remove_segment(number, first);
            let (stays, goes): (Vec<Record>, Vec<Record>) = segment
                .records()
                .map(Segment::owned)
                .partition(|record| record.sequence < from);
            self.put_records(number, &stays);
            gone.extend(goes);
        }
        Ok(gone)
    }
}

/// Shows `each` the segments of a session from the one that holds a record on, or backwards from
/// there, until it says that it is enough.
pub(crate) fn walk(
    engine: &dyn Engine,
    number: u64,
    (from, forward): (u64, bool),
    each: &mut dyn FnMut(&Segment) -> Result<bool>,
) -> Result<()> {
    let all = CellQuery::of(Table::Records, number);
    let mut place = from;
    if forward {
        // The one that holds it may begin before it.
        let before = all.clone().between([], from.to_be_bytes());
        let before = engine.cells(&before.backward().with_limit(1))?;
        if let Some((key, value)) = before.first() {
            let segment = open(number, key, value)?;
            place = segment.last_sequence().saturating_add(1).max(from);
            if segment.last_sequence() >= from && !each(&segment)? {
                return Ok(());
            }
        }
    }
    loop {
        let query = if forward {
            all.clone().starting_at(place.to_be_bytes())
        } else {
            all.clone().between([], place.to_be_bytes()).backward()
        };
        let cells = engine.cells(&query.with_limit(SEGMENTS))?;
        for (key, value) in &cells {
            let segment = open(number, key, value)?;
            if !each(&segment)? {
                return Ok(());
            }
            let next = if forward {
                segment.last_sequence().checked_add(1)
            } else {
                segment.sequence(0).checked_sub(1)
            };
            match next {
                Some(next) => place = next,
                None => return Ok(()),
            }
        }
        if cells.len() < SEGMENTS {
            return Ok(());
        }
    }
}

/// A page of records of a session, in its order.
pub(crate) fn page(
    engine: &dyn Engine,
    (number, row): (u64, &SessionRow),
    order: Option<&Order>,
    query: &ScanQuery,
) -> Result<RecordPage> {
    let mut page = PageFiller::new(query);
    let forward = query.direction.is_forward();
    let Some(order) = order else {
        let from = query.from.unwrap_or(if forward { 0 } else { u64::MAX });
        walk(engine, number, (from, forward), &mut |segment| {
            Ok(take(&mut page, segment, forward, |sequence| {
                if forward {
                    sequence >= from
                } else {
                    sequence <= from
                }
            }))
        })?;
        return Ok(page.finish());
    };
    let runs = if forward {
        order.runs_from(query.from)
    } else {
        order.runs_back_from(query.from)
    };
    let mut goes_on = row.records > 0;
    // Records lie by their numbers: each run of the file's order is a walk of its own.
    for run in runs {
        if !goes_on {
            break;
        }
        let start = if forward { run.first } else { run.last };
        walk(engine, number, (start, forward), &mut |segment| {
            goes_on = take(&mut page, segment, forward, |sequence| {
                run.contains(sequence)
            });
            let is_over = if forward {
                segment.last_sequence() >= run.last
            } else {
                segment.sequence(0) <= run.first
            };
            Ok(goes_on && !is_over)
        })?;
    }
    Ok(page.finish())
}

/// Takes the records of a segment that are meant. Returns whether there is room for more.
fn take(
    page: &mut PageFiller,
    segment: &Segment,
    forward: bool,
    is_meant: impl Fn(u64) -> bool,
) -> bool {
    let meant = segment.records().filter(|record| is_meant(record.0));
    let mut into = |record: (u64, _, &[u8])| page.take(record.0, || Segment::owned(record));
    if forward {
        { meant }.all(&mut into)
    } else {
        meant.rev().all(&mut into)
    }
}
