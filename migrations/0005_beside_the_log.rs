//! Step 5: the tables beside the log.
//!
//! - `batches`: batch ids that a session's row has no room for. Builds up to format 4 remember a
//!   session's last 16 batches alone, and would not note what they append here; so they must not write
//!   to a store whose writers count on it.
//! - `file_orders`: which records a session's file has, in which order. A session without a row has all
//!   that its source says, in the order of their numbers.
//! - `contents`, `homes`: the contents of an id, and whose an id is that is not unique by itself.

use redb::WriteTransaction;

use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::BATCHES).map_err(&action)?;
    txn.open_table(schema::FILE_ORDERS).map_err(&action)?;
    txn.open_table(schema::CONTENTS).map_err(&action)?;
    txn.open_table(schema::HOMES).map_err(&action)?;
    Ok(())
}
