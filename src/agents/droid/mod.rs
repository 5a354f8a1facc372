//! Factory Droid: `~/.factory/sessions/<folder>/<session>.jsonl`, a header and messages, with the model and
//! the tokens in `<session>.settings.json` beside it; and the lines that `droid exec` prints.
//!
//! A rename writes the whole file anew with another header.

mod layout;
mod messages;
mod settings;
mod stream;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::habits::{Habits, LineRole};
use super::parts::fields::{fields_of, object_in, owned, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{self, Format, Reading};
use super::parts::paths;
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::Message;

/// Factory Droid's sessions.
#[derive(Debug)]
pub(crate) struct Droid;

impl Dialect for Droid {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path)
    }

    /// Whether a line, perhaps cut off, is one of Droid's: others write messages of the same shape.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        let [kind, id, cwd, title, summary, index] =
            line.fields(&["type", "id", "cwd", "title", "summaryText", "messageIndex"]);
        match text(kind).as_deref() {
            Some("session_start") => text(id).is_some() && (cwd.is_some() || title.is_some()),
            Some("compaction_state") => summary.is_some(),
            Some("todo_state") => index.is_some(),
            Some(kind) => stream::is_line(kind, line),
            None => false,
        }
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stated = candidate.lines().find_map(|line| {
            let [kind, id, session] = line.fields(&["type", "id", "session_id"]);
            match text(kind)?.as_ref() {
                "session_start" => owned(id),
                _ => owned(session),
            }
        });
        match stated {
            // In the agent's own folder the file's name is the id; a copy may be called anything.
            Some(id) if !layout::is_own(candidate.path) => id,
            _ => paths::stem(candidate.path),
        }
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn habits(&self) -> Habits {
        Habits {
            role: Some(role),
            ..Habits::default()
        }
    }
}

/// What a line is to the file.
fn role(line: &[u8]) -> LineRole {
    let line = String::from_utf8_lossy(line);
    let object = object_in(lines::body(&line)).ok();
    let [kind] = fields_of(object, &["type"]);
    match text(kind).as_deref() {
        Some("session_start") => LineRole::Frame,
        _ => LineRole::Said,
    }
}

impl Companions for Droid {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::session_of_settings(path).map(Sidecar::Session)
    }

    fn meta_ending(&self) -> &'static str {
        layout::SETTINGS
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        let session = layout::named_settings(path);
        session
            .map(|session| settings::facts(session, bytes))
            .into_iter()
            .collect()
    }

    fn usage_file(&self) -> Option<&'static str> {
        Some(layout::SETTINGS)
    }
}

impl Agent for Droid {
    fn aliases(&self) -> &'static [&'static str] {
        &["factory", "factory-droid"]
    }

    fn title(&self) -> &'static str {
        "Factory Droid"
    }

    fn found(&self) -> &'static str {
        "`.factory/sessions`, with settings; output of `droid exec`"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("FACTORY_HOME_OVERRIDE", ".factory"),
            DefaultHome::in_home(".factory"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["droid", "--resume", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"message","id":"m1","timestamp":"2026-04-03T09:00:01.000Z","message":{"role":"user","content":[{"type":"text","text":"hi"}]}}"#,
                r#"{"type":"session_start","id":"s","title":"T","owner":"a","version":2,"cwd":"/w"}"#,
                r#"{"type":"compaction_state","id":"k","timestamp":"2026-04-03T09:00:02.000Z","summaryText":"S","removedCount":4}"#,
                r#"{"type":"todo_state","id":"d","timestamp":"2026-04-03T09:00:03.000Z","todos":{"todos":"1. [completed] x"},"messageIndex":1}"#,
            ],
            paths: &[
                "/h/.factory/sessions/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.factory/sessions/-w/0a1b2c3d-0000-4000-8000-000000000001.settings.json",
            ],
        }
    }
}

impl Format for Droid {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        if stream::is_streamed(object) {
            stream::read(object)
        } else {
            messages::read(object)
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        if stream::is_streamed(object) {
            stream::message(object)
        } else {
            messages::message(object)
        }
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        messages::about(object)
    }
}
