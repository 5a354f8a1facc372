//! How contracts compare what came with what should have come, and how they run threads.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use super::contract::Difference;
use crate::model::error::{Error, Result};

/// What a contract, or a step of one, gives.
pub(super) type Checked<T = ()> = std::result::Result<T, Difference>;

/// Longest text of a value in a failure, in characters.
const SHOWN_MAX: usize = 2000;

/// How often a call that says that it may be tried again is tried again.
const TRIES: usize = 2000;

fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    let mut cut: String = text.chars().take(SHOWN_MAX).collect();
    cut.push_str(" ...");
    cut
}

/// What came is what was expected.
pub(super) fn same<T: Debug + PartialEq<E> + ?Sized, E: Debug + ?Sized>(
    step: &str,
    came: &T,
    expected: &E,
) -> Checked {
    holds(step, came == expected, &shown(&expected), &came)
}

/// What came is as the words say.
pub(super) fn holds(step: &str, holds: bool, expected: &str, came: &impl Debug) -> Checked {
    if holds {
        return Ok(());
    }
    Err(Difference {
        step: step.to_owned(),
        expected: expected.to_owned(),
        came: shown(came),
    })
}

/// The call succeeded.
pub(super) fn done<T>(step: &str, result: Result<T>) -> Checked<T> {
    result.map_err(|error| Difference {
        step: step.to_owned(),
        expected: "success".to_owned(),
        came: format!("the error `{error}` ({error:?})"),
    })
}

/// The call failed with an error of this kind.
pub(super) fn refused<T: Debug>(
    step: &str,
    result: Result<T>,
    expected: &str,
    is_expected: impl FnOnce(&Error) -> bool,
) -> Checked {
    match result {
        Ok(came) => holds(step, false, &format!("the error {expected}"), &came),
        Err(error) => {
            let as_expected = is_expected(&error);
            holds(step, as_expected, &format!("the error {expected}"), &error)
        }
    }
}

/// The one that has to be there.
pub(super) fn one<T>(step: &str, value: Option<T>) -> Checked<T> {
    value.ok_or_else(|| Difference {
        step: step.to_owned(),
        expected: "a value".to_owned(),
        came: "nothing".to_owned(),
    })
}

/// Calls again as long as the answer is that the same call may go through later.
pub(super) fn patiently<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..TRIES {
        match call() {
            Err(error) if error.is_retryable() => thread::sleep(Duration::from_millis(1)),
            other => return other,
        }
    }
    call()
}

/// Runs threads that start at the same moment, and gives what each of them gave, in their order.
pub(super) fn together<T: Send>(
    count: usize,
    work: impl Fn(usize) -> Checked<T> + Sync,
) -> Checked<Vec<T>> {
    let start = Barrier::new(count);
    let run = |number| {
        start.wait();
        catch_unwind(AssertUnwindSafe(|| work(number)))
            .unwrap_or_else(|panic| Err(Difference::panicked(panic.as_ref())))
    };
    let run = &run;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| Err(Difference::panicked(panic.as_ref())))
            })
            .collect()
    })
}
