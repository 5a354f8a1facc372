//! An engine's rows and cells in memory, for engines that keep them there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::cells::{Cell, CellQuery, Table};
use super::changes::{Changes, Seen};
use super::engine::{Children, KeyAndValue};
use super::row::{Columns, NameQuery, RowQuery, SummaryRow};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::select;

/// Rows and cells in memory, with what an [`Engine`](super::Engine) asks of them and one call that writes:
/// [`MemoryStore`](crate::MemoryStore) is one of these behind a lock.
#[derive(Clone, Debug, Default)]
pub struct Image {
    rows: BTreeMap<u64, (SummaryRow, Columns)>,
    names: BTreeMap<SessionKey, u64>,
    /// The numbers of listed sessions by their times.
    by_updated: BTreeSet<(i64, u64)>,
    cells: BTreeMap<Cell, Vec<u8>>,
}

impl Image {
    /// As [`Engine::row`](super::Engine::row).
    pub fn row(&self, key: &SessionKey) -> Option<SummaryRow> {
        let (row, _) = self.rows.get(self.names.get(key)?)?;
        Some(row.clone())
    }

    /// As [`Engine::rows`](super::Engine::rows).
    pub fn rows(&self, numbers: &[u64]) -> Vec<SummaryRow> {
        let found = numbers.iter().filter_map(|number| self.rows.get(number));
        found.map(|(row, _)| row.clone()).collect()
    }

    /// As [`Engine::numbers`](super::Engine::numbers).
    pub fn numbers(&self, after: u64, limit: usize) -> Vec<u64> {
        let above = (Bound::Excluded(after), Bound::Unbounded);
        let numbers = self.rows.range(above).map(|(number, _)| *number);
        numbers.take(limit).collect()
    }

    /// The highest number of a session; 0 if there is none.
    pub fn last_number(&self) -> u64 {
        self.rows.keys().next_back().copied().unwrap_or_default()
    }

    /// As [`Engine::list`](super::Engine::list).
    pub fn list(&self, query: &RowQuery) -> Vec<SummaryRow> {
        let end = query.after.unwrap_or((i64::MAX, u64::MAX));
        let newest_first = self.by_updated.range(..=end).rev();
        let rows = newest_first.filter_map(|(_, number)| self.rows.get(number));
        rows.filter(|(row, columns)| query.takes(row.number(), columns))
            .take(query.limit)
            .map(|(row, _)| row.clone())
            .collect()
    }

    /// As [`Engine::names`](super::Engine::names).
    pub fn names(&self, query: &NameQuery) -> Vec<SessionKey> {
        let named = self.names.keys().filter(|key| query.has(key));
        let mut found: Vec<SessionKey> = named.cloned().collect();
        found.sort_by(select::in_order);
        found.truncate(query.limit);
        found
    }

    /// As [`Engine::children`](super::Engine::children).
    pub fn children(&self, keys: &[SessionKey]) -> Vec<Children> {
        let mut counted: HashMap<(&str, &str), Children> = keys
            .iter()
            .map(|key| ((key.agent(), key.id()), Children::default()))
            .collect();
        for (_, columns) in self.rows.values() {
            let Some(parent) = columns.parent.as_deref().filter(|_| columns.listed) else {
                continue;
            };
            if let Some(children) = counted.get_mut(&(columns.agent.as_str(), parent)) {
                children.all += 1;
                children.subagents += u64::from(columns.subagent);
            }
        }
        let of = |key: &SessionKey| counted.get(&(key.agent(), key.id())).copied();
        keys.iter().map(|key| of(key).unwrap_or_default()).collect()
    }

    /// As [`Engine::cells`](super::Engine::cells).
    pub fn cells(&self, query: &CellQuery) -> Vec<KeyAndValue> {
        let first = Cell::new(query.table, query.owner, query.from.as_slice());
        // Cells are in the order of table, owner and key: the owner's end where the next one's
        // begin.
        let after = Cell::new(query.table, query.owner.saturating_add(1), []);
        let here = self.cells.range(first..after);
        let copy = |(cell, value): (&Cell, &Vec<u8>)| (cell.key.clone(), value.clone());
        if query.backward {
            let meant = here.rev().skip_while(|(cell, _)| !query.has(&cell.key));
            meant.take(query.limit).map(copy).collect()
        } else {
            let meant = here.take_while(|(cell, _)| query.has(&cell.key));
            meant.take(query.limit).map(copy).collect()
        }
    }

    /// As [`Engine::commit`](super::Engine::commit).
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt) for a row that is none.
    pub fn commit(&mut self, changes: &Changes) -> Result<bool> {
        let is_seen = |number: &u64, seen: u64| match self.rows.get(number) {
            Some((row, _)) => row.version() == seen,
            None => seen == 0,
        };
        let is_free =
            |cell: &Cell| !self.cells.contains_key(cell) || changes.emptied.contains(&cell.owner);
        // All is looked at before anything is changed: what is refused leaves no trace.
        if !changes
            .rows
            .iter()
            .all(|row| is_seen(&row.number, row.seen))
            || !changes
                .cells
                .iter()
                .all(|change| change.seen == Seen::Any || is_free(&change.cell))
            || !self.has_names_for(changes)?
        {
            return Ok(false);
        }
        for number in &changes.emptied {
            for table in Table::ALL {
                let all = CellQuery::of(table, *number);
                for (key, _) in self.cells(&all) {
                    self.cells.remove(&Cell::new(table, *number, key));
                }
            }
        }
        // All rows go before one is put back: two sessions may exchange their names.
        for change in &changes.rows {
            self.remove_row(change.number);
        }
        for change in &changes.rows {
            if let Some((columns, bytes)) = &change.row {
                let (number, version) = (change.number, change.seen + 1);
                self.put_row(SummaryRow::new(number, version, bytes.clone()), columns)?;
            }
        }
        for change in &changes.cells {
            match &change.value {
                Some(value) => self.cells.insert(change.cell.clone(), value.clone()),
                None => self.cells.remove(&change.cell),
            };
        }
        Ok(true)
    }

    /// Takes in a row that was stored.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](crate::Error::InvalidKey) if its name is none.
    pub fn put_row(&mut self, row: SummaryRow, columns: &Columns) -> Result<()> {
        let key = SessionKey::new(columns.agent.as_str(), columns.id.as_str())?;
        self.names.insert(key, row.number());
        if columns.listed {
            let place = (columns.updated_us, row.number());
            self.by_updated.insert(place);
        }
        self.rows.insert(row.number(), (row, columns.clone()));
        Ok(())
    }

    fn remove_row(&mut self, number: u64) {
        if let Some((_, columns)) = self.rows.remove(&number) {
            self.by_updated.remove(&(columns.updated_us, number));
            let named = SessionKey::new(columns.agent, columns.id);
            if let Some(key) = named
                .ok()
                .filter(|key| self.names.get(key) == Some(&number))
            {
                self.names.remove(&key);
            }
        }
    }

    /// Whether each row that is written has its name to itself afterwards.
    fn has_names_for(&self, changes: &Changes) -> Result<bool> {
        let mut taken = BTreeMap::new();
        let written = |number: u64| changes.rows.iter().any(|row| row.number == number);
        for change in &changes.rows {
            let Some((columns, _)) = &change.row else {
                continue;
            };
            let key = SessionKey::new(columns.agent.as_str(), columns.id.as_str())?;
            // One that is written in the same commit may give its name up in it.
            let by_other = self.names.get(&key).is_some_and(|held| !written(*held));
            if by_other || taken.insert(key, change.number).is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
