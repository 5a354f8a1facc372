//! What an agent programmer holds: facades over a [`Store`](crate::Store), one for each way of
//! thinking about sessions.

mod git_root;
mod project;

pub use self::project::{LogEntry, Project};
