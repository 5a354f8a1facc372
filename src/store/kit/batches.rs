//! Batches that a session's row has no room for, in cells: for a day.

use super::cells::{CellQuery, Table};
use super::draft::Draft;
use crate::codec::batch_row::BatchRow;
use crate::codec::row::RowError;
use crate::codec::session_row::{Batch, SessionRow};
use crate::model::error::{Error, Result};
use crate::store::addition;

fn corrupt(number: u64, id: u128, error: &RowError) -> Error {
    Error::Corrupt {
        table: Table::Batches.name(),
        key: format!("session {number}, batch {id:032x}"),
        detail: error.0.clone(),
    }
}

fn decode(number: u64, key: &[u8], value: &[u8]) -> Result<(u128, BatchRow)> {
    let id = key
        .first_chunk::<16>()
        .map_or(0, |key| u128::from_be_bytes(*key));
    BatchRow::decode(number, id, value)
        .map(|row| (id, row))
        .map_err(|error| corrupt(number, id, &error))
}

impl Draft<'_> {
    /// A batch of a session that its row has no room for.
    pub(crate) fn older_batch(
        &self,
        number: u64,
        row: &SessionRow,
        id: u128,
    ) -> Result<Option<Batch>> {
        // Most sessions never had more than the row holds, and need no question.
        if !addition::has_older(row) || row.batches.iter().any(|batch| batch.id == id) {
            return Ok(None);
        }
        let key = id.to_be_bytes();
        let Some(value) = self.get(Table::Batches, number, &key)? else {
            return Ok(None);
        };
        let (_, BatchRow { first, last, .. }) = decode(number, &key, &value)?;
        Ok(Some(Batch { id, first, last }))
    }

    /// Lets the commit happen only where there is no batch of that id that the row has no room for.
    pub(crate) fn expect_no_batch(&mut self, number: u64, row: &SessionRow, id: u128) {
        if addition::has_older(row) && !row.batches.iter().any(|batch| batch.id == id) {
            self.expect_nothing(Table::Batches, number, &id.to_be_bytes());
        }
    }

    /// All batches of a session that its row has no room for.
    pub(crate) fn older_batches(&self, number: u64) -> Result<Vec<(u128, BatchRow)>> {
        let cells = self.cells(&CellQuery::of(Table::Batches, number))?;
        let rows = cells.iter().map(|(key, value)| decode(number, key, value));
        rows.collect()
    }

    /// Writes a batch that the row of a session has no room for.
    pub(crate) fn put_older_batch(&mut self, number: u64, id: u128, row: BatchRow) -> Result<()> {
        let encoded = row.encode(number, id);
        let encoded = encoded.map_err(|error| corrupt(number, id, &error))?;
        self.put(Table::Batches, number, &id.to_be_bytes(), encoded);
        Ok(())
    }

    /// Notes a batch that leaves the row of a session.
    pub(crate) fn note_older_batch(
        &mut self,
        number: u64,
        batch: Batch,
        now_us: i64,
    ) -> Result<()> {
        let row = BatchRow {
            first: batch.first,
            last: batch.last,
            since_us: now_us,
        };
        self.put_older_batch(number, batch.id, row)
    }

    /// Forgets those of some batches whose day is over: of so many behind an id, in the order of ids, and then
    /// of a session's first ones. Ids of version 7 ascend, so these are its oldest; of others each has its
    /// turn.
    pub(crate) fn forget_batches(
        &mut self,
        number: u64,
        (after, now_us): (u128, i64),
        count: usize,
    ) -> Result<()> {
        // What is stored, and not what this draft writes: that is of today.
        let all = CellQuery::of(Table::Batches, number).with_limit(count);
        let behind = all.clone().starting_at(after.to_be_bytes());
        let mut cells = self.engine().cells(&behind)?;
        let left = count - cells.len().min(count);
        if left > 0 {
            let before = all.between([], after.to_be_bytes()).with_limit(left);
            cells.extend(self.engine().cells(&before)?);
        }
        for (key, value) in cells {
            let (id, row) = decode(number, &key, &value)?;
            if id != after && addition::is_forgotten(row.since_us, now_us) {
                self.remove(Table::Batches, number, &key);
            }
        }
        Ok(())
    }
}
