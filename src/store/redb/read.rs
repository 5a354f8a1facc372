//! Reading: rows by key and number, ids by prefix, pages of records.

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, Value};

use super::super::query::{RecordPage, ScanQuery};
use super::super::select::{self, PageFiller};
use super::errors::storage;
use super::pages::PageFile;
use super::properties;
use super::ranges::within;
use super::reads::ReadCounts;
use super::schema::{RECORDS, SESSION_KEYS, SESSIONS};
use super::segments;
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;

/// Sorts behind every name of an agent.
const LAST_AGENT: &str = "\u{10ffff}";

/// A snapshot of the store.
#[derive(Debug)]
pub(crate) struct Snapshot<'s> {
    txn: ReadTransaction,
    counts: &'s ReadCounts,
    pages: Option<&'s PageFile>,
}

/// A damaged or missing row of the table of sessions.
pub(crate) fn corrupt_session(number: u64, detail: impl Into<String>) -> Error {
    Error::Corrupt {
        table: "sessions",
        key: format!("session {number}"),
        detail: detail.into(),
    }
}

/// The number of a session, in any transaction.
pub(crate) fn number_of(
    table: &impl ReadableTable<(&'static str, &'static str), u64>,
    key: &SessionKey,
    counts: &ReadCounts,
) -> Result<Option<u64>> {
    counts.indexes(1);
    let found = table
        .get((key.agent(), key.id()))
        .map_err(storage("look a session up"))?;
    Ok(found.map(|number| number.value()))
}

/// Checks that a walk through all of a table has met all of its rows: a damaged page hides rows.
pub(crate) fn all_read(table: &'static str, found: u64, expected: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Corrupt {
        table,
        key: "(all)".to_owned(),
        detail: format!("{found} rows, expected {expected}"),
    })
}

/// The row of a session by its number, in any transaction.
pub(crate) fn row_by_number(
    table: &impl ReadableTable<u64, &'static [u8]>,
    number: u64,
    counts: &ReadCounts,
) -> Result<Option<SessionRow>> {
    counts.sessions(1);
    let Some(bytes) = table.get(number).map_err(storage("read a session"))? else {
        return Ok(None);
    };
    SessionRow::decode(number, bytes.value())
        .map(Some)
        .map_err(|error| corrupt_session(number, error.to_string()))
}

/// The row of a session whose number an index gave: it has to be there.
pub(crate) fn row_behind(
    table: &impl ReadableTable<u64, &'static [u8]>,
    number: u64,
    counts: &ReadCounts,
) -> Result<SessionRow> {
    row_by_number(table, number, counts)?
        .ok_or_else(|| corrupt_session(number, "an index names it, but it is not there"))
}

impl<'s> Snapshot<'s> {
    /// Wraps a read transaction.
    pub(crate) fn new(
        txn: ReadTransaction,
        counts: &'s ReadCounts,
        pages: Option<&'s PageFile>,
    ) -> Self {
        Self { txn, counts, pages }
    }

