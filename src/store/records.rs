//! Walking through a session's records without holding them: pages behind an iterator.

use std::collections::VecDeque;

use super::{Direction, ScanQuery, Store};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::record::Record;

/// An iterator over the records of a session; see [`StoreExt::records`](super::StoreExt::records).
#[derive(Debug)]
#[must_use = "nothing is read until it is asked for"]
pub struct Records<'s, S: ?Sized> {
    store: &'s S,
    key: SessionKey,
    query: ScanQuery,
    page: VecDeque<Record>,
    done: bool,
}

impl<'s, S: Store + ?Sized> Records<'s, S> {
    /// Over the records that a query selects.
    pub(crate) fn new(store: &'s S, key: SessionKey, query: ScanQuery) -> Self {
        Self {
            store,
            key,
            query,
            page: VecDeque::new(),
            done: false,
        }
    }
}

impl<S: Store + ?Sized> Iterator for Records<'_, S> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.page.is_empty() && !self.done {
            match self.store.scan(&self.key, &self.query) {
                Ok(page) => {
                    self.page = page.records.into();
                    self.query.from = page.next;
                    self.done = page.next.is_none();
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        self.page.pop_front().map(Ok)
    }
}

impl Direction {
    /// Whether this is the way from the oldest to the newest.
    pub(crate) fn is_forward(self) -> bool {
        self == Self::Forward
    }
}
