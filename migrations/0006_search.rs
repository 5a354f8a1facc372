//! Step 6: the tables of the index of messages.
//!
//! - `search_runs`, `search_documents`, `search_grams`: the index, empty. `RedbStore::index` fills it.
//! - `search_tails`: what is not indexed, empty, which with an empty index means all. Builds up to format 5
//!   would add records without a note here, and searches would miss them.

use redb::WriteTransaction;

use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::SEARCH_RUNS).map_err(&action)?;
    txn.open_table(schema::SEARCH_DOCUMENTS).map_err(&action)?;
    txn.open_table(schema::SEARCH_GRAMS).map_err(&action)?;
    txn.open_table(schema::SEARCH_TAILS)
        .map(drop)
        .map_err(&action)
}
