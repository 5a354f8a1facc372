//! Numbers for new sessions, some at a time.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use scrollback::{Error, Result};

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
