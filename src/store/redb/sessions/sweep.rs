//! Clean-up: which sessions go for their own sake, which with those that started them, and which stay.
//!
//! A clean-up deletes in one transaction as many sessions as others can wait for: pages of the
//! indexes, in which old and new sessions stand side by side, are then written once for all of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::slice::Chunks;
use std::time::{Duration, Instant};

use redb::ReadableTable as _;

use super::delete::{ACTION, Deletion};
use super::list;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::store::query::ListQuery;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::snapshot;
use crate::store::redb::tables::writer::Writer;
use crate::store::select;
use crate::store::{Cleaned, CleanupQuery};

/// Sessions that a cleanup deletes before it looks at the clock.
pub(crate) const BATCH: usize = if cfg!(test) { 2 } else { 1_000 };

/// Batches of a cleanup that may be one transaction, if there is time for them.
const BATCHES_AT_ONCE: usize = 64;

/// After so long a cleanup commits: other processes wait about as long. So does an import.
const TURN: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 250 });

/// Which sessions go for their own sake.
#[derive(Debug)]
pub(crate) struct Sweep {
    list: ListQuery,
    pinned_too: bool,
}

impl Sweep {
    /// Those that a query means.
    pub(crate) fn of(query: &CleanupQuery) -> Self {
        Self {
            list: query.listed(),
            pinned_too: query.pinned_too,
        }
    }

    fn takes(&self, row: &SessionRow) -> bool {
        select::selects(&self.list, row)
    }
}

fn add(cleaned: &mut Cleaned, more: &Cleaned) {
    cleaned.removed += more.removed;
    cleaned.sub_agents += more.sub_agents;
    cleaned.pinned_kept += more.pinned_kept;
}

/// Deletes as many of the sessions, those that are still there and that go, as one transaction has
/// time for.
pub(crate) fn many(
    writer: &Writer<'_>,
    batches: &mut Peekable<Chunks<'_, u64>>,
    sweep: &Sweep,
) -> Result<Cleaned> {
    let began = Instant::now();
    let mut cleaned = Cleaned::default();
    let mut deletion = Deletion::open(writer)?;
    for numbers in batches.by_ref() {
        add(&mut cleaned, &deletion.delete_if(numbers, sweep)?);
        // Behind a batch, and never before the first: each turn gets on, however slow the disk is.
        if began.elapsed() >= TURN {
            break;
        }
    }
    Ok(cleaned)
}

impl Deletion<'_, '_> {
    /// Deletes those of the sessions that are still there and that go, with what they started.
    fn delete_if(&mut self, numbers: &[u64], sweep: &Sweep) -> Result<Cleaned> {
        let mut cleaned = Cleaned::default();
        let mut doomed = BTreeMap::new();
        for number in numbers {
            // Looked at again here: since the list was read it may have grown, been pinned or
            // deleted.
            let there = snapshot::row_by_number(&self.sessions, *number, self.writer.counts())?;
            let Some(row) = there.filter(|row| sweep.takes(row)) else {
                continue;
            };
            if !sweep.pinned_too && self.is_spared(&row)? {
                cleaned.pinned_kept += 1;
            } else {
                doomed.insert(*number, row);
            }
        }
        self.add_families(&mut doomed, sweep)?;
        let children = doomed.values().filter(|row| row.shown_subagent());
        cleaned.sub_agents = children.count() as u64;
        cleaned.removed = self.delete_all(&doomed)?;
        Ok(cleaned)
    }

    /// Adds what sessions have started, all generations, but for what is pinned and all below it. A fork
    /// was not started.
    fn add_families(&self, doomed: &mut BTreeMap<u64, SessionRow>, sweep: &Sweep) -> Result<()> {
        let of = |row: &SessionRow| (row.agent.clone(), row.id.clone());
        let mut open: Vec<(String, String)> = doomed.values().map(of).collect();
        while let Some((agent, parent)) = open.pop() {
            let (first, last) = (
                (agent.as_str(), parent.as_str(), 0),
                (agent.as_str(), parent.as_str(), u64::MAX),
            );
            for entry in within(&self.by_parent, first..=last, ACTION)? {
                let number = entry?.0.value().2;
                self.writer.counts().indexes(1);
                // Sessions may name each other as their parents: none is gone through twice.
                if doomed.contains_key(&number) {
                    continue;
                }
                let row = snapshot::row_behind(&self.sessions, number, self.writer.counts())?;
                if row.shown_subagent() && (sweep.pinned_too || !row.given.pinned) {
                    open.push(of(&row));
                    doomed.insert(number, row);
                }
            }
        }
        Ok(())
    }

    /// Whether a session is pinned, or comes from one that is.
    fn is_spared(&self, row: &SessionRow) -> Result<bool> {
        let mut seen = BTreeSet::new();
        let mut row = Cow::Borrowed(row);
        loop {
            if row.given.pinned {
                return Ok(true);
            }
            let Some(parent) = row.shown_parent() else {
                return Ok(false);
            };
            self.writer.counts().indexes(1);
            let number = self
                .keys
                .get((row.agent.as_str(), parent))
                .map_err(storage(ACTION))?
                .map(|number| number.value());
            // Sessions that name each other as parents lead in a circle.
            let Some(number) = number.filter(|number| seen.insert(*number)) else {
                return Ok(false);
            };
            let above = snapshot::row_behind(&self.sessions, number, self.writer.counts())?;
            row = Cow::Owned(above);
        }
    }
}

impl RedbStore {
    /// Deletes the sessions that a query means, with what they started.
    pub(crate) fn clean_up(&self, query: &CleanupQuery) -> Result<Cleaned> {
        let sweep = Sweep::of(query);
        let before_us = query.before.timestamp_micros();
        let mut numbers = self.read(|snapshot| list::numbers_before(snapshot, before_us))?;
        // In the order of the tables: sessions that are neighbours there share pages.
        numbers.sort_unstable();
        let mut cleaned = Cleaned::default();
        let (mut rest, mut batch) = (numbers.as_slice(), BATCH);
        while !rest.is_empty() {
            let done = self.engine.freeing(|| {
                self.write(|writer| {
                    // What a full disk has no room for goes session by session.
                    let some = rest.get(..batch * BATCHES_AT_ONCE).unwrap_or(rest);
                    let mut batches = some.chunks(batch).peekable();
                    let cleaned = many(writer, &mut batches, &sweep)?;
                    let left: usize = batches.map(<[u64]>::len).sum();
                    Ok((cleaned, some.len() - left))
                })
            });
            match done {
                Ok((some, taken)) => {
                    add(&mut cleaned, &some);
                    rest = rest.get(taken..).unwrap_or_default();
                }
                Err(error) if error.is_disk_full() && batch > 1 => batch = 1,
                Err(error) => return Err(error),
            }
        }
        Ok(cleaned)
    }
}
