//! Panics: nothing is printed while one may still become an error.
//!
//! The database engine can panic on damaged pages. The store turns that into an error, but Rust
//! has printed the panic by then. Here it is kept instead, and told only if nobody has caught it.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Exit code of a process that panicked, as Rust has it.
const PANICKED: u8 = 101;

/// The last panic: what and where.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Runs the tool. A panic that gets through is given to `tell`.
pub(super) fn kept(run: impl FnOnce() -> ExitCode, tell: impl FnOnce(&str)) -> ExitCode {
    panic::set_hook(Box::new(keep));
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        tell(&LAST.lock().unwrap_or_else(PoisonError::into_inner));
        ExitCode::from(PANICKED)
    })
}

fn keep(info: &PanicHookInfo<'_>) {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = info.to_string();
}
