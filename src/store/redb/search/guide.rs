//! The index as a search asks it.

use super::candidates::{Candidates, candidates};
use crate::model::error::{Error, Result};
use crate::model::session::Summary;
use crate::search::{Pattern, Plan};
use crate::store::query::Cursor;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::families::Families;
use crate::store::search::{Guide, Where};

/// With more sessions than these a search walks through the list: the first of it may have enough.
const SESSIONS_MAX: usize = 2000;

/// What the index knows of a pattern.
#[derive(Debug)]
pub(crate) struct RedbGuide<'s> {
    store: &'s RedbStore,
    /// Where something may be; `None` for everywhere.
    found: Option<Candidates>,
}

impl<'s> RedbGuide<'s> {
    /// Looks a pattern up.
    pub(crate) fn new(store: &'s RedbStore, pattern: &Pattern) -> Result<Self> {
        let found = match pattern.plan() {
            Plan::Any => None,
            Plan::Buckets(alternatives) => {
                match store.read(|snapshot| candidates(snapshot, &alternatives)) {
                    // Damage that ended the call: all is read.
                    Err(Error::Corrupt { .. }) => None,
                    found => found?,
                }
            }
        };
        Ok(Self { store, found })
    }
}

impl Guide for RedbGuide<'_> {
    fn look(&self, session: &Summary) -> Result<Where> {
        let Some(found) = &self.found else {
            return Ok(Where::All);
        };
        let Some(ranges) = found.get(&session.number) else {
            return Ok(Where::Within(Vec::new()));
        };
        let row = self.store.read(|snapshot| snapshot.row(session.number))?;
        Ok(match row {
            // The order of its file is another one than that of the numbers.
            Some(row) if row.reordered => Where::All,
            _ => Where::Within(ranges.clone()),
        })
    }

    fn sessions(&self) -> Result<Option<Vec<Summary>>> {
        let Some(found) = &self.found else {
            return Ok(None);
        };
        if found.len() > SESSIONS_MAX {
            return Ok(None);
        }
        let sessions = self.store.read(|snapshot| {
            let families = Families::of(snapshot)?;
            let mut sessions = Vec::new();
            for number in found.keys() {
                // One that is gone has nothing; one that a list leaves out is left out here.
                if let Some(row) = snapshot.row(*number)?
                    && row.is_listed()
                {
                    sessions.push(families.summary(snapshot, (*number, row))?);
                }
            }
            Ok(sessions)
        });
        let mut sessions = match sessions {
            // The walk through the list tells of a damaged row.
            Err(Error::Corrupt { .. }) => return Ok(None),
            sessions => sessions?,
        };
        sessions.sort_by_key(|session| std::cmp::Reverse(Cursor::of(session)));
        Ok(Some(sessions))
    }
}
