//! Reading a session whose records have an order of their own: run by run, each in the order of its
//! numbers.

use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::record::RecordHeader;
use crate::store::order::Order;
use crate::store::query::{Direction, RecordPage, ScanQuery};
use crate::store::redb::tables::file_orders;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::select::PageFiller;

impl Snapshot<'_> {
    /// The order in which the records of a session are read; `None` if that is the order of their
    /// numbers.
    pub(crate) fn order(&self, number: u64, row: &SessionRow) -> Result<Option<Order>> {
        if !row.reordered {
            return Ok(None);
        }
        let order = self
            .file_order(number)?
            .ok_or_else(|| file_orders::corrupt(number, "it is missing"))?;
        Ok(Some(Order::of(&order, row.next)))
    }

    /// A page of records of a session that has an order of its own.
    pub(crate) fn scan_in_order(
        &self,
        number: u64,
        row: &SessionRow,
        order: &Order,
        query: &ScanQuery,
    ) -> Result<RecordPage> {
        let mut page = PageFiller::new(query);
        // Records lie by their numbers: each run of the file's order is a reading of its own.
        let mut goes_on = true;
        let mut take =
            |record: (u64, RecordHeader, &[u8])| page.take(record.0, || Segment::owned(record));
        if query.direction == Direction::Forward {
            for run in order.runs_from(query.from) {
                if !goes_on {
                    break;
                }
                self.forward(number, Some(row), run.first, &mut |segment| {
                    let mut records = segment.records().filter(|record| run.contains(record.0));
                    goes_on = records.all(&mut take);
                    goes_on && segment.last_sequence() < run.last
                })?;
            }
        } else {
            for run in order.runs_back_from(query.from) {
                if !goes_on {
                    break;
                }
                self.backward(number, Some(row), run.last, &mut |segment| {
                    let reached = segment.records().next().map_or(0, |record| record.0);
                    let mut records = segment
                        .records()
                        .rev()
                        .filter(|record| run.contains(record.0));
                    goes_on = records.all(&mut take);
                    goes_on && reached > run.first
                })?;
            }
        }
        Ok(page.finish())
    }
}
