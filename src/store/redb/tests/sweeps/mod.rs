//! Sweeps over a disk in memory: every way that it can fail, at every moment of a workload.
//!
//! - `disk`: what remembers each write and flush, and fails where it is told to; `fates`: what a
//!   power cut makes of it
//! - `workload`: calls that change a store, and what may be there after each of them
//! - `power_cuts`: cut after each operation, also of a recovery; `faults`: an error at each
//!   operation, and the same store going on; `together`: faults under threads that share commits
//!
//! The daily form takes some of the cases, always the same; the long one all of them.

pub(crate) mod disk;
mod fates;
mod faults;
mod power_cuts;
mod together;
pub(crate) mod workload;

use crate::store::Mode;

/// How a store can be opened.
pub(crate) fn modes() -> Vec<Mode> {
    vec![Mode::Shared, Mode::Exclusive]
}
