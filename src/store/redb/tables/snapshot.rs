//! Reading: rows by key and number, ids by prefix.

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, Value};
use uuid::Uuid;

use super::row_counts::ReadCounts;
use super::schema::{INFO_STORE_ID, SESSION_KEYS, SESSIONS, STORE_INFO};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::pages::PageFile;

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

    /// The store's own id, if it says one.
    pub(crate) fn store_id(&self) -> Result<Option<Uuid>> {
        let info = self.txn.open_table(STORE_INFO);
        let info = info.map_err(storage("read `store_info`"))?;
        let id = info
            .get(INFO_STORE_ID)
            .map_err(storage("read `store_info`"))?;
        Ok(id.and_then(|id| Uuid::from_slice(id.value()).ok()))
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
            // That there is none is believed only of pages with the right checksums.
            let place = (key.agent(), key.id());
            self.check(SESSION_KEYS, &place, &place)?;
            return match numbered(key.id()) {
                Some((plain, content)) => self.newest_called(key.agent(), plain, content),
                None => Ok(None),
            };
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

    /// The newest content of an id, if it is called by its number.
    fn newest_called(
        &self,
        agent: &str,
        plain: &str,
        content: u32,
    ) -> Result<Option<(u64, SessionRow)>> {
        let plain = SessionKey::new(agent, plain)?;
        let found = self.session(&plain)?;
        Ok(found.filter(|(_, row)| row.content == content && row.contents > 1))
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
}
