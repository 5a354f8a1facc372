//! What providers give: messages, sessions, lists, and what went wrong.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::agents::Dialect;
use crate::agents::home::ProviderProblem;
pub use crate::agents::operation::MessageType;
use crate::model::message::{Block, Message, Role, Usage};

/// A message of a session that lies with its agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProviderMessage {
    /// The message's own id; where it has none, `#` and the place of its line, which does not
    /// change when a damaged line before it is mended.
    pub id: String,
    /// The session's id.
    pub session_id: String,
    /// The message that this one answers.
    pub parent_id: Option<String>,
    /// Who speaks.
    pub role: Role,
    /// What sort of message it is.
    pub message_type: MessageType,
    /// Its text: the text blocks, joined by line feeds.
    pub content: String,
    /// All that it says, tools, thoughts and images included.
    pub blocks: Vec<Block>,
    /// When it was written, if the line says so.
    pub timestamp: Option<DateTime<Utc>>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// What it took.
    pub usage: Option<Usage>,
    /// The bytes of its line as they stand in the file, without the line feed; of its object, in
    /// a session that is one document; of the line made of its rows, in a database. As JSON a text,
    /// where U+FFFD stands for what is not UTF-8.
    #[serde(serialize_with = "lossy_line")]
    pub raw_json: Vec<u8>,
}

impl ProviderMessage {
    /// A message that says nothing yet.
    pub fn new(session_id: impl Into<String>, id: impl Into<String>, role: Role) -> Self {
        Self {
            id: id.into(),
            session_id: session_id.into(),
            parent_id: None,
            role,
            message_type: MessageType::Chat,
            content: String::new(),
            blocks: Vec::new(),
            timestamp: None,
            model: None,
            usage: None,
            raw_json: Vec::new(),
        }
    }
}

/// What a list says of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProviderSummary {
    /// The agent.
    pub agent: String,
    /// The agent's id of the session; a subagent's is that of its session, `/`, and its own.
    pub id: String,
    /// The session that started this one.
    pub parent: Option<String>,
    /// The folder that it works in.
    pub project: Option<String>,
    /// How many messages it has.
    pub message_count: u64,
    /// Lines that could not be read, or not in whole.
    pub unread_lines: u64,
    /// When it was made, as far as that is stated.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last written to, as far as that is stated.
    pub updated_at: Option<DateTime<Utc>>,
    /// The git branch that was named last.
    pub branch: Option<String>,
    /// What the user asked first: at most 200 bytes, cut at a character, and then `...`.
    pub first_prompt: Option<String>,
    /// A title or summary that the user gave or the agent wrote.
    pub summary: Option<String>,
}

impl ProviderSummary {
    /// A session of which nothing is stated.
    pub fn new(agent: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            agent: agent.into(),
            id: id.into(),
            parent: None,
            project: None,
            message_count: 0,
            unread_lines: 0,
            created_at: None,
            updated_at: None,
            branch: None,
            first_prompt: None,
            summary: None,
        }
    }
}

/// A session with its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProviderSession {
    /// What a list says of it; as JSON its fields come first.
    #[serde(flatten)]
    pub summary: ProviderSummary,
    /// The version of the program or of the format that the session states.
    pub version: Option<String>,
    /// Its messages, in their order.
    pub messages: Vec<ProviderMessage>,
}

impl ProviderSession {
    /// A session with these messages.
    pub fn new(summary: ProviderSummary, messages: Vec<ProviderMessage>) -> Self {
        Self {
            summary,
            version: None,
            messages,
        }
    }
}

/// Sessions, and what was wrong with others.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The sessions.
    pub sessions: Vec<ProviderSummary>,
    /// What could not be read, or is named in an index and not there.
    pub problems: Vec<ProviderProblem>,
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Scan {
    /// Whether it was stopped before the end.
    pub stopped: bool,
    /// Lines among those scanned that could not be read, or not in whole.
    pub unread_lines: u64,
}

impl Listing {
    /// These sessions, and what was wrong with others.
    pub fn new(sessions: Vec<ProviderSummary>, problems: Vec<ProviderProblem>) -> Self {
        Self { sessions, problems }
    }
}

impl Scan {
    /// A scan that was stopped or not, over so many lines that could not be read.
    pub fn new(stopped: bool, unread_lines: u64) -> Self {
        Self {
            stopped,
            unread_lines,
        }
    }
}

/// A line as text.
fn lossy_line<S: Serializer>(line: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(line))
}

/// Where a message stands in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MessagePlace {
    /// The line, counted from 0, damaged ones included.
    pub number: u64,
    /// The message among those of the line.
    pub index: usize,
}

/// A dialect's message as a provider gives it. `raw` is its line without the line feed.
pub(super) fn provided(
    dialect: &dyn Dialect,
    session: &str,
    place: MessagePlace,
    raw: &[u8],
    message: Message,
) -> ProviderMessage {
    let has = |wanted: fn(&Block) -> bool| message.content.iter().any(wanted);
    let by_blocks = || {
        if has(|block| matches!(block, Block::ToolUse { .. })) {
            MessageType::ToolUse
        } else if has(|block| matches!(block, Block::ToolResult { .. })) {
            MessageType::ToolResult
        } else {
            MessageType::Chat
        }
    };
    let message_type = dialect.stated_type(raw).unwrap_or_else(by_blocks);
    let content = message.plain_text();
    let id = message.id.unwrap_or_else(|| match place {
        MessagePlace { number, index: 0 } => format!("#{number}"),
        MessagePlace { number, index } => format!("#{number}.{index}"),
    });
    ProviderMessage {
        id,
        session_id: session.to_owned(),
        parent_id: message.parent_id,
        role: message.role,
        message_type,
        content,
        blocks: message.content,
        timestamp: message.time,
        model: message.model,
        usage: message.usage,
        raw_json: raw.to_vec(),
    }
}
