//! Messages as later versions of OpenCode keep them: one row each, an answer with all of its content.

use std::borrow::Cow;

use super::parts;
use crate::agents::described::Facts;
use crate::agents::parts::blocks as shapes;
use crate::agents::parts::fields::{self, elements, fields_of, owned, text};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;

/// Who speaks in a row of this type; `None` if nothing is said in it.
fn speaker(kind: &str) -> Option<Role> {
    match kind {
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        "system" | "synthetic" => Some(Role::System),
        _ => None,
    }
}

/// What the line of a row tells.
pub(super) fn read(message: Json<'_>) -> Reading<'_> {
    let [kind, id, time, said, model, tokens] = fields_of(
        Some(message),
        &["type", "id", "time", "text", "model", "tokens"],
    );
    let [created] = fields_of(time, &["created"]);
    let mut reading = Reading::of(RecordKind::Event);
    reading.time_us = times::time_us(created);
    reading.facts.record_id = fields::text_filled(id);
    let Some(role) = text(kind).as_deref().and_then(speaker) else {
        return reading;
    };
    reading.kind = RecordKind::Message;
    reading.role = Some(role);
    reading.facts = Facts {
        model: model_of(model),
        title: titles::of_message(role, said, titles::any),
        links: parts::links(id, tokens),
        ..reading.facts
    };
    reading
}

/// The message of such a line.
pub(super) fn message(message: Json<'_>) -> Message {
    let [kind, id, time, said, content, files, model, tokens] = fields_of(
        Some(message),
        &[
            "type", "id", "time", "text", "content", "files", "model", "tokens",
        ],
    );
    let [created] = fields_of(time, &["created"]);
    // Such a row speaks in the user's name, and the program wrote it.
    let is_put_in = text(kind).as_deref() == Some("synthetic");
    let role = text(kind).as_deref().and_then(speaker);
    let mut blocks = shapes::content(said);
    for piece in content.map(elements).unwrap_or_default() {
        piece_of(piece, &mut blocks);
    }
    blocks.extend(
        files
            .map(elements)
            .unwrap_or_default()
            .into_iter()
            .map(parts::file),
    );
    Message {
        id: owned(id),
        content: blocks,
        time: times::time(created),
        model: model_of(model).map(Cow::into_owned),
        usage: parts::usage(tokens),
        injected: is_put_in,
        ..Message::new(role.unwrap_or(Role::Other))
    }
}

/// The model that a message names, or a session.
pub(super) fn model_of(model: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    let [id] = fields_of(model, &["id"]);
    fields::text_filled(id)
}

/// One piece of an answer. A tool's has the call and its result.
fn piece_of(piece: Json<'_>, blocks: &mut Vec<Block>) {
    let [kind, id, name, state] = fields_of(Some(piece), &["type", "id", "name", "state"]);
    if text(kind).as_deref() != Some("tool") {
        return blocks.extend(shapes::content(Some(piece)));
    }
    let [status, input, content, output, error] =
        fields_of(state, &["status", "input", "content", "output", "error"]);
    let (id, name) = (owned(id), owned(name));
    blocks.push(Block::ToolUse {
        id: id.clone(),
        name: name.clone().unwrap_or_default(),
        input: input.map(RawJson::trusted),
    });
    let failed = text(status).as_deref() == Some("error");
    let [reason] = fields_of(error, &["message"]);
    let answer = if failed { reason.or(error) } else { None };
    let answer = answer.or(content).or(output);
    // A call that is still at work has no answer yet.
    if answer.is_some() || failed {
        blocks.push(shapes::result(id, name, answer, failed));
    }
}
