//! The writer's transaction: begun when there is something to write, committed when it is large or
//! old enough, since other processes wait as long as it is open.

use std::time::{Duration, Instant};

use crate::model::error::Result;
use crate::store::{Bulk, IngestStore, RestoredMark};

/// Bytes after which a transaction is committed.
const BATCH_BYTES: u64 = 16 * 1024 * 1024;

/// Time after which a transaction is committed.
const BATCH_TIME: Duration = Duration::from_millis(250);

/// The transactions of one import, one after the other.
#[derive(Debug)]
pub(super) struct Transactions<'s> {
    store: &'s dyn IngestStore,
    restored: RestoredMark,
    open: Option<(Box<dyn Bulk + 's>, Instant)>,
}

impl<'s> Transactions<'s> {
    /// None is open yet. `restored` was read before anything that is going to be written to.
    pub(super) fn new(store: &'s dyn IngestStore, restored: RestoredMark) -> Self {
        Self {
            store,
            restored,
            open: None,
        }
    }

    /// The open transaction; begins one if there is none. Waits for other processes.
    pub(super) fn bulk(&mut self) -> Result<&mut (dyn Bulk + 's)> {
        let open = match self.open.take() {
            Some(open) => open,
            None => (self.store.begin(&self.restored)?, Instant::now()),
        };
        Ok(&mut *self.open.insert(open).0)
    }

    /// Makes what was written durable.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.open.take().map_or(Ok(()), |(bulk, _)| bulk.commit())
    }

    /// Forgets what was written since the last commit.
    pub(super) fn abandon(&mut self) {
        self.open = None;
    }

    /// Commits if the transaction is large or old enough.
    pub(super) fn commit_if_due(&mut self) -> Result<()> {
        let due = self.open.as_ref().is_some_and(|(bulk, begun)| {
            bulk.written_bytes() >= BATCH_BYTES || begun.elapsed() >= BATCH_TIME
        });
        if due { self.commit() } else { Ok(()) }
    }

    /// How long the open transaction may stay open; `None` if there is none.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.open
            .as_ref()
            .map(|(_, begun)| BATCH_TIME.saturating_sub(begun.elapsed()))
    }
}
