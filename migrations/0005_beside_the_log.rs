//! Step 5: the tables beside the log.
//!
//! - `batches`: batch ids that a session's row has no room for. Builds up to format 4 remember a
//!   session's last 16 batches alone, and would not note what they append here; so they must not write
//!   to a store whose writers count on it.
//! - `exceptions`, `courses`: what only other lines tell of a record, and what leads to that. Builds up to
//!   format 4 would append lines without it.
//! - `deleted`: marks of sessions that were deleted. Builds up to format 4 would take them in again.
//! - `by_parent`: the children of each session, as the summary rows show their parents.
//! - `file_orders`: which records a session's file has, in which order. A session without a row has all
//!   that its source says, in the order of their numbers.
//! - `contents`, `homes`: the contents of an id, and whose an id is that is not unique by itself.

use redb::{ReadableTable as _, WriteTransaction};

use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema;
use crate::store::redb::tables::snapshot::corrupt_session;

/// Creates the tables, so that readers find them.
pub(super) fn run(txn: &WriteTransaction) -> Result<()> {
    let action = storage("create its tables");
    txn.open_table(schema::BATCHES).map_err(&action)?;
    txn.open_table(schema::FILE_ORDERS).map_err(&action)?;
    txn.open_table(schema::CONTENTS).map_err(&action)?;
    txn.open_table(schema::HOMES).map_err(&action)?;
    txn.open_table(schema::EXCEPTIONS).map_err(&action)?;
    txn.open_table(schema::COURSES).map_err(&action)?;
    txn.open_table(schema::DELETED).map_err(&action)?;
    super::step_0005_contents::run(txn)?;
    index_families(txn)
}

/// Fills the index of families from the rows that are there.
fn index_families(txn: &WriteTransaction) -> Result<()> {
    let action = storage("index the families");
    let mut index = txn
        .open_table(schema::BY_PARENT)
        .map_err(storage("create its tables"))?;
    let sessions = txn
        .open_table(schema::SESSIONS)
        .map_err(storage("index the families"))?;
    for entry in sessions.iter().map_err(&action)? {
        let (number, value) = entry.map_err(&action)?;
        let number = number.value();
        let row = SessionRow::decode(number, value.value())
            .map_err(|error| corrupt_session(number, error.to_string()))?;
        if let Some(parent) = row.shown_parent().filter(|_| row.is_listed()) {
            index
                .insert((row.agent.as_str(), parent, number), ())
                .map_err(&action)?;
        }
    }
    Ok(())
}
