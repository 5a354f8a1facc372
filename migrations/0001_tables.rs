//! Step 1: the tables of format 1.

use redb::WriteTransaction;

use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;

/// Creates every table, so that readers find them from the first commit on.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::SESSIONS).map_err(&action)?;
    txn.open_table(schema::SESSION_KEYS).map_err(&action)?;
    txn.open_table(schema::BY_UPDATED).map_err(&action)?;
    txn.open_table(schema::BY_PROJECT).map_err(&action)?;
    txn.open_table(schema::RECORDS).map_err(&action)?;
    txn.open_table(schema::ATTACHMENTS).map_err(&action)?;
    txn.open_table(schema::SOURCES).map_err(&action)?;
    txn.open_table(schema::SESSION_SOURCES).map_err(&action)?;
    Ok(())
}
