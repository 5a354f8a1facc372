//! Walking through a session's records without holding them: pages behind an iterator.

use std::collections::VecDeque;

use super::{Direction, ScanQuery, Store};
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::Record;

/// What follows from the calls of a [`Store`], for every store.
pub trait StoreExt: Store {
    /// Walks through a session's records, holding one page of them at a time.
    ///
    /// The fields of `query` that bound a page bound each page, not the walk.
    fn records<'s>(&'s self, key: &SessionKey, query: ScanQuery) -> Records<'s, Self> {
        Records {
            store: self,
            key: key.clone(),
            query,
            page: VecDeque::new(),
            done: false,
        }
    }

    /// The one session whose id is `id` or starts with it; `agent:id` names the agent too.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Ambiguous`] if there are several.
    fn resolve(&self, id: &str) -> Result<SessionKey> {
        let mut found = self.find(id, 10)?;
        match (found.len(), found.pop()) {
            (1, Some(key)) => Ok(key),
            (_, None) => Err(Error::NotFound {
                wanted: id.to_owned(),
            }),
            (_, Some(last)) => {
                found.push(last);
                Err(Error::Ambiguous {
                    prefix: id.to_owned(),
                    candidates: found,
                })
            }
        }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

/// An iterator over the records of a session; see [`StoreExt::records`].
#[derive(Debug)]
pub struct Records<'s, S: ?Sized> {
    store: &'s S,
    key: SessionKey,
    query: ScanQuery,
    page: VecDeque<Record>,
    done: bool,
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
