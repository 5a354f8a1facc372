//! The messages in pi's entries: those of the talk, what extensions put in, what the user ran, and
//! summaries.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{fields_of, is_true, named_fields, owned, text, text_filled};
use crate::agents::parts::{times, tokens};
use crate::json::Json;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::raw_json::RawJson;

/// The tool that a command which the user ran is shown as a call of.
const SHELL: &str = "bash";

named_fields! {
    /// The fields of an entry.
    pub(super) Entry {
        kind: "type",
        id: "id",
        parent: "parentId",
        time: "timestamp",
        message: "message",
        content: "content",
        summary: "summary",
        usage: "usage",
        model: "model",
    }
}

/// Who says something in an entry, if anybody does.
pub(super) fn speaker(entry: &Entry<'_>) -> Option<Role> {
    match &*text(entry.kind)? {
        "message" => {
            let [role] = fields_of(entry.message, &["role"]);
            Some(match &*text(role)? {
                "toolResult" | "bashExecution" | "pythonExecution" => Role::Tool,
                // What extensions say, and summaries that old versions keep as messages.
                "custom" | "hookMessage" | "branchSummary" | "compactionSummary" | "developer" => {
                    Role::System
                }
                word => Role::from_word(word),
            })
        }
        "custom_message" => Some(Role::System),
        "compaction" | "branch_summary" => text_filled(entry.summary).map(|_| Role::System),
        _ => None,
    }
}

/// Whether an entry is what a tool answers.
pub(super) fn is_result(entry: &Entry<'_>) -> bool {
    let [role] = fields_of(entry.message, &["role"]);
    text(role).is_some_and(|role| role == "toolResult")
}

/// The message of such an entry.
pub(super) fn message(object: Json<'_>) -> Message {
    let entry = Entry::of(Some(object));
    let role = speaker(&entry).unwrap_or(Role::Other);
    let [model] = fields_of(entry.message, &["model"]);
    Message {
        id: owned(entry.id),
        parent_id: owned(entry.parent),
        content: match text(entry.kind).as_deref() {
            Some("message") => of_message(entry.message),
            Some("custom_message") => blocks::content(entry.content),
            _ => blocks::content(entry.summary),
        },
        time: times::time(entry.time),
        model: owned(model).filter(|_| role == Role::Assistant),
        usage: usage(&entry),
        injected: role == Role::System,
        ..Message::new(role)
    }
}

/// The blocks of a message in an entry.
fn of_message(message: Option<Json<'_>>) -> Vec<Block> {
    let [role, content, call, name, is_error, summary] = fields_of(
        message,
        &[
            "role",
            "content",
            "toolCallId",
            "toolName",
            "isError",
            "summary",
        ],
    );
    match text(role).as_deref() {
        Some("toolResult") => {
            let failed = is_true(is_error);
            vec![blocks::result(owned(call), owned(name), content, failed)]
        }
        Some("bashExecution" | "pythonExecution") => executed(message),
        _ => blocks::content(content.or(summary)),
    }
}

/// A command that the user ran, and what it put out.
fn executed(message: Option<Json<'_>>) -> Vec<Block> {
    let [command, code, output, status] =
        fields_of(message, &["command", "code", "output", "exitCode"]);
    let has_failed = status.is_some_and(|status| !matches!(status.get(), "0" | "null"));
    let input = command.or(code).and_then(|command| {
        let input = format!("{{\"command\":{}}}", command.get());
        RawJson::parse(input).ok()
    });
    let ran = Block::ToolUse {
        id: None,
        name: SHELL.to_owned(),
        input,
    };
    vec![ran, blocks::result(None, None, output, has_failed)]
}

/// The tokens that an entry tells: of an answer, of a tool that asks a model, of a summary.
pub(super) fn usage(entry: &Entry<'_>) -> Option<Usage> {
    let [inner] = fields_of(entry.message, &["usage"]);
    tokens::in_any_spelling(inner.or(entry.usage))
}

/// What an entry without a message says of itself.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let entry = Entry::of(Some(object));
    if text(entry.kind).as_deref() == Some("session") {
        return None;
    }
    Some(Message {
        id: Some(owned(entry.id)?),
        parent_id: owned(entry.parent),
        usage: usage(&entry),
        model: owned(entry.model),
        ..Message::new(Role::Other)
    })
}
