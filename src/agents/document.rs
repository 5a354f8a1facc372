//! A session that is one JSON document instead of lines. Import keeps it whole, as an attachment of a
//! session whose records the agent's dialect makes from the document.

use super::parts::lines::{self, Format};
use crate::model::message::Role;

/// A session in one JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// The agent that wrote it.
    pub agent: &'static str,
    /// The agent's own id of it.
    pub id: String,
    /// Whether it is an old form of a session: where one of that id is there already, it goes
    /// beside it and adds no records.
    pub yields: bool,
}

impl Document {
    /// A session in the form that its agent writes now.
    pub(crate) fn new(agent: &'static str, id: String) -> Self {
        Self {
            agent,
            id,
            yields: false,
        }
    }
}

/// The records of a session that is one document, as lines of its dialect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DocumentLines {
    /// A line for each part, in their order, each with its `\n`. Later contents of the same
    /// document are expected to add to them.
    pub lines: Vec<Vec<u8>>,
    /// How many of the last lines the agent may still change where they stand: the turn that is
    /// not over.
    pub open: usize,
    /// What changes with every content, such as the time of the last change: a last line that
    /// need not be the same in the next content.
    pub trailer: Option<Vec<u8>>,
}

impl DocumentLines {
    /// The same lines, of which those from the user's last message on are open.
    pub(crate) fn with_open_turn(self, format: &(impl Format + ?Sized)) -> Self {
        let role = |line: &[u8]| lines::describe(format, line, None).header.role;
        let from = self
            .lines
            .iter()
            .rposition(|line| role(line) == Some(Role::User));
        // The first line is about the session.
        let from = from.unwrap_or_else(|| self.lines.len().saturating_sub(1).max(1));
        Self {
            open: self.lines.len().saturating_sub(from),
            ..self
        }
    }
}
