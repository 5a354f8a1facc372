//! Batches that a session's row has no room for, in cells: for a day.

use super::cells::{CellQuery, Table};
use super::draft::Draft;
use crate::codec::batch_row::BatchRow;
use crate::codec::row::RowError;
use crate::codec::session_row::{Batch, SessionRow};
use crate::model::error::{Error, Result};
use crate::store::addition;

/// Batches that are looked at for each that is noted: two, so that they do not become more.
const LOOKED_AT: usize = 2;

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

    /// Notes a batch that leaves the row of a session, and forgets some of those whose day is over.
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
        let encoded = row.encode(number, batch.id);
        let encoded = encoded.map_err(|error| corrupt(number, batch.id, &error))?;
        self.put(Table::Batches, number, &batch.id.to_be_bytes(), encoded);
        let all = CellQuery::of(Table::Batches, number);
        for (key, value) in self.cells(&all.with_limit(LOOKED_AT))? {
            let (_, row) = decode(number, &key, &value)?;
            if addition::is_forgotten(row.since_us, now_us) {
                self.remove(Table::Batches, number, &key);
            }
        }
        Ok(())
    }
}
