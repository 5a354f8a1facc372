//! Reading a session's records: one search for where they start, and from there on segment by
//! segment, in either direction.
//!
//! - What is read is owned when it is given out: no transaction is open while somebody looks at it.
//! - Keys that do not ascend, and sequence numbers that are missing, are damage.

use std::ops::RangeInclusive;

use redb::ReadOnlyTable;

use crate::codec::row::RowError;
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::record::RecordHeader;
use crate::store::query::{Direction, RecordPage, ScanQuery};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::ranges::{Within, within};
use crate::store::redb::tables::row_counts::ReadCounts;
use crate::store::redb::tables::schema::RECORDS;
use crate::store::redb::tables::segments::{self, Found, RecordsKey};
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::select::PageFiller;

/// The table of records, to be read.
type Records = ReadOnlyTable<RecordsKey, &'static [u8]>;

impl Snapshot<'_> {
    /// A page of records, in the order of their numbers.
    pub(crate) fn scan(&self, number: u64, query: &ScanQuery) -> Result<RecordPage> {
        self.scan_numbers(number, self.row(number)?.as_ref(), query)
    }

    /// A page of records, in the order of the session, whose row has been read.
    pub(crate) fn scan_of(
        &self,
        number: u64,
        row: &SessionRow,
        query: &ScanQuery,
    ) -> Result<RecordPage> {
        match self.order(number, row)? {
            Some(order) => self.scan_in_order(number, row, &order, query),
            None => self.scan_numbers(number, Some(row), query),
        }
    }

    fn scan_numbers(
        &self,
        number: u64,
        row: Option<&SessionRow>,
        query: &ScanQuery,
    ) -> Result<RecordPage> {
        let mut page = PageFiller::new(query);
        let mut take =
            |record: (u64, RecordHeader, &[u8])| page.take(record.0, || Segment::owned(record));
        if query.direction == Direction::Forward {
            let from = query.from.unwrap_or(0);
            self.forward(number, row, from, &mut |segment| {
                // The segment that holds it may begin before it.
                let mut records = segment.records().filter(|record| record.0 >= from);
                records.all(&mut take)
            })?;
        } else {
            let from = query.from.unwrap_or(u64::MAX);
            self.backward(number, row, from, &mut |segment| {
                let mut records = segment.records().rev().filter(|record| record.0 <= from);
                records.all(&mut take)
            })?;
        }
        Ok(page.finish())
    }

    /// Gives `each` the segments of a session in their order, from the one on that holds a record,
    /// until it has enough.
    pub(crate) fn forward(
        &self,
        number: u64,
        row: Option<&SessionRow>,
        from: u64,
        each: &mut dyn FnMut(Segment) -> bool,
    ) -> Result<()> {
        let table = self.records()?;
        let mut holes = Holes::of(number, row);
        // The segment that holds a record may begin before it.
        let before = match from {
            0 => None,
            _ => segments::start_at_or_before(&table, number, from)?,
        };
        let mut walk = self.walk(&table, number, before.unwrap_or(from)..=u64::MAX)?;
        let mut reached = before.unwrap_or(0);
        while let Some(found) = walk.segment_after()? {
            self.pass(&mut holes, reached, found.first)?;
            reached = found.segment.last_sequence() + 1;
            if !each(found.segment) {
                return Ok(());
            }
        }
        // Up to the end, too: the last records may be what damage hides.
        let next = holes.next;
        self.pass(&mut holes, reached, next)
    }

    /// Gives `each` the segments of a session from the newest to the oldest, from the one on that
    /// holds a record, until it has enough.
    pub(crate) fn backward(
        &self,
        number: u64,
        row: Option<&SessionRow>,
        from: u64,
        each: &mut dyn FnMut(Segment) -> bool,
    ) -> Result<()> {
        let table = self.records()?;
        let mut holes = Holes::of(number, row);
        let mut walk = self.walk(&table, number, 0..=from)?;
        let mut reached = holes.next.min(from.saturating_add(1));
        while let Some(found) = walk.segment_before()? {
            self.pass(&mut holes, found.segment.last_sequence() + 1, reached)?;
            reached = found.first;
            if !each(found.segment) {
                return Ok(());
            }
        }
        // Down to the first one, too: the oldest may be what damage hides.
        self.pass(&mut holes, 0, reached)
    }

    /// The table of records.
    fn records(&self) -> Result<Records> {
        let table = self.txn().open_table(RECORDS);
        table.map_err(storage("read records"))
    }

    /// A walk over the segments that start in a range of sequence numbers.
    fn walk<'t>(
        &self,
        table: &'t Records,
        number: u64,
        starts: RangeInclusive<u64>,
    ) -> Result<Walk<'t, '_>> {
        let range = (number, *starts.start(), 0)..=(number, *starts.end(), u32::MAX);
        Ok(Walk {
            rows: within(table, range, "read records")?,
            number,
            counts: self.counts(),
            last: None,
        })
    }

    /// Nothing was found from a record on, and before another: a compaction has removed what was
    /// there, or damage hides it.
    fn pass(&self, holes: &mut Holes, from: u64, to: u64) -> Result<()> {
        holes.pass(from, to)?;
        let Some(last) = to.checked_sub(1).filter(|last| from <= *last) else {
            return Ok(());
        };
        let number = holes.number;
        self.check(RECORDS, &(number, from, 0), &(number, last, u32::MAX))
    }
}

