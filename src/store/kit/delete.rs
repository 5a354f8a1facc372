//! Deleting sessions, with everything that belongs to them, and leaving marks for imports.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{CellQuery, Table, push_text};
use super::draft::Draft;
use crate::codec::deleted_row::{DeletedRow, DeletedSource};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::beginnings::{Line, first_lines, telling};
use crate::store::deleted::DeletedSession;
use crate::store::lines;
use crate::store::marks::{Origin, first_lines_of, homes, mark_of};
use crate::store::path_bytes::{below, emptied};
use crate::store::properties::Claims;
use crate::store::query::Removed;

type Doomed = BTreeMap<u64, SessionRow>;

/// Agent and id that a mark is for, and what the session came from, with its first lines.
type Mark = ((String, String), (Vec<Origin>, Vec<DeletedSource>));

/// The key of a mark.
fn mark_key((agent, id, home): (&str, &str, &[u8])) -> Vec<u8> {
    let mut key = Vec::new();
    push_text(&mut key, agent.as_bytes());
    push_text(&mut key, id.as_bytes());
    key.extend_from_slice(home);
    key
}

fn corrupt_mark((agent, id, home): (&str, &str, &[u8]), detail: String) -> Error {
    Error::Corrupt {
        table: Table::Deleted.name(),
        key: format!("`{agent}:{id}` of `{}`", String::from_utf8_lossy(home)),
        detail,
    }
}

/// The mark of a cell.
pub(crate) fn decode_mark(key: &[u8], value: &[u8]) -> Result<DeletedSession> {
    let mut home = key;
    let mut text = || super::cells::take_text(&mut home).and_then(|t| String::from_utf8(t).ok());
    let (agent, id) = (text().unwrap_or_default(), text().unwrap_or_default());
    let place = (agent.as_str(), id.as_str(), home);
    let row = DeletedRow::decode(place, value).map_err(|error| corrupt_mark(place, error.0))?;
    DeletedSession::of(place, row).map_err(|detail| corrupt_mark(place, detail))
}

