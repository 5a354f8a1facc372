//! How entries are replayed, and what comes of it.

use serde::Serialize;

use super::pairs::Repair;
use crate::model::message::Message;

/// Whether a replay is true to jcode, or fit for the API of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compatibility {
    /// What jcode gives: calls and results are replayed as they stand, paired or not, a tool's
    /// error is dropped, compactions count for the state alone, and a subagent without a result
    /// hides all that follows.
    Exact,
    /// Every call has one result right behind it and every result a call, ids are not used twice,
    /// errors of tools are kept, and compactions count everywhere.
    #[default]
    Repaired,
}

/// How entries are replayed. The default repairs, and leaves out what subagents did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayOptions {
    /// True to jcode, or repaired.
    pub compatibility: Compatibility,
    /// Whether what a subagent did between its start and its result is replayed too, as jcode
    /// did before it knew of subagents.
    pub with_subagents: bool,
}

impl ReplayOptions {
    /// The same, and what subagents did is replayed too.
    #[must_use]
    pub fn with_subagents(mut self) -> Self {
        self.with_subagents = true;
        self
    }

    /// True to jcode.
    pub fn exact() -> Self {
        Self {
            compatibility: Compatibility::Exact,
            with_subagents: false,
        }
    }
}

/// Messages for a model, and what was mended to get them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Replayed {
    /// The messages, oldest first. A call of a tool is a block of an assistant's message, its
    /// result a message of the role tool.
    pub messages: Vec<Message>,
    /// What was mended; nothing in an exact replay.
    pub repairs: Vec<Repair>,
}
