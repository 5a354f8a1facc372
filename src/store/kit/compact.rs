//! Compaction of one session: removes what lies below the mark, and packs what stays.

use super::cells::{CellQuery, Table};
use super::draft::Draft;
use crate::codec::file_order::FileOrder;
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::record::{RecordFlags, RecordKind};
use crate::store::archive::earlier;
use crate::store::fold;
use crate::store::order::Order;
use crate::store::query::Compacted;
use crate::store::rechain::Rechain;

impl Draft<'_> {
    /// The file order of a session, if it has one.
    pub(crate) fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        let stored = self.get(Table::FileOrders, number, &[])?;
        let decoded = stored.map(|bytes| FileOrder::decode(number, &bytes));
        decoded
            .transpose()
            .map_err(|error| corrupt(number, error.0))
    }

    /// Stores the file order of a session.
    pub(crate) fn put_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()> {
        let encoded = order.encode(number);
        let encoded = encoded.map_err(|error| corrupt(number, error.0))?;
        self.put(Table::FileOrders, number, &[], encoded);
        Ok(())
    }

    /// The order in which the records of a session are read; `None` if that is the order of their
    /// numbers.
    pub(crate) fn order(&self, number: u64, row: &SessionRow) -> Result<Option<Order>> {
        if !row.reordered {
            return Ok(None);
        }
        let order = self.file_order(number)?;
        let order = order.ok_or_else(|| corrupt(number, "it is missing".to_owned()))?;
        Ok(Some(Order::of(&order, row.next)))
    }

    /// Removes the records of a session before `end`, header lines excepted, and packs the rest. Costs a
    /// read of the session, so its digest chain is checked, and begun anew over what stays.
    pub(crate) fn compact(&mut self, number: u64, end: u64) -> Result<Compacted> {
        let old = self.row(number)?;
        let order = self.order(number, &old)?;
        // A mark that moved back meanwhile shows records again: they stay.
        let end = earlier(order.as_ref(), end, old.mark);
        let place = |sequence| match &order {
            Some(order) => order.place(sequence),
            None => sequence,
        };
        let hidden = self.moved(number, &old)?;
        let mut row = old.clone();
        let mut compacted = Compacted::default();
        let mut rechain = Rechain::of(&old);
        let mut unterminated = false;
        let mut staying = Vec::new();
        for (key, value) in self.cells(&CellQuery::of(Table::Records, number))? {
            let segment = super::records::open(number, &key, &value)?;
            self.remove(Table::Records, number, &key);
            for record in segment.records().map(Segment::owned) {
                let goes =
                    place(record.sequence) < place(end) && record.header.kind != RecordKind::Meta;
                rechain.take(record.sequence, &record.line, !goes);
                if goes {
                    // Messages that are shown with another record were not counted with this one.
                    let hidden = hidden.get(&record.sequence).copied().unwrap_or(0);
                    let shown = record.header.messages.saturating_sub(hidden);
                    let bytes = record.line.len();
                    fold::count_out(&mut row, &record.header, shown, bytes, &mut compacted);
                } else {
                    unterminated = record.header.flags.contains(RecordFlags::UNTERMINATED);
                    staying.push(record);
                }
            }
        }
        self.put_records(number, &staying);
        self.forget_exceptions(number, &mut row, end)?;
        // Fails where the lines are not those of the old chain: what was tampered with is not made
        // good.
        row.chain = rechain.finish(number)?;
        row.unterminated = unterminated;
        self.put_row(number, &row)?;
        Ok(compacted)
    }
}

fn corrupt(number: u64, detail: String) -> Error {
    Error::Corrupt {
        table: Table::FileOrders.name(),
        key: format!("session {number}"),
        detail,
    }
}
