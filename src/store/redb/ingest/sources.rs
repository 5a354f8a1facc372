//! Reads of sources, and of their sessions, for planning an import or an export.

use std::io::Write;

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::store::query::{Direction, ScanQuery};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::schema::SOURCES;
use crate::store::redb::tables::snapshot::all_read;
use crate::store::redb::tables::sources::{Source, decode, key_of, newest};

/// Reads of sources and of their sessions, each in a snapshot of its own: a long one would keep
/// the database from reusing the pages of everything that an import replaces.
#[derive(Debug)]
pub(crate) struct Sources<'s> {
    store: &'s RedbStore,
}

impl<'s> Sources<'s> {
    /// Over a store.
    pub(crate) fn new(store: &'s RedbStore) -> Self {
        Self { store }
    }

    /// The store.
    pub(crate) fn store(&self) -> &'s RedbStore {
        self.store
    }

    /// The newest generation of a path.
    pub(crate) fn newest(&self, path: &[u8]) -> Result<Option<Source>> {
        self.store.read(|snapshot| {
            let table = snapshot
                .txn()
                .open_table(SOURCES)
                .map_err(storage("read the sources"))?;
            let found = newest(&table, path)?;
            let reached = found.as_ref().map_or(0, |source| source.generation);
            snapshot.check(SOURCES, &(path, reached), &(path, u32::MAX))?;
            Ok(found)
        })
    }

    /// Every source, in the order of path and generation, in turn; stops at the first error.
    pub(crate) fn for_each(&self, visit: &mut dyn FnMut(Source) -> Result<()>) -> Result<()> {
        let read = storage("read the sources");
        self.store.read(|snapshot| {
            let table = snapshot
                .txn()
                .open_table(SOURCES)
                .map_err(storage("read the sources"))?;
            let mut count = 0;
            for entry in table.iter().map_err(&read)? {
                let (key, value) = entry.map_err(&read)?;
                let (path, generation) = key.value();
                visit(decode(path, generation, value.value())?)?;
                count += 1;
            }
            all_read("sources", count, table.len().map_err(&read)?)
        })
    }

    /// The row of a session by its number.
    pub(crate) fn row(&self, number: u64) -> Result<Option<SessionRow>> {
        self.store.read(|snapshot| snapshot.row(number))
    }

    /// The name of a session by its number.
    pub(crate) fn key(&self, number: u64) -> Result<Option<SessionKey>> {
        self.row(number)?
            .map(|row| key_of(number, &row))
            .transpose()
    }

    /// The last record of a session, if it has any.
    pub(crate) fn last_record(&self, number: u64) -> Result<Option<Record>> {
        let query = ScanQuery {
            direction: Direction::Backward,
            records_max: 1,
            ..ScanQuery::default()
        };
        let mut page = self.store.read(|snapshot| snapshot.scan(number, &query))?;
        Ok(page.records.pop())
    }

    /// The records of a session from `first` on, up to but without `end`.
    pub(crate) fn records(&self, number: u64, first: u64, end: u64) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut from = Some(first);
        while from.is_some_and(|from| from < end) {
            let query = ScanQuery {
                from,
                ..ScanQuery::default()
            };
            let page = self.store.read(|snapshot| snapshot.scan(number, &query))?;
            records.extend(page.records);
            from = page.next;
        }
        records.retain(|record| record.sequence < end);
        Ok(records)
    }

    /// Writes an attachment to `out`: of a session, or (number 0) of a folder.
    pub(crate) fn read_attachment(
        &self,
        number: u64,
        name: &str,
        out: &mut dyn Write,
    ) -> Result<()> {
        let found = self
            .store
            .read(|snapshot| attachments::read(snapshot, number, name, out))?;
        if found {
            Ok(())
        } else {
            Err(Error::NotFound {
                wanted: name.to_owned(),
            })
        }
    }
}
