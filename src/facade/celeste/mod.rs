//! celeste's way: the sessions of a project's folder.

mod git_root;
mod project;

pub use self::project::{LogEntry, Project};
