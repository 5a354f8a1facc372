//! The index of families: which sessions have which one for their parent.
//!
//! Sessions are of one agent, and name their parents by id: a child may come before its parent, and
//! the parent may never come. The entries follow what the summary rows show.

use std::collections::BTreeSet;

use redb::{ReadOnlyTable, ReadableTableMetadata as _};

use super::ranges::within;
use super::schema::{BY_PARENT, FORMAT_BESIDE_THE_LOG, FamilyKey, SESSIONS};
use super::snapshot::{Snapshot, corrupt_session, row_behind};
use super::writer::Writer;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::session::Summary;
use crate::store::query::Cursor;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::upkeep::migrate;

/// What errors say was being done.
const ACTION: &str = "list the children of a session";

impl Writer<'_> {
    /// Brings the entry of a session up to date with its row.
    pub(super) fn index_family(
        &self,
        number: u64,
        old: Option<&SessionRow>,
        row: &SessionRow,
    ) -> Result<()> {
        let place = |row: &SessionRow| {
            // Of an id with several contents only the newest is listed, and so counted as a child.
            let parent = row.shown_parent().filter(|_| row.is_listed())?.to_owned();
            Some((row.agent.clone(), parent))
        };
        let (was, is) = (old.and_then(place), place(row));
        if was == is {
            return Ok(());
        }
        let action = storage("index a session");
        let mut index = self
            .txn()
            .open_table(BY_PARENT)
            .map_err(storage("index a session"))?;
        if let Some((agent, parent)) = &was {
            index
                .remove((agent.as_str(), parent.as_str(), number))
                .map_err(&action)?;
        }
        if let Some((agent, parent)) = &is {
            index
                .insert((agent.as_str(), parent.as_str(), number), ())
                .map_err(&action)?;
        }
        Ok(())
    }
}

/// The index; `None` in a store of an older format, which is only read.
pub(crate) fn open(snapshot: &Snapshot<'_>) -> Result<Option<ReadOnlyTable<FamilyKey, ()>>> {
    match snapshot.txn().open_table(BY_PARENT) {
        Err(redb::TableError::TableDoesNotExist(_))
            if migrate::format(snapshot.txn())?
                .is_some_and(|format| format < FORMAT_BESIDE_THE_LOG) =>
        {
            Ok(None)
        }
        opened => opened.map(Some).map_err(storage(ACTION)),
    }
}

/// The places in lists of the sessions that have this parent, oldest first: of one agent, or of all.
/// Reads their rows. `None` in a store that has no index.
pub(crate) fn places(
    snapshot: &Snapshot<'_>,
    agent: Option<&str>,
    parent: &str,
) -> Result<Option<Vec<Cursor>>> {
    let Some(index) = open(snapshot)? else {
        return Ok(None);
    };
    let sessions = snapshot
        .txn()
        .open_table(SESSIONS)
        .map_err(storage(ACTION))?;
    let agents = match agent {
        Some(agent) => vec![agent.to_owned()],
        None => agents(snapshot, &index)?,
    };
    let mut places = BTreeSet::new();
    for agent in &agents {
        let (first, last) = (
            (agent.as_str(), parent, 0),
            (agent.as_str(), parent, u64::MAX),
        );
        for entry in within(&index, first..=last, ACTION)? {
            snapshot.counts().indexes(1);
            let number = entry?.0.value().2;
            let row = row_behind(&sessions, number, snapshot.counts())?;
            // Entries have no checksum of their own: the row that one leads to tells.
            if row.agent != *agent || row.shown_parent() != Some(parent) {
                return Err(corrupt_session(number, "an index has another parent"));
            }
            places.insert(Cursor {
                updated_us: row.updated_us,
                number,
            });
        }
        snapshot.check(BY_PARENT, &first, &last)?;
    }
    Ok(Some(places.into_iter().collect()))
}

/// The index, for asking about one session after another.
pub(crate) struct Families {
    index: Option<ReadOnlyTable<FamilyKey, ()>>,
    sessions: ReadOnlyTable<u64, &'static [u8]>,
}

impl Families {
    /// Opens it.
    pub(crate) fn of(snapshot: &Snapshot<'_>) -> Result<Self> {
        let index = open(snapshot)?;
        // Where no session has a parent, a list is not to look for the children of each.
        let has_any = match &index {
            Some(index) => !index.is_empty().map_err(storage(ACTION))?,
            None => false,
        };
        let sessions = snapshot.txn().open_table(SESSIONS);
        Ok(Self {
            index: index.filter(|_| has_any),
            sessions: sessions.map_err(storage(ACTION))?,
        })
    }

    /// A session's summary, with how many of its children it started as sub-agents. Reads their rows.
    pub(crate) fn summary(
        &self,
        snapshot: &Snapshot<'_>,
        (number, row): (u64, SessionRow),
    ) -> Result<Summary> {
        let subagents = self.subagents(snapshot, &row)?;
        let summary = row
            .into_summary(number)
            .map_err(|error| corrupt_session(number, error.to_string()))?;
        Ok(Summary {
            subagents,
            ..summary
        })
    }

    fn subagents(&self, snapshot: &Snapshot<'_>, row: &SessionRow) -> Result<u64> {
        let Some(index) = &self.index else {
            return Ok(0);
        };
        let (first, last) = (
            (row.agent.as_str(), row.id.as_str(), 0),
            (row.agent.as_str(), row.id.as_str(), u64::MAX),
        );
        let mut count = 0;
        for entry in within(index, first..=last, ACTION)? {
            snapshot.counts().indexes(1);
            let number = entry?.0.value().2;
            let child = row_behind(&self.sessions, number, snapshot.counts())?;
            count += u64::from(child.shown_subagent());
        }
        snapshot.check(BY_PARENT, &first, &last)?;
        Ok(count)
    }
}

/// The agents that have families: a search for each.
fn agents(snapshot: &Snapshot<'_>, index: &ReadOnlyTable<FamilyKey, ()>) -> Result<Vec<String>> {
    let mut agents: Vec<String> = Vec::new();
    // No name of an agent holds a zero byte: behind it comes the next one.
    let mut from = String::new();
    loop {
        let next = {
            let mut rows = within(index, (from.as_str(), "", 0).., ACTION)?;
            let entry = rows.next().transpose()?;
            entry.map(|(key, _)| key.value().0.to_owned())
        };
        let Some(agent) = next else {
            let past = ("\u{10ffff}", "", 0);
            snapshot.check(BY_PARENT, &(from.as_str(), "", 0), &past)?;
            return Ok(agents);
        };
        snapshot.check(BY_PARENT, &(from.as_str(), "", 0), &(agent.as_str(), "", 0))?;
        from = format!("{agent}\0");
        agents.push(agent);
    }
}
