//! Step 6: the tables of the index of messages.
//!
//! - `search_tails`: one row that says that nothing is indexed of any session. Builds up to format 5 would add records without such a note, and searches would miss them.
//! - `search_runs`, `search_documents`, `search_grams`: the index, empty. `RedbStore::index` fills it.

use redb::WriteTransaction;

use crate::codec::search_rows;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;
use crate::store::redb::tables::search::NEW;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::SEARCH_RUNS).map_err(&action)?;
    txn.open_table(schema::SEARCH_DOCUMENTS).map_err(&action)?;
    txn.open_table(schema::SEARCH_GRAMS).map_err(&action)?;
    let mut tails = txn.open_table(schema::SEARCH_TAILS).map_err(&action)?;
    let all = search_rows::encode_tail(NEW, 0);
    let inserted = tails.insert(NEW, all.as_slice());
    inserted
        .map(drop)
        .map_err(storage("note what is not indexed"))
}
