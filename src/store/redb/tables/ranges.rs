//! Rows of a range of keys. A damaged branch page leads a search elsewhere: whatever comes out of a
//! search that was not asked for is an error here, so that nobody takes, deletes or goes on from
//! another session's rows.

use std::borrow::Borrow;
use std::ops::{Bound, RangeBounds};

use redb::{AccessGuard, Key, ReadableTable, TableHandle, Value};

use super::schema;
use crate::model::error::{Error, Result};
use crate::store::redb::engine::errors::storage;

/// Rows between two keys, from either end.
pub(crate) struct Within<'t, K: Key + 'static, V: Value + 'static> {
    rows: redb::Range<'t, K, V>,
    table: &'static str,
    action: &'static str,
    lower: Bound<Vec<u8>>,
    upper: Bound<Vec<u8>>,
}

/// A row: its key and its value.
type Row<'t, K, V> = (AccessGuard<'t, K>, AccessGuard<'t, V>);

/// The rows of a table between two keys. The action is for errors.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Corrupt`] if the search fails; each row may fail so too.
pub(crate) fn within<'t, 'a, K, V, R>(
    table: &'t (impl ReadableTable<K, V> + TableHandle),
    range: impl RangeBounds<R> + 'a,
    action: &'static str,
) -> Result<Within<'t, K, V>>
where
    K: Key + 'static,
    V: Value + 'static,
    R: Borrow<K::SelfType<'a>> + Clone + 'a,
{
    let encoded = |bound: Bound<&R>| bound.map(|key| K::as_bytes(key.borrow()).as_ref().to_vec());
    let bounds = (range.start_bound(), range.end_bound());
    Ok(Within {
        table: schema::name_of(table.name()).unwrap_or("(tables)"),
        rows: table
            .range((bounds.0.cloned(), bounds.1.cloned()))
            .map_err(storage(action))?,
        action,
        lower: encoded(bounds.0),
        upper: encoded(bounds.1),
    })
}

impl<'t, K: Key + 'static, V: Value + 'static> Within<'t, K, V> {
    fn checked(&self, row: Result<Row<'t, K, V>, redb::StorageError>) -> Result<Row<'t, K, V>> {
        let row = row.map_err(storage(self.action))?;
        if self.holds(&row.0.value()) {
            return Ok(row);
        }
        Err(Error::Corrupt {
            table: self.table,
            key: "a page on the way to it".to_owned(),
            detail: format!("cannot {}: a search leads to other keys", self.action),
        })
    }

    /// Whether a key is between the two that were asked for.
    fn holds(&self, key: &K::SelfType<'_>) -> bool {
        let key = K::as_bytes(key);
        let is_above = match &self.lower {
            Bound::Included(lower) => K::compare(key.as_ref(), lower).is_ge(),
            Bound::Excluded(lower) => K::compare(key.as_ref(), lower).is_gt(),
            Bound::Unbounded => true,
        };
        is_above
            && match &self.upper {
                Bound::Included(upper) => K::compare(key.as_ref(), upper).is_le(),
                Bound::Excluded(upper) => K::compare(key.as_ref(), upper).is_lt(),
                Bound::Unbounded => true,
            }
    }
}

impl<'t, K: Key + 'static, V: Value + 'static> Iterator for Within<'t, K, V> {
    type Item = Result<Row<'t, K, V>>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(self.checked(row))
    }
}

impl<K: Key + 'static, V: Value + 'static> DoubleEndedIterator for Within<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let row = self.rows.next_back()?;
        Some(self.checked(row))
    }
}
