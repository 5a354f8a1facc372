//! Code of the caller's that runs within a call of the store: the clock, the watcher of the progress,
//! what an answer is written to. A panic in it is the caller's and passes through; below it the
//! call ends as with an error, so that no transaction is left in the middle.
//!
//! It knows nothing of stores.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::model::error::{Error, Result};

thread_local! {
    /// How many calls of the store this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What the caller's code has stopped with, on its way out.
    static PANIC: RefCell<Option<Box<dyn Any + Send>>> = const { RefCell::new(None) };
}

/// Runs code of the caller's. If it panics within a call of the store, the answer is an error that
/// ends the call, and the panic goes on at its end.
///
/// # Errors
///
/// [`Error::Cancelled`] if it panicked.
pub(crate) fn theirs<T>(code: impl FnOnce() -> T) -> Result<T> {
    // Outside of a call nothing is half done: the panic takes its way.
    if DEPTH.get() == 0 {
        return Ok(code());
    }
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
        PANIC.with_borrow_mut(|first| {
            // Of several the first goes on: the others may come of it.
            first.get_or_insert(panic);
        });
        Error::Cancelled
    })
}

/// A call of the store. The panic of a caller's code goes on here, behind all of it.
pub(crate) fn call<T>(work: impl FnOnce() -> T) -> T {
    let depth = DEPTH.get();
    DEPTH.set(depth.saturating_add(1));
    // A panic that passes here leaves the depth as it was, too.
    let ended = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(depth);
    if depth == 0
        && let Some(panic) = PANIC.take()
    {
        resume_unwind(panic);
    }
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Fails once a caller's code has panicked where that could not end what was being done.
///
/// # Errors
///
/// [`Error::Cancelled`].
pub(crate) fn undisturbed() -> Result<()> {
    if PANIC.with_borrow(Option::is_some) {
        return Err(Error::Cancelled);
    }
    Ok(())
}

/// What an answer is written to.
pub(crate) struct TheirOutput<'w>(pub(crate) &'w mut dyn Write);

impl Write for TheirOutput<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        theirs(|| self.0.write(bytes)).map_err(io::Error::other)?
    }

    fn flush(&mut self) -> io::Result<()> {
        theirs(|| self.0.flush()).map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_goes_on_behind_the_outermost_call_and_is_forgotten_then() {
        let reached = Cell::new(0);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            call(|| {
                let inner = call(|| theirs(|| panic!("theirs")));
                assert!(matches!(inner, Err(Error::Cancelled)));
                assert!(undisturbed().is_err());
                reached.set(1);
            });
            reached.set(2);
        }));
        assert_eq!(reached.get(), 1);
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"theirs"));
        undisturbed().unwrap();
        call(|| theirs(|| ())).unwrap();
    }
}
