//! Many sessions at once, with what an import has to know of them.
//!
//! - `calls`: what import and export ask; `bulk`: one transaction; `attached`: files in it
//! - `sources`: the files that were imported
//! - `contents`: the contents of an id; `file_order`: another order of a session's records
//! - `known`: what is stored of many of them
//! - `origins`: where sessions came from
//! - `carry`: sessions on their way to another store and from one
//! - `agent_facts`: what is found beside the files

pub(crate) mod agent_facts;
pub(crate) mod attached;
pub(crate) mod bulk;
mod calls;
mod carry;
pub(crate) mod contents;
mod file_order;
pub(crate) mod known;
pub(crate) mod origins;
pub(crate) mod sources;
