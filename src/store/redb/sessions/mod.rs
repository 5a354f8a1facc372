//! What calls do to one session or to many.
//!
//! - `list`: pages of summaries
//! - `find`: by the start of an id
//! - `scan`, `visit`: records by pages and by runs; `order`: of a session with an order of its own
//! - `appends`: appends that share a commit
//! - `delete`, `compact`: what goes; `sweep`: which sessions a clean-up deletes; `rechain`: the digest chain where it does; `folder_files`: what goes
//!   with the last session of a folder
//! - `usage`: what answers took, over all sessions; `beside`: what a session took, where a file beside its lines says it

pub(crate) mod appends;
mod beside;
pub(crate) mod compact;
pub(crate) mod delete;
pub(crate) mod find;
pub(crate) mod folder_files;
mod folders;
pub(crate) mod list;
pub(crate) mod order;
pub(crate) mod rechain;
pub(crate) mod scan;
pub(crate) mod sweep;
mod usage;
pub(crate) mod visit;
