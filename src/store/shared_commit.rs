//! Answers of a commit that several additions shared.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::query::Appended;
use crate::model::error::{Error, Result};

/// The answer of a commit that gave none.
pub(crate) fn stopped() -> Result<Appended> {
    Err(Error::CommitUnknown {
        source: "the thread that committed it stopped".into(),
    })
}

/// The failure of a commit, for each of those who shared it.
pub(crate) fn unknown(error: Error, count: usize) -> Vec<Result<Appended>> {
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
