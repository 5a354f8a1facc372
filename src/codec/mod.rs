//! Bytes to model and back: rows, segments, their versions and checksums. Pure: no I/O.
//!
//! - [`row`]: the frame of every stored value: format, version, body, checksum
//! - [`session_row`], [`source_row`]: summary rows and import states (bincode)
//! - [`batch_row`]: batches that a summary row has no room for
//! - [`exception_row`], [`course_row`]: what only other lines tell of a record, and what leads from ids to records
//! - `numbers`: as rows of exceptions and courses hold them
//! - [`file_order`]: which records a session's file has, in which order
//! - [`search_rows`], [`gram_list`]: the index of messages, and which documents have what is in a bucket; `rice`: distances
//!   between them as bits
//! - [`chain`]: the digest chain of a session's lines
//! - [`deleted_row`]: marks of sessions that were deleted
//! - [`properties_row`]: what is kept of a session beside its lines, and its other names
//! - [`segment`]: consecutive records, packed and compressed; `packer`: the packing half
//! - [`attachment`]: a file kept whole, packed part by part
//! - [`parts`]: a long value cut into pieces that fill pages of the database

pub(crate) mod attachment;
pub(crate) mod batch_row;
pub(crate) mod chain;
pub(crate) mod course_row;
pub(crate) mod deleted_row;
pub(crate) mod exception_row;
pub(crate) mod file_order;
pub(crate) mod gram_list;
mod numbers;
mod packer;
pub(crate) mod parts;
pub(crate) mod properties_row;
mod rice;
pub(crate) mod row;
pub(crate) mod search_rows;
pub(crate) mod segment;
pub(crate) mod session_row;
pub(crate) mod source_row;
