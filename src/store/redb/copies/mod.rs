//! Copies of a store, and back.
//!
//! - `backup`: one beside writers
//! - `restore`: over a store that is there, or as a new one
//! - `scrub`: in the store's own place, so that nothing is left of what was removed; `scrub_due`: that one is
//!   to come
//! - `copy`: all tables, row by row
//! - `copy_file`: the file of a copy

pub(crate) mod backup;
pub(crate) mod copy;
pub(crate) mod copy_file;
pub(crate) mod restore;
pub(crate) mod scrub;
pub(crate) mod scrub_due;