    /// The file below the engine.
    pub(crate) fn pages(&self) -> Option<&'s PageFile> {
        self.pages
    }

    /// Checks that nothing has hidden keys from `first` to `last` of a table: before an answer
    /// that there are none.
    pub(crate) fn check<K: Key, V: Value>(
        &self,
        table: TableDefinition<'static, K, V>,
        first: &K::SelfType<'_>,
        last: &K::SelfType<'_>,
    ) -> Result<()> {
        match self.pages {
            Some(pages) => pages.check(table, first, last),
            None => Ok(()),
        }
    }

    /// The transaction, for reading other tables.
    pub(crate) fn txn(&self) -> &ReadTransaction {
        &self.txn
    }

    /// The counts to add to.
    pub(crate) fn counts(&self) -> &'s ReadCounts {
        self.counts
    }

    /// A session by its name.
    pub(crate) fn session(&self, key: &SessionKey) -> Result<Option<(u64, SessionRow)>> {
        let keys = self
            .txn
            .open_table(SESSION_KEYS)
            .map_err(storage("look a session up"))?;
        let Some(number) = number_of(&keys, key, self.counts)? else {
            let place = (key.agent(), key.id());
            self.check(SESSION_KEYS, &place, &place)?;
            return Ok(None);
        };
        let sessions = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("read a session"))?;
        let row = row_behind(&sessions, number, self.counts)?;
        // The value of an index entry has no checksum of its own; the row tells whose it is.
        if row.agent == key.agent() && row.id == key.id() {
            Ok(Some((number, row)))
        } else {
            let named = format!("`{}:{}`", row.agent, row.id);
            Err(corrupt_session(
                number,
                format!("is {named}, but `{key}` led to it"),
            ))
        }
    }

    /// A session by its name, which has to be there.
    pub(crate) fn session_of(&self, key: &SessionKey) -> Result<(u64, SessionRow)> {
        self.session(key)?.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }

    /// A session by its number.
    pub(crate) fn row(&self, number: u64) -> Result<Option<SessionRow>> {
        let sessions = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("read a session"))?;
        row_by_number(&sessions, number, self.counts)
    }

    /// Sessions that a text may mean.
    pub(crate) fn find(&self, text: &str, limit: usize) -> Result<Vec<SessionKey>> {
        let table = self
            .txn
            .open_table(SESSION_KEYS)
            .map_err(storage("look sessions up"))?;
        let mut keys = Vec::new();
        let mut collect = |agent: &str, prefix: &str| -> Result<()> {
            // One more than asked for, of each agent: enough to tell one from several, and an id
            // that is equal comes first of those that start with it.
            let rows = within(&table, (agent, prefix).., "look sessions up")?;
            for entry in rows.take(limit + 1) {
                let key = entry?.0;
                let (found, id) = key.value();
                self.counts.indexes(1);
                if found != agent || !id.starts_with(prefix) {
                    break;
                }
                keys.push(SessionKey::new(found, id)?);
            }
            // Of two that fit only one may have been found: the other's page counts too.
            let last = format!("{prefix}{}", char::MAX);
            self.check(SESSION_KEYS, &(agent, prefix), &(agent, last.as_str()))
        };
        // From agent to agent: each one's range is looked at on its own.
        let mut agent = String::new();
        let mut agents = Vec::new();
        loop {
            let next = {
                let mut rows = within(&table, (agent.as_str(), "").., "look sessions up")?;
                let next = match rows.next() {
                    Some(entry) => Some(entry?.0.value().0.to_owned()),
                    None => None,
                };
                let last = next.as_deref().unwrap_or(LAST_AGENT);
                self.check(SESSION_KEYS, &(agent.as_str(), ""), &(last, ""))?;
                match next {
                    Some(next) => next,
                    None => break,
                }
            };
            self.counts.indexes(1);
            collect(&next, text)?;
            // The next possible agent name: `\0` sorts before every byte of a name.
            agent = next.clone() + "\0";
            agents.push(next);
        }
        if let Some((agent, prefix)) = select::agent_and_prefix(text) {
            collect(agent, prefix)?;
        }
        keys.sort();
        keys.dedup();
        let found = select::find_in(keys.into_iter(), text, limit);
        if !found.is_empty() {
            return Ok(found);
        }
        let mut claimed = Vec::new();
        for alias in select::aliases(agents.iter().map(String::as_str), text) {
            claimed.extend(properties::by_alias(self, &alias)?);
        }
        Ok(select::distinct(claimed.into_iter(), limit))
    }

    /// A page of records.
    pub(crate) fn scan(&self, number: u64, query: &ScanQuery) -> Result<RecordPage> {
        let table = self
            .txn
            .open_table(RECORDS)
            .map_err(storage("read records"))?;
        let mut page = PageFiller::new(query);
        let mut holes = Holes::of(number, self.row(number)?.as_ref());
        if query.direction.is_forward() {
            let from = query.from.unwrap_or(0);
            let before = segments::at_or_before(&table, number, from, self.counts)?;
            let mut reached = before.as_ref().map_or(0, |before| before.first);
            let mut found = match before {
                Some(found) => Some(found),
                None => segments::starting_from(&table, number, from, self.counts)?,
            };
            while let Some(at) = found {
                self.pass(&mut holes, reached, at.first)?;
                reached = at.segment.last_sequence() + 1;
                for record in at
                    .segment
                    .records()
                    .filter(|(sequence, ..)| *sequence >= from)
                {
                    if !page.take(record.0, || Segment::owned(record)) {
                        return Ok(page.finish());
                    }
                }
                found = segments::starting_from(&table, number, at.first + 1, self.counts)?;
            }
            let next = holes.next;
            self.pass(&mut holes, reached, next)?;
        } else {
            let from = query.from.unwrap_or(u64::MAX);
            let mut found = segments::at_or_before(&table, number, from, self.counts)?;
            let mut reached = holes.next.min(from.saturating_add(1));
            while let Some(at) = found {
                self.pass(&mut holes, at.segment.last_sequence() + 1, reached)?;
                reached = at.first;
                for record in at
                    .segment
                    .records()
                    .rev()
                    .filter(|(sequence, ..)| *sequence <= from)
                {
                    if !page.take(record.0, || Segment::owned(record)) {
                        return Ok(page.finish());
                    }
                }
                let Some(before) = at.first.checked_sub(1) else {
                    break;
                };
                found = segments::at_or_before(&table, number, before, self.counts)?;
            }
            self.pass(&mut holes, 0, reached)?;
        }
        Ok(page.finish())
    }

    /// Nothing was found from a record on, and before another: a compaction has removed what was
    /// there, or damage hides it.
    fn pass(&self, holes: &mut Holes, from: u64, to: u64) -> Result<()> {
        holes.pass(from, to)?;
        let Some(last) = to.checked_sub(1).filter(|last| from <= *last) else {
            return Ok(());
        };
        let number = holes.number;
        self.check(RECORDS, &(number, from, 0), &(number, last, u32::MAX))
    }
}

/// Watches for records that are missing: a damaged key or page of the engine hides them without an
/// error. A session has as many holes in its sequence numbers as compactions have removed records.
struct Holes {
    number: u64,
    /// Sequence number of the next record; 0 if there is no such session.
    next: u64,
    /// Holes that may still come.
    left: u64,
}

impl Holes {
    fn of(number: u64, row: Option<&SessionRow>) -> Self {
        let (next, records) = row.map_or((0, 0), |row| (row.next, row.records));
        let left = next.saturating_sub(records);
        Self { number, next, left }
    }

    /// Nothing was found from `from` on, and before `to`.
    fn pass(&mut self, from: u64, to: u64) -> Result<()> {
        match self.left.checked_sub(to.saturating_sub(from)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None if self.next == 0 => Ok(()),
            None => Err(Error::Corrupt {
                table: "records",
                key: format!("session {}, record {from}", self.number),
                detail: format!("records {from} to {} are missing", to - 1),
            }),
        }
    }
}
