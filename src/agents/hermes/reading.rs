//! What Hermes' lines say. A content that begins with a NUL and `json:` is a list of parts.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, Entry, EntryFormat};
use crate::agents::parts::fields::{count, elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, pieces, times, titles, tokens};
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

impl EntryFormat for Hermes {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[MESSAGES];

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
        Reading::meta(Facts {
            created_us: times::time_us(started),
            // A session that is still open has no end: its messages tell when it was last gone on
            // with.
            updated_us: times::time_us(ended),
            project: text_filled(folder),
            title: titles::latest(title, titles::GENERATED),
            model: text_filled(model),
            branch: text_filled(branch),
            parent: text_filled(parent),
            // A parent may also be the same talk before a compression, or what it branched from.
            subagent: delegated.is_some(),
            // The first line holds what never changes: only the last one tells.
            archived: started.is_none().then(|| count(archived) > 0),
            links: Links {
                answer: entries::taken(AGENT, id, usage(row)),
                ..Links::default()
            },
            ..Facts::default()
        })
    }

    /// What a message's row says, for a header.
    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        let row = entry.entry;
        let [role, content, time] = fields_of(Some(row), &["role", "content", "timestamp"]);
        let Some(role) = text(role) else {
            return Reading::of(RecordKind::Event);
        };
        let role = Role::from_word(&role);
        let mut reading = Reading::said(role);
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

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        vec![message(entry.entry)]
    }

    fn usage(about: Json<'_>) -> Option<Usage> {
        usage(about)
    }
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
    // What a tool answered stays text, also where it looks like JSON: only the mark says that it is
    // a list of parts.
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
        let thought = owned(reasoning).or_else(|| owned(reasoned));
        content.extend(thought.map(blocks::thought));
        content.extend(read_content(&said));
        content.extend(calls.into_iter().flat_map(elements).map(pieces::call));
    }
    Message {
        content,
        time: times::time(time),
        ..Message::new(role)
    }
}

/// What a session took, as its row says.
fn usage(row: Json<'_>) -> Option<Usage> {
    let names = [
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
    ];
    tokens::told(Some(row), &names)
}
