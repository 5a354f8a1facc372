//! The tables, and the rows in them.
//!
//! - `schema`: keys and values
//! - `each`: something done to every table
//! - `snapshot`, `writer`: reads and writes of one transaction
//! - `row_counts`: of those read
//! - `ranges`: walks in the order of keys
//! - `segments`, `attachments`, `properties`, `batches`, `file_orders`, `contents`: rows of one table or two

pub(crate) mod attachments;
pub(crate) mod batches;
pub(crate) mod contents;
pub(crate) mod courses;
pub(crate) mod deleted;
pub(crate) mod each;
pub(crate) mod families;
pub(crate) mod file_orders;
pub(crate) mod properties;
pub(crate) mod ranges;
pub(crate) mod row_counts;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod segments;
pub(crate) mod snapshot;
pub(crate) mod sources;
pub(crate) mod writer;
