//! What Crush's lines say. The parts of a message have a type and, below it, their data.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, Entry, EntryFormat};
use crate::agents::parts::fields::{
    count, elements, fields_of, is_true, named_fields, owned, text, text_filled,
};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, times, titles, tokens};
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

impl EntryFormat for Crush {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[MESSAGES];

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
        Reading::meta(Facts {
            created_us: times::time_us(created),
            updated_us: times::time_us(updated),
            title: titles::latest(title, titles::GENERATED),
            subagent: parent.is_some(),
            parent,
            links: Links {
                // Messages tell no tokens: the row has them for the session as a whole.
                answer: entries::taken(AGENT, id, usage(row)),
                ..Links::default()
            },
            ..Facts::default()
        })
    }

    /// What a message's row says, for a header.
    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        let row = Row::of(Some(entry.entry));
        let Some(role) = text(row.role) else {
            return Reading::of(RecordKind::Event);
        };
        let role = Role::from_word(&role);
        let first = row.parts.into_iter().flat_map(elements).find_map(|part| {
            let [kind, data] = fields_of(Some(part), &["type", "data"]);
            let [said] = fields_of(data, &["text"]);
            text_filled(said).filter(|_| text(kind).as_deref() == Some("text"))
        });
        // The summary that a session goes on from is stored as a message too.
        let is_asked = role == Role::User && count(row.is_summary) == 0;
        let mut reading = Reading::said(role);
        reading.time_us = times::time_us(row.created);
        reading.facts = Facts {
            record_id: text_filled(row.id),
            model: text_filled(row.model).filter(|_| role == Role::Assistant),
            title: titles::offer(first.filter(|_| is_asked), titles::FIRST_MESSAGE),
            ..Facts::default()
        };
        reading
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        vec![message(entry.entry)]
    }

    fn usage(about: Json<'_>) -> Option<Usage> {
        usage(about)
    }
}

named_fields! {
    /// A message's row.
    Row {
        id: "id",
        role: "role",
        parts: "parts",
        model: "model",
        created: "created_at",
        is_summary: "is_summary_message",
    }
}

fn message(row: Json<'_>) -> Message {
    let row = Row::of(Some(row));
    let role = Role::from_word(&text(row.role).unwrap_or_default());
    let parts = row.parts.into_iter().flat_map(elements);
    Message {
        id: owned(row.id),
        content: parts.filter_map(block).collect(),
        time: times::time(row.created),
        model: owned(row.model).filter(|_| role == Role::Assistant),
        injected: role == Role::User && count(row.is_summary) > 0,
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
        Some("tool_call") => blocks::call(id, name, input),
        Some("tool_result") => blocks::result(owned(call), owned(name), output, is_true(is_error)),
        Some("image_url") => Block::Image {
            media_type: None,
            data: None,
            url: Some(owned(url)?),
        },
        // How the turn ended is no part of what was said.
        Some("finish") => return None,
        _ => blocks::other(part),
    })
}

/// What a session took, as its row says.
fn usage(row: Json<'_>) -> Option<Usage> {
    tokens::told(Some(row), &["prompt_tokens", "completion_tokens"])
}
