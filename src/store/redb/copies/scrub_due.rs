//! The note in a store that it is to be scrubbed: from before the first removal until the file is a new one,
//! so that one that was stopped is not forgotten.

use redb::{ReadTransaction, WriteTransaction};

use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::schema::{INFO_SCRUB, STORE_INFO};

/// Notes that a scrub is due.
pub(crate) fn note(txn: &WriteTransaction) -> Result<()> {
    let mut info = txn
        .open_table(STORE_INFO)
        .map_err(storage("note that a scrub is due"))?;
    info.insert(INFO_SCRUB, [1].as_slice())
        .map_err(storage("note that a scrub is due"))?;
    Ok(())
}

/// Notes that it is done.
pub(crate) fn note_done(txn: &WriteTransaction) -> Result<()> {
    let mut info = txn
        .open_table(STORE_INFO)
        .map_err(storage("note that a scrub is done"))?;
    info.remove(INFO_SCRUB)
        .map_err(storage("note that a scrub is done"))?;
    Ok(())
}

/// Whether one is due.
pub(crate) fn is_noted(txn: &ReadTransaction) -> Result<bool> {
    let info = txn
        .open_table(STORE_INFO)
        .map_err(storage("read `store_info`"))?;
    let found = info.get(INFO_SCRUB).map_err(storage("read `store_info`"))?;
    Ok(found.is_some())
}
