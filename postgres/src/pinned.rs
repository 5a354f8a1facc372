//! An engine that holds a session's row locked: what calls go by once others were faster.
//!
//! Its reads and its commit are one transaction, on one connection, that begins with the lock. So those who
//! write to one session queue at its row, in place of each finding in vain that another was faster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use scrollback::kit::{
    CellQuery, Changes, Children, Engine, KeyAndValue, NameQuery, OwnedCell, RowQuery, SummaryRow,
    Table,
};
use scrollback::{Error, Result, SessionKey, Stamps};
use uuid::Uuid;

use crate::commit;
use crate::connection::Connection;
use crate::engine::{Numbers, pause};
use crate::errors::{Failure, Tried};
use crate::pool::Lent;
use crate::reads;
use crate::sql::Query;
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
    let values: [crate::connection::Value<'_>; 2] = [&key.agent(), &key.id().as_bytes()];
    connection.query(Query::Lock, &values).map(drop)
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
            && (connection.is_broken() || connection.batch("ROLLBACK").is_err())
        {
            connection.give_up();
        }
    }
}

impl Engine for Pinned<'_> {
    fn stamps(&self) -> &Stamps {
        self.store.stamps()
    }

    fn store_id(&self) -> Result<Option<Uuid>> {
        self.read("read the store's id", reads::store_id)
    }

    fn new_number(&self) -> Result<u64> {
        let spare = self.spare.next().or_else(|| self.store.numbers().next());
        spare.ok_or_else(|| Error::Busy {
            reason: "no number for a new session is left".to_owned(),
        })
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SummaryRow>> {
        self.read("look a session up", |connection| {
            reads::row(connection, key)
        })
    }

    fn rows(&self, numbers: &[u64]) -> Result<Vec<SummaryRow>> {
        self.read("read sessions", |connection| {
            reads::rows(connection, numbers)
        })
    }

    fn list(&self, query: &RowQuery) -> Result<Vec<SummaryRow>> {
        self.read("list the sessions", |connection| {
            reads::list(connection, query)
        })
    }

    fn names(&self, query: &NameQuery) -> Result<Vec<SessionKey>> {
        self.read("look sessions up", |connection| {
            reads::names(connection, query)
        })
    }

    fn children(&self, keys: &[SessionKey]) -> Result<Vec<Children>> {
        self.read("count sub-agents", |connection| {
            reads::children(connection, keys)
        })
    }

    fn cells(&self, query: &CellQuery) -> Result<Vec<KeyAndValue>> {
        self.read("read a session", |connection| {
            reads::cells(connection, query)
        })
    }

    fn cells_of(&self, table: Table, owners: &[u64]) -> Result<Vec<OwnedCell>> {
        self.read("read sessions", |connection| {
            reads::cells_of(connection, table, owners)
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
            Ok(true) => Ok(true),
            // Another attempt begins with another lock.
            Ok(false) => {
                drop(lent);
                self.end();
                Ok(false)
            }
            Err(failure) if failure.is_clash() => {
                drop(lent);
                self.end();
                Ok(false)
            }
            Err(failure) if failure.is_unknown() => {
                drop(lent);
                crate::engine::resolve(self.store.pool(), changes, &token, failure)
            }
            Err(failure) => Err(failure.told(self.store.pool().name(), "write")),
        }
    }

    fn alone(
        &self,
        _key: &SessionKey,
        work: &mut dyn FnMut(&dyn Engine) -> Result<()>,
    ) -> Result<()> {
        work(self)
    }
}
