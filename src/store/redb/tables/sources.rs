//! The table of sources: files that were imported, by path and generation.

use redb::{ReadableTable, TableHandle};

use super::ranges::within;
use super::snapshot::corrupt_session;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::ingest::Source;
use crate::store::redb::engine::errors::storage;

/// The name that a session's row says it has.
pub(crate) fn key_of(number: u64, row: &SessionRow) -> Result<SessionKey> {
    row.key()
        .map_err(|error| corrupt_session(number, error.to_string()))
}

/// The newest generation of a path.
pub(crate) fn newest(
    table: &(impl ReadableTable<(&'static [u8], u32), &'static [u8]> + TableHandle),
    path: &[u8],
) -> Result<Option<Source>> {
    let range = (path, 0)..=(path, u32::MAX);
    match within(table, range, "read the sources")?.next_back() {
        None => Ok(None),
        Some(entry) => {
            let (key, value) = entry?;
            decode(path, key.value().1, value.value()).map(Some)
        }
    }
}

/// The sources of a session, in open tables.
pub(crate) fn of_session_in(
    of_session: &(impl ReadableTable<(u64, &'static [u8], u32), ()> + TableHandle),
    sources: &impl ReadableTable<(&'static [u8], u32), &'static [u8]>,
    number: u64,
) -> Result<Vec<Source>> {
    let reading = storage("read the sources");
    let none: &[u8] = &[];
    let mut found = Vec::new();
    let range = (number, none, 0)..(number.saturating_add(1), none, 0);
    for entry in within(of_session, range, "read the sources")? {
        let (key, _) = entry?;
        let (_, path, generation) = key.value();
        if let Some(value) = sources.get((path, generation)).map_err(&reading)? {
            found.push(decode(path, generation, value.value())?);
        }
    }
    Ok(found)
}

/// Reads the row of a source.
pub(crate) fn decode(path: &[u8], generation: u32, value: &[u8]) -> Result<Source> {
    let row = SourceRow::decode(path, generation, value)
        .map_err(|error| corrupt_source(path, generation, &error.to_string()))?;
    Ok(Source {
        path: path.to_vec(),
        generation,
        row,
    })
}

/// A damaged row of the table of sources.
pub(crate) fn corrupt_source(path: &[u8], generation: u32, detail: &str) -> Error {
    Error::Corrupt {
        table: "sources",
        key: format!(
            "`{}`, generation {generation}",
            String::from_utf8_lossy(path)
        ),
        detail: detail.to_owned(),
    }
}
