//! Step 6: the tables of the index of messages.
//!
//! - `search_tails`: of each session that is there the note that no record of it is indexed. Builds up to
//!   format 5 would add records without such a note, and searches would miss them.
//! - `search_runs`, `search_documents`, `search_grams`: the index, empty. `RedbStore::index` fills it.

use redb::{ReadableTable as _, WriteTransaction};

use crate::codec::search_rows;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::SEARCH_RUNS).map_err(&action)?;
    txn.open_table(schema::SEARCH_DOCUMENTS).map_err(&action)?;
    txn.open_table(schema::SEARCH_GRAMS).map_err(&action)?;
    let mut tails = txn.open_table(schema::SEARCH_TAILS).map_err(&action)?;
    let action = storage("note what is not indexed");
    let sessions = txn
        .open_table(schema::SESSIONS)
        .map_err(storage("read the sessions"))?;
    for entry in sessions.iter().map_err(&action)? {
        let number = entry.map_err(&action)?.0.value();
        let row = search_rows::encode_tail(number, 0);
        tails.insert(number, row.as_slice()).map_err(&action)?;
    }
    Ok(())
}