impl Draft<'_> {
    /// Deletes a session. One of several contents goes alone; with the newest go all of its id.
    pub(crate) fn delete(&mut self, number: u64, row: &SessionRow) -> Result<Removed> {
        // A damaged session can be deleted too.
        let told = if row.is_listed() {
            None
        } else {
            self.telling(number, row).ok().flatten()
        };
        let mut done = self.delete_told(&BTreeMap::from([(number, row.clone())]), told)?;
        if !row.is_listed() {
            let plain = SessionKey::new(row.agent.as_str(), row.plain_id())?;
            self.remove_content(&plain, row.content);
            self.settle(&plain)?;
            done.sessions = 1;
        }
        Ok(done)
    }

    /// By which lines one of several contents is known.
    fn telling(&self, number: u64, row: &SessionRow) -> Result<Option<DeletedSource>> {
        let plain = SessionKey::new(row.agent.as_str(), row.plain_id())?;
        let lines = |number: u64| -> Result<Vec<Line>> {
            let order = self.file_order(number)?;
            first_lines(&row.agent, order.as_ref(), &mut |look| {
                self.each_record(number, look)
            })
        };
        let others = self.contents(&plain)?.into_iter();
        let others = others.filter(|(_, other)| *other != number);
        let others = others.map(|(_, other)| lines(other));
        Ok(telling(
            &lines(number)?,
            &others.collect::<Result<Vec<_>>>()?,
        ))
    }

    /// Deletes sessions.
    pub(crate) fn delete_all(&mut self, doomed: &Doomed) -> Result<Removed> {
        self.delete_told(doomed, None)
    }

    /// Deletes sessions, or the one that is known by these lines.
    fn delete_told(&mut self, doomed: &Doomed, told: Option<DeletedSource>) -> Result<Removed> {
        let doomed = &self.with_contents(doomed)?;
        let numbers: Vec<u64> = doomed.keys().copied().collect();
        // For all of them in two reads: each is a way to a server.
        for table in [Table::Properties, Table::SessionSources] {
            self.fetch(table, &numbers)?;
        }
        let mut paths = BTreeSet::new();
        let mut removed = Removed::default();
        let mut marks = Vec::new();
        for (number, row) in doomed {
            let mut origins = Vec::new();
            for (key, value) in self.cells(&CellQuery::of(Table::SessionSources, *number))? {
                let Ok(source) = super::origins::decode(&key, &value) else {
                    continue;
                };
                self.remove_source_of(*number, &source.path, source.generation);
                paths.insert(source.path.clone());
                origins.push(Origin::of(source.path, source.generation, &value));
            }
            // A damaged row does not tell which aliases it had, and must not keep its session either.
            if let Ok(had) = self.properties(*number) {
                self.change_claims((*number, row), (&had.aliases, &[]), Claims::InLine)?;
            }
            let mut lines: Vec<DeletedSource> = told.into_iter().collect();
            if row.is_listed() {
                let key = SessionKey::new(row.agent.as_str(), row.id.as_str())?;
                lines.extend(first_lines_of(&self.forget_homes(&key)?));
            }
            marks.push((Self::marked_as(row, doomed), (origins, lines)));
            removed += Removed {
                sessions: u64::from(row.is_listed()),
                records: row.records,
                bytes: row.bytes,
            };
            // Last: from here on the draft gives nothing of it any more.
            self.remove_session(*number);
        }
        self.mark(marks)?;
        self.delete_folder_files(&paths)?;
        Ok(removed)
    }

    /// With a session go all contents of its id.
    fn with_contents(&mut self, doomed: &Doomed) -> Result<Doomed> {
        let mut all = doomed.clone();
        for row in doomed.values().filter(|row| row.contents > 1) {
            let key = SessionKey::new(row.agent.as_str(), row.id.as_str())?;
            for (content, number) in self.contents(&key)? {
                if let Some(other) = self.row_if_there(number)? {
                    all.insert(number, other);
                }
                self.remove_content(&key, content);
            }
        }
        Ok(all)
    }

    /// Other contents of an id that goes are meant by its mark.
    fn marked_as(row: &SessionRow, doomed: &Doomed) -> (String, String) {
        let plain = row.plain_id();
        let is_head =
            |other: &SessionRow| other.is_listed() && other.agent == row.agent && other.id == plain;
        let id = if row.is_listed() || !doomed.values().any(is_head) {
            &row.id
        } else {
            plain
        };
        (row.agent.clone(), id.to_owned())
    }

    /// Leaves marks.
    fn mark(&mut self, marks: Vec<Mark>) -> Result<()> {
        // A clock that is wrong keeps nobody from deleting.
        let now = lines::now(self.engine().stamps());
        let now_us = now.map_or(0, |now| now.timestamp_micros());
        for ((agent, id), (origins, lines)) in marks {
            let was_imported = !origins.is_empty();
            for (home, sources) in homes(&agent, origins, &lines) {
                let place = (agent.as_str(), id.as_str(), home.as_slice());
                let key = mark_key(place);
                // What was never imported has no earlier mark that anybody would need.
                let earlier = if was_imported {
                    self.get(Table::Deleted, 0, &key)?
                } else {
                    None
                };
                let earlier = earlier.map(|bytes| DeletedRow::decode(place, &bytes));
                let earlier = earlier.transpose();
                let earlier = earlier.map_err(|error| corrupt_mark(place, error.0))?;
                let mark = mark_of(sources, now_us, earlier).encode(place);
                let mark = mark.map_err(|error| corrupt_mark(place, error.0))?;
                self.put(Table::Deleted, 0, &key, mark);
            }
        }
        Ok(())
    }

    /// Writes a mark that comes from another store.
    pub(crate) fn put_mark(&mut self, mark: &DeletedSession) -> Result<()> {
        let place = (mark.key.agent(), mark.key.id(), mark.home_bytes.as_slice());
        let encoded = mark.row().encode(place);
        let encoded = encoded.map_err(|error| corrupt_mark(place, error.0))?;
        self.put(Table::Deleted, 0, &mark_key(place), encoded);
        Ok(())
    }

    /// Takes a mark away.
    pub(crate) fn forget_mark(&mut self, mark: &DeletedSession) {
        let place = (mark.key.agent(), mark.key.id(), mark.home_bytes.as_slice());
        self.remove(Table::Deleted, 0, &mark_key(place));
    }

    /// Deletes the files of folders that deleted sessions came from and that no session comes from any
    /// more.
    fn delete_folder_files(&mut self, gone: &BTreeSet<Vec<u8>>) -> Result<()> {
        let is_needed = |folder: &[u8]| {
            let mut is_needed = false;
            self.sources_below(&below(folder), &mut |source| {
                is_needed = source.row.session != 0;
                !is_needed
            })?;
            Ok(is_needed)
        };
        for folder in emptied(gone, is_needed)? {
            let mut files = Vec::new();
            self.sources_below(&below(&folder), &mut |source| {
                files.push(source);
                true
            })?;
            for file in files {
                self.remove_source_of(0, &file.path, file.generation);
                self.remove_attachment(0, &file.row.name)?;
            }
        }
        Ok(())
    }
}
