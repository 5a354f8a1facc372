//! Verification of the batches that summary rows have no room for.

use redb::ReadableTable as _;

use super::Checker;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::batches;
use crate::store::redb::tables::schema::{BATCHES, FORMAT_BESIDE_THE_LOG};
use crate::store::redb::upkeep::migrate;

impl Checker<'_, '_, '_> {
    /// Batches that summary rows have no room for.
    pub(crate) fn batches(&mut self) -> Result<()> {
        let txn = self.snapshot.txn();
        let table = match txn.open_table(BATCHES) {
            Err(redb::TableError::TableDoesNotExist(_))
                if migrate::format(txn)?.is_some_and(|format| format < FORMAT_BESIDE_THE_LOG) =>
            {
                return Ok(());
            }
            opened => opened.map_err(storage("verify the batches"))?,
        };
        let read = storage("verify the batches");
        for entry in table.iter().map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            let (key, row) = (key.value(), value.value());
            let number = Some(key.0);
            if let Err(error) = batches::check(key, row) {
                self.note(error, number)?;
            } else if !self.found.rows.contains_key(&key.0) {
                let detail = "a batch of a session that is not there".to_owned();
                self.problem("batches", format!("session {}", key.0), detail, None);
            }
        }
        Ok(())
    }
}
