//! Step 2: the tables of what is kept of sessions beside their lines.
//!
//! Summary rows of version 1 stay as they are until their session changes: they say the same as
//! rows of version 2 to which nothing was given.

use redb::WriteTransaction;

use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::PROPERTIES).map_err(&action)?;
    txn.open_table(schema::ALIASES).map_err(&action)?;
    Ok(())
}
