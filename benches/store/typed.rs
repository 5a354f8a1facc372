//! The rival of a load: the lines of a file into the same messages, by types that serde derives
//! for just what generated lines hold. It knows no other spelling, no damage and no old version.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use scrollback::{Block, Message, RawJson, Role, Usage};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::Outcome;

/// Reads a line of a format; `None` if it is no message.
pub(crate) type Read = fn(&[u8]) -> Outcome<Option<Message>>;

/// The messages of lines.
pub(crate) fn messages(lines: &[u8], read: Read) -> Outcome<Vec<Message>> {
    let mut messages = Vec::new();
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        messages.extend(read(line)?);
    }
    Ok(messages)
}

/// A block of any kind.
#[derive(Deserialize)]
struct AnyBlock<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<RawJson>,
    tool_use_id: Option<String>,
    content: Option<String>,
    output: Option<String>,
    is_error: Option<bool>,
}

impl AnyBlock<'_> {
    fn into_block(self) -> Block {
        match &*self.kind {
            "thinking" => Block::Thinking {
                text: self.thinking.or(self.text).unwrap_or_default(),
                signature: self.signature,
            },
            "tool_use" => Block::ToolUse {
                id: self.id,
                name: self.name.unwrap_or_default(),
                input: self.input,
            },
            "tool_result" => Block::ToolResult {
                id: self.tool_use_id.or(self.id),
                name: self.name,
                output: self.content.or(self.output).unwrap_or_default(),
                is_error: self.is_error.unwrap_or_default(),
                images: Vec::new(),
            },
            _ => Block::Text {
                text: self.text.unwrap_or_default(),
            },
        }
    }
}

/// A text, or blocks.
struct Content(Vec<Block>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or blocks")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        let text = text.to_owned();
        Ok(Content(vec![Block::Text { text }]))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut blocks: A) -> Result<Content, A::Error> {
        let mut content = Vec::new();
        while let Some(block) = blocks.next_element::<AnyBlock<'_>>()? {
            content.push(block.into_block());
        }
        Ok(Content(content))
    }
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(rename = "input_tokens")]
    read: u64,
    #[serde(rename = "output_tokens")]
    written: u64,
    #[serde(rename = "cache_read_tokens", alias = "cache_read_input_tokens")]
    from_cache: u64,
    #[serde(rename = "cache_write_tokens", alias = "cache_creation_input_tokens")]
    to_cache: u64,
}

impl Tokens {
    fn usage(&self) -> Usage {
        {
            let mut usage = Usage::default();
            usage.input_tokens = self.read;
            usage.output_tokens = self.written;
            usage.cache_read_tokens = self.from_cache;
            usage.cache_write_tokens = self.to_cache;
            usage
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaudeLine<'a> {
    uuid: Option<String>,
    parent_uuid: Option<String>,
    timestamp: Option<DateTime<Utc>>,
    #[serde(borrow)]
    message: Option<ClaudeMessage<'a>>,
}

#[derive(Deserialize)]
struct ClaudeMessage<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    content: Content,
    model: Option<String>,
    usage: Option<Tokens>,
}

/// A line of Claude Code.
pub(crate) fn claude_code(line: &[u8]) -> Outcome<Option<Message>> {
    let line: ClaudeLine<'_> = serde_json::from_slice(line)?;
    let Some(said) = line.message else {
        return Ok(None);
    };
    let is_result = |block: &Block| matches!(block, Block::ToolResult { .. });
    let role = match Role::from_word(&said.role) {
        Role::User if said.content.0.iter().any(is_result) => Role::Tool,
        role => role,
    };
    Ok(Some({
        let mut message = Message::new(role);
        message.id = line.uuid;
        message.parent_id = line.parent_uuid;
        message.content = said.content.0;
        message.time = line.timestamp;
        message.model = said.model;
        message.usage = said.usage.map(|usage| usage.usage());
        message
    }))
}

#[derive(Deserialize)]
struct CodexLine<'a> {
    timestamp: Option<DateTime<Utc>>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: CodexItem<'a>,
}

#[derive(Deserialize)]
struct CodexItem<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    role: Cow<'a, str>,
    content: Option<Content>,
    name: Option<String>,
    call_id: Option<String>,
    arguments: Option<String>,
    output: Option<String>,
    encrypted_content: Option<String>,
}

/// A line of Codex.
pub(crate) fn codex(line: &[u8]) -> Outcome<Option<Message>> {
    let line: CodexLine<'_> = serde_json::from_slice(line)?;
    let item = line.payload;
    if line.kind != "response_item" {
        return Ok(None);
    }
    let (role, content) = match &*item.kind {
        "message" => {
            let content = item.content.map(|content| content.0);
            (Role::from_word(&item.role), content.unwrap_or_default())
        }
        "reasoning" => {
            let block = Block::Thinking {
                text: String::new(),
                signature: item.encrypted_content,
            };
            (Role::Assistant, vec![block])
        }
        "function_call" => {
            let block = Block::ToolUse {
                id: item.call_id,
                name: item.name.unwrap_or_default(),
                input: item.arguments.map(RawJson::parse).transpose()?,
            };
            (Role::Assistant, vec![block])
        }
        "function_call_output" => {
            let block = Block::ToolResult {
                id: item.call_id,
                name: None,
                output: item.output.unwrap_or_default(),
                is_error: false,
                images: Vec::new(),
            };
            (Role::Tool, vec![block])
        }
        _ => return Ok(None),
    };
    Ok(Some({
        let mut message = Message::new(role);
        message.content = content;
        message.time = line.timestamp;
        message
    }))
}

#[derive(Deserialize)]
struct NativeLine<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<String>,
    parent_id: Option<String>,
    #[serde(borrow, default)]
    role: Cow<'a, str>,
    content: Option<Content>,
    time: Option<DateTime<Utc>>,
    model: Option<String>,
    usage: Option<Tokens>,
}

/// A line of this crate's own format.
pub(crate) fn native(line: &[u8]) -> Outcome<Option<Message>> {
    let line: NativeLine<'_> = serde_json::from_slice(line)?;
    if line.kind != "message" {
        return Ok(None);
    }
    Ok(Some({
        let mut message = Message::new(Role::from_word(&line.role));
        message.id = line.id;
        message.parent_id = line.parent_id;
        message.content = line.content.map(|content| content.0).unwrap_or_default();
        message.time = line.time;
        message.model = line.model;
        message.usage = line.usage.map(|usage| usage.usage());
        message
    }))
}
