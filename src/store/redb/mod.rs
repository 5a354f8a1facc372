//! The store in one file, over redb.
//!
//! - `store`: opening, transactions; `calls`: the calls of the traits
//! - `engine`: the database: its file, locks, waits, errors, going on after a failure
//! - `pages`: the file below the engine, page by page
//! - `tables`: the schema; rows of each table, read in a snapshot and written in a transaction
//! - `sessions`: what calls do to one session or to many
//! - `search`: the index of messages
//! - `ingest`: many sessions at once, their sources, and what an import finds beside the files
//! - `upkeep`: formats, counts, verification, repair, giving space back
//! - `copies`: backups of a store, and back

mod calls;
mod copies;
mod engine;
mod ingest;
mod pages;
mod search;
mod sessions;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod upkeep;

pub(crate) use self::engine::panics::guard;
pub use self::search::Indexed;
pub use self::store::RedbStore;
pub use self::upkeep::repair::{Loss, RepairReport};