/// The segments of a session, one after another.
struct Walk<'t, 's> {
    rows: Within<'t, RecordsKey, &'static [u8]>,
    number: u64,
    counts: &'s ReadCounts,
    /// Where the last one that was found starts.
    last: Option<u64>,
}

impl Walk<'_, '_> {
    /// The next one towards the newest.
    fn segment_after(&mut self) -> Result<Option<Found>> {
        let Some(row) = self.rows.next() else {
            return Ok(None);
        };
        let (key, start) = row?;
        let (_, first, part) = key.value();
        if part != 0 {
            return Err(segments::missing((self.number, first, 0)));
        }
        self.goes_on(first, |last| last < first)?;
        let rows = &mut self.rows;
        // Its other parts lie right behind it: the walk goes on over them, without a search for
        // each.
        let more = |wanted| match rows.next().transpose()? {
            Some((key, value)) if key.value() == wanted => Ok(Some(value)),
            _ => Ok(None),
        };
        segments::found((self.number, first), start.value(), self.counts, more).map(Some)
    }

    /// The next one towards the oldest, whose last part comes first.
    fn segment_before(&mut self) -> Result<Option<Found>> {
        let Some(row) = self.rows.next_back() else {
            return Ok(None);
        };
        let (key, mut start) = row?;
        let (_, first, mut part) = key.value();
        self.goes_on(first, |last| first < last)?;
        let mut parts = Vec::new();
        while let Some(before) = part.checked_sub(1) {
            let wanted = (self.number, first, before);
            match self.rows.next_back().transpose()? {
                Some((key, value)) if key.value() == wanted => {
                    parts.push(std::mem::replace(&mut start, value));
                }
                _ => return Err(segments::missing(wanted)),
            }
            part = before;
        }
        // They were met from the last to the first.
        let more = |_| Ok(parts.pop());
        segments::found((self.number, first), start.value(), self.counts, more).map(Some)
    }

    /// Notes where a segment starts: a damaged branch may lead back to what was read already.
    fn goes_on(&mut self, first: u64, is_behind: impl FnOnce(u64) -> bool) -> Result<()> {
        if self.last.is_none_or(is_behind) {
            self.last = Some(first);
            return Ok(());
        }
        let detail = "the keys before it are not in order".to_owned();
        Err(segments::corrupt(
            (self.number, first, 0),
            &RowError(detail),
        ))
    }
}

/// Watches for records that are missing: a damaged key or page of the engine hides them without an
/// error. A session has as many holes in its sequence numbers as compactions have removed records.
struct Holes {
    number: u64,
    /// Sequence number of the next record; 0 if there is no such session.
    next: u64,
    /// Holes that may still come.
    left: u64,
}

impl Holes {
    fn of(number: u64, row: Option<&SessionRow>) -> Self {
        let (next, records) = row.map_or((0, 0), |row| (row.next, row.records));
        let left = next.saturating_sub(records);
        Self { number, next, left }
    }

    /// Nothing was found from `from` on, and before `to`.
    fn pass(&mut self, from: u64, to: u64) -> Result<()> {
        match self.left.checked_sub(to.saturating_sub(from)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None if self.next == 0 => Ok(()),
            None => Err(Error::Corrupt {
                table: "records",
                key: format!("session {}, record {from}", self.number),
                detail: format!("records {from} to {} are missing", to - 1),
            }),
        }
    }
}
