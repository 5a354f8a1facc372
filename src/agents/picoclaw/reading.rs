//! A line of picoclaw's to a message. What the model has no place for stays in its extra fields,
//! so that `writing` can give the same line back.

use crate::json::Json;

use super::calls::{self, read_input};
use crate::agents::described::Facts;
use crate::agents::parts::fields::{self, elements, entries, fields_of, owned, text};
use crate::agents::parts::go_json::{self, Escape};
use crate::agents::parts::heads::HeadLine;
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, times, titles};
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;

/// The fields of a message that are read, whatever the case of their letters: Go does not mind it.
pub(super) const KNOWN: [&str; 14] = [
    "role",
    "content",
    "media",
    "reasoning_content",
    "system_parts",
    "tool_calls",
    "tool_call_id",
    "created_at",
    "model_name",
    "attachments",
    "reasoning_signature",
    "name",
    "is_error",
    "blocks",
];

/// Whether a line, perhaps cut off, has the shape that picoclaw writes: the role first, no type.
pub(super) fn is_line(line: &HeadLine<'_>) -> bool {
    let [role, content, kind] = line.fields(&["role", "content", "type"]);
    let known = matches!(
        text(role).as_deref(),
        Some("user" | "assistant" | "system" | "tool")
    );
    line.text().starts_with("{\"role\":\"")
        && known
        && kind.is_none()
        && content.is_none_or(|content| content.get().starts_with('"'))
}

/// What a line says of itself.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let [role, content, created, model] = fields_of(
        Some(object),
        &["role", "content", "created_at", "model_name"],
    );
    let Some(word) = text(role) else {
        return Reading::of(RecordKind::Unknown);
    };
    let role = Role::from_word(&word);
    Reading {
        time_us: times::time_us(created),
        facts: Facts {
            title: titles::of_message(role, content, titles::any),
            model: fields::text_filled(model),
            ..Facts::default()
        },
        ..Reading::said(role)
    }
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let found = fields_of(Some(object), &KNOWN);
    let [role, content, media, reasoning, _, calls, call_id, ..] = found;
    let [.., created, model, _, signature, name, is_error, others] = found;
    let word = text(role).unwrap_or_default();
    let role = Role::from_word(&word);
    let mut message = Message {
        time: times::time(created),
        model: owned(model),
        ..Message::new(role)
    };
    let said = &mut message.content;
    let signature = owned(signature);
    // A signature may stand without thoughts, and has no place but beside some.
    if let Some(thoughts) = owned(reasoning).or_else(|| signature.as_ref().map(|_| String::new())) {
        said.push(Block::Thinking {
            text: thoughts,
            signature,
        });
    }
    let pictures = media.map(elements).unwrap_or_default();
    let pictures = pictures.into_iter().filter_map(picture);
    if role == Role::Tool {
        let mut result = blocks::result(
            owned(call_id),
            owned(name),
            content,
            fields::is_true(is_error),
        );
        if let Block::ToolResult { images, .. } = &mut result {
            images.extend(pictures);
        }
        said.push(result);
    } else {
        said.extend(blocks::content(content));
        said.extend(pictures);
    }
    let calls_made: Vec<Block> = calls
        .map(elements)
        .unwrap_or_default()
        .into_iter()
        .map(call)
        .collect();
    // Spelled as they would be written, so nothing else has to be kept of them.
    let plain = calls.is_none_or(|calls| {
        calls::calls(&calls_made, None) == go_json::compact(calls.get(), Escape::Html)
    });
    said.extend(calls_made);
    let others = others.map(elements).unwrap_or_default();
    said.extend(others.into_iter().map(blocks::other));
    message.extra = extra(object, &message, &word, plain);
    message
}

/// What is said besides what the message holds: in the order of the line, of a known field only
/// the last value.
fn extra(
    object: Json<'_>,
    message: &Message,
    word: &str,
    plain_calls: bool,
) -> Vec<(String, RawJson)> {
    let is_tool = message.role == Role::Tool;
    let entries = entries(object);
    let mut kept: Vec<(String, RawJson)> = Vec::new();
    for (key, value) in entries {
        let keep = match &*key {
            "role" => word != message.role.word(),
            "system_parts" | "attachments" => value.get() != "null",
            "tool_calls" => !plain_calls,
            "tool_call_id" => !is_tool && fields::text_filled(Some(value)).is_some(),
            "name" | "is_error" => !is_tool,
            // A time that would be written otherwise is kept as it stands.
            "created_at" => message.time.is_some_and(|time| {
                text(Some(value)).is_none_or(|written| written != go_json::go_time(time))
            }),
            key => !KNOWN.contains(&key),
        };
        if KNOWN.contains(&&*key) {
            kept.retain(|(known, _)| *known != key);
        }
        if keep {
            kept.push((key, RawJson::trusted(value)));
        }
    }
    kept
}

/// One picture of `media`: a data URI, or where it lies.
fn picture(value: Json<'_>) -> Option<Block> {
    let link = text(Some(value))?;
    let parts = link
        .strip_prefix("data:")
        .and_then(|data| data.split_once(";base64,"));
    Some(match parts {
        Some((media_type, data)) => Block::Image {
            media_type: Some(media_type.to_owned()).filter(|kind| !kind.is_empty()),
            data: Some(data.to_owned()),
            url: None,
        },
        None => Block::Image {
            media_type: None,
            data: None,
            url: Some(link.into_owned()),
        },
    })
}

/// One call of `tool_calls`.
fn call(value: Json<'_>) -> Block {
    let [id, function] = fields_of(Some(value), &["id", "function"]);
    let [name, arguments] = fields_of(function, &["name", "arguments"]);
    Block::ToolUse {
        id: owned(id),
        name: owned(name).unwrap_or_default(),
        input: arguments.and_then(read_input),
    }
}
