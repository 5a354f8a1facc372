//! Lines that change earlier ones, and what sort of message a line says that it is: what readers of
//! sessions where they lie ask an agent's format.

use serde::Serialize;

/// What a line does to the conversation when its agent reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Adds a message, or replaces the one of that id where it stands.
    Message(Option<String>),
    /// Replaces all messages by those of the line, of these ids.
    All(Vec<Option<String>>),
    /// Takes away the message of that id and all behind it; all messages, if there is none.
    Rewind(String),
    /// Nothing.
    Nothing,
}

/// What sort of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MessageType {
    /// Something said.
    Chat,
    /// A call of a tool, perhaps with words and the result beside it.
    ToolUse,
    /// The result of a tool.
    ToolResult,
    /// News of something that goes on.
    Progress,
    /// The state of something at that moment.
    Snapshot,
}

impl MessageType {
    /// The word of this type, such as `tool-use`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::ToolUse => "tool-use",
            Self::ToolResult => "tool-result",
            Self::Progress => "progress",
            Self::Snapshot => "snapshot",
        }
    }
}
