//! An engine that holds a session's row locked: what calls go by once others were faster.
//!
//! Its reads and its commit are one transaction, on one connection, that begins with the lock. So those who
//! write to one session queue at its row, in place of each finding in vain that another was faster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use scrollback::kit::{Changes, Engine};
use scrollback::{Error, Result, SessionKey, Stamps};
use uuid::Uuid;

use crate::attempts::{pause, resolve};
use crate::commit;
use crate::connection::Connection;
use crate::errors::{Failure, Tried};
use crate::numbers::Numbers;
use crate::pool::Lent;
use crate::reads::{self, engine_reads};
use crate::store::PostgresStore;

/// How often others may be in the way.
const ATTEMPTS: u32 = 16;

/// Calls `work` while the row of a session is locked; again where another transaction was in the way.
pub(crate) fn alone(
    store: &PostgresStore,
    key: &SessionKey,
    work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
) -> Result<()> {
    let mut attempt = 0;
    loop {
        // While the lock is held there may be no connection left to ask for a number.
        let number = store.new_number()?;
        let mut lent = store.pool().get().map_err(told(store))?;
        let locked = lent
            .connection()
            .and_then(|connection| lock(connection, key));
        let pinned = Pinned {
            store,
            lent: Mutex::new(lent),
            spare: Numbers::of(number),
            clashed: AtomicBool::new(false),
        };
        let done = match locked {
            Ok(()) => work(&pinned),
            Err(failure) => {
                pinned.note(&failure);
                Err(told(store)(failure))
            }
        };
        // Nothing, where it was committed.
        pinned.end();
        let is_clash = done.is_err() && pinned.clashed.load(Ordering::Relaxed);
        if !is_clash || attempt >= ATTEMPTS {
            return done;
        }
        drop(pinned);
        pause(attempt);
        attempt += 1;
    }
}

fn told(store: &PostgresStore) -> impl Fn(Failure) -> Error + '_ {
    |failure| failure.told(store.pool().name(), "lock a session")
}

fn lock(connection: &mut Connection, key: &SessionKey) -> Tried<()> {
    connection.batch("BEGIN")?;
    reads::lock_row(connection, key)
}

#[derive(Debug)]
struct Pinned<'s> {
    store: &'s PostgresStore,
    lent: Mutex<Lent<'s>>,
    spare: Numbers,
    /// Whether another transaction was in the way.
    clashed: AtomicBool,
}

impl<'s> Pinned<'s> {
    fn lent(&self) -> MutexGuard<'_, Lent<'s>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut Connection) -> Tried<T>,
    ) -> Result<T> {
        let mut lent = self.lent();
        let done = lent.connection().and_then(work);
        done.map_err(|failure| {
            self.note(&failure);
            failure.told(self.store.pool().name(), action)
        })
    }

    fn note(&self, failure: &Failure) {
        if failure.is_clash() {
            self.clashed.store(true, Ordering::Relaxed);
        }
    }

    /// Ends the transaction.
    fn end(&self) {
        if let Ok(connection) = self.lent().connection()
            // A connection that may still hold the lock must not go back to the pool.
            && (connection.is_broken() || connection.batch("ROLLBACK").is_err())
        {
            connection.give_up();
        }
    }
}

impl Engine for Pinned<'_> {
    engine_reads!();

    fn stamps(&self) -> &Stamps {
        self.store.stamps()
    }

    fn new_number(&self) -> Result<u64> {
        let spare = self.spare.next().or_else(|| self.store.numbers().next());
        spare.ok_or_else(|| Error::Busy {
            reason: "no number for a new session is left".to_owned(),
        })
    }

    /// In the transaction that has the lock, which ends with it. Where the answer is lost, the same changes
    /// go the common way, which finds out whether they are there.
    fn commit(&self, changes: &Changes) -> Result<bool> {
        commit::check(changes)?;
        let token = Uuid::new_v4();
        let mut lent = self.lent();
        let tried = lent.connection().and_then(|connection| {
            if !commit::write_all(connection, changes, &token)? {
                return Ok(false);
            }
            connection.batch("COMMIT").map(|()| true)
        });
        match tried {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(failure) if failure.is_clash() => {}
            Err(failure) if failure.is_unknown() => {
                // Its place is free before another one is asked for: it may have been the last.
                lent.give_up();
                drop(lent);
                return resolve(self.store.pool(), changes, &token, failure);
            }
            Err(failure) => return Err(failure.told(self.store.pool().name(), "write")),
        }
        // Another attempt begins with another lock.
        drop(lent);
        self.end();
        Ok(false)
    }

    fn alone(
        &self,
        _key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()> {
        work(self)
    }
}
