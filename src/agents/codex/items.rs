//! The items between the user, the model and its tools: who says them, and their blocks.

use chrono::{DateTime, Utc};

use crate::json::Json;

use crate::agents::parts::blocks as shapes;
use crate::agents::parts::fields::{Object, fields, fields_of, owned, text};
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;

/// Types of items that the model says, besides its messages.
const SAID_BY_MODEL: [&str; 9] = [
    "function_call",
    "custom_tool_call",
    "local_shell_call",
    "web_search_call",
    "tool_search_call",
    "image_generation_call",
    "mcp_tool_call",
    "reasoning",
    "agent_message",
];

/// Types of items that a tool says.
const SAID_BY_TOOL: [&str; 4] = [
    "function_call_output",
    "custom_tool_call_output",
    "tool_search_output",
    "mcp_tool_call_output",
];

/// Items that nobody says.
const SILENT: [&str; 4] = [
    "ghost_snapshot",
    "compaction",
    "compaction_summary",
    "other",
];

/// Who says an item of this type; `None` if it says nothing.
pub(crate) fn speaker(kind: &str, role: Option<Json<'_>>) -> Option<Role> {
    if kind == "message" {
        Some(Role::from_word(&text(role).unwrap_or_default()))
    } else if SAID_BY_MODEL.contains(&kind) {
        Some(Role::Assistant)
    } else {
        SAID_BY_TOOL.contains(&kind).then_some(Role::Tool)
    }
}

/// Whether an item of this type is known, and says nothing.
pub(crate) fn is_silent(kind: &str) -> bool {
    SILENT.contains(&kind)
}

/// The blocks of an item of this type.
pub(crate) fn blocks(kind: &str, item: Json<'_>, members: &Object<'_>) -> Vec<Block> {
    let [
        content,
        name,
        id,
        call_id,
        arguments,
        input,
        output,
        action,
        summary,
        encrypted,
    ] = members.fields(&[
        "content",
        "name",
        "id",
        "call_id",
        "arguments",
        "input",
        "output",
        "action",
        "summary",
        "encrypted_content",
    ]);
    // A call of a tool on the provider's side has no `call_id`.
    let id = || owned(call_id).or_else(|| owned(id));
    if kind == "message" {
        return shapes::content(content);
    }
    // Thoughts come as a summary, as texts, or encrypted alone: then only the signature is there.
    if kind == "reasoning" {
        let texts: Vec<String> = [summary, content]
            .into_iter()
            .flat_map(shapes::content)
            .filter_map(|block| match block {
                Block::Text { text } | Block::Thinking { text, .. } => Some(text),
                Block::Other { json } => reasoning_text(&json),
                _ => None,
            })
            .collect();
        return vec![Block::Thinking {
            text: texts.join("\n\n"),
            signature: owned(encrypted),
        }];
    }
    if SAID_BY_TOOL.contains(&kind) {
        return vec![tool_output(id(), owned(name), output)];
    }
    if kind == "agent_message" {
        let said = shapes::content(content);
        if !said.is_empty() {
            return said;
        }
    } else if SAID_BY_MODEL.contains(&kind) {
        let name = owned(name).unwrap_or_else(|| kind.trim_end_matches("_call").to_owned());
        let input = arguments.or(input).or(action).map(shapes::arguments);
        return vec![Block::ToolUse {
            id: id(),
            name,
            input,
        }];
    }
    vec![shapes::other(item)]
}

/// The message of a plan: what the model proposes to do.
pub(crate) fn plan(item: Json<'_>, time: Option<DateTime<Utc>>) -> Message {
    let [id, said] = fields_of(Some(item), &["id", "text"]);
    Message {
        id: owned(id),
        content: vec![shapes::said(owned(said).unwrap_or_default())],
        time,
        ..Message::new(Role::Assistant)
    }
}

/// The text of a piece of reasoning.
fn reasoning_text(json: &RawJson) -> Option<String> {
    let [text] = fields(json.as_str(), &["text"]).ok()?;
    owned(text)
}

/// The answer to a call: text, blocks, or an object with the text in it.
fn tool_output(id: Option<String>, name: Option<String>, output: Option<Json<'_>>) -> Block {
    let [content, success] = fields_of(
        output.filter(|output| output.is_object()),
        &["content", "success"],
    );
    let is_error = success.is_some_and(|success| success.get() == "false");
    shapes::result(id, name, content.or(output), is_error)
}
