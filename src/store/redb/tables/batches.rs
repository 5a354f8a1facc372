//! Batches that a session's row has no room for: for a day, so that a retry is known whatever others
//! append meanwhile.
//!
//! No pass over the table forgets any: whoever notes a batch looks at the two behind it, in the
//! order of ids, and then at the session's first. Ids of version 7 ascend, so these are its oldest; of
//! others each has its turn.

use redb::{ReadableTable as _, Table};

use super::ranges::within;
use super::schema::BATCHES;
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::codec::batch_row::BatchRow;
use crate::codec::row::RowError;
use crate::codec::session_row::Batch;
use crate::model::error::{Error, Result};
use crate::store::addition;
use crate::store::redb::engine::errors::storage;

/// Batches that are looked at for each that is noted: two, so that they do not become more.
const LOOKED_AT: usize = 2;

/// The key of the table: session number, id.
pub(crate) type BatchKey = (u64, u128);

impl Writer<'_> {
    fn batches(&self) -> Result<Table<'_, BatchKey, &'static [u8]>> {
        self.txn()
            .open_table(BATCHES)
            .map_err(storage("look a batch up"))
    }

    /// A batch of a session that its row has no room for.
    pub(crate) fn older_batch(&self, number: u64, id: u128) -> Result<Option<Batch>> {
        let table = self.batches()?;
        let found = table
            .get((number, id))
            .map_err(storage("look a batch up"))?;
        let Some(value) = found else {
            // Where damage hides the row, a retry would be written a second time.
            if let Some(pages) = self.pages() {
                pages.check(BATCHES, &(number, id), &(number, id))?;
            }
            return Ok(None);
        };
        let row = BatchRow::decode(number, id, value.value())
            .map_err(|error| corrupt((number, id), &error))?;
        Ok(Some(Batch {
            id,
            first: row.first,
            last: row.last,
        }))
    }

    /// Writes a batch that the row of a session has no room for.
    pub(crate) fn put_older_batch(&self, number: u64, id: u128, row: BatchRow) -> Result<()> {
        let encoded = row.encode(number, id);
        let encoded = encoded.map_err(|error| corrupt((number, id), &error))?;
        self.batches()?
            .insert((number, id), encoded.as_slice())
            .map_err(storage("note a batch"))?;
        Ok(())
    }

    /// Forgets all batches of a session.
    pub(crate) fn remove_batches(&self, number: u64) -> Result<()> {
        remove(&mut self.batches()?, number)
    }

    /// Notes a batch that leaves the row of a session, and forgets some of those whose day is over.
    pub(crate) fn note_older_batch(&self, number: u64, batch: Batch, now_us: i64) -> Result<()> {
        let action = storage("note a batch");
        let mut table = self.batches()?;
        let encoded = BatchRow {
            first: batch.first,
            last: batch.last,
            since_us: now_us,
        }
        .encode(number, batch.id)
        .map_err(|error| corrupt((number, batch.id), &error))?;
        table
            .insert((number, batch.id), encoded.as_slice())
            .map_err(&action)?;
        let mut over = Vec::new();
        let behind = (number, batch.id.saturating_add(1))..=(number, u128::MAX);
        // Behind the last id it begins with the first ones: so each has its turn, whatever ids are
        // made of.
        for range in [behind, (number, 0)..=(number, batch.id)] {
            let rows = table.range(range).map_err(&action)?;
            for row in rows.take(LOOKED_AT - over.len().min(LOOKED_AT)) {
                let (key, value) = row.map_err(&action)?;
                let (session, id) = key.value();
                let row = BatchRow::decode(session, id, value.value())
                    .map_err(|error| corrupt((session, id), &error))?;
                if addition::is_forgotten(row.since_us, now_us) {
                    over.push((session, id));
                }
            }
        }
        for key in over {
            table.remove(key).map_err(&action)?;
        }
        Ok(())
    }
}

impl Snapshot<'_> {
    /// All batches of a session that its row has no room for.
    pub(crate) fn older_batches(&self, number: u64) -> Result<Vec<(u128, BatchRow)>> {
        let open = storage("look a batch up");
        let table = self.txn().open_table(BATCHES).map_err(open)?;
        let range = (number, 0)..=(number, u128::MAX);
        let rows = within(&table, range, "look a batch up")?.map(|entry| {
            let (key, value) = entry?;
            let (_, id) = key.value();
            let row = BatchRow::decode(number, id, value.value());
            Ok((id, row.map_err(|error| corrupt((number, id), &error))?))
        });
        rows.collect()
    }
}

/// Forgets all batches of a session.
pub(crate) fn remove(table: &mut Table<'_, BatchKey, &'static [u8]>, number: u64) -> Result<()> {
    table
        .retain_in((number, 0)..=(number, u128::MAX), |key, _| key.0 != number)
        .map_err(storage("delete a session"))
}

/// Tells what is wrong with a row.
pub(crate) fn check(key: BatchKey, value: &[u8]) -> Result<()> {
    BatchRow::decode(key.0, key.1, value)
        .map(drop)
        .map_err(|error| corrupt(key, &error))
}

fn corrupt((number, id): BatchKey, error: &RowError) -> Error {
    Error::Corrupt {
        table: "batches",
        key: format!("session {number}, batch {id:032x}"),
        detail: error.to_string(),
    }
}
