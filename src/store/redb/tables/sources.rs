//! The table of sources: files that were imported, by path and generation.

use redb::{ReadableTable, TableHandle};

use super::ranges::within;
use super::snapshot::corrupt_session;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::ingest::Source;

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
