//! A message: what a record means to a person or a model.

use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::raw_json::RawJson;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The program around the model.
    System,
    /// A tool, answering a call.
    Tool,
    /// Somebody else; the line has the word.
    Other,
}

impl Role {
    /// The role of a word such as `user`; `developer` counts as system, `model` as assistant.
    pub fn from_word(word: &str) -> Self {
        match word {
            "user" | "human" => Self::User,
            "assistant" | "model" => Self::Assistant,
            "system" | "developer" => Self::System,
            "tool" | "toolResult" => Self::Tool,
            _ => Self::Other,
        }
    }

    /// The word of this role.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
            Self::Other => "other",
        }
    }

    /// The number that is stored. Never change one; append new ones.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Assistant => 2,
            Self::System => 3,
            Self::Tool => 4,
            Self::Other => 5,
        }
    }

    /// The role of a stored number.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::User,
            2 => Self::Assistant,
            3 => Self::System,
            4 => Self::Tool,
            5 => Self::Other,
            _ => return None,
        })
    }
}

/// One piece of a message. As JSON it is an object with the piece's kind as `type`: `text`,
/// `thinking`, `image`, `tool_use`, `tool_result` or `other`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Block {
    /// Text for the reader.
    Text {
        /// The text.
        text: String,
    },
    /// What the model thought before it answered.
    Thinking {
        /// The thoughts; empty where the agent keeps only an encrypted form.
        text: String,
        /// The provider's signature or encrypted form of the thoughts.
        signature: Option<String>,
    },
    /// A picture.
    Image {
        /// Its media type, such as `image/png`.
        media_type: Option<String>,
        /// Its bytes in base64.
        data: Option<String>,
        /// Where it lies, if it is not in the line.
        url: Option<String>,
    },
    /// The model calls a tool.
    ToolUse {
        /// The call's id; its result names it.
        id: Option<String>,
        /// The tool.
        name: String,
        /// The arguments, as the JSON text that was written.
        input: Option<RawJson>,
    },
    /// A tool's answer.
    ToolResult {
        /// The id of the call that it answers.
        id: Option<String>,
        /// The tool, where the line names it.
        name: Option<String>,
        /// The answer, as text.
        output: String,
        /// Whether the call failed, where the line says so.
        is_error: bool,
        /// Images within the answer.
        images: Vec<Block>,
    },
    /// Anything else, as the JSON text that it was.
    Other {
        /// The block.
        json: RawJson,
    },
}

/// Tokens that one call to a model took. A field that the line does not have is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Tokens written to a cache.
    pub cache_write_tokens: u64,
}

impl Usage {
    /// All tokens. Some providers count what was read from a cache among those read: it is in the sum twice then.
    pub fn total(&self) -> u64 {
        let Self {
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
        } = *self;
        let parts = [output_tokens, cache_read_tokens, cache_write_tokens];
        parts.into_iter().fold(input_tokens, u64::saturating_add)
    }
}

impl AddAssign for Usage {
    /// Adds what another call took; no sum wraps.
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cache_read_tokens = self
            .cache_read_tokens
            .saturating_add(other.cache_read_tokens);
        self.cache_write_tokens = self
            .cache_write_tokens
            .saturating_add(other.cache_write_tokens);
    }
}

