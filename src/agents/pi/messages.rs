//! The messages in pi's entries: those of the talk, what extensions put in, what the user ran, and
//! summaries.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{count, fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::times;
use crate::json::Json;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::raw_json::RawJson;

/// The tool that a command which the user ran is shown as a call of.
const SHELL: &str = "bash";

/// Who says something in an entry of this type, if anybody does.
pub(super) fn speaker(kind: &str, object: Json<'_>) -> Option<Role> {
    match kind {
        "message" => {
            let [message] = fields_of(Some(object), &["message"]);
            let [role] = fields_of(message, &["role"]);
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
        "compaction" | "branch_summary" => {
            let [summary] = fields_of(Some(object), &["summary"]);
            text_filled(summary).map(|_| Role::System)
        }
        _ => None,
    }
}

/// Whether an entry is what a tool answers.
pub(super) fn is_result(object: Json<'_>) -> bool {
    let [message] = fields_of(Some(object), &["message"]);
    let [role] = fields_of(message, &["role"]);
    text(role).is_some_and(|role| role == "toolResult")
}

/// The message of such an entry.
pub(super) fn message(object: Json<'_>) -> Message {
    let [kind, id, parent, timestamp, message, content, summary] = fields_of(
        Some(object),
        &[
            "type",
            "id",
            "parentId",
            "timestamp",
            "message",
            "content",
            "summary",
        ],
    );
    let kind = text(kind).unwrap_or_default();
    let role = speaker(&kind, object).unwrap_or(Role::Other);
    let [model] = fields_of(message, &["model"]);
    Message {
        id: owned(id),
        parent_id: owned(parent),
        content: match &*kind {
            "message" => of_message(message),
            "custom_message" => blocks::content(content),
            _ => blocks::content(summary),
        },
        time: times::time(timestamp),
        model: owned(model).filter(|_| role == Role::Assistant),
        usage: usage(object),
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
pub(super) fn usage(object: Json<'_>) -> Option<Usage> {
    let [own, message] = fields_of(Some(object), &["usage", "message"]);
    let [inner] = fields_of(message, &["usage"]);
    let told = inner.or(own).filter(|usage| usage.is_object());
    let [input, output, read, written] =
        fields_of(told, &["input", "output", "cacheRead", "cacheWrite"]);
    told.map(|_| Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cache_read_tokens: count(read),
        cache_write_tokens: count(written),
    })
}

/// What an entry without a message says of itself.
pub(super) fn about(object: Json<'_>) -> Option<Message> {
    let [kind, id, parent, model] = fields_of(Some(object), &["type", "id", "parentId", "model"]);
    if text(kind).as_deref() == Some("session") {
        return None;
    }
    Some(Message {
        id: Some(owned(id)?),
        parent_id: owned(parent),
        usage: usage(object),
        model: owned(model),
        ..Message::new(Role::Other)
    })
}
