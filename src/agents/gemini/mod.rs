//! Gemini CLI: `~/.gemini/tmp/<project>/chats/`, one JSON document a session, or, in newer
//! versions, lines: a header, messages, and operations on both (`$set`, `$rewindTo`).
//!
//! - A line says what it says: a message that is written again under its id counts again here,
//!   since no line knows of later ones. [`Operation`] tells it to
//!   those who read a session as Gemini CLI does.
//! - A `$set` line with a list of messages is as many messages as the list has.
//! - The records that newest versions append to change a part of a message (an id and no type)
//!   are events.

mod document;
mod home;
mod layout;
mod messages;
mod project;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::json::Json;

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::{Document, DocumentLines};
use super::home::Found;
use super::operation::Operation;
use super::parts::fields::{self, elements, fields_of, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use super::parts::paths::{self, below, names};
use super::parts::{times, titles};
use crate::model::links::{Act, id_hash};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// Gemini CLI's sessions.
#[derive(Debug)]
pub(crate) struct Gemini;

impl Dialect for Gemini {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if !paths::is_lines(candidate.path) {
            return Recognition::No;
        }
        // A file among Gemini CLI's chats is its, whatever is in it, even nothing.
        if layout::is_own(candidate.path) {
            return Recognition::PathAndLines;
        }
        match candidate.lines().any(|line| is_line(line)) {
            true if self.may_own(candidate) => Recognition::PathAndLines,
            true => Recognition::Lines,
            false => Recognition::No,
        }
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        below(&names(candidate.path), &["chats"]).is_some()
    }

    fn reader_version(&self) -> u16 {
        2
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate)
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        project::of_file(candidate)
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        document::recognise(candidate, head)
    }

    fn document_messages<'t>(&self, text: &'t str) -> Option<Vec<Json<'t>>> {
        document::document_messages(text)
    }

    fn operation(&self, line: &[u8]) -> Option<Operation> {
        operation(line)
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        Some(document::lines(bytes)?.with_open_turn(self))
    }
}

impl Companions for Gemini {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }
}

impl Agent for Gemini {
    fn title(&self) -> &'static str {
        "Gemini CLI"
    }

    fn counts_cache_as_input(&self) -> bool {
        true
    }

    fn found(&self) -> &'static str {
        "`.gemini/tmp/*/chats`, documents and event lines"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("GEMINI_CLI_HOME", ".gemini"),
            DefaultHome::in_home(".gemini"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["tmp", "projects.json"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["gemini", "--resume", id].map(str::to_owned).into())
    }

    fn search(&self) -> Option<fn(&Path) -> Found> {
        Some(home::search)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"id":"m1","timestamp":"2026-04-03T09:00:00.000Z","type":"gemini","content":"hi"}"#,
                r#"{"sessionId":"s","projectHash":"ab","startTime":"2026-04-03T09:00:00.000Z","kind":"main"}"#,
                r#"{"$set":{"lastUpdated":"2026-04-03T09:00:00.000Z","messages":[{"author":"user","content":"a"},{"id":"m2","type":"gemini","content":"b"}]}}"#,
                r#"{"$rewindTo":"m1"}"#,
            ],
            paths: &[
                "/h/.gemini/tmp/ab/chats/session-1.jsonl",
                "/h/.gemini/tmp/ab/chats/session-1.json",
            ],
        }
    }
}

/// Whether a line, perhaps cut off, is one of Gemini CLI's.
fn is_line(line: &HeadLine<'_>) -> bool {
    let [session, project, set, rewind, id, kind, content] = line.fields(&[
        "sessionId",
        "projectHash",
        "$set",
        "$rewindTo",
        "id",
        "type",
        "content",
    ]);
    (session.is_some() && project.is_some())
        || set.is_some_and(Json::is_object)
        || rewind.is_some()
        || (id.is_some() && content.is_some() && text(kind).as_deref() == Some("gemini"))
}

