//! What keeps a store in order.
//!
//! - `migrate`: from older formats
//! - `stats`: how much there is
//! - `verify`: all checks
//! - `repair`: what can be saved
//! - `reread`: what is derived, derived again
//! - `reclaim`: space given back

pub(crate) mod migrate;
pub(crate) mod reclaim;
pub(crate) mod repair;
pub(crate) mod reread;
pub(crate) mod stats;
pub(crate) mod verify;
