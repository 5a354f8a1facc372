//! What is made of the calls of any store: families and clean-ups, and searches.

use super::Store;
use super::families::Calls;
use super::query::{ListQuery, RecordPage, Removed, ScanQuery, SessionPage};
use super::search::Reads;
use crate::model::error::Result;
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::session::Summary;

impl<S: Store + ?Sized> Reads for S {
    fn sessions(&self, query: &ListQuery) -> Result<SessionPage> {
        self.list(query)
    }

    fn session(&self, key: &SessionKey) -> Result<Summary> {
        self.summary(key)
    }

    fn records(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage> {
        self.scan(key, query)
    }

    fn told(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>> {
        self.exceptions(key, first, last)
    }
}

impl<S: Store + ?Sized> Calls for S {
    fn page(&self, query: &ListQuery) -> Result<SessionPage> {
        self.list(query)
    }

    fn session(&self, key: &SessionKey) -> Result<Summary> {
        self.summary(key)
    }

    fn remove(&self, key: &SessionKey, next_sequence: Option<u64>) -> Result<Removed> {
        match next_sequence {
            Some(next) => self.delete_unchanged(key, next),
            None => self.delete(key),
        }
    }
}
