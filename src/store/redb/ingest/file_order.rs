//! Another file order of a session: which of its records are hidden then, and what the header that
//! stands first says, is in `store::file_lines`.

use super::agent_facts::{for_each_from, for_each_record};
use super::bulk::RedbBulk;
use crate::codec::file_order::FileOrder;
use crate::model::error::Result;
use crate::store::file_lines;

impl RedbBulk<'_> {
    /// Writes the file order of a session, in the transaction of its records. What its agent has
    /// dropped is hidden; what was hidden here stays so.
    pub(crate) fn write_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()> {
        let old = self.writer.row(number)?;
        let before = self.writer.file_order(number)?;
        self.writer.put_file_order(number, order)?;
        let table = self.writer.records()?;
        let counts = self.writer.counts();
        let row = match before {
            Some(before) if file_lines::only_drops(&old, &before, order) => {
                // A part of a file that is rewritten: it would cost a read of the session each time.
                let mut row = old.clone();
                for_each_from(
                    &table,
                    (number, before.next),
                    counts,
                    |sequence, header, _| {
                        let is_new = sequence >= before.next;
                        row.hidden += u64::from(is_new) * u64::from(header.messages);
                        true
                    },
                )?;
                row
            }
            before => file_lines::reorder(&old, before, order, &mut |look| {
                for_each_record(&table, number, counts, look)
            })?,
        };
        drop(table);
        if row != old {
            self.writer.put_row(number, Some(&old), &row)?;
        }
        Ok(())
    }
}
