//! What a search asks of a store, and of what knows where to look.

use std::ops::RangeInclusive;

use crate::model::error::Result;
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::model::session::Summary;
use crate::store::query::{ListQuery, RecordPage, ScanQuery, SessionPage};

/// The calls of a store that a search goes by. A trait of its own, so that the store's trait may stand on
/// what is made of them.
pub(crate) trait Reads: Sync {
    /// A page of sessions.
    fn sessions(&self, query: &ListQuery) -> Result<SessionPage>;

    /// A session.
    fn session(&self, key: &SessionKey) -> Result<Summary>;

    /// A page of records.
    fn records(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage>;

    /// What is to be known of records beyond their lines.
    fn told(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>>;
}

/// What `each` gives of the first record of which it gives anything, page by page.
pub(crate) fn first_of<R: Reads + ?Sized, T>(
    reads: &R,
    key: &SessionKey,
    mut query: ScanQuery,
    each: &mut dyn FnMut(&Record) -> Option<T>,
) -> Result<Option<T>> {
    loop {
        let page = reads.records(key, &query)?;
        if let Some(found) = page.records.iter().find_map(&mut *each) {
            return Ok(Some(found));
        }
        match page.next {
            Some(next) => query.from = Some(next),
            None => return Ok(None),
        }
    }
}

/// Where in a session something may fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// Anywhere.
    All,
    /// In records of these numbers alone, in ascending ranges that do not meet; or, where one of them is
    /// shown elsewhere, there.
    Within(Vec<RangeInclusive<u64>>),
}

/// Knows where to look for a pattern.
pub(crate) trait Guide: Sync {
    /// Where in a session something may fit.
    fn look(&self, session: &Summary) -> Result<Where>;

    /// The sessions in which something may fit, in the order of lists, where those are few.
    fn sessions(&self) -> Result<Option<Vec<Summary>>>;
}

/// Knows nothing: everything is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Everywhere;

impl Guide for Everywhere {
    fn look(&self, _: &Summary) -> Result<Where> {
        Ok(Where::All)
    }

    fn sessions(&self) -> Result<Option<Vec<Summary>>> {
        Ok(None)
    }
}
