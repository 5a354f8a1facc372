//! Copies of a store, and back.
//!
//! - `backup`: one beside writers
//! - `restore`: over a store that is there, or as a new one
//! - `copy`: all tables, row by row
//! - `copy_file`: the file of a copy

pub(crate) mod backup;
pub(crate) mod copy;
pub(crate) mod copy_file;
pub(crate) mod restore;
