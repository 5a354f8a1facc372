//! A draft of one commit: reads see what the draft has written, and nothing is stored before it is
//! committed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cell, CellQuery, Table};
use super::changes::{CellChange, Changes, RowChange, Seen};
use super::engine::{Engine, KeyAndValue};
use super::row::{Columns, SummaryRow, corrupt};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::store::{fold, lines, written};

/// A session as the draft has read or written it.
#[derive(Clone, Debug)]
struct Held {
    /// The version that it was read with; 0 for a new one.
    seen: u64,
    /// The name that is stored.
    stored: Option<SessionKey>,
    /// `None` once it is removed.
    row: Option<SessionRow>,
    /// When it was last written; 0 for not at all.
    written: u64,
}

/// What one commit is going to write, over an engine.
#[derive(Debug)]
pub(crate) struct Draft<'e> {
    engine: &'e dyn Engine,
    held: RefCell<BTreeMap<u64, Held>>,
    cells: BTreeMap<Cell, (Seen, Option<Vec<u8>>)>,
    emptied: BTreeSet<u64>,
    clock: u64,
    bytes: u64,
    /// Cells that were read beforehand: all of the owners that are named.
    fetched: BTreeMap<(Table, u64), Vec<KeyAndValue>>,
}

impl<'e> Draft<'e> {
    /// An empty one.
    pub(crate) fn over(engine: &'e dyn Engine) -> Self {
        Self {
            engine,
            held: RefCell::default(),
            cells: BTreeMap::new(),
            emptied: BTreeSet::new(),
            clock: 0,
            bytes: 0,
            fetched: BTreeMap::new(),
        }
    }

