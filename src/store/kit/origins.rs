//! Where sessions came from, in cells: sources by their paths, and again with their sessions, so that a
//! deletion finds those of many sessions in one read.

use super::cells::{CellQuery, Table, push_text, take_text};
use super::draft::Draft;
use super::engine::Engine;
use crate::codec::source_row::SourceRow;
use crate::model::error::{Error, Result};
use crate::store::ingest::Source;

/// Cells that are looked at together.
const PAGE: usize = 256;

/// The key of a source.
fn key_of(path: &[u8], generation: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(path.len() + 6);
    push_text(&mut key, path);
    key.extend_from_slice(&generation.to_be_bytes());
    key
}

/// The source of a cell.
pub(crate) fn decode(key: &[u8], value: &[u8]) -> Result<Source> {
    let mut rest = key;
    let path = take_text(&mut rest);
    let generation = rest.first_chunk::<4>().filter(|_| rest.len() == 4);
    let (Some(path), Some(generation)) = (path, generation) else {
        return Err(corrupt(key, "a key that is no path".to_owned()));
    };
    let generation = u32::from_be_bytes(*generation);
    let row = SourceRow::decode(&path, generation, value);
    Ok(Source {
        row: row.map_err(|error| corrupt(&path, error.0))?,
        path,
        generation,
    })
}

fn corrupt(path: &[u8], detail: String) -> Error {
    Error::Corrupt {
        table: Table::Sources.name(),
        key: String::from_utf8_lossy(path).into_owned(),
        detail,
    }
}

impl Draft<'_> {
    /// Every generation of a path, the newest first.
    pub(crate) fn generations(&self, path: &[u8], limit: usize) -> Result<Vec<Source>> {
        let all = CellQuery::of(Table::Sources, 0)
            .between(key_of(path, 0), key_of(path, u32::MAX))
            .backward()
            .with_limit(limit);
        let cells = self.cells(&all)?;
        cells
            .iter()
            .map(|(key, value)| decode(key, value))
            .collect()
    }

    /// The sources of a session.
    pub(crate) fn sources_of(&self, number: u64) -> Result<Vec<Source>> {
        let cells = self.cells(&CellQuery::of(Table::SessionSources, number))?;
        cells
            .iter()
            .map(|(key, value)| decode(key, value))
            .collect()
    }

    /// Writes a source.
    pub(crate) fn put_source(&mut self, source: &Source) -> Result<()> {
        let key = key_of(&source.path, source.generation);
        let encoded = source.row.encode(&source.path, source.generation);
        let encoded = encoded.map_err(|error| corrupt(&source.path, error.0))?;
        self.put(Table::Sources, 0, &key, encoded.clone());
        self.put(Table::SessionSources, source.row.session, &key, encoded);
        Ok(())
    }

    /// Removes a source.
    pub(crate) fn remove_source_of(&mut self, number: u64, path: &[u8], generation: u32) {
        let key = key_of(path, generation);
        self.remove(Table::Sources, 0, &key);
        self.remove(Table::SessionSources, number, &key);
    }

    /// Shows `each` the stored sources whose path begins so and that this draft leaves, until it says
    /// that it is enough. Reads page by page.
    pub(crate) fn sources_below(
        &self,
        start: &[u8],
        each: &mut dyn FnMut(Source) -> bool,
    ) -> Result<()> {
        walk(self.engine(), start, &mut |key, value| {
            if self.is_removed(Table::Sources, 0, key) {
                return Ok(true);
            }
            decode(key, value).map(&mut *each)
        })
    }
}

/// What looks at a cell, and says whether it wants more.
type Visit<'v> = dyn FnMut(&[u8], &[u8]) -> Result<bool> + 'v;

/// Shows `each` the stored cells of sources whose path begins so.
pub(crate) fn walk(engine: &dyn Engine, start: &[u8], each: &mut Visit<'_>) -> Result<()> {
    let mut prefix = Vec::new();
    push_text(&mut prefix, start);
    // Without what ends a text: longer paths begin like this, too.
    prefix.truncate(prefix.len() - 2);
    let mut from = prefix.clone();
    loop {
        let query = CellQuery::of(Table::Sources, 0).starting_at(from.as_slice());
        let cells = engine.cells(&query.with_limit(PAGE))?;
        for (key, value) in &cells {
            if !key.starts_with(&prefix) || !each(key, value)? {
                return Ok(());
            }
        }
        match cells.last() {
            // The least key behind the last one.
            Some((last, _)) if cells.len() >= PAGE => from = [last.as_slice(), &[0]].concat(),
            _ => return Ok(()),
        }
    }
}
