//! The contracts of [`Store`](crate::store::Store), by what they are about. What each function
//! states is said once, in `tables`, under the function's name.

pub(super) mod appending;
pub(super) mod batches;
pub(super) mod cleaning;
pub(super) mod compacting;
pub(super) mod families;
pub(super) mod hiding;
pub(super) mod listing;
pub(super) mod meta;
pub(super) mod properties;
pub(super) mod reading;
pub(super) mod removing;
pub(super) mod reopening;
pub(super) mod replacing;
pub(super) mod saving;
pub(super) mod scanning;
pub(super) mod searching;
pub(super) mod threads;
pub(super) mod torn;
pub(super) mod viewing;
pub(super) mod written;
