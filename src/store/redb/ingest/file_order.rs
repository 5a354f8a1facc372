//! Another file order of a session: which of its records are hidden then, and what the header that
//! stands first says.

use std::collections::HashSet;

use super::bulk::RedbBulk;
use crate::agents;
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::record::RecordKind;
use crate::store::fold::Fold;
use crate::store::order::Order;
use crate::store::redb::tables::segments;

impl RedbBulk<'_> {
    /// Writes the file order of a session, in the transaction of its records. What its agent has
    /// dropped is hidden; what was hidden here stays so.
    pub(crate) fn write_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()> {
        let old = self.writer.row(number)?;
        let before = self.writer.file_order(number)?;
        self.writer.put_file_order(number, order)?;
        let mut row = SessionRow {
            reordered: order.is_reordered(old.next),
            ..old.clone()
        };
        if row.reordered || old.reordered {
            let was = before
                .filter(|_| old.reordered)
                .map(|before| Order::of(&before, old.next));
            let place_before = |sequence| was.as_ref().map_or(sequence, |was| was.place(sequence));
            let mark_before = place_before(old.mark);
            let start_before = was.as_ref().map_or(0, |was| {
                was.file_start().map_or(u64::MAX, |start| was.place(start))
            });
            let now = Order::of(order, old.next);
            let start = now.file_start().unwrap_or(old.next);
            row.mark = start;
            if mark_before > start_before {
                // Something of the file was hidden here: it stays behind the mark.
                let from_start = now.runs_from(Some(start));
                let mut shown = from_start.iter().flat_map(|run| run.first..=run.last);
                let is_shown = |sequence: &u64| place_before(*sequence) >= mark_before;
                row.mark = shown.find(is_shown).unwrap_or(old.next);
            }
            self.count_hidden(number, &mut row, &now)?;
            if !row.reordered && row.hidden == 0 {
                row.mark = 0;
            }
            self.take_headers(number, &mut row, &now)?;
        }
        if row != old {
            self.writer.put_row(number, Some(&old), &row)?;
        }
        Ok(())
    }

    /// Counts the messages before the mark.
    pub(crate) fn count_hidden(
        &self,
        number: u64,
        row: &mut SessionRow,
        order: &Order,
    ) -> Result<()> {
        let mark = order.place(row.mark);
        let table = self.writer.records()?;
        let (mut from, mut hidden) = (0, 0);
        while let Some(found) = segments::starting_from(&table, number, from, self.writer.counts())?
        {
            for (sequence, header, _) in found.segment.records() {
                if order.place(sequence) < mark {
                    hidden += u64::from(header.messages);
                }
            }
            from = found.segment.last_sequence() + 1;
        }
        row.hidden = hidden;
        Ok(())
    }

    /// Lets the row say what the header says that the file has now: it may be one from before.
    fn take_headers(&self, number: u64, row: &mut SessionRow, order: &Order) -> Result<()> {
        let dialect = agents::of_agent(&row.agent);
        if dialect.habits().role.is_none() {
            return Ok(());
        }
        let start = order.file_start().map(|start| order.place(start));
        let Some(start) = start else {
            return Ok(());
        };
        let table = self.writer.records()?;
        let (mut from, mut headers) = (0, Vec::new());
        while let Some(found) = segments::starting_from(&table, number, from, self.writer.counts())?
        {
            for (sequence, header, line) in found.segment.records() {
                let place = order.place(sequence);
                if header.kind == RecordKind::Meta && place >= start {
                    headers.push((place, sequence, line.to_vec()));
                }
            }
            from = found.segment.last_sequence() + 1;
        }
        headers.sort_unstable_by_key(|(place, ..)| *place);
        let mut seen = HashSet::new();
        for (_, sequence, line) in &headers {
            if seen.insert(*sequence) {
                let described = dialect.describe(line);
                Fold::default().take_header(row, &described, *sequence);
            }
        }
        Ok(())
    }
}
