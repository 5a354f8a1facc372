//! What keeps a store in order.
//!
//! - `migrate`: from older formats
//! - `stats`: how much there is; `files`: what is kept beside the lines
//! - `verify`: all checks
//! - `repair`: what can be saved
//! - `reread`: what is derived, derived again
//! - `reclaim`: space given back

pub(crate) mod files;
pub(crate) mod migrate;
pub(crate) mod reclaim;
pub(crate) mod repair;
pub(crate) mod reread;
pub(crate) mod stats;
pub(crate) mod verify;
