//! Counts of rows read and of commits, so that promises such as "a list never reads a record" can
//! be tested.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::store::TableReads;

/// What was done since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct ReadCounts {
    sessions: AtomicU64,
    indexes: AtomicU64,
    records: AtomicU64,
    commits: AtomicU64,
}

impl ReadCounts {
    /// Summary rows were read.
    pub(crate) fn sessions(&self, count: u64) {
        self.sessions.fetch_add(count, Relaxed);
    }

    /// Rows of an index were read.
    pub(crate) fn indexes(&self, count: u64) {
        self.indexes.fetch_add(count, Relaxed);
    }

    /// Parts of segments were read.
    pub(crate) fn records(&self, count: u64) {
        self.records.fetch_add(count, Relaxed);
    }

    /// A transaction was committed.
    pub(crate) fn commit(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    /// Transactions committed since the store was opened.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Relaxed)
    }

    /// The counts now.
    pub(crate) fn now(&self) -> TableReads {
        TableReads {
            sessions: self.sessions.load(Relaxed),
            indexes: self.indexes.load(Relaxed),
            records: self.records.load(Relaxed),
        }
    }
}
