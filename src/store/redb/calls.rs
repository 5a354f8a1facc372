//! What every store does, by this one: the calls of the traits.

use std::io::Write;

use uuid::Uuid;

use super::engine::panics::guard;
use super::search::RedbGuide;
use super::sessions::appends;
use super::sessions::{compact, list};
use super::store::RedbStore;
use super::tables::families::Families;
use super::tables::properties;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::session::{Session, Summary};
use crate::store::addition::Addition;
use crate::store::archive::{self, earlier};
use crate::store::order::Order;
use crate::store::properties::Claims;
use crate::store::query::{
    Appended, Compacted, Expect, ListQuery, NewRecord, Reclaimed, RecordPage, Removed, ScanQuery,
    SessionPage, Truncated,
};
use crate::store::search::{self, SearchCounts, SearchPage, SearchQuery};
use crate::store::sessions::{self, Primitives, Visit};
use crate::store::shared_commit::stopped;
use crate::store::{Cleaned, CleanupQuery, Stamps, Store, StoreId, Watcher, cleanup, view};

impl Primitives for RedbStore {
    fn stamps(&self) -> &Stamps {
        &self.options.stamps
    }

    fn visit(&self, key: &SessionKey, from: u64, each: &mut Visit<'_>) -> Result<()> {
        self.visit_records(key, from, each)
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>> {
        self.read(|snapshot| Ok(snapshot.session(key)?.map(|(_, row)| row)))
    }

    fn order(&self, key: &SessionKey, row: &SessionRow) -> Result<Option<Order>> {
        if !row.reordered {
            return Ok(None);
        }
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            snapshot.order(number, &row)
        })
    }

    fn add(&self, addition: Addition) -> Result<Appended> {
        let bytes = addition.lines.iter().map(Vec::len).sum();
        self.queue
            .submit(addition, bytes, |additions| appends::write(self, additions))
            .unwrap_or_else(stopped)
    }

    fn set_mark(
        &self,
        key: &SessionKey,
        seen: &SessionRow,
        mark: u64,
        hidden: u64,
    ) -> Result<bool> {
        self.write(|writer| {
            let (number, old) = writer.session_of(key)?;
            // The mark was chosen outside of this transaction: the caller chooses again.
            if !sessions::same_records(&old, seen) {
                return Ok(false);
            }
            let row = SessionRow {
                hidden,
                mark,
                ..old.clone()
            };
            writer.put_row(number, Some(&old), &row)?;
            Ok(true)
        })
    }
}

impl Store for RedbStore {
    sessions::calls_over_primitives!();

    fn summary(&self, key: &SessionKey) -> Result<Summary> {
        self.read(|snapshot| {
            let found = snapshot.session_of(key)?;
            Families::of(snapshot)?.summary(snapshot, found)
        })
    }

    fn list(&self, query: &ListQuery) -> Result<SessionPage> {
        self.read(|snapshot| list::list(snapshot, query))
    }

    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>> {
        self.read(|snapshot| snapshot.find(prefix, None, limit))
    }

    fn find_after(
        &self,
        prefix: &str,
        after: &SessionKey,
        limit: usize,
    ) -> Result<Vec<SessionKey>> {
        self.read(|snapshot| snapshot.find(prefix, Some(after), limit))
    }

    fn delete(&self, key: &SessionKey) -> Result<Removed> {
        self.delete_if_at(key, None)
    }

    fn delete_unchanged(&self, key: &SessionKey, next_sequence: u64) -> Result<Removed> {
        self.delete_if_at(key, Some(next_sequence))
    }

    fn cleanup(&self, query: &CleanupQuery) -> Result<Cleaned> {
        if query.preview {
            return cleanup::clean_up(self, query);
        }
        self.clean_up(query)
    }

    fn compact(
        &self,
        key: &SessionKey,
        through: Option<u64>,
        archive: Option<&mut dyn Write>,
    ) -> Result<Compacted> {
        let end = archive::begin(self, key, through, archive)?;
        self.engine.freeing(|| {
            self.write(|writer| {
                let (number, row) = writer.session_of(key)?;
                // A mark that moved back meanwhile shows records again: they stay.
                let order = writer.file_order(number)?.filter(|_| row.reordered);
                let order = order.map(|order| Order::of(&order, row.next));
                compact::compact(writer, number, &row, earlier(order.as_ref(), end, row.mark))
            })
        })
    }

    fn reclaim(&self) -> Result<Reclaimed> {
        self.engine.freeing(|| guard(|| self.engine.reclaim()))
    }

    fn properties(&self, key: &SessionKey) -> Result<Properties> {
        self.read(|snapshot| {
            let (number, _) = snapshot.session_of(key)?;
            properties::of_session(snapshot, number)
        })
    }

    fn update_properties(&self, key: &SessionKey, change: &PropertiesChange) -> Result<Properties> {
        self.write(|writer| {
            let (number, _) = writer.session_of(key)?;
            properties::change(writer, number, change, Claims::Exclusive)
        })
    }

    fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>> {
        self.read(|snapshot| properties::by_alias(snapshot, alias))
    }

    fn id(&self) -> Result<Option<StoreId>> {
        let file = std::fs::canonicalize(self.path()).unwrap_or_else(|_| self.path().to_owned());
        self.read(|snapshot| {
            let id = snapshot.store_id()?;
            Ok(id.map(|id| StoreId {
                id,
                file: Some(file),
            }))
        })
    }

    fn exceptions(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            snapshot.all_exceptions((number, &row), (first, last))
        })
    }

    fn find_message(&self, key: &SessionKey, id: &str) -> Result<Option<u64>> {
        let course = self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            Ok(snapshot.course(number, &row)?.before(None))
        })?;
        view::find_by_course(self, key, id, &course)
    }

    fn search(&self, query: &SearchQuery, watcher: &mut Watcher<'_>) -> Result<SearchPage> {
        let guide = RedbGuide::new(self, &query.pattern)?;
        search::page(self, &guide, query, watcher)
    }

    fn search_counts(
        &self,
        query: &SearchQuery,
        watcher: &mut Watcher<'_>,
    ) -> Result<SearchCounts> {
        let guide = RedbGuide::new(self, &query.pattern)?;
        search::counts(self, &guide, query, watcher)
    }

    fn scan(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage> {
        self.read(|snapshot| {
            let (number, row) = snapshot.session_of(key)?;
            snapshot.scan_of(number, &row, query)
        })
    }
}
