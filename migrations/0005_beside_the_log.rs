//! Step 5: the tables beside the log.
//!
//! - `batches`: batch ids that a session's row has no room for. Builds up to format 4 remember a
//!   session's last 16 batches alone, and would not note what they append here; so they must not write
//!   to a store whose writers count on it.
//! - `exceptions`, `courses`: what only other lines tell of a record, and what leads to that. Builds up to
//!   format 4 would append lines without it.

use redb::WriteTransaction;

use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    txn.open_table(schema::BATCHES)
        .map_err(storage("create its tables"))?;
    txn.open_table(schema::EXCEPTIONS)
        .map_err(storage("create its tables"))?;
    txn.open_table(schema::COURSES)
        .map_err(storage("create its tables"))?;
    Ok(())
}
