//! ggcode's lines out, as v1.0.9 writes them. What it has no field for stands behind its fields,
//! under names that it does not know and so passes over.

use serde_json::value::RawValue;

use super::reading::{COST, MESSAGE_FIELDS, META_FIELDS, content};
use crate::dialect::fields::{entries, is_object};
use crate::dialect::go_json::{Escape, GoObject, array, go_time};
use crate::dialect::strings;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Block, Message, Usage};
use crate::model::raw_json::RawJson;
use crate::model::session::Session;

/// What the id of a message begins with that is only the place of its record.
const PLACE: char = '#';

/// Fields of a session that v1.0.9 writes behind its title.
const VENDOR: [&str; 2] = ["vendor", "endpoint"];

fn line_of(kind: &str, id: &str) -> GoObject {
    let mut line = GoObject::new(Escape::Plain);
    line.text("type", kind).text_if("session_id", id);
    line
}

/// A message as a line.
pub(super) fn message(key: &SessionKey, message: &Message) -> Vec<u8> {
    let mut line = line_of("message", key.id());
    line.time("created_at", None).time("updated_at", None);
    if let Some(time) = message.time {
        line.text("timestamp", &go_time(time));
    }
    let mut inner = GoObject::new(Escape::Plain);
    let filled = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = message.id.as_deref().unwrap_or_default();
    if !id.starts_with(PLACE) {
        inner.text_if("id", id);
    }
    inner
        .text("role", message.role.word())
        .json("content", &array(message.content.iter().map(block)))
        .text_if("parent_id", &filled(&message.parent_id))
        .text_if("model", &filled(&message.model));
    if let Some(usage) = message.usage {
        inner.json("usage", &tokens(usage));
    }
    write_extra(&mut inner, &message.extra, &MESSAGE_FIELDS);
    line.json("message", &inner.close());
    line.line()
}

/// A session's `meta` line, and a `cost` line if it has a cost.
pub(super) fn meta(session: &Session) -> Result<Vec<u8>> {
    let id = session.key.id();
    let mut line = line_of("meta", id);
    line.text_if("title", &session.title);
    for key in VENDOR {
        if let Some(json) = field(session, key) {
            let value = strings::decode(json.as_str()).ok_or_else(|| Error::InvalidJson {
                reason: format!("`{key}` of a ggcode session has to be a string"),
            })?;
            line.text_if(key, &value);
        }
    }
    line.text_if("model", session.model.as_deref().unwrap_or_default())
        .time("created_at", session.created_at)
        .time("updated_at", session.updated_at)
        .text_if("workspace", session.project.as_deref().unwrap_or_default())
        .text_if("parent_id", session.parent.as_deref().unwrap_or_default());
    let others: Vec<_> = session
        .extra
        .iter()
        .filter(|(key, _)| key != COST && !VENDOR.contains(&key.as_str()))
        .cloned()
        .collect();
    write_extra(&mut line, &others, &META_FIELDS);
    let mut written = line.line();
    if let Some(cost) = field(session, COST) {
        let mut line = line_of(COST, id);
        line.time("created_at", None)
            .time("updated_at", None)
            .json(COST, cost.as_str());
        written.extend(line.line());
    }
    Ok(written)
}

/// The last value of that name among the fields that the store does not interpret.
fn field<'s>(session: &'s Session, key: &str) -> Option<&'s RawJson> {
    let mut newest_first = session.extra.iter().rev();
    newest_first
        .find(|(found, _)| found == key)
        .map(|(_, json)| json)
}

/// Fields that are not known: beside the known ones, or all in `extra` if Go would take one of
/// them for a known field, whatever the case of its letters.
fn write_extra(object: &mut GoObject, extra: &[(String, RawJson)], known: &[&str]) {
    let is_known = |key: &str| {
        let mut known = known.iter().chain(&VENDOR);
        known.any(|known| known.eq_ignore_ascii_case(key))
    };
    if !extra.iter().any(|(key, _)| is_known(key)) {
        for (key, json) in extra {
            object.json(key, json.as_str());
        }
        return;
    }
    let mut inner = GoObject::new(Escape::Plain);
    for (key, json) in extra {
        inner.json(key, json.as_str());
    }
    object.json("extra", &inner.close());
}

fn block(block: &Block) -> String {
    let mut object = GoObject::new(Escape::Plain);
    let filled = |text: &Option<String>| text.clone().unwrap_or_default();
    match block {
        Block::Text { text } => {
            object.text("type", "text").text_if("text", text);
        }
        Block::Thinking { text, signature } => {
            object
                .text("type", "thinking")
                .text_if("text", text)
                .text_if("signature", &filled(signature));
        }
        Block::Image {
            media_type,
            data,
            url,
        } => {
            object
                .text("type", "image")
                .text_if("image_mime", &filled(media_type))
                .text_if("image_data", &filled(data))
                .text_if("image_url", &filled(url));
        }
        Block::ToolUse { id, name, input } => {
            object
                .text("type", "tool_use")
                .text_if("tool_name", name)
                .text_if("tool_id", &filled(id));
            if let Some(input) = input {
                object.json("input", input.as_str());
            }
        }
        Block::ToolResult {
            id,
            name,
            output,
            is_error,
            images,
        } => {
            object
                .text("type", "tool_result")
                .text_if("tool_name", &filled(name))
                .text_if("tool_id", &filled(id))
                .text_if("output", output);
            if *is_error {
                object.json("is_error", "true");
            }
            if !images.is_empty() {
                object.json("images", &array(images.iter().map(picture)));
            }
        }
        Block::Other { json } => return other(json),
    }
    object.close()
}

/// An image within a result; there is nothing else in one.
fn picture(image: &Block) -> String {
    match image {
        Block::Image { .. } => block(image),
        _ => "{}".to_owned(),
    }
}

/// A block of a kind of its own: as it is if Go reads it and it comes back as the same, or else
/// within a block of type `other`.
fn other(json: &RawJson) -> String {
    let as_it_is = array([json.as_str()]);
    let comes_back = serde_json::from_str::<&RawValue>(&as_it_is).is_ok_and(|value| {
        let same = Block::Other { json: json.clone() };
        content(Some(value)) == [same]
    });
    if comes_back && is_read_by_go(json.as_str()) {
        return json.as_str().to_owned();
    }
    let mut object = GoObject::new(Escape::Plain);
    object.text("type", "other").json("json", json.as_str());
    object.close()
}

/// Whether the fields that Go knows of a block have the types that it asks for: a line with one
/// that has not is lost to it.
fn is_read_by_go(json: &str) -> bool {
    const TEXTS: [&str; 7] = [
        "type",
        "text",
        "image_mime",
        "image_data",
        "tool_name",
        "tool_id",
        "output",
    ];
    let is_block = serde_json::from_str::<&RawValue>(json).is_ok_and(is_object);
    is_block
        && entries(json).iter().all(|(key, value)| {
            let is = |name: &&str| name.eq_ignore_ascii_case(key);
            let value = value.get();
            value == "null"
                || if TEXTS.iter().any(is) {
                    value.starts_with('"')
                } else {
                    !is(&"is_error") || matches!(value, "true" | "false")
                }
        })
}

fn tokens(usage: Usage) -> String {
    let mut object = GoObject::new(Escape::Plain);
    object
        .number("input_tokens", usage.input_tokens)
        .number("output_tokens", usage.output_tokens)
        .number("cache_read_tokens", usage.cache_read_tokens)
        .number("cache_write_tokens", usage.cache_write_tokens);
    object.close()
}
