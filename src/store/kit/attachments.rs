//! Files that are kept whole, in cells: part by part.

use std::io::{Read, Write};

use super::cells::{CellQuery, Table, push_text, take_text};
use super::draft::Draft;
use super::engine::Engine;
use crate::codec::row::RowError;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::store::file_parts::{corrupt, cut_up, open_part};
use crate::store::query::AttachmentInfo;

/// Parts that are read at once: each is of 256 KiB at most.
const PARTS: usize = 16;

fn part_key(name: &str, part: u32) -> Vec<u8> {
    let mut key = Vec::new();
    push_text(&mut key, name.as_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}

impl Draft<'_> {
    /// Removes an attachment. Returns whether there was one.
    pub(crate) fn remove_attachment(&mut self, number: u64, name: &str) -> Result<bool> {
        let range = (part_key(name, 0), part_key(name, u32::MAX));
        let all = CellQuery::of(Table::Attachments, number).between(range.0, range.1);
        let parts = self.cells(&all)?;
        for (key, _) in &parts {
            self.remove(Table::Attachments, number, key);
        }
        Ok(!parts.is_empty())
    }

    /// Writes an attachment, replacing one of the same name, and counts a new one in its session's row.
    /// Returns its bytes and their hash.
    pub(crate) fn put_attachment(
        &mut self,
        number: u64,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<(u64, u128)> {
        // An older content may have had more parts: one that stayed would go on behind the new ones.
        let replaced = self.remove_attachment(number, name)?;
        let written = self.put_file(number, name, content)?;
        if !replaced {
            self.count_attachments(number, |count| count + 1)?;
        } else if number != 0 {
            self.note_written(number)?;
        }
        Ok(written)
    }

    /// Writes an attachment where there is none of its name, and counts nothing. Returns its bytes and
    /// their hash.
    pub(crate) fn put_file(
        &mut self,
        number: u64,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<(u64, u128)> {
        cut_up(number, name, content, &mut |part, framed| {
            self.put(Table::Attachments, number, &part_key(name, part), framed);
            Ok(())
        })
    }

    /// Changes how many attachments a session's row counts; a folder has no row.
    pub(crate) fn count_attachments(
        &mut self,
        number: u64,
        now: impl Fn(u64) -> u64,
    ) -> Result<()> {
        if number == 0 {
            return Ok(());
        }
        let old = self.row(number)?;
        let row = SessionRow {
            attachments: now(old.attachments),
            ..old
        };
        self.put_row(number, &row)
    }
}

/// Writes an attachment's bytes to `out`.
pub(crate) fn read(
    engine: &dyn Engine,
    number: u64,
    name: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let last = part_key(name, u32::MAX);
    let mut expected = 0;
    loop {
        let range = CellQuery::of(Table::Attachments, number)
            .between(part_key(name, expected), last.as_slice());
        let parts = engine.cells(&range.with_limit(PARTS))?;
        let before = expected;
        for (key, value) in &parts {
            if *key != part_key(name, expected) {
                break;
            }
            let (is_last, data) = open_part(number, name, expected, value)?;
            out.write_all(&data)
                .map_err(|source| Error::Output { source })?;
            if is_last {
                return Ok(());
            }
            expected += 1;
        }
        if parts.is_empty() && expected == 0 {
            return Err(Error::NotFound {
                wanted: name.to_owned(),
            });
        }
        // Another part stands where this one should: asking again would give the same.
        if expected == before {
            let missing = RowError("the part is missing".to_owned());
            return Err(corrupt(number, name, expected, &missing));
        }
    }
}

/// The attachments of a session, with their sizes: reads them, a few parts at a time.
pub(crate) fn list(engine: &dyn Engine, number: u64) -> Result<Vec<AttachmentInfo>> {
    let mut found: Vec<AttachmentInfo> = Vec::new();
    let (mut from, mut next) = (Vec::new(), 0);
    loop {
        let range = CellQuery::of(Table::Attachments, number).starting_at(from);
        let parts = engine.cells(&range.with_limit(PARTS))?;
        for (key, value) in &parts {
            let mut rest = key.as_slice();
            let name = take_text(&mut rest).unwrap_or_default();
            let name = String::from_utf8_lossy(&name).into_owned();
            let part = rest
                .first_chunk::<4>()
                .copied()
                .map_or(0, u32::from_be_bytes);
            let (is_last, data) = open_part(number, &name, part, value)?;
            if part != next {
                let missing = RowError("the part is missing".to_owned());
                return Err(corrupt(number, &name, next, &missing));
            }
            next = if is_last { 0 } else { part + 1 };
            let bytes = data.len() as u64;
            match found.last_mut() {
                Some(info) if part > 0 => info.bytes += bytes,
                _ => found.push(AttachmentInfo { name, bytes }),
            }
        }
        match parts.last() {
            // The least key behind the last one.
            Some((last, _)) if parts.len() >= PARTS => from = [last.as_slice(), &[0]].concat(),
            _ => break,
        }
    }
    match found.last() {
        Some(info) if next != 0 => {
            let missing = RowError("the part is missing".to_owned());
            Err(corrupt(number, &info.name, next, &missing))
        }
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    /// A file of several parts, of which one is away.
    fn without(part: usize) -> MemoryStore {
        let store = MemoryStore::default();
        let mut state = 88_172_645_463_325_252_u64;
        let noise: Vec<u8> = (0..1_200_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[4]
            })
            .collect();
        let mut draft = Draft::over(&store);
        draft.put_file(7, "noise", &mut noise.as_slice()).unwrap();
        assert!(store.commit(&draft.into_changes().unwrap()).unwrap());
        let mut whole = Vec::new();
        read(&store, 7, "noise", &mut whole).unwrap();
        assert_eq!(whole, noise);
        let parts = store.cells(&CellQuery::of(Table::Attachments, 7)).unwrap();
        assert!(parts.len() > 3);
        let at = part.min(parts.len() - 1);
        let mut draft = Draft::over(&store);
        draft.remove(Table::Attachments, 7, &parts[at].0);
        assert!(store.commit(&draft.into_changes().unwrap()).unwrap());
        store
    }

    #[test]
    fn a_part_that_is_missing_is_damage_wherever_it_was() {
        for part in [0, 2, usize::MAX] {
            let store = without(part);
            let is_missing = |error: Error| {
                let told = error.to_string();
                matches!(error, Error::Corrupt { .. }) && told.contains("the part is missing")
            };
            assert!(list(&store, 7).is_err_and(is_missing), "{part}");
            let read = read(&store, 7, "noise", &mut Vec::new());
            assert!(read.is_err_and(is_missing), "{part}");
        }
    }
}
