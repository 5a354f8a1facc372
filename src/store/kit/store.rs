//! Whatever is an [`Engine`] is a store: the calls.

use std::io::Write;

use uuid::Uuid;

use super::draft::Draft;
use super::engine::Engine;
use super::{list, records, writing};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::record::RecordView;
use crate::model::session::{Session, Summary};
use crate::store::addition::Addition;
use crate::store::archive;
use crate::store::order::Order;
use crate::store::properties::Claims;
use crate::store::query::{
    Appended, Compacted, Direction, Expect, ListQuery, NewRecord, Reclaimed, RecordPage, Removed,
    ScanQuery, SessionPage, Truncated,
};
use crate::store::records::Records;
use crate::store::sessions::{self, Primitives, Visit};
use crate::store::{Cleaned, CleanupQuery, Stamps, Store, StoreId, view};

/// How often a page is read that others change meanwhile.
const SCAN_ATTEMPTS: u32 = 8;

impl<E: Engine> Primitives for E {
    fn stamps(&self) -> &Stamps {
        Engine::stamps(self)
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>> {
        Ok(Draft::over(self).session(key)?.map(|(_, row)| row))
    }

    fn order(&self, key: &SessionKey, row: &SessionRow) -> Result<Option<Order>> {
        if !row.reordered {
            return Ok(None);
        }
        let draft = Draft::over(self);
        let (number, row) = draft.session_of(key)?;
        draft.order(number, &row)
    }

    fn add(&self, addition: Addition) -> Result<Appended> {
        writing::add(self, &addition)
    }

    fn set_mark(
        &self,
        key: &SessionKey,
        seen: &SessionRow,
        mark: u64,
        hidden: u64,
    ) -> Result<bool> {
        writing::write(self, key, &mut |draft| {
            let (number, row) = draft.session_of(key)?;
            // The mark was chosen outside of this commit: where it does not fit any more the caller
            // chooses again.
            let as_seen = sessions::same_records(&row, seen);
            if as_seen {
                draft.put_row(
                    number,
                    &SessionRow {
                        hidden,
                        mark,
                        ..row
                    },
                )?;
            }
            Ok(as_seen)
        })
    }

    fn visit(&self, key: &SessionKey, from: u64, each: &mut Visit<'_>) -> Result<()> {
        let draft = Draft::over(self);
        let (number, row) = draft.session_of(key)?;
        if let Some(order) = draft.order(number, &row)? {
            return visit_in_order(self, key, order.first_from(from), each);
        }
        records::walk(self, number, (from, true), &mut |segment| {
            let mut here = segment.records().filter(|record| record.0 >= from);
            here.try_for_each(|(sequence, header, line)| {
                each(RecordView {
                    sequence,
                    header,
                    line,
                })
            })?;
            Ok(true)
        })
    }
}

/// Shows `each` the records of a session in its own order, from one on; none if there is none.
pub(super) fn visit_in_order(
    store: &impl Store,
    key: &SessionKey,
    from: Option<u64>,
    each: &mut Visit<'_>,
) -> Result<()> {
    let Some(from) = from else {
        return Ok(());
    };
    let query = ScanQuery::default().with_from(from);
    Records::new(store, key.clone(), query).try_for_each(|record| each(record?.view()))
}

impl<E: Engine> Store for E {
    sessions::calls_over_primitives!();

    fn summary(&self, key: &SessionKey) -> Result<Summary> {
        let (number, row) = Draft::over(self).session_of(key)?;
        let mut summaries = list::with_children(self, vec![(number, row)])?;
        summaries.pop().ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }

    fn list(&self, query: &ListQuery) -> Result<SessionPage> {
        list::list(self, query)
    }

    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>> {
        list::find(self, prefix, None, limit)
    }

    fn find_after(
        &self,
        prefix: &str,
        after: &SessionKey,
        limit: usize,
    ) -> Result<Vec<SessionKey>> {
        list::find(self, prefix, Some(after), limit)
    }

    fn delete(&self, key: &SessionKey) -> Result<Removed> {
        list::delete_if_at(self, key, None)
    }

    fn delete_unchanged(&self, key: &SessionKey, next_sequence: u64) -> Result<Removed> {
        list::delete_if_at(self, key, Some(next_sequence))
    }

    fn cleanup(&self, query: &CleanupQuery) -> Result<Cleaned> {
        list::clean_up(self, query)
    }

    fn compact(
        &self,
        key: &SessionKey,
        through: Option<u64>,
        archive: Option<&mut dyn Write>,
    ) -> Result<Compacted> {
        let end = archive::begin(self, key, through, archive)?;
        writing::write(self, key, &mut |draft| {
            let (number, _) = draft.session_of(key)?;
            draft.compact(number, end)
        })
    }

    fn reclaim(&self) -> Result<Reclaimed> {
        Ok(Reclaimed::default())
    }

    fn properties(&self, key: &SessionKey) -> Result<Properties> {
        let draft = Draft::over(self);
        let (number, _) = draft.session_of(key)?;
        draft.properties(number)
    }

    fn update_properties(&self, key: &SessionKey, change: &PropertiesChange) -> Result<Properties> {
        writing::write(self, key, &mut |draft| {
            let (number, _) = draft.session_of(key)?;
            draft.change_properties(number, change, Claims::Exclusive)
        })
    }

    fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>> {
        Draft::over(self).by_alias(alias)
    }

    fn id(&self) -> Result<Option<StoreId>> {
        let file = self.own_file().map(std::borrow::ToOwned::to_owned);
        let id = self.store_id()?;
        Ok(id.map(|id| StoreId { id, file }))
    }

    fn exceptions(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>> {
        let draft = Draft::over(self);
        let (number, row) = draft.session_of(key)?;
        draft.all_exceptions((number, &row), (first, last))
    }

    fn find_message(&self, key: &SessionKey, id: &str) -> Result<Option<u64>> {
        let draft = Draft::over(self);
        let (number, row) = draft.session_of(key)?;
        let course = draft.course(number, &row)?.before(None);
        view::find_by_course(self, key, id, &course)
    }

    fn scan(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage> {
        let mut attempt = 1;
        loop {
            let draft = Draft::over(self);
            let (number, row) = draft.session_of(key)?;
            let order = draft.order(number, &row)?;
            let page = records::page(self, (number, &row), order.as_ref(), query);
            let is_whole = page.as_ref().is_ok_and(|page| has_all(page, query, &row));
            // Others may have deleted the session, or compacted it, between the reads.
            if is_whole || attempt == SCAN_ATTEMPTS || !draft.is_old()? {
                return page;
            }
            attempt += 1;
        }
    }
}

/// Whether a page has all that a row makes one expect, as far as that can be told: it is full, or it goes as far
/// as the session.
fn has_all(page: &RecordPage, query: &ScanQuery, row: &SessionRow) -> bool {
    let last = row.next.saturating_sub(1);
    let (goal, is_behind) = match query.direction {
        Direction::Forward => (last, query.from.is_some_and(|from| from > last)),
        Direction::Backward => (0, false),
    };
    let mut records = page.records.iter();
    let is_counted = query.from.is_some() || page.records.len() as u64 >= row.records;
    page.next.is_some()
        || is_behind
        || row.records == 0
        || (is_counted && records.any(|record| record.sequence == goal))
}
