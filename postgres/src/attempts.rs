//! What is sent to the server until its answer is known: again where others were in the way, and where an
//! answer was lost.

use std::time::{Duration, Instant};

use scrollback::Result;
use scrollback::kit::Changes;
use uuid::Uuid;

use crate::commit::{self, Written};
use crate::connection::Connection;
use crate::errors::{Failure, Tried};
use crate::pool::Pool;

/// How often a statement that others were in the way of is sent again.
const ATTEMPTS: u32 = 8;

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
        // Before the pause: others may be waiting for a connection, and a broken one makes room for
        // a new one.
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
pub(crate) fn commit(pool: &Pool, changes: &Changes) -> Result<Written> {
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
            // Something later hides whether it was written, and another look would tell no more.
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
    // Sent for the first time, what it says holds; after a lost answer the attempt before may be
    // what has changed the row.
    if written || !was_sent {
        return Ok(Some(written));
    }
    commit::is_there(connection, changes, token)
}
