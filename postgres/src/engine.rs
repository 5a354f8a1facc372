//! The store as an engine of the kit, over the connections of a pool.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use scrollback::kit::{
    CellQuery, Changes, Children, Engine, KeyAndValue, Lately, NameQuery, OwnedCell, RowQuery,
    SummaryRow, Table,
};
use scrollback::{Error, Result, SessionKey, Stamps};
use uuid::Uuid;

use crate::commit::{self, Written};
use crate::connection::Connection;
use crate::errors::{Failure, Tried};
use crate::pinned;
use crate::pool::Pool;
use crate::reads;
use crate::store::PostgresStore;

/// How often a statement is sent again that others were in the way of.
const ATTEMPTS: u32 = 8;

/// Numbers that are taken from the counter at once, so that new sessions do not queue for it.
const NUMBERS: u64 = 64;

/// Numbers for new sessions that are not given yet.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Mutex<Range<u64>>);

impl Numbers {
    /// One number.
    pub(crate) fn of(number: u64) -> Self {
        Self(Mutex::new(number..number + 1))
    }

    /// The next one, if there is one.
    pub(crate) fn next(&self) -> Option<u64> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.next()
    }

    /// The next one; `more` gives the last of so many new ones.
    pub(crate) fn next_or(&self, more: impl FnOnce(u64) -> Result<u64>) -> Result<u64> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_empty() {
            let last = more(NUMBERS)?;
            *left = last.saturating_sub(NUMBERS) + 1..last + 1;
        }
        left.next().ok_or_else(|| Error::Busy {
            reason: "no number for a new session is left".to_owned(),
        })
    }
}

/// A pause before another attempt: longer each time, and never the same for two.
pub(crate) fn pause(attempt: u32) {
    let most = 1_u64 << attempt.min(6);
    let random = u64::from(
        Uuid::new_v4()
            .as_bytes()
            .first()
            .copied()
            .unwrap_or_default(),
    );
    std::thread::sleep(Duration::from_micros(most * 1000 * (random + 1) / 256));
}

/// Calls `work` with a connection; again where others were in the way, and once more where an idle
/// connection turns out to be gone: what it was sent has written nothing.
pub(crate) fn read<T>(
    pool: &Pool,
    action: &'static str,
    mut work: impl FnMut(&mut Connection) -> Tried<T>,
) -> Result<T> {
    let mut attempt = 0;
    loop {
        let mut lent = pool
            .get()
            .map_err(|failure| failure.told(pool.name(), action))?;
        let done = lent.connection().and_then(&mut work);
        drop(lent);
        match done {
            Ok(done) => return Ok(done),
            Err(failure) if failure.is_clash() && attempt < ATTEMPTS => pause(attempt),
            Err(Failure::Lost(_)) if attempt < 2 => {}
            Err(failure) => return Err(failure.told(pool.name(), action)),
        }
        attempt += 1;
    }
}

/// Commits changes. Where the answer is lost, it is found out: the same changes are sent again, which
/// write nothing if they, or others, were written meanwhile, and a token in the row tells which.
fn commit(pool: &Pool, changes: &Changes) -> Result<Written> {
    commit::check(changes)?;
    send(pool, changes, &Uuid::new_v4(), None)
}

/// Finds out whether changes are there of which the answer was lost, and writes them if they are not.
pub(crate) fn resolve(
    pool: &Pool,
    changes: &Changes,
    token: &Uuid,
    failure: Failure,
) -> Result<Written> {
    let end = Instant::now() + pool.options().resolve_wait;
    send(pool, changes, token, Some((failure, end)))
}

/// Sends changes until it is known whether they are there. `unknown` is the failure that left it open, and
/// how long there is to find out.
fn send(
    pool: &Pool,
    changes: &Changes,
    token: &Uuid,
    mut unknown: Option<(Failure, Instant)>,
) -> Result<Written> {
    let mut attempt = 0;
    loop {
        let tried = attempt_commit(pool, changes, (token, unknown.is_some()));
        let failure = match tried {
            Ok(Some(written)) => return Ok(written),
            Ok(None) => match unknown {
                Some((failure, _)) => return Err(failure.told_unknown()),
                None => return Ok(false),
            },
            Err(failure) => failure,
        };
        if failure.is_unknown() {
            let end = Instant::now() + pool.options().resolve_wait;
            unknown = Some(match unknown {
                Some((_, end)) => (failure, end),
                None => (failure, end),
            });
        } else if failure.is_clash() && attempt < ATTEMPTS {
            // Others were in the way; nothing was written.
        } else if unknown.is_none() {
            return Err(failure.told(pool.name(), "write"));
        }
        if let Some((failure, _)) = unknown.take_if(|(_, end)| Instant::now() >= *end) {
            return Err(failure.told_unknown());
        }
        pause(attempt);
        attempt += 1;
    }
}

/// One attempt; `None` if what is there does not tell whether an earlier one was done.
fn attempt_commit(
    pool: &Pool,
    changes: &Changes,
    (token, was_sent): (&Uuid, bool),
) -> Tried<Option<Written>> {
    let mut lent = pool.get()?;
    let connection = lent.connection()?;
    let written = commit::write(connection, changes, token)?;
    if written || !was_sent {
        return Ok(Some(written));
    }
    commit::is_there(connection, changes, token)
}

impl Engine for PostgresStore {
    fn stamps(&self) -> &Stamps {
        &self.pool().options().stamps
    }

    fn store_id(&self) -> Result<Option<Uuid>> {
        read(self.pool(), "read the store's id", reads::store_id)
    }

    fn disk_bytes(&self) -> Result<u64> {
        read(self.pool(), "measure the tables", reads::disk_bytes)
    }

    fn new_number(&self) -> Result<u64> {
        let more = |count| {
            read(self.pool(), "number a session", |connection| {
                reads::next_numbers(connection, count)
            })
        };
        self.numbers().next_or(more)
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SummaryRow>> {
        read(self.pool(), "look a session up", |connection| {
            reads::row(connection, key)
        })
    }

    fn lately(&self) -> Option<&Lately> {
        Some(self.remembered())
    }

    fn rows(&self, numbers: &[u64]) -> Result<Vec<SummaryRow>> {
        read(self.pool(), "read sessions", |connection| {
            reads::rows(connection, numbers)
        })
    }

    fn list(&self, query: &RowQuery) -> Result<Vec<SummaryRow>> {
        read(self.pool(), "list the sessions", |connection| {
            reads::list(connection, query)
        })
    }

    fn names(&self, query: &NameQuery) -> Result<Vec<SessionKey>> {
        read(self.pool(), "look sessions up", |connection| {
            reads::names(connection, query)
        })
    }

    fn children(&self, keys: &[SessionKey]) -> Result<Vec<Children>> {
        read(self.pool(), "count sub-agents", |connection| {
            reads::children(connection, keys)
        })
    }

    fn cells(&self, query: &CellQuery) -> Result<Vec<KeyAndValue>> {
        read(self.pool(), "read a session", |connection| {
            reads::cells(connection, query)
        })
    }

    fn cells_of(&self, table: Table, owners: &[u64]) -> Result<Vec<OwnedCell>> {
        read(self.pool(), "read sessions", |connection| {
            reads::cells_of(connection, table, owners)
        })
    }

    fn commit(&self, changes: &Changes) -> Result<bool> {
        commit(self.pool(), changes)
    }

    fn alone(
        &self,
        key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()> {
        pinned::alone(self, key, work)
    }
}