    /// The engine below.
    pub(crate) fn engine(&self) -> &'e dyn Engine {
        self.engine
    }

    /// Whether a row that was read is another one by now.
    pub(crate) fn is_old(&self) -> Result<bool> {
        let seen: BTreeMap<u64, u64> = {
            let held = self.held.borrow();
            let read = held.iter().filter(|(_, held)| held.seen > 0);
            read.map(|(number, held)| (*number, held.seen)).collect()
        };
        let numbers: Vec<u64> = seen.keys().copied().collect();
        let now = self.engine.rows(&numbers)?;
        let is_same = |row: &SummaryRow| seen.get(&row.number()) == Some(&row.version());
        Ok(now.len() != seen.len() || !now.iter().all(is_same))
    }

    /// Bytes that were written into it.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes in a row that was read, unless it holds that session already.
    pub(crate) fn hold(&self, stored: &SummaryRow) -> Result<SessionRow> {
        let row = stored.decode()?;
        self.hold_as(stored.number(), stored.version(), &row)?;
        Ok(row)
    }

    /// Takes in a row of a version.
    pub(crate) fn hold_as(&self, number: u64, seen: u64, row: &SessionRow) -> Result<()> {
        let stored = row.key().map_err(|error| corrupt(number, error.0))?;
        self.held.borrow_mut().entry(number).or_insert(Held {
            seen,
            stored: Some(stored),
            row: Some(row.clone()),
            written: 0,
        });
        Ok(())
    }

    /// The number of the session that has a name.
    pub(crate) fn number_of(&self, key: &SessionKey) -> Result<Option<u64>> {
        let is_it = |row: &SessionRow| row.agent == key.agent() && row.id == key.id();
        {
            let held = self.held.borrow();
            let named = held
                .iter()
                .find(|(_, held)| held.row.as_ref().is_some_and(is_it));
            if let Some((number, _)) = named {
                return Ok(Some(*number));
            }
            if held.values().any(|held| held.stored.as_ref() == Some(key)) {
                // It had the name, and has lost it here.
                return Ok(None);
            }
        }
        let Some(found) = self.engine.row(key)? else {
            return Ok(None);
        };
        let row = self.hold(&found)?;
        if !is_it(&row) {
            let detail = format!("is `{}:{}`, but `{key}` led to it", row.agent, row.id);
            return Err(corrupt(found.number(), detail));
        }
        Ok(Some(found.number()))
    }

    /// A session by its name. The newest content of an id may be called by its number too.
    pub(crate) fn session(&self, key: &SessionKey) -> Result<Option<(u64, SessionRow)>> {
        if let Some(number) = self.number_of(key)? {
            return Ok(self.row_if_there(number)?.map(|row| (number, row)));
        }
        let Some((plain, content)) = numbered(key.id()) else {
            return Ok(None);
        };
        let found = self.session(&SessionKey::new(key.agent(), plain)?)?;
        Ok(found.filter(|(_, row)| row.content == content && row.contents > 1))
    }

    /// A session by its name, which has to be there.
    pub(crate) fn session_of(&self, key: &SessionKey) -> Result<(u64, SessionRow)> {
        self.session(key)?.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }

    /// The row of a session by its number.
    pub(crate) fn row_if_there(&self, number: u64) -> Result<Option<SessionRow>> {
        if let Some(held) = self.held.borrow().get(&number) {
            return Ok(held.row.clone());
        }
        match self.engine.rows(&[number])?.first() {
            Some(found) => self.hold(found).map(Some),
            None => Ok(None),
        }
    }

    /// The row of a session whose number is known.
    pub(crate) fn row(&self, number: u64) -> Result<SessionRow> {
        self.row_if_there(number)?
            .ok_or_else(|| corrupt(number, "it is named, but it is not there"))
    }

    /// The version with which a session was read, and that it gets.
    pub(crate) fn version_after(&self, number: u64) -> u64 {
        let held = self.held.borrow();
        held.get(&number).map_or(1, |held| held.seen + 1)
    }

    /// Writes a session's row. A time of update that lies more than a day ahead of the clock is not
    /// believed; that of the last write is now, if the row says anything that it did not.
    pub(crate) fn put_row(&mut self, number: u64, row: &SessionRow) -> Result<()> {
        let now_us = self.now_us()?;
        let mut row = row.clone();
        fold::believe(&mut row, now_us);
        written::stamp_changed(&mut row, self.held_row(number).as_ref(), now_us);
        // One that says the same is written all the same: the commit then holds only for what was seen.
        self.write_row(number, Some(row));
        Ok(())
    }

    /// Writes the row of a session that is written to now, whatever the row says of that. Its time of update was
    /// believed already.
    pub(crate) fn put_written_row(&mut self, number: u64, row: &SessionRow) -> Result<()> {
        let mut row = row.clone();
        written::stamp(&mut row, self.held_row(number).as_ref(), self.now_us()?);
        self.write_row(number, Some(row));
        Ok(())
    }

    /// Notes that something of a session was written of which its row says nothing.
    pub(crate) fn note_written(&mut self, number: u64) -> Result<()> {
        let row = self.row(number)?;
        self.put_written_row(number, &row)
    }

    fn now_us(&self) -> Result<i64> {
        Ok(lines::now(self.engine.stamps())?.timestamp_micros())
    }

    /// The row of a session as the draft has it, if it has read or written it.
    fn held_row(&self, number: u64) -> Option<SessionRow> {
        let held = self.held.borrow();
        held.get(&number).and_then(|held| held.row.clone())
    }

    /// Removes a session's row, and all of its cells.
    pub(crate) fn remove_session(&mut self, number: u64) {
        self.write_row(number, None);
        // A commit empties first, and would then write what the draft has of it.
        self.cells.retain(|cell, _| cell.owner != number);
        self.emptied.insert(number);
    }

    fn write_row(&mut self, number: u64, row: Option<SessionRow>) {
        self.clock += 1;
        let mut held = self.held.borrow_mut();
        let held = held.entry(number).or_insert(Held {
            seen: 0,
            stored: None,
            row: None,
            written: 0,
        });
        held.row = row;
        held.written = self.clock;
    }

    /// Reads all cells of these owners in one go, for what is going to ask for them.
    pub(crate) fn fetch(&mut self, table: Table, owners: &[u64]) -> Result<()> {
        for owner in owners {
            self.fetched.entry((table, *owner)).or_default();
        }
        for (owner, key, value) in self.engine.cells_of(table, owners)? {
            let cells = self.fetched.entry((table, owner)).or_default();
            cells.push((key, value));
        }
        Ok(())
    }

    /// The value of a cell.
    pub(crate) fn get(&self, table: Table, owner: u64, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let one = CellQuery::of(table, owner).between(key, key);
        Ok(self.cells(&one)?.pop().map(|(_, value)| value))
    }

    /// The cells of a range, with what the draft has made of them.
    pub(crate) fn cells(&self, query: &CellQuery) -> Result<Vec<KeyAndValue>> {
        let CellQuery { table, owner, .. } = *query;
        let first = Cell::new(table, owner, query.from.clone());
        let is_here = |(cell, _): &(&Cell, _)| {
            cell.table == table && cell.owner == owner && query.has(&cell.key)
        };
        let changed: Vec<(&Cell, &Option<Vec<u8>>)> = self
            .cells
            .range(first..)
            .map(|(cell, (_, value))| (cell, value))
            // Cells are in the order of table, owner and key: the first one elsewhere ends the
            // range.
            .take_while(is_here)
            .collect();
        let stored = self.stored(query, changed.is_empty())?;
        if changed.is_empty() {
            return Ok(stored);
        }
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
        for (cell, value) in changed {
            match value {
                Some(value) => merged.insert(cell.key.clone(), value.clone()),
                None => merged.remove(&cell.key),
            };
        }
        let mut found: Vec<KeyAndValue> = merged.into_iter().collect();
        if query.backward {
            found.reverse();
        }
        // Only now: cells that the draft removes would have taken places of others in the limit.
        found.truncate(query.limit);
        Ok(found)
    }

    /// What is stored of a range; all of it where the draft changes some.
    fn stored(&self, query: &CellQuery, as_asked: bool) -> Result<Vec<KeyAndValue>> {
        if self.emptied.contains(&query.owner) {
            return Ok(Vec::new());
        }
        if let Some(fetched) = self.fetched.get(&(query.table, query.owner)) {
            let here = fetched.iter().filter(|(key, _)| query.has(key)).cloned();
            let mut found: Vec<KeyAndValue> = here.collect();
            if query.backward {
                found.reverse();
            }
            found.truncate(query.limit);
            return Ok(found);
        }
        // Its number was taken for this draft: nobody else has written anything of it.
        let is_new = |held: &Held| held.seen == 0;
        if self.held.borrow().get(&query.owner).is_some_and(is_new) {
            return Ok(Vec::new());
        }
        if as_asked {
            return self.engine.cells(query);
        }
        self.engine.cells(&query.clone().with_limit(usize::MAX))
    }

    /// Whether the draft removes a cell.
    pub(crate) fn is_removed(&self, table: Table, owner: u64, key: &[u8]) -> bool {
        let changed = self.cells.get(&Cell::new(table, owner, key));
        changed.is_some_and(|(_, value)| value.is_none())
    }

    /// Writes a cell.
    pub(crate) fn put(&mut self, table: Table, owner: u64, key: &[u8], value: Vec<u8>) {
        self.bytes += value.len() as u64;
        let cell = Cell::new(table, owner, key);
        let seen = self.cells.get(&cell).map_or(Seen::Any, |(seen, _)| *seen);
        self.cells.insert(cell, (seen, Some(value)));
    }

    /// Writes a cell that nobody else may have written.
    pub(crate) fn put_new(&mut self, table: Table, owner: u64, key: &[u8], value: Vec<u8>) {
        let cell = Cell::new(table, owner, key);
        // What was there was removed by this draft.
        let seen = match self.cells.get(&cell) {
            Some((seen, _)) => *seen,
            None => Seen::Nothing,
        };
        self.bytes += value.len() as u64;
        self.cells.insert(cell, (seen, Some(value)));
    }

    /// Lets the commit happen only where there is no such cell.
    pub(crate) fn expect_nothing(&mut self, table: Table, owner: u64, key: &[u8]) {
        let cell = Cell::new(table, owner, key);
        self.cells.entry(cell).or_insert((Seen::Nothing, None));
    }

    /// Removes a cell.
    pub(crate) fn remove(&mut self, table: Table, owner: u64, key: &[u8]) {
        let cell = Cell::new(table, owner, key);
        let seen = self.cells.get(&cell).map_or(Seen::Any, |(seen, _)| *seen);
        // It was to be written by this draft, and is not there to be removed.
        if seen == Seen::Nothing {
            self.cells.remove(&cell);
        } else {
            self.cells.insert(cell, (seen, None));
        }
    }

    /// All that it writes.
    pub(crate) fn into_changes(self) -> Result<Changes> {
        let held = self.held.into_inner().into_iter();
        let mut written: Vec<(u64, Held)> = held.filter(|(_, held)| held.written > 0).collect();
        // Names that go are free before others get them.
        written.sort_by_key(|(_, held)| (held.row.is_some(), held.written));
        let mut rows = Vec::with_capacity(written.len());
        for (number, held) in written {
            let Held { seen, row, .. } = held;
            let row = match row {
                Some(row) => {
                    let bytes = row.encode(number);
                    let bytes = bytes.map_err(|error| corrupt(number, error.0))?;
                    Some((Columns::of(&row), bytes))
                }
                // Made and removed in this draft: nothing of it was ever stored.
                None if seen == 0 => continue,
                None => None,
            };
            rows.push(RowChange::new(number, seen, row));
        }
        let cells = self.cells.into_iter();
        Ok(Changes {
            emptied: self.emptied.into_iter().collect(),
            rows,
            cells: cells
                .map(|(cell, (seen, value))| CellChange::new(cell, seen, value))
                .collect(),
        })
    }
}
