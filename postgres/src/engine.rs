//! The store as an engine of the kit, over the connections of a pool.

use scrollback::kit::{Changes, Engine, Lately};
use scrollback::{Result, SessionKey, Stamps};

use crate::connection::Connection;
use crate::errors::Tried;
use crate::reads::{PATH_BYTES_MAX, engine_reads};
use crate::store::PostgresStore;
use crate::{attempts, pinned, reads};

impl PostgresStore {
    fn read<T>(
        &self,
        action: &'static str,
        work: impl FnMut(&mut Connection) -> Tried<T>,
    ) -> Result<T> {
        attempts::read(self.pool(), action, work)
    }
}

impl Engine for PostgresStore {
    engine_reads!();

    fn stamps(&self) -> &Stamps {
        &self.pool().options().stamps
    }

    fn path_bytes_max(&self) -> usize {
        PATH_BYTES_MAX
    }

    fn disk_bytes(&self) -> Result<u64> {
        self.read("measure the tables", reads::disk_bytes)
    }

    fn new_number(&self) -> Result<u64> {
        let more = |count| {
            self.read("number a session", |connection| {
                reads::next_numbers(connection, count)
            })
        };
        self.numbers().next_or(more)
    }

    fn lately(&self) -> Option<&Lately> {
        Some(self.remembered())
    }

    fn commit(&self, changes: &Changes) -> Result<bool> {
        attempts::commit(self.pool(), changes)
    }

    /// A server that has started again shows what it has, which no standby may have yet.
    fn settle(&self, key: &SessionKey) -> Result<()> {
        self.read("lock a session", |connection| {
            reads::lock_row(connection, key)
        })
    }

    fn alone(
        &self,
        key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()> {
        pinned::alone(self, key, work)
    }
}
