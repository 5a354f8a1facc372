//! What Crush's lines say. The parts of a message have a type and, below it, their data.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::fields::{count, elements, fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{blocks, times, titles};
use crate::json::Json;
use crate::model::links::Links;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "crush";

/// Crush's sessions.
#[derive(Debug)]
pub(crate) struct Crush;

/// The table of messages.
pub(super) const MESSAGES: &str = "messages";

/// Titles of sessions that have none yet.
const NO_TITLE: [&str; 2] = ["New Session", "Untitled Session"];

impl Format for Crush {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let Some(entry) = entries::of(AGENT, object) else {
            return Reading::of(RecordKind::Unknown);
        };
        match &*entry.kind {
            SESSION => session(entry.entry),
            MESSAGES => said(entry.entry),
            _ => Reading::of(RecordKind::Event),
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        match entries::of(AGENT, object) {
            Some(entry) => message(entry.entry),
            None => Message::new(Role::Other),
        }
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        let entry = entries::of(AGENT, object)?;
        let usage = usage(entry.entry).filter(|_| entry.kind == SESSION)?;
        Some(Message {
            usage: Some(usage),
            ..Message::new(Role::Other)
        })
    }
}

/// What a message's row says, for a header.
fn said(row: Json<'_>) -> Reading<'_> {
    let [id, role, parts, model, created, is_summary] = fields_of(
        Some(row),
        &[
            "id",
            "role",
            "parts",
            "model",
            "created_at",
            "is_summary_message",
        ],
    );
    let Some(role) = text(role) else {
        return Reading::of(RecordKind::Event);
    };
    let role = Role::from_word(&role);
    let first = parts.into_iter().flat_map(elements).find_map(|part| {
        let [kind, data] = fields_of(Some(part), &["type", "data"]);
        let [said] = fields_of(data, &["text"]);
        text_filled(said).filter(|_| text(kind).as_deref() == Some("text"))
    });
    let is_asked = role == Role::User && count(is_summary) == 0;
    let mut reading = Reading::of(RecordKind::Message);
    reading.role = Some(role);
    reading.time_us = times::time_us(created);
    reading.facts = Facts {
        record_id: text_filled(id),
        model: text_filled(model).filter(|_| role == Role::Assistant),
        title: titles::offer(first.filter(|_| is_asked), titles::FIRST_MESSAGE),
        ..Facts::default()
    };
    reading
}

fn message(row: Json<'_>) -> Message {
    let [id, role, parts, model, created, is_summary] = fields_of(
        Some(row),
        &[
            "id",
            "role",
            "parts",
            "model",
            "created_at",
            "is_summary_message",
        ],
    );
    let role = Role::from_word(&text(role).unwrap_or_default());
    let parts = parts.into_iter().flat_map(elements);
    Message {
        id: owned(id),
        content: parts.filter_map(block).collect(),
        time: times::time(created),
        model: owned(model).filter(|_| role == Role::Assistant),
        injected: role == Role::User && count(is_summary) > 0,
        ..Message::new(role)
    }
}

/// What a part says; `None` if it is no part of what was said.
fn block(part: Json<'_>) -> Option<Block> {
    let [kind, data] = fields_of(Some(part), &["type", "data"]);
    let [
        said,
        thought,
        signature,
        id,
        call,
        name,
        input,
        output,
        is_error,
        url,
    ] = fields_of(
        data,
        &[
            "text",
            "thinking",
            "signature",
            "id",
            "tool_call_id",
            "name",
            "input",
            "content",
            "is_error",
            "url",
        ],
    );
    Some(match text(kind).as_deref() {
        Some("text") => blocks::said(owned(said)?),
        Some("reasoning") => Block::Thinking {
            text: owned(thought)?,
            signature: owned(signature),
        },
        Some("tool_call") => Block::ToolUse {
            id: owned(id),
            name: owned(name).unwrap_or_default(),
            input: input.map(blocks::arguments),
        },
        Some("tool_result") => blocks::result(owned(call), owned(name), output, is_true(is_error)),
        Some("image_url") => Block::Image {
            media_type: None,
            data: None,
            url: Some(owned(url)?),
        },
        Some("finish") => return None,
        _ => blocks::other(part),
    })
}

/// What is said of a session.
fn session(row: Json<'_>) -> Reading<'_> {
    let [id, title, parent, created, updated] = fields_of(
        Some(row),
        &[
            "id",
            "title",
            "parent_session_id",
            "created_at",
            "updated_at",
        ],
    );
    let title = text_filled(title).filter(|title| !NO_TITLE.contains(&&**title));
    let parent = text_filled(parent);
    let facts = Facts {
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        title: titles::latest(title, titles::GENERATED),
        subagent: parent.is_some(),
        parent,
        links: Links {
            answer: entries::taken(AGENT, id, usage(row)),
            ..Links::default()
        },
        ..Facts::default()
    };
    Reading {
        facts,
        ..Reading::of(RecordKind::Meta)
    }
}

/// What a session took, as its row says.
fn usage(row: Json<'_>) -> Option<Usage> {
    let [input, output] = fields_of(Some(row), &["prompt_tokens", "completion_tokens"]);
    input.or(output).map(|_| Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        ..Usage::default()
    })
}
