//! The store in memory: the smallest engine of the kit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use uuid::Uuid;

use super::Stamps;
use super::kit::{
    CellQuery, Changes, Children, Engine, Image, KeyAndValue, NameQuery, RowQuery, SummaryRow,
};
use crate::model::error::Result;
use crate::model::key::SessionKey;

/// A store in memory. Nothing of it outlives the process.
///
/// ```
/// use scrollback::{ListQuery, MemoryStore, Session, Store};
///
/// let store = MemoryStore::default();
/// store.save(&mut Session::native("chat-1")?)?;
/// assert_eq!(store.list(&ListQuery::default())?.sessions.len(), 1);
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    stamps: Stamps,
    image: RwLock<Image>,
    last_number: AtomicU64,
    id: OnceLock<Uuid>,
}

impl MemoryStore {
    /// An empty store with a clock and ids of the caller's.
    pub fn new(stamps: Stamps) -> Self {
        Self {
            stamps,
            ..Self::default()
        }
    }

    fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryStore {
    fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    fn store_id(&self) -> Result<Option<Uuid>> {
        Ok(Some(*self.id.get_or_init(|| (self.stamps.ids)())))
    }

    fn new_number(&self) -> Result<u64> {
        Ok(self.last_number.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SummaryRow>> {
        Ok(self.image().row(key))
    }

    fn rows(&self, numbers: &[u64]) -> Result<Vec<SummaryRow>> {
        Ok(self.image().rows(numbers))
    }

    fn numbers(&self, after: u64, limit: usize) -> Result<Vec<u64>> {
        Ok(self.image().numbers(after, limit))
    }

    fn list(&self, query: &RowQuery) -> Result<Vec<SummaryRow>> {
        Ok(self.image().list(query))
    }

    fn names(&self, query: &NameQuery) -> Result<Vec<SessionKey>> {
        Ok(self.image().names(query))
    }

    fn children(&self, keys: &[SessionKey]) -> Result<Vec<Children>> {
        Ok(self.image().children(keys))
    }

    fn cells(&self, query: &CellQuery) -> Result<Vec<KeyAndValue>> {
        Ok(self.image().cells(query))
    }

    fn commit(&self, changes: &Changes) -> Result<bool> {
        let mut image = self.image.write().unwrap_or_else(PoisonError::into_inner);
        image.commit(changes)
    }

    fn alone(
        &self,
        _key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()> {
        work(self)
    }
}
