//! Marks of sessions that were deleted: an import passes over them.
//!
//! A mark is written in the transaction that deletes its session. It stays when a session of that
//! name begins anew: marks concern imports alone. Where an agent's ids are not unique by themselves,
//! it is a mark for the session of one folder.

use redb::{ReadOnlyTable, ReadableTable as _, Table, TableError};

use super::ranges::within;
use super::schema::{DELETED, DeletedKey, FORMAT_BESIDE_THE_LOG};
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::codec::deleted_row::{DeletedRow, DeletedSource};
use crate::codec::row::RowError;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::deleted::DeletedSession;
use crate::store::marks::{Origin, homes, mark_of};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::upkeep::migrate;

/// What errors say was being done.
const ACTION: &str = "mark a session as deleted";

/// Marks a session that goes, and what it was imported from.
pub(crate) fn mark(
    table: &mut Table<'_, DeletedKey, &'static [u8]>,
    row: &SessionRow,
    (origins, lines, now_us): (Vec<Origin>, &[DeletedSource], i64),
) -> Result<()> {
    for (home, sources) in homes(&row.agent, origins, lines) {
        let key = (row.agent.as_str(), row.id.as_str(), home.as_slice());
        let there = table.get(key).map_err(storage(ACTION))?;
        let there = there.map(|there| decode(key, there.value())).transpose()?;
        let mark = mark_of(sources, now_us, there);
        put(table, key, &mark)?;
    }
    Ok(())
}

impl Writer<'_> {
    /// Writes a mark that comes from another store.
    pub(crate) fn put_mark(&self, mark: &DeletedSession) -> Result<()> {
        let mut table = self.txn().open_table(DELETED).map_err(storage(ACTION))?;
        let key = (mark.key.agent(), mark.key.id(), mark.home_bytes.as_slice());
        put(&mut table, key, &mark.row())
    }

    /// Takes marks away: those of a session in one folder, or in all. Returns how many there were.
    pub(crate) fn forget_deleted(&self, key: &SessionKey, home: Option<&[u8]>) -> Result<u64> {
        let action = storage("forget that a session was deleted");
        let mut table = self
            .txn()
            .open_table(DELETED)
            .map_err(storage("forget that a session was deleted"))?;
        let mut homes: Vec<Vec<u8>> = Vec::new();
        let none: &[u8] = &[];
        let from = (key.agent(), key.id(), home.unwrap_or(none));
        for entry in within(&table, from.., "forget that a session was deleted")? {
            let entry = entry?.0;
            let (agent, id, found) = entry.value();
            if (agent, id) != (key.agent(), key.id()) || home.is_some_and(|home| home != found) {
                break;
            }
            homes.push(found.to_vec());
        }
        for home in &homes {
            table
                .remove((key.agent(), key.id(), home.as_slice()))
                .map_err(&action)?;
        }
        Ok(homes.len() as u64)
    }
}

/// Writes a mark.
pub(crate) fn put(
    table: &mut Table<'_, DeletedKey, &'static [u8]>,
    key: (&str, &str, &[u8]),
    mark: &DeletedRow,
) -> Result<()> {
    let encoded = mark.encode(key).map_err(|error| corrupt(key, &error))?;
    table
        .insert(key, encoded.as_slice())
        .map_err(storage(ACTION))?;
    Ok(())
}

/// The table; `None` in a store of an older format, which is only read.
pub(crate) fn open(
    snapshot: &Snapshot<'_>,
) -> Result<Option<ReadOnlyTable<DeletedKey, &'static [u8]>>> {
    match snapshot.txn().open_table(DELETED) {
        Err(TableError::TableDoesNotExist(_))
            if migrate::format(snapshot.txn())?
                .is_some_and(|format| format < FORMAT_BESIDE_THE_LOG) =>
        {
            Ok(None)
        }
        opened => opened.map(Some).map_err(storage("read the marks")),
    }
}

/// All marks, in the order of agents and ids.
pub(crate) fn all(snapshot: &Snapshot<'_>) -> Result<Vec<DeletedSession>> {
    let Some(table) = open(snapshot)? else {
        return Ok(Vec::new());
    };
    let read = storage("read the marks");
    let mut found = Vec::new();
    for entry in table.iter().map_err(&read)? {
        let (key, value) = entry.map_err(&read)?;
        let key = key.value();
        let row = decode(key, value.value())?;
        let session = DeletedSession::of(key, row);
        found.push(session.map_err(|detail| corrupt(key, &RowError(detail)))?);
    }
    // A walk ends early where a page is lost, without an error: the table knows how many there are.
    super::snapshot::all_read("deleted", found.len() as u64, length(&table)?)?;
    Ok(found)
}

fn length(table: &ReadOnlyTable<DeletedKey, &'static [u8]>) -> Result<u64> {
    redb::ReadableTableMetadata::len(table).map_err(storage("read the marks"))
}

/// Tells what is wrong with a row.
pub(crate) fn check(key: (&str, &str, &[u8]), value: &[u8]) -> Result<()> {
    let row = decode(key, value)?;
    DeletedSession::of(key, row)
        .map(drop)
        .map_err(|detail| corrupt(key, &RowError(detail)))
}

fn decode(key: (&str, &str, &[u8]), value: &[u8]) -> Result<DeletedRow> {
    DeletedRow::decode(key, value).map_err(|error| corrupt(key, &error))
}

fn corrupt((agent, id, home): (&str, &str, &[u8]), error: &RowError) -> Error {
    Error::Corrupt {
        table: "deleted",
        key: format!("`{agent}:{id}` of `{}`", String::from_utf8_lossy(home)),
        detail: error.to_string(),
    }
}
