//! What the lines of `llm` say. A response's row is what was asked and what was answered: two messages, and one
//! more for what tools had answered. A turn's row has the parts of its messages.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{Entry, EntryFormat};
use crate::agents::parts::fields::{elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, pieces, times, titles, tokens};
use crate::json::Json;
use crate::model::links::{Answer, Links, id_hash};
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "llm";

/// Conversations of `llm`.
#[derive(Debug)]
pub(crate) struct SimonwLlm;

/// The table of responses, as they were kept first.
pub(super) const RESPONSES: &str = "responses";

/// The table of turns, as they are kept now.
pub(super) const TURNS: &str = "turns";

impl EntryFormat for SimonwLlm {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[RESPONSES, TURNS];

    /// What is said of a conversation.
    fn session(row: Json<'_>) -> Reading<'_> {
        let [name, model, created, forked] =
            fields_of(Some(row), &["name", "model", "datetime_utc", "forked_from"]);
        Reading::meta(Facts {
            created_us: times::sql_time_us(created),
            title: titles::latest(text_filled(name), titles::GENERATED),
            model: text_filled(model),
            parent: text_filled(forked),
            ..Facts::default()
        })
    }

    /// What a turn's row says, for a header.
    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        let row = entry.entry;
        let [id, model, resolved, time] = fields_of(
            Some(row),
            &["id", "model", "resolved_model", "datetime_utc"],
        );
        let said = messages(row);
        let Some(first) = said.first() else {
            return Reading::of(RecordKind::Event);
        };
        let asked = said.iter().find(|message| message.role == Role::User);
        let title = asked.map(|message| message.plain_text().into());
        let usage = said.iter().find_map(|message| message.usage);
        let key = text_filled(id).map(|id| id_hash(&id));
        let mut reading = Reading::said(first.role);
        reading.messages = said.len();
        reading.time_us = times::sql_time_us(time);
        reading.facts = Facts {
            record_id: text_filled(id),
            model: text_filled(resolved).or_else(|| text_filled(model)),
            title: titles::offer(title, titles::FIRST_MESSAGE),
            links: Links {
                answer: key.zip(usage).map(|(key, usage)| Answer { key, usage }),
                ..Links::default()
            },
            ..Facts::default()
        };
        reading
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        messages(entry.entry)
    }
}

/// The messages of a turn's row.
fn messages(row: Json<'_>) -> Vec<Message> {
    let [id, model, resolved, time, parts] = fields_of(
        Some(row),
        &["id", "model", "resolved_model", "datetime_utc", "parts"],
    );
    let mut said = match parts {
        Some(parts) => of_parts(parts),
        None => of_response(row),
    };
    let time = times::sql_time_us(time).and_then(chrono::DateTime::from_timestamp_micros);
    for message in &mut said {
        message.id = owned(id);
        message.time = time;
        if message.role == Role::Assistant {
            message.model = owned(resolved).or_else(|| owned(model));
        }
    }
    // What the call took stands with its answer.
    if let Some(last) = said
        .iter_mut()
        .rfind(|message| message.role == Role::Assistant)
    {
        last.usage = tokens::told(Some(row), &["input_tokens", "output_tokens"]);
    }
    said
}

/// The messages in a response's row.
fn of_response(row: Json<'_>) -> Vec<Message> {
    let [system, prompt, response, reasoning, calls, results] = fields_of(
        Some(row),
        &[
            "system",
            "prompt",
            "response",
            "reasoning",
            "tool_calls",
            "tool_results",
        ],
    );
    let mut said = Said::default();
    said.extend(Role::System, owned(system).map(blocks::said));
    // Answers of tools were sent with the prompt of this row, so they stand before it.
    said.extend(
        Role::Tool,
        results.into_iter().flat_map(elements).map(result),
    );
    said.extend(Role::User, owned(prompt).map(blocks::said));
    said.extend(Role::Assistant, owned(reasoning).map(blocks::thought));
    said.extend(Role::Assistant, owned(response).map(blocks::said));
    said.extend(
        Role::Assistant,
        calls.into_iter().flat_map(elements).map(pieces::call),
    );
    said.messages
}

/// The messages of a turn, from their parts.
fn of_parts(parts: Json<'_>) -> Vec<Message> {
    let mut said = Said::default();
    for part in elements(parts) {
        let [role, kind, own, payload] =
            fields_of(Some(part), &["role", "type", "text", "payload"]);
        let [inner] = fields_of(payload, &["text"]);
        let role = Role::from_word(&text(role).unwrap_or_default());
        let words = owned(own).or_else(|| owned(inner));
        let block = match text(kind).as_deref() {
            Some("text") => words.map(blocks::said),
            Some("reasoning") => words.map(blocks::thought),
            Some("tool_call") => payload.map(pieces::call),
            Some("tool_result") => payload.map(result),
            _ => Some(blocks::other(part)),
        };
        said.extend(role, block);
    }
    said.messages
}

/// Messages, of which those of one speaker behind each other are one.
#[derive(Default)]
struct Said {
    messages: Vec<Message>,
}

impl Said {
    fn extend(&mut self, role: Role, blocks: impl IntoIterator<Item = Block>) {
        for block in blocks {
            match self.messages.last_mut() {
                Some(last) if last.role == role => last.content.push(block),
                _ => self.messages.push(Message {
                    content: vec![block],
                    ..Message::new(role)
                }),
            }
        }
    }
}

fn result(result: Json<'_>) -> Block {
    let [id, name, output, exception] = fields_of(
        Some(result),
        &["tool_call_id", "name", "output", "exception"],
    );
    let failed = owned(exception);
    blocks::result(owned(id), owned(name), output, failed.is_some())
}
