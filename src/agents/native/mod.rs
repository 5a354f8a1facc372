//! The native dialect: lines of sessions made through this crate. `docs/jsonl.md` is its
//! description.
//!
//! - Every line starts with `{"scrollback":1,"type":` and can be read alone.
//! - A `session` line says what the session is, a `message` line is one message; the last
//!   `session` line holds. A `taken_back` line takes back so many lines before it.
//! - Writing and reading a message gives the same message, unknown fields included.
//! - A line never holds a raw line feed.

mod names;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

use memchr::memmem;

use crate::json::Json;

use self::names::VERSION;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::described::Facts;
use super::dialect::{Candidate, Dialect, Recognition};
use super::parts::fields::{self, fields_of, is_true, object_in, owned, text};
use super::parts::lines::{self, Format, Reading};
use super::parts::{paths, titles};
use crate::model::error::Result;
use crate::model::key::{NATIVE, SessionKey};
use crate::model::links::Act;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;
use crate::model::session::Session;

/// The dialect of sessions made through this crate.
#[derive(Debug)]
pub(crate) struct Native;

impl Dialect for Native {
    fn agent(&self) -> &'static str {
        NATIVE
    }

    fn reader_version(&self) -> u16 {
        // 2: a session with a parent is its sub-agent.
        2
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        // A mark of its own needs no path, and no ending.
        let marked = candidate.lines().any(|line| {
            let [mark, kind] = line.fields(&["scrollback", "type"]);
            mark.is_some_and(is_version) && kind.is_some()
        });
        if marked {
            Recognition::PathAndLines
        } else {
            Recognition::No
        }
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        // Few files hold the mark; its letters may be escaped.
        [&b"\"scrollback\""[..], b"\\u"]
            .iter()
            .any(|mark| memmem::find(candidate.head, mark).is_some())
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let header = candidate.lines().find_map(|line| {
            let [mark, kind, id] = line.fields(&["scrollback", "type", "id"]);
            (mark.is_some_and(is_version) && text(kind)? == "session").then(|| owned(id))?
        });
        header.unwrap_or_else(|| paths::percent_decoded(&paths::stem(candidate.path)))
    }

    fn write_message(&self, _key: &SessionKey, message: &Message) -> Result<Vec<Vec<u8>>> {
        Ok(vec![writing::message(message)?])
    }

    fn write_meta(&self, session: &Session, _first: bool) -> Result<Option<Vec<u8>>> {
        writing::session(session).map(Some)
    }

    fn write_taken_back(&self, lines: u64) -> Result<Vec<u8>> {
        writing::taken_back(lines)
    }

    fn read_meta(&self, line: &[u8], session: &mut Session) {
        let text = String::from_utf8_lossy(line);
        let body = lines::body(&text);
        let object = object_in(body).ok();
        if let Some(object) = object.filter(|object| self.read(*object).kind == RecordKind::Meta) {
            reading::session(object, session);
        }
    }
}

impl Companions for Native {}

impl Agent for Native {
    fn title(&self) -> &'static str {
        "this crate"
    }

    fn found(&self) -> &'static str {
        "`.jsonl` written by an export"
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"scrollback":1,"type":"message","id":"m1","role":"user","content":[{"type":"text","text":"hi"}],"time":"2026-04-03T09:00:00.000000Z"}"#,
                r#"{"scrollback":1,"type":"session","id":"s1","title":"T"}"#,
                r#"{"scrollback":1,"type":"taken_back","lines":1}"#,
            ],
            paths: &[],
        }
    }
}

/// Whether a value is a version, known or not.
fn is_version(value: Json<'_>) -> bool {
    value.get().parse::<u64>().is_ok()
}

impl Format for Native {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [
            mark,
            kind,
            id,
            role,
            content,
            time,
            model,
            title,
            project,
            parent,
            forked,
            created,
            updated,
            taken,
        ] = fields_of(
            Some(object),
            &[
                "scrollback",
                "type",
                "id",
                "role",
                "content",
                "time",
                "model",
                "title",
                "project",
                "parent",
                "forked",
                "created_at",
                "updated_at",
                "lines",
            ],
        );
        let mut reading = Reading::of(RecordKind::Unknown);
        // A line of a later version may mean something else by the same members.
        if mark.is_none_or(|mark| mark.get() != VERSION) {
            return reading;
        }
        match text(kind).as_deref() {
            Some("session") => {
                reading.kind = RecordKind::Meta;
                reading.facts = Facts {
                    created_us: reading::time_us(created),
                    updated_us: reading::time_us(updated),
                    project: text(project),
                    title: titles::latest(text(title), titles::CHOSEN),
                    model: text(model),
                    parent: text(parent),
                    subagent: !is_true(forked),
                    replaces: true,
                    ..Facts::default()
                };
            }
            Some("message") => {
                let role = Role::from_word(&text(role).unwrap_or_default());
                reading.kind = RecordKind::Message;
                reading.role = Some(role);
                reading.time_us = reading::time_us(time);
                reading.facts.model = fields::text_filled(model);
                reading.facts.record_id = fields::text_filled(id);
                reading.facts.title = titles::of_message(role, content, titles::any);
            }
            Some("taken_back") => {
                reading.kind = RecordKind::Event;
                let lines = taken.and_then(|lines| lines.get().parse().ok());
                reading.facts.links.act = Act::TakeBackLines(lines.unwrap_or(0));
            }
            _ => {}
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        reading::message(object)
    }
}
