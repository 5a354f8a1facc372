//! The file orders of sessions: which records a session's file has, in which order.
//!
//! Only an import writes them, and only in the transaction of the records. A session without a row was
//! made here, or imported before there were such rows.

use redb::ReadableTable;

use super::schema::{FILE_ORDERS, FORMAT_BESIDE_THE_LOG};
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::codec::file_order::FileOrder;
use crate::model::error::{Error, Result};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::upkeep::migrate;

impl Writer<'_> {
    /// The file order of a session, if it has one.
    pub(crate) fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        let table = self
            .txn()
            .open_table(FILE_ORDERS)
            .map_err(storage("read a file order"))?;
        let found = read(&table, number)?;
        if let (None, Some(pages)) = (&found, self.pages()) {
            pages.check(FILE_ORDERS, &number, &number)?;
        }
        Ok(found)
    }

    /// Writes the file order of a session.
    pub(crate) fn put_file_order(&self, number: u64, order: &FileOrder) -> Result<()> {
        let encoded = order
            .encode(number)
            .map_err(|error| corrupt(number, &error.to_string()))?;
        let mut table = self
            .txn()
            .open_table(FILE_ORDERS)
            .map_err(storage("write a file order"))?;
        table
            .insert(number, encoded.as_slice())
            .map_err(storage("write a file order"))?;
        Ok(())
    }
}

impl Snapshot<'_> {
    /// The file order of a session, if it has one.
    pub(crate) fn file_order(&self, number: u64) -> Result<Option<FileOrder>> {
        let table = match self.txn().open_table(FILE_ORDERS) {
            Err(redb::TableError::TableDoesNotExist(_))
                if migrate::format(self.txn())?
                    .is_some_and(|format| format < FORMAT_BESIDE_THE_LOG) =>
            {
                return Ok(None);
            }
            opened => opened.map_err(storage("read a file order"))?,
        };
        let found = read(&table, number)?;
        if found.is_none() {
            // A damaged page may hide it: then the lines would come in the order of the log, as if
            // that were theirs.
            self.check(FILE_ORDERS, &number, &number)?;
        }
        Ok(found)
    }
}

fn read(table: &impl ReadableTable<u64, &'static [u8]>, number: u64) -> Result<Option<FileOrder>> {
    let stored = table.get(number).map_err(storage("read a file order"))?;
    stored
        .map(|bytes| decode(number, bytes.value()))
        .transpose()
}

/// Reads the row of a file order.
pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<FileOrder> {
    FileOrder::decode(number, bytes).map_err(|error| corrupt(number, &error.to_string()))
}

/// A damaged row of the table of file orders.
pub(crate) fn corrupt(number: u64, detail: &str) -> Error {
    Error::Corrupt {
        table: "file_orders",
        key: format!("session {number}"),
        detail: detail.to_owned(),
    }
}
