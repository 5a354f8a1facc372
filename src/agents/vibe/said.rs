//! What the lines say that are made of a session's folder: entries of its list, and what is said of the session.

use std::borrow::Cow;

use super::layout::AGENT;
use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, Entry, SESSION};
use crate::agents::parts::fields::{elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, times, titles, tokens};
use crate::json::Json;
use crate::model::links::{Links, Place};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// The kind of the lines of its list.
pub(super) const ENTRIES: &str = "entries";

/// What an agent's sub-agent or process tells stands in the user's name, and begins so.
const TOLD: &str = "Runtime notification:\n";

/// What a line says, for a header.
pub(super) fn read<'a>(line: &Entry<'a>) -> Reading<'a> {
    match &*line.kind {
        SESSION => session(line.entry),
        ENTRIES => said(line.entry),
        _ => Reading::of(RecordKind::Event),
    }
}

/// What a session took, where a line is about it as a whole.
pub(super) fn taken(line: &Entry<'_>) -> Option<Usage> {
    (line.kind == SESSION).then(|| usage(line.entry)).flatten()
}

fn usage(about: Json<'_>) -> Option<Usage> {
    let [usage] = fields_of(Some(about), &["tokenUsage"]);
    tokens::named(usage, &["inputTokens", "outputTokens", "cachedInputTokens"])
}

fn session(about: Json<'_>) -> Reading<'_> {
    let wanted = ["id", "kind", "createdAt", "parentSessionId", "cwd"];
    let [id, kind, created, parent, folder] = fields_of(Some(about), &wanted);
    let wanted = ["title", "titleSource", "updatedAt", "active_model"];
    let [title, source, updated, model] = fields_of(Some(about), &wanted);
    let rank = match text(source).as_deref() {
        Some("manual") => titles::CHOSEN,
        _ => titles::GENERATED,
    };
    let parent = text_filled(parent);
    Reading::meta(Facts {
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        project: text_filled(folder),
        title: titles::latest(text_filled(title), rank),
        model: text_filled(model),
        subagent: parent.is_some() && text(kind).is_some_and(|kind| kind == "subagent"),
        parent,
        links: Links {
            answer: entries::taken(AGENT, id, usage(about)),
            ..Links::default()
        },
        ..Facts::default()
    })
}

/// Who speaks in an entry; `None` if nobody does.
fn speaker(entry: Json<'_>) -> Option<Role> {
    let [kind, role] = fields_of(Some(entry), &["type", "role"]);
    match &*text(kind)? {
        "message" => Some(Role::from_word(&text(role)?)),
        "reasoning" | "effect" => Some(Role::Assistant),
        _ => None,
    }
}

fn said(entry: Json<'_>) -> Reading<'_> {
    let Some(role) = speaker(entry) else {
        return Reading::of(RecordKind::Event);
    };
    let [id, time, content] = fields_of(Some(entry), &["id", "createdAt", "content"]);
    let is_asked = role == Role::User && !is_told(content);
    let mut reading = Reading::said(role);
    reading.time_us = times::time_us(time);
    reading.facts = Facts {
        record_id: text_filled(id),
        title: is_asked
            .then(|| titles::of_message(role, content, titles::any))
            .flatten(),
        links: Links {
            place: if is_asked { Place::Asked } else { Place::Apart },
            ..Links::default()
        },
        ..Facts::default()
    };
    reading
}

/// Whether a message was not written by the person in whose name it stands.
fn is_told(content: Option<Json<'_>>) -> bool {
    let first = content.and_then(|content| content.elements().next());
    let [said] = fields_of(first, &["text"]);
    text(said).is_some_and(|said| said.starts_with(TOLD))
}

/// The message of an entry.
pub(super) fn message(line: &Entry<'_>) -> Message {
    let entry = line.entry;
    let wanted = ["type", "id", "createdAt", "content"];
    let [kind, id, time, content] = fields_of(Some(entry), &wanted);
    let role = speaker(entry).unwrap_or(Role::Other);
    Message {
        content: match text(kind).as_deref() {
            Some("message") => parts(content),
            Some("reasoning") => thought(entry).into_iter().collect(),
            _ => effect(entry),
        },
        id: owned(id),
        time: times::time(time),
        injected: role == Role::System || (role == Role::User && is_told(content)),
        ..Message::new(role)
    }
}

/// The parts of a message: texts, images, and what somebody has named.
fn parts(content: Option<Json<'_>>) -> Vec<Block> {
    let part = |part: Json<'_>| {
        let [kind, attachment] = fields_of(Some(part), &["type", "attachment"]);
        if text(kind).as_deref() != Some("image") {
            return blocks::content(Some(part));
        }
        let [source, media] = fields_of(attachment, &["source", "mimeType"]);
        let [data] = fields_of(source, &["data"]);
        vec![Block::Image {
            media_type: owned(media),
            data: owned(data),
            url: None,
        }]
    };
    let all = content.into_iter().flat_map(elements);
    all.flat_map(part).collect()
}

/// What the model thought, or a summary of it.
fn thought(entry: Json<'_>) -> Option<Block> {
    let [thought, summary] = fields_of(Some(entry), &["text", "summary"]);
    let whole = owned(thought).or_else(|| {
        let parts = summary.into_iter().flat_map(elements);
        let parts: Vec<_> = parts.filter_map(|part| text(Some(part))).collect();
        (!parts.is_empty()).then(|| parts.join("\n"))
    });
    whole.map(blocks::thought)
}

/// A call, and what came of it once it is over.
fn effect(entry: Json<'_>) -> Vec<Block> {
    let wanted = ["id", "title", "detail", "state", "generationStatus"];
    let [id, title, detail, state, stage] = fields_of(Some(entry), &wanted);
    let [name, input] = fields_of(detail, &["toolName", "input"]);
    let mut all = vec![blocks::call(id, name.or(title), input)];
    if text(stage).as_deref() == Some("completed") {
        let [status] = fields_of(state, &["status"]);
        let is_error = text(status).is_some_and(|status| status != "completed");
        all.push(Block::ToolResult {
            id: owned(id),
            name: None,
            output: output(state).unwrap_or_default().into_owned(),
            is_error,
            images: Vec::new(),
        });
    }
    all
}

/// What a tool gave back: as text, else as its values, else why it gave nothing.
fn output(state: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    let wanted = ["outputText", "output", "error", "reason"];
    let [written, output, error, reason] = fields_of(state, &wanted);
    let [values] = fields_of(output, &["structured_content"]);
    let values = values.or(output.filter(|output| output.get().starts_with('"')));
    let values = values.filter(|values| values.get() != "null");
    let [message] = fields_of(error, &["message"]);
    let values = || values.map(|values| text(Some(values)).unwrap_or(Cow::Borrowed(values.get())));
    text_filled(written)
        .or_else(values)
        .or_else(|| text_filled(message))
        .or_else(|| text_filled(reason))
}
