//! What a store of your own is built on: write an [`Engine`], which keeps summary rows and cells as bytes
//! and commits changes to them, and it is a [`Store`](crate::Store).
//!
//! A store has some thirty calls, and most of what they promise is about lines: what a line says of its
//! session, which messages it hides, where a torn one is repaired, which retry was there before. The kit
//! does all that. What is left is small: look a row up by its name and by its number, list rows newest first,
//! read cells in the order of their keys, and write [`Changes`] all or nothing.
//!
//! - [`SummaryRow`]: what a list shows of a session, as opaque bytes, with [`Columns`] beside them for
//!   indexes and filters.
//! - [`Cell`]: everything else, in the [`Table`]s of the kit.
//! - [`Changes`]: what one commit writes, and what has to be as it was seen.
//!
//! [`MemoryStore`](crate::MemoryStore) is one, over an [`Image`]; `examples/folder_store.rs` keeps a store in a folder of files,
//! and is held to all contracts (feature `conformance`); the package `scrollback-postgres` keeps one on a
//! server.

mod attachments;
mod batches;
mod bulk;
mod carry;
mod cells;
mod changes;
mod compact;
mod contents;
mod courses;
mod delete;
mod draft;
mod engine;
mod image;
mod ingest;
mod lately;
mod list;
mod origins;
mod properties;
mod records;
mod row;
mod store;
mod verify;
mod writing;

pub use self::cells::{Cell, CellQuery, Table};
pub use self::changes::{CellChange, Changes, RowChange, Seen};
pub use self::engine::{Children, Engine, KeyAndValue, OwnedCell};
pub use self::image::Image;
pub use self::lately::Lately;
pub use self::row::{Columns, NameQuery, RowQuery, SummaryRow};
