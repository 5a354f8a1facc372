//! Messages as celeste's entries: one line for each block, since an entry says one thing.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::agents::parts::go_json::{Escape, GoObject};
use crate::json::string;
use crate::model::error::{Error, Result};
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;

use super::layout::AGENT;

/// A field of ours, which celeste passes over: whether the call failed. It is written only then.
pub(super) const IS_ERROR: &str = "is_error";

/// The lines of a message.
pub(super) fn lines(message: &Message) -> Result<Vec<Vec<u8>>> {
    // A message without a block would leave no line, and not be there when it is read again.
    if message.content.is_empty() {
        return Ok(vec![said(message, "")?]);
    }
    let line = |block: &Block| match block {
        Block::Text { text } => said(message, text),
        Block::ToolUse { id, name, input } => {
            let content = input.as_ref().map(arguments).unwrap_or_default();
            Ok(entry(message, "tool_call", &content, name, id.as_deref()).line())
        }
        Block::ToolResult {
            id,
            name,
            output,
            is_error,
            images,
        } if images.is_empty() => {
            let name = name.as_deref().unwrap_or_default();
            let mut entry = entry(message, "tool_result", output, name, id.as_deref());
            if *is_error {
                entry.json(IS_ERROR, "true");
            }
            Ok(entry.line())
        }
        Block::ToolResult { .. } | Block::Image { .. } => unsupported("write an image"),
        Block::Thinking { .. } => unsupported("write what the model thought"),
        Block::Other { .. } => unsupported("write a block of another format"),
    };
    message.content.iter().map(line).collect()
}

/// An entry of text in the message's role.
fn said(message: &Message, text: &str) -> Result<Vec<u8>> {
    let kind = match message.role {
        Role::Tool => "tool_result",
        Role::Other => return unsupported("write a message of an unknown role"),
        role => role.word(),
    };
    Ok(entry(message, kind, text, "", None).line())
}

fn entry(message: &Message, kind: &str, content: &str, name: &str, id: Option<&str>) -> GoObject {
    object(kind, content, [name, id.unwrap_or_default()], message.time)
}

/// An entry as a line, with its `\n`: its type, its content, the tool's name and the call's id
/// (empty if it is about none), and its time.
pub(crate) fn entry_line(
    kind: &str,
    content: &str,
    tool: [&str; 2],
    time: Option<DateTime<Utc>>,
) -> Vec<u8> {
    object(kind, content, tool, time).line()
}

fn object(
    kind: &str,
    content: &str,
    [name, id]: [&str; 2],
    time: Option<DateTime<Utc>>,
) -> GoObject {
    let mut entry = GoObject::new(Escape::Plain);
    entry
        .text("type", kind)
        .text("content", content)
        .text_if("tool_name", name)
        .text_if("tool_id", id)
        .time("timestamp", time);
    entry
}

/// Arguments as the string that they are kept as: a JSON string stands for its text, unless that
/// would be read as other JSON.
fn arguments(input: &RawJson) -> String {
    let json = input.as_str();
    match string::decode(json) {
        Some(text) if !text.is_empty() && RawJson::parse(&*text).is_err() => text.into_owned(),
        _ => json.to_owned(),
    }
}

fn unsupported<T>(action: &'static str) -> Result<T> {
    Err(Error::Unsupported {
        action,
        agent: AGENT.to_owned(),
    })
}

/// A file name made from an id, which stays as it is but for what leads to other folders.
pub(super) fn plain_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (at, letter) in id.char_indices() {
        match letter {
            '/' | '\\' | '\0'..='\u{1f}' => {
                // Writing to a string does not fail.
                let _written = write!(name, "%{:02X}", u32::from(letter)).is_ok();
            }
            '.' if at == 0 => name.push_str("%2E"),
            _ => name.push(letter),
        }
    }
    name
}
