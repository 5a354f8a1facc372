//! Appends of several callers in one transaction.
//!
//! An append that cannot be done, because the session is not as expected, is refused before it
//! touches a table: the others go on. If the transaction fails otherwise, each append is tried in
//! one of its own, so that one bad session does not take the others with it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::RedbStore;
use super::engine::guard;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::addition::{Addition, Intent};
use crate::store::query::{Appended, Expect};

/// What one caller wants to append.
#[derive(Debug)]
pub(crate) struct Append {
    key: SessionKey,
    expect: Expect,
    batch_id: Option<Uuid>,
    intent: Intent,
    lines: Vec<Vec<u8>>,
}

impl Append {
    /// An addition to a session, to be written by whichever thread leads.
    pub(crate) fn of(key: &SessionKey, addition: &Addition<'_>) -> Self {
        Self {
            key: key.clone(),
            expect: addition.expect,
            batch_id: addition.batch_id,
            intent: addition.intent,
            lines: addition.lines.to_vec(),
        }
    }
}

/// What an append came to before the commit.
type Written = Result<Appended>;

/// Writes appends in their order, in one commit if that is possible, and answers each.
pub(crate) fn write(store: &RedbStore, appends: &[&Append]) -> Vec<Result<Appended>> {
    match together(store, appends) {
        Ok(answers) => answers,
        Err(error) if appends.len() == 1 => vec![Err(error)],
        Err(error @ Error::CommitUnknown { .. }) => unknown(error, appends.len()),
        Err(_) => appends
            .iter()
            .map(|append| together(store, &[append])?.pop().unwrap_or_else(stopped))
            .collect(),
    }
}

/// The answer of a commit that gave none.
pub(crate) fn stopped() -> Result<Appended> {
    Err(Error::CommitUnknown {
        source: "the thread that committed it stopped".into(),
    })
}

/// Writes appends in one transaction. Its own error means that none was written, unless it is of
/// the commit.
fn together(store: &RedbStore, appends: &[&Append]) -> Result<Vec<Written>> {
    guard(|| {
        let writer = store.begin_write()?;
        let mut answers = Vec::with_capacity(appends.len());
        for append in appends {
            let addition = Addition {
                expect: append.expect,
                batch_id: append.batch_id,
                lines: &append.lines,
                intent: append.intent,
            };
            match writer.add(&append.key, &addition, store.options()) {
                Err(error) if !is_refusal(&error) => return Err(error),
                answer => answers.push(answer),
            }
        }
        writer.commit()?;
        Ok(answers)
    })
}

/// Whether an append was refused before it touched a table.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Conflict { .. })
}

/// The failure of a commit, for each of those who shared it.
fn unknown(error: Error, count: usize) -> Vec<Result<Appended>> {
    let shared = Arc::new(error);
    (0..count)
        .map(|_| {
            Err(Error::CommitUnknown {
                source: Box::new(Shared(Arc::clone(&shared))),
            })
        })
        .collect()
}

/// The cause of a failed commit, seen by everybody who shared it.
#[derive(Debug)]
struct Shared(Arc<Error>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("several appends shared the commit")
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
