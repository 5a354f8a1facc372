//! What the lines of `llm` say. A response's row is what was asked and what was answered: two messages, and one
//! more for what tools had answered. A turn's row has the parts of its messages.

use crate::agents::described::Facts;
use crate::agents::parts::blocks;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::fields::{count, elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::links::{Answer, Links, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
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

impl Format for SimonwLlm {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let Some(entry) = entries::of(AGENT, object) else {
            return Reading::of(RecordKind::Unknown);
        };
        match &*entry.kind {
            SESSION => session(entry.entry),
            RESPONSES | TURNS => turn(entry.entry),
            _ => Reading::of(RecordKind::Event),
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        let mut all = self.every_message(object).into_iter();
        all.next().unwrap_or_else(|| Message::new(Role::Other))
    }

    fn message_count(&self, object: Json<'_>) -> usize {
        self.every_message(object).len()
    }

    fn every_message(&self, object: Json<'_>) -> Vec<Message> {
        entries::of(AGENT, object).map_or_else(Vec::new, |entry| messages(entry.entry))
    }
}

/// What a turn's row says, for a header.
fn turn(row: Json<'_>) -> Reading<'_> {
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
    let mut reading = Reading::of(RecordKind::Message);
    reading.role = Some(first.role);
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

/// The messages of a turn's row.
fn messages(row: Json<'_>) -> Vec<Message> {
    let [id, model, resolved, time, input, output, parts] = fields_of(
        Some(row),
        &[
            "id",
            "model",
            "resolved_model",
            "datetime_utc",
            "input_tokens",
            "output_tokens",
            "parts",
        ],
    );
    let mut said = match parts {
        Some(parts) => of_parts(parts),
        None => of_response(row),
    };
    let time = times::sql_time_us(time).and_then(chrono::DateTime::from_timestamp_micros);
    let usage = input.or(output).map(|_| Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        ..Usage::default()
    });
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
        last.usage = usage;
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
    said.extend(
        Role::Tool,
        results.into_iter().flat_map(elements).map(result),
    );
    said.extend(Role::User, owned(prompt).map(blocks::said));
    let thought = owned(reasoning).map(|text| Block::Thinking {
        text,
        signature: None,
    });
    said.extend(Role::Assistant, thought);
    said.extend(Role::Assistant, owned(response).map(blocks::said));
    said.extend(
        Role::Assistant,
        calls.into_iter().flat_map(elements).map(call),
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
            Some("reasoning") => words.map(|text| Block::Thinking {
                text,
                signature: None,
            }),
            Some("tool_call") => payload.map(call),
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

fn call(call: Json<'_>) -> Block {
    let [id, name, arguments] = fields_of(Some(call), &["tool_call_id", "name", "arguments"]);
    Block::ToolUse {
        id: owned(id),
        name: owned(name).unwrap_or_default(),
        input: arguments.map(blocks::arguments),
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

/// What is said of a conversation.
fn session(row: Json<'_>) -> Reading<'_> {
    let [name, model, created, forked] =
        fields_of(Some(row), &["name", "model", "datetime_utc", "forked_from"]);
    let facts = Facts {
        created_us: times::sql_time_us(created),
        title: titles::latest(text_filled(name), titles::GENERATED),
        model: text_filled(model),
        parent: text_filled(forked),
        ..Facts::default()
    };
    Reading {
        facts,
        ..Reading::of(RecordKind::Meta)
    }
}
