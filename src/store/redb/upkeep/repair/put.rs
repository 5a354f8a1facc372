//! Rows put into a store as they are.

use crate::codec::deleted_row::DeletedRow;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::store::fold;
use crate::store::lines;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::ingest::bulk::RedbBulk;
use crate::store::redb::tables::deleted;
use crate::store::redb::tables::schema::{DELETED, SESSION_KEYS};

impl RedbBulk<'_> {
    /// Writes the rows of a segment as they are.
    pub(super) fn put_parts(&mut self, number: u64, first: u64, rows: &[Vec<u8>]) -> Result<()> {
        let mut table = self.writer.records()?;
        for (part, row) in rows.iter().enumerate() {
            let part = u32::try_from(part).unwrap_or(u32::MAX);
            table
                .insert((number, first, part), row.as_slice())
                .map_err(storage("write records"))?;
        }
        Ok(())
    }

    /// Writes the mark of a deleted session.
    pub(super) fn put_deleted(
        &mut self,
        (agent, id, home): &(String, String, Vec<u8>),
        row: &DeletedRow,
    ) -> Result<()> {
        let table = self.writer.txn().open_table(DELETED);
        let mut table = table.map_err(storage("mark a session as deleted"))?;
        deleted::put(&mut table, (agent, id, home), row)
    }

    /// Writes a session's row, with its name and its index entries. A repair is no write to the session: the
    /// time of the last one is that of the row that was found.
    pub(super) fn put_session(&mut self, number: u64, row: &SessionRow) -> Result<()> {
        let keys = self.writer.txn().open_table(SESSION_KEYS);
        keys.map_err(storage("name a session"))?
            .insert((row.agent.as_str(), row.id.as_str()), number)
            .map_err(storage("name a session"))?;
        let mut row = row.clone();
        let now = lines::now(&self.writer.engine().options.stamps)?;
        fold::believe(&mut row, now.timestamp_micros());
        self.writer.put_row_as_it_is(number, None, &row)
    }
}