/// What one record says: a role and what is said, block by block.
///
/// ```
/// use scrollback::{Message, Role};
///
/// let message = Message::text(Role::User, "Which port does the API use?");
/// assert_eq!(message.plain_text(), "Which port does the API use?");
/// ```
///
/// As JSON it has `role`, `time`, `id`, `parent_id`, `answer_id`, `agent_id`, `model`, `live`, `injected`,
/// `text` (the text blocks, joined by line feeds), `tool_text` (what tools were given and what they
/// answered), `blocks` and `usage`. Fields that only its agent understands (`extra`) are in its line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The message's own id. [`Store::save`](crate::Store::save) and
    /// [`NewRecord::message`](crate::NewRecord::message) give one to a message that has none.
    pub id: Option<String>,
    /// The message that this one answers.
    pub parent_id: Option<String>,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Vec<Block>,
    /// When, to the microsecond.
    pub time: Option<DateTime<Utc>>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// What it took. Of an answer that stands on several lines one has it.
    pub usage: Option<Usage>,
    /// The provider's id of the answer that it is a part of.
    pub answer_id: Option<String>,
    /// The sub-agent that it is of, where it stands among the lines of the session that started it.
    pub agent_id: Option<String>,
    /// Whether nobody wrote it although it stands in the user's name: what the agent put in, such as
    /// reminders, output of hooks, messages of other agents.
    pub injected: bool,
    /// Whether it was not taken back, and is on no branch that was left. Always true in a message that
    /// was read from a line alone.
    pub live: bool,
    /// Fields that the dialect does not know, in their order.
    pub extra: Vec<(String, RawJson)>,
}

impl Message {
    /// A message without content.
    pub fn new(role: Role) -> Self {
        Self {
            id: None,
            parent_id: None,
            role,
            content: Vec::new(),
            time: None,
            model: None,
            usage: None,
            answer_id: None,
            agent_id: None,
            injected: false,
            live: true,
            extra: Vec::new(),
        }
    }

    /// A message of one text block.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        let mut message = Self::new(role);
        message.content.push(Block::Text { text: text.into() });
        message
    }

    /// The text blocks, joined by line feeds.
    pub fn plain_text(&self) -> String {
        text_of(&self.content)
    }

    /// What tools were given and what they answered, joined by line feeds: for searching.
    pub fn tool_text(&self) -> String {
        let mut texts: Vec<&str> = Vec::new();
        for block in &self.content {
            match block {
                Block::ToolUse { name, input, .. } => {
                    texts.push(name);
                    texts.extend(input.as_ref().map(RawJson::as_str));
                }
                Block::ToolResult { output, .. } => texts.push(output),
                _ => {}
            }
        }
        texts.join("\n")
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Message", 13)?;
        fields.serialize_field("role", &self.role)?;
        fields.serialize_field("time", &self.time)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("parent_id", &self.parent_id)?;
        fields.serialize_field("answer_id", &self.answer_id)?;
        fields.serialize_field("agent_id", &self.agent_id)?;
        fields.serialize_field("model", &self.model)?;
        fields.serialize_field("live", &self.live)?;
        fields.serialize_field("injected", &self.injected)?;
        fields.serialize_field("text", &self.plain_text())?;
        fields.serialize_field("tool_text", &self.tool_text())?;
        fields.serialize_field("blocks", &self.content)?;
        fields.serialize_field("usage", &self.usage)?;
        fields.end()
    }
}

/// The text blocks among these, joined by line feeds.
pub(crate) fn text_of<'b>(blocks: impl IntoIterator<Item = &'b Block>) -> String {
    let texts = blocks.into_iter().filter_map(|block| match block {
        Block::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<&str>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_json_a_message_keeps_the_spelling_of_its_json() {
        let mut message = Message::text(Role::Assistant, "hi");
        message.time = DateTime::from_timestamp_micros(0);
        let input = RawJson::parse("{\"b\":1.0,\"a\":1e400}").unwrap();
        message.content.push(Block::ToolUse {
            id: None,
            name: "run".into(),
            input: Some(input),
        });
        assert_eq!(
            serde_json::to_string(&message).unwrap(),
            "{\"role\":\"assistant\",\"time\":\"1970-01-01T00:00:00Z\",\"id\":null,\
             \"parent_id\":null,\"answer_id\":null,\"agent_id\":null,\"model\":null,\"live\":true,\
             \"injected\":false,\"text\":\"hi\",\"tool_text\":\"run\\n{\\\"b\\\":1.0,\\\"a\\\":1e400}\",\"blocks\":[{\"type\":\"text\",\
             \"text\":\"hi\"},{\"type\":\"tool_use\",\"id\":null,\"name\":\"run\",\
             \"input\":{\"b\":1.0,\"a\":1e400}}],\"usage\":null}"
        );
    }
}
