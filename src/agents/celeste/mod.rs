//! celeste: `~/.celeste/sessions/<project id>/<session id>.jsonl`, one entry a line.
//!
//! - The project id is a hash of the project's folder, so that the lines never tell the folder.
//! - There is no header line: what a session is follows from its path and its entries.
//! - `~/.celeste/sessions/<id>.json` is an older form, one document a session.

mod document;
mod layout;
mod project_id;
#[cfg(test)]
mod tests;
mod writing;

use std::borrow::Cow;
use std::path::Path;

use crate::json::Json;

pub(crate) use self::layout::AGENT;
use self::layout::OWN;
use self::project_id::is_project_id;
pub(crate) use self::project_id::project_id;
pub(crate) use self::writing::entry_line;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::{Document, DocumentLines};
use super::parts::fields::{self, Object, fields_of, object_in, owned, text};
use super::parts::lines::{Format, Reading};
use super::parts::paths::{below, is_document, is_private, names, stem};
use super::parts::{blocks, own_folder, times, titles};
use super::state::{SessionState, SidecarFacts};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;
use crate::model::session::Session;
use crate::model::text::cut;

/// The fields of an entry.
const FIELDS: [&str; 6] = [
    "type",
    "content",
    "role",
    "tool_name",
    "tool_id",
    "timestamp",
];

/// Types of entries that only tell what goes on. celeste never writes them, but reads them.
pub(crate) const EPHEMERAL: [&str; 3] = ["progress", "typing", "ping"];

/// Longest title, in bytes without the dots behind a cut one.
const TITLE_BYTES: usize = 60;

/// celeste's session files.
#[derive(Debug)]
pub(crate) struct Celeste;

impl Dialect for Celeste {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        own_folder::recognise(&OWN, candidate, has_entries_alone)
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        own_folder::has(&OWN, candidate.path)
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        stem(candidate.path)
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        let folder = names(candidate.path.parent()?).last()?.clone();
        is_project_id(&folder).then_some(folder)
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        let id = document::session_id(candidate, head)?;
        Some(Document {
            agent: AGENT,
            id,
            yields: document::has_lines(candidate.path),
        })
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        document::lines(bytes)
    }

    /// A scanner with a buffer of so many bytes.
    fn line_bytes_max(&self) -> Option<u64> {
        Some(1_048_575)
    }

    fn has_message_ids(&self) -> bool {
        false
    }

    fn write_message(&self, _key: &SessionKey, message: &Message) -> Result<Vec<Vec<u8>>> {
        writing::lines(message)
    }

    fn write_meta(&self, _session: &Session, _first: bool) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

impl Companions for Celeste {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        // A document that cannot be read as one: what else has that name there is a session.
        let names = names(path);
        let [name] = below(&names, &OWN)? else {
            return None;
        };
        (is_document(name) && !is_private(name)).then_some(Sidecar::Folder)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        document::facts(path, bytes).into_iter().collect()
    }

    fn file_name(&self, state: &SessionState) -> Option<Vec<String>> {
        let project = state.summary.project.as_deref()?;
        let folder = if is_project_id(project) {
            project.to_owned()
        } else {
            project_id(project.as_bytes())
        };
        let file = writing::plain_name(state.summary.key.id());
        Some(vec![folder, format!("{file}.jsonl")])
    }
}

impl Agent for Celeste {
    fn title(&self) -> &'static str {
        "celeste"
    }

    fn found(&self) -> &'static str {
        "`.celeste/sessions`"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_home(".celeste")];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"user","content":"hi","timestamp":"2026-04-03T09:00:00Z"}"#,
                r#"{"type":"tool_call","content":"{}","tool_name":"f","tool_id":"c","timestamp":"2026-04-03T09:00:00Z"}"#,
            ],
            paths: &[
                "/h/.celeste/sessions/0123456789abcdef/1.jsonl",
                "/h/.celeste/sessions/1.json",
            ],
        }
    }
}

/// Whether the first lines are entries, and nothing else: other agents have lines of the same
/// types, with other fields beside.
fn has_entries_alone(candidate: &Candidate<'_>) -> bool {
    let mut found = false;
    for line in candidate.lines() {
        // A last line that was cut is no entry, and tells nothing against the others.
        let Ok(object) = object_in(line.text()) else {
            continue;
        };
        let entry = Object::of(object);
        if entry.others(&FIELDS).next().is_some() {
            return false;
        }
        let [kind, content, timestamp] = entry.fields(&["type", "content", "timestamp"]);
        found |= text(kind).is_some_and(|kind| role_of(&kind).is_some())
            && text(content).is_some()
            && text(timestamp).is_some();
    }
    found
}

/// Who speaks in an entry of this type, if it is a message.
fn role_of(kind: &str) -> Option<Role> {
    Some(match kind {
        "user" => Role::User,
        "assistant" | "tool_call" => Role::Assistant,
        "system" => Role::System,
        "tool_result" => Role::Tool,
        _ => return None,
    })
}

impl Format for Celeste {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [kind, content, timestamp] = fields_of(Some(object), &["type", "content", "timestamp"]);
        let kind = text(kind).unwrap_or_default();
        let role = role_of(&kind);
        let mut reading = Reading::of(match role {
            Some(_) => RecordKind::Message,
            None if EPHEMERAL.contains(&&*kind) => RecordKind::Event,
            None => RecordKind::Unknown,
        });
        reading.role = role;
        reading.time_us = times::time_us(timestamp);
        if role == Some(Role::User) {
            let title = text(content).map(|content| Cow::Owned(title(&content)));
            reading.facts.title = titles::offer(title, titles::FIRST_MESSAGE);
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [kind, content, name, id, timestamp, is_error] = fields_of(
            Some(object),
            &[
                "type",
                "content",
                "tool_name",
                "tool_id",
                "timestamp",
                writing::IS_ERROR,
            ],
        );
        let kind = text(kind).unwrap_or_default();
        let blocks = match &*kind {
            // An entry has one text: of a call that is its arguments as JSON.
            "tool_call" => vec![Block::ToolUse {
                id: owned(id),
                name: owned(name).unwrap_or_default(),
                input: content.and_then(arguments),
            }],
            "tool_result" => vec![blocks::result(
                owned(id),
                owned(name),
                content,
                fields::is_true(is_error),
            )],
            _ => blocks::content(content),
        };
        Message {
            content: blocks,
            time: times::time(timestamp),
            ..Message::new(role_of(&kind).unwrap_or(Role::Other))
        }
    }
}

/// The arguments of a call: JSON in a string, or else the string itself; `None` if it is empty.
fn arguments(content: Json<'_>) -> Option<RawJson> {
    let Some(arguments) = text(Some(content)) else {
        return Some(RawJson::trusted(content));
    };
    if arguments.is_empty() {
        return None;
    }
    // Line feeds of JSON stand between its tokens only, where a space is as good.
    let one_line = if arguments.contains('\n') {
        arguments.replace('\n', " ")
    } else {
        arguments.clone().into_owned()
    };
    RawJson::parse(one_line)
        .or_else(|_| RawJson::from_value(&arguments))
        .ok()
}

/// The title that celeste makes of an entry: on one line, and at most 60 bytes of it, cut at a
/// word where there is one, and never inside a character.
fn title(content: &str) -> String {
    let content = content.trim();
    let start = cut(content, TITLE_BYTES).replace('\n', " ");
    if content.len() <= TITLE_BYTES {
        return start;
    }
    match start.rfind(' ').and_then(|at| start.get(..at)) {
        Some(words) if !words.is_empty() => format!("{words}..."),
        _ => format!("{start}..."),
    }
}
