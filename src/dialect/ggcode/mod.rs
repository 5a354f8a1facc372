//! ggcode: `~/.ggcode/sessions/<id>.jsonl`, a `meta` line, `message` lines and a few others.
//!
//! The last `meta` line holds. Messages of v1.0.9 have no time; later versions write `id` and
//! `timestamp`.

#[cfg(test)]
mod tests;

use std::path::Path;

use super::fields::{self, fields, fields_of, fields_of_start, owned, text};
use super::lines::{Format, Reading};
use super::paths::{self, below, is_private, names, stem};
use super::{Candidate, Dialect, Facts, Recognition, Sidecar, blocks, times, titles};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// The folder that ggcode keeps sessions in.
const OWN: [&str; 2] = [".ggcode", "sessions"];

/// Kinds of lines besides `meta` and `message`.
const EVENTS: [&str; 5] = ["cost", "usage", "metric", "checkpoint", "tunnel_event"];

/// The title of a session that has none yet.
const NO_TITLE: &str = "New session";

/// Endings of files beside a session that belong to it.
const SIDECARS: [&str; 4] = [".jsonl.tmp", ".jsonl.flock", ".jsonl.lock", ".lock"];

/// ggcode's session files.
#[derive(Debug)]
pub(crate) struct Ggcode;

impl Dialect for Ggcode {
    fn agent(&self) -> &'static str {
        "ggcode"
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if !paths::is_lines(candidate.path) {
            return Recognition::No;
        }
        // A file in ggcode's own folder is its, whatever is in it, even nothing.
        if below(&names(candidate.path), &OWN).is_some() {
            return Recognition::PathAndLines;
        }
        if candidate.lines().any(|line| is_line(&line)) {
            return Recognition::Lines;
        }
        Recognition::No
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        stem(candidate.path)
    }

    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let name = paths::name(path);
        let names = names(path);
        let session = SIDECARS
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .filter(|session| !session.is_empty() && *session != "index.json");
        let own = below(&names, &OWN).is_some() && !is_private(&name);
        let copied = session.is_some_and(is_generated)
            || (name.starts_with("index.json") && below(&names, &["ggcode", "sessions"]).is_some());
        (own || copied).then(|| {
            session.map_or(Sidecar::Folder, |session| {
                Sidecar::Session(session.to_owned())
            })
        })
    }
}

/// Whether a line, perhaps cut off, is one of ggcode's.
fn is_line(line: &str) -> bool {
    let [kind, session, message] = fields_of_start(line, &["type", "session_id", "message"]);
    text(session).is_some()
        && match text(kind).as_deref() {
            Some("meta") => true,
            Some("message") => message.is_none_or(fields::is_object),
            Some(kind) => EVENTS.contains(&kind),
            None => false,
        }
}

/// Whether a name is an id as ggcode makes them: date, time and 16 hex digits.
fn is_generated(name: &str) -> bool {
    name.len() == 32
        && name.bytes().enumerate().all(|(at, byte)| match at {
            8 | 15 => byte == b'-',
            0..16 => byte.is_ascii_digit(),
            _ => byte.is_ascii_hexdigit(),
        })
}

impl Format for Ggcode {
    fn read<'a>(&self, object: &'a str) -> serde_json::Result<Reading<'a>> {
        let [
            kind,
            title,
            model,
            created,
            updated,
            message,
            timestamp,
            id,
            workspace,
        ] = fields(
            object,
            &[
                "type",
                "title",
                "model",
                "created_at",
                "updated_at",
                "message",
                "timestamp",
                "id",
                "workspace",
            ],
        )?;
        let mut reading = Reading::of(RecordKind::Event);
        reading.time_us = times::time_us(timestamp);
        match text(kind).as_deref() {
            Some("meta") => {
                let title = text(title).filter(|title| title != NO_TITLE);
                reading.kind = RecordKind::Meta;
                reading.facts = Facts {
                    created_us: times::time_us(created),
                    updated_us: times::time_us(updated),
                    project: fields::text_filled(workspace),
                    title: titles::latest(title, titles::GENERATED),
                    model: fields::text_filled(model),
                    ..Facts::default()
                };
            }
            // Without a body it is no message.
            Some("message") if message.is_some_and(fields::is_object) => {
                let [role, content, inner_id] = fields_of(message, &["role", "content", "id"]);
                let role = Role::from_word(&text(role).unwrap_or_default());
                reading.kind = RecordKind::Message;
                reading.role = Some(role);
                reading.facts.record_id =
                    fields::text_filled(inner_id).or_else(|| fields::text_filled(id));
                reading.facts.title = titles::of_message(role, content, titles::any);
            }
            Some("message") => {}
            Some(kind) if EVENTS.contains(&kind) => {}
            _ => reading.kind = RecordKind::Unknown,
        }
        Ok(reading)
    }

    fn message(&self, object: &str) -> Message {
        let [message, timestamp, id] =
            fields(object, &["message", "timestamp", "id"]).unwrap_or([None; 3]);
        let [role, content, inner_id, usage] =
            fields_of(message, &["role", "content", "id", "usage"]);
        Message {
            id: owned(inner_id).or_else(|| owned(id)),
            content: blocks::content(content),
            time: times::time(timestamp),
            usage: blocks::usage(usage),
            ..Message::new(Role::from_word(&text(role).unwrap_or_default()))
        }
    }
}
