//! A tool call by what it does, for all who show one: `what` it is, told by its `arguments`; `diff`: changes of
//! text, line by line.

mod arguments;
mod diff;
mod what;

pub use self::diff::DiffLine;
pub use self::what::{Call, PlanStep};
