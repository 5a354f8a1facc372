//! What Hermes' lines say. A content that begins with a NUL and `json:` is a list of parts.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::fields::{count, elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{blocks, pieces, times, titles};
use crate::json::Json;
use crate::model::links::Links;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "hermes";

/// Hermes' sessions.
#[derive(Debug)]
pub(crate) struct Hermes;

/// The table of messages.
pub(super) const MESSAGES: &str = "messages";

/// What a content begins with that is JSON.
const IS_JSON: &str = "\0json:";

impl Format for Hermes {
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
    let [role, content, time] = fields_of(Some(row), &["role", "content", "timestamp"]);
    let Some(role) = text(role) else {
        return Reading::of(RecordKind::Event);
    };
    let role = Role::from_word(&role);
    let mut reading = Reading::of(RecordKind::Message);
    reading.role = Some(role);
    reading.time_us = times::time_us(time);
    reading.facts.title = match text(content) {
        Some(content) if content.starts_with(IS_JSON) => {
            let first = read_content(&content)
                .into_iter()
                .find_map(|block| match block {
                    Block::Text { text } => Some(text.into()),
                    _ => None,
                });
            let first = first.filter(|_| role == Role::User);
            titles::offer(first, titles::FIRST_MESSAGE)
        }
        _ => titles::of_message(role, content, titles::any),
    };
    reading
}

/// The blocks of a content.
fn read_content(content: &str) -> Vec<Block> {
    let parts = content.strip_prefix(IS_JSON);
    match parts.and_then(|parts| Json::parse(parts).ok()) {
        Some(parts) => pieces::blocks(Some(parts)),
        None if content.is_empty() => Vec::new(),
        None => vec![blocks::said(content.to_owned())],
    }
}

fn message(row: Json<'_>) -> Message {
    let [role, content, call, calls, tool, time, reasoning, reasoned] = fields_of(
        Some(row),
        &[
            "role",
            "content",
            "tool_call_id",
            "tool_calls",
            "tool_name",
            "timestamp",
            "reasoning",
            "reasoning_content",
        ],
    );
    let role = Role::from_word(&text(role).unwrap_or_default());
    let said = text(content).unwrap_or_default();
    let mut content = Vec::new();
    if role == Role::Tool {
        let output = match said
            .strip_prefix(IS_JSON)
            .and_then(|parts| Json::parse(parts).ok())
        {
            Some(parts) => blocks::result(owned(call), owned(tool), Some(parts), false),
            None => Block::ToolResult {
                id: owned(call),
                name: owned(tool),
                output: said.into_owned(),
                is_error: false,
                images: Vec::new(),
            },
        };
        content.push(output);
    } else {
        if let Some(text) = owned(reasoning).or_else(|| owned(reasoned)) {
            content.push(Block::Thinking {
                text,
                signature: None,
            });
        }
        content.extend(read_content(&said));
        content.extend(calls.into_iter().flat_map(elements).map(pieces::call));
    }
    Message {
        content,
        time: times::time(time),
        ..Message::new(role)
    }
}

/// What is said of a session.
fn session(row: Json<'_>) -> Reading<'_> {
    let [
        id,
        started,
        ended,
        title,
        shown,
        model,
        parent,
        delegated,
        folder,
        branch,
        archived,
    ] = fields_of(
        Some(row),
        &[
            "id",
            "started_at",
            "ended_at",
            "title",
            "display_name",
            "model",
            "parent_session_id",
            "_delegate_from",
            "cwd",
            "git_branch",
            "archived",
        ],
    );
    let title = text_filled(title).or_else(|| text_filled(shown));
    let facts = Facts {
        created_us: times::time_us(started),
        updated_us: times::time_us(ended),
        project: text_filled(folder),
        title: titles::latest(title, titles::GENERATED),
        model: text_filled(model),
        branch: text_filled(branch),
        parent: text_filled(parent),
        subagent: delegated.is_some(),
        archived: started.is_none().then(|| count(archived) > 0),
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
    let [input, output, read, written] = fields_of(
        Some(row),
        &[
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
        ],
    );
    input.or(output).map(|_| Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cache_read_tokens: count(read),
        cache_write_tokens: count(written),
    })
}
