//! Reading: rows by key and number, lists through their indexes, pages of records.

use redb::{ReadTransaction, ReadableTable};

use super::super::query::{Cursor, ListQuery, RecordPage, ScanQuery, SessionPage};
use super::super::select::{self, PageFiller};
use super::engine::storage;
use super::reads::ReadCounts;
use super::schema::{BY_PROJECT, BY_UPDATED, RECORDS, SESSION_KEYS, SESSIONS};
use super::segments;
use crate::codec::row::RowError;
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;

/// A snapshot of the store.
#[derive(Debug)]
pub(crate) struct Snapshot<'s> {
    txn: ReadTransaction,
    counts: &'s ReadCounts,
}

/// A damaged or missing row of the table of sessions.
pub(crate) fn corrupt_session(number: u64, detail: impl ToString) -> Error {
    Error::Corrupt {
        table: "sessions",
        key: format!("session {number}"),
        detail: detail.to_string(),
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
        .map_err(|error| corrupt_session(number, error))
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
    pub(crate) fn new(txn: ReadTransaction, counts: &'s ReadCounts) -> Self {
        Self { txn, counts }
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

    /// A page of a list.
    pub(crate) fn list(&self, query: &ListQuery) -> Result<SessionPage> {
        let read = storage("list the sessions");
        let sessions = self
            .txn
            .open_table(SESSIONS)
            .map_err(storage("list the sessions"))?;
        let (from, to) = bounds(query);
        let mut lister = Lister {
            query,
            page: SessionPage::default(),
            counts: self.counts,
        };
        match query
            .project
            .as_deref()
            .filter(|project| project.starts_with('/'))
        {
            Some(project) => {
                let project = if project.len() > 1 {
                    project.trim_end_matches('/')
                } else {
                    project
                };
                let index = self
                    .txn
                    .open_table(BY_PROJECT)
                    .map_err(storage("list by project"))?;
                let range = index
                    .range(
                        (project, from.updated_us, from.number)
                            ..=(project, to.updated_us, to.number),
                    )
                    .map_err(&read)?;
                for entry in range.rev() {
                    let key = entry.map_err(&read)?.0;
                    let (_, updated_us, number) = key.value();
                    if !lister.take(&sessions, Cursor { updated_us, number })? {
                        break;
                    }
                }
            }
            None => {
                let index = self
                    .txn
                    .open_table(BY_UPDATED)
                    .map_err(storage("list by time"))?;
                let range = index
                    .range((from.updated_us, from.number)..=(to.updated_us, to.number))
                    .map_err(&read)?;
                for entry in range.rev() {
                    let key = entry.map_err(&read)?.0;
                    let (updated_us, number) = key.value();
                    if !lister.take(&sessions, Cursor { updated_us, number })? {
                        break;
                    }
                }
            }
        }
        Ok(lister.page)
    }

    /// Sessions that a text may mean.
    pub(crate) fn find(&self, text: &str, limit: usize) -> Result<Vec<SessionKey>> {
        let read = storage("look sessions up");
        let table = self
            .txn
            .open_table(SESSION_KEYS)
            .map_err(storage("look sessions up"))?;
        let mut keys = Vec::new();
        let mut collect = |agent: &str, prefix: &str| -> Result<()> {
            for entry in table
                .range((agent, prefix)..)
                .map_err(storage("look sessions up"))?
            {
                let key = entry.map_err(storage("look sessions up"))?.0;
                let (found, id) = key.value();
                self.counts.indexes(1);
                if found != agent || !id.starts_with(prefix) || keys.len() > limit {
                    break;
                }
                keys.push(SessionKey::new(found, id)?);
            }
            Ok(())
        };
        // From agent to agent: each one's range is looked at on its own.
        let mut agent = String::new();
        loop {
            let next = {
                let mut range = table.range((agent.as_str(), "")..).map_err(&read)?;
                match range.next() {
                    Some(entry) => entry.map_err(&read)?.0.value().0.to_owned(),
                    None => break,
                }
            };
            self.counts.indexes(1);
            collect(&next, text)?;
            // The next possible agent name: `\0` sorts before every byte of a name.
            agent = next + "\0";
        }
        if let Some((agent, prefix)) = select::agent_and_prefix(text) {
            collect(agent, prefix)?;
        }
        keys.sort();
        keys.dedup();
        Ok(select::find_in(keys.into_iter(), text, limit))
    }

    /// A page of records.
    pub(crate) fn scan(&self, number: u64, query: &ScanQuery) -> Result<RecordPage> {
        let table = self
            .txn
            .open_table(RECORDS)
            .map_err(storage("read records"))?;
        let mut page = PageFiller::new(query);
        if query.direction.is_forward() {
            let from = query.from.unwrap_or(0);
            let mut found = match segments::at_or_before(&table, number, from, self.counts)? {
                Some(found) => Some(found),
                None => segments::starting_from(&table, number, from, self.counts)?,
            };
            while let Some(at) = found {
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
        } else {
            let from = query.from.unwrap_or(u64::MAX);
            let mut found = segments::at_or_before(&table, number, from, self.counts)?;
            while let Some(at) = found {
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
        }
        Ok(page.finish())
    }
}

/// The first and last place of a list that can be on a page.
fn bounds(query: &ListQuery) -> (Cursor, Cursor) {
    let since = query
        .since
        .map_or(i64::MIN, |since| since.timestamp_micros());
    let from = Cursor {
        updated_us: since,
        number: 0,
    };
    let mut to = Cursor {
        updated_us: i64::MAX,
        number: u64::MAX,
    };
    if let Some(before) = query.before {
        to = to.min(before_place(Cursor {
            updated_us: before.timestamp_micros(),
            number: 0,
        }));
    }
    if let Some(after) = query.after {
        to = to.min(before_place(after));
    }
    // An empty range, not one that runs backwards.
    if from > to { (from, from) } else { (from, to) }
}

/// The place before a place.
fn before_place(place: Cursor) -> Cursor {
    match place.number.checked_sub(1) {
        Some(number) => Cursor { number, ..place },
        None => Cursor {
            updated_us: place.updated_us.saturating_sub(1),
            number: u64::MAX,
        },
    }
}

struct Lister<'q> {
    query: &'q ListQuery,
    page: SessionPage,
    counts: &'q ReadCounts,
}

impl Lister<'_> {
    /// Looks at a session; returns whether the page has room for more.
    fn take(
        &mut self,
        sessions: &impl ReadableTable<u64, &'static [u8]>,
        place: Cursor,
    ) -> Result<bool> {
        self.counts.indexes(1);
        if self.page.sessions.len() == select::page_length(self.query) {
            self.page.next = self.page.sessions.last().map(Cursor::of);
            return Ok(false);
        }
        let row = row_behind(sessions, place.number, self.counts)?;
        if row.updated_us != place.updated_us {
            return Err(corrupt_session(
                place.number,
                "an index has another time of update",
            ));
        }
        if select::selects(self.query, &row) {
            let corrupt = |error: RowError| corrupt_session(place.number, error);
            self.page
                .sessions
                .push(row.to_summary(place.number).map_err(corrupt)?);
        }
        Ok(true)
    }
}