impl Format for Gemini {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [session, start, updated, kind, set, rewind, id] = fields_of(
            Some(object),
            &[
                "sessionId",
                "startTime",
                "lastUpdated",
                "kind",
                "$set",
                "$rewindTo",
                "id",
            ],
        );
        if let Some(reading) = messages::read(object) {
            return reading;
        }
        if let Some(set) = set {
            return patch(set);
        }
        if let Some(id) = fields::text_filled(rewind) {
            let mut reading = Reading::of(RecordKind::Event);
            reading.facts.links.act = Act::RewindTo(id_hash(&id));
            return reading;
        }
        // A header that holds messages, or facts alone, says what a `$set` says.
        if session.is_some() && (start.is_some() || kind.is_some() || updated.is_some()) {
            return patch(object);
        }
        let known = rewind.is_some() || text(id).is_some();
        Reading::of(if known {
            RecordKind::Event
        } else {
            RecordKind::Unknown
        })
    }

    fn message(&self, object: Json<'_>) -> Message {
        self.every_message(object)
            .into_iter()
            .next()
            .unwrap_or_else(|| Message::new(Role::Other))
    }

    fn every_message(&self, object: Json<'_>) -> Vec<Message> {
        match listed(object) {
            None => vec![messages::message(object)],
            Some(list) => list.into_iter().map(messages::message).collect(),
        }
    }
}

/// The operation of a line; `None` if it is damaged.
fn operation(line: &[u8]) -> Option<Operation> {
    let text = String::from_utf8_lossy(line);
    let object = fields::object_in(super::parts::lines::body(&text)).ok()?;
    let [id, set, rewind, session] =
        fields_of(Some(object), &["id", "$set", "$rewindTo", "sessionId"]);
    // Also without an id: then it is one that nothing later can replace.
    if messages::read(object).is_some() {
        return Some(Operation::Message(fields::owned(id)));
    }
    let [list] = fields_of(set.or(session.map(|_| object)), &["messages"]);
    if list.is_some_and(|list| list.get().starts_with('[')) {
        let ids = listed(object)
            .unwrap_or_default()
            .into_iter()
            .map(|message| {
                let [id] = fields_of(Some(message), &["id"]);
                fields::owned(id)
            });
        return Some(Operation::All(ids.collect()));
    }
    Some(fields::owned(rewind).map_or(Operation::Nothing, Operation::Rewind))
}

/// The first line or a `$set` line: facts of the session, and perhaps all of its messages so far.
fn patch(set: Json<'_>) -> Reading<'_> {
    let [start, updated, summary, folders, list] = fields_of(
        Some(set),
        &[
            "startTime",
            "lastUpdated",
            "summary",
            "directories",
            "messages",
        ],
    );
    let mut reading = Reading::of(RecordKind::Meta);
    reading.facts.created_us = times::time_us(start);
    reading.facts.updated_us = times::time_us(updated);
    reading.facts.title = titles::latest(text(summary), titles::SUMMARY);
    // The folder that it works in, and behind that others that it may look into.
    let folder = folders.and_then(|folders| folders.elements().next());
    reading.facts.project = fields::text_filled(folder);
    let said: Vec<Reading<'_>> = list
        .into_iter()
        .flat_map(elements)
        .filter_map(messages::read)
        .collect();
    let Some(first) = said.first() else {
        return reading;
    };
    let ids = said.iter().filter_map(|message| message.facts.links.id);
    reading.facts.links.act = Act::All(ids.collect());
    reading.messages = said.len();
    reading.kind = RecordKind::Message;
    reading.role = first.role;
    reading.time_us = first.time_us;
    reading.facts.model.clone_from(&first.facts.model);
    if reading.facts.title.is_none() {
        reading.facts.title = said.into_iter().find_map(|message| message.facts.title);
    }
    reading
}

/// The messages that a first line or a `$set` line lists; `None` if it is another line.
fn listed(object: Json<'_>) -> Option<Vec<Json<'_>>> {
    let [set, session] = fields_of(Some(object), &["$set", "sessionId"]);
    if messages::read(object).is_some() {
        return None;
    }
    let [list] = fields_of(set.or(session.map(|_| object)), &["messages"]);
    set.or(session)?;
    let list = list.map(elements).unwrap_or_default();
    Some(
        list.into_iter()
            .filter(|message| messages::read(*message).is_some())
            .collect(),
    )
}
