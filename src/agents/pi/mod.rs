//! pi, and what was made from it (Oh My Pi): `~/.pi/agent/sessions/--<folder>--/<time>_<id>.jsonl`, a
//! header and then entries, which are a tree: the last one is where the talk stands.

mod entries;
mod layout;
mod messages;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::habits::{Habits, LineRole};
use super::parts::fields::{fields_of, object_in, owned, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{self, Format, Reading};
use crate::json::Json;
use crate::model::message::Message;
use crate::model::session::Summary;

/// pi's sessions.
#[derive(Debug)]
pub(crate) struct Pi;

impl Dialect for Pi {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path)
    }

    /// Whether a line, perhaps cut off, is one of pi's: a header that has its folder and a time, or an entry
    /// of its tree.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        let [kind, id, time, cwd, parent, message] =
            line.fields(&["type", "id", "timestamp", "cwd", "parentId", "message"]);
        let [role] = fields_of(message, &["role"]);
        match text(kind).as_deref() {
            Some("session") => text(id).is_some() && text(time).is_some() && text(cwd).is_some(),
            Some("message") => text(id).is_some() && parent.is_some() && text(role).is_some(),
            _ => false,
        }
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stated = candidate.lines().find_map(|line| {
            let [kind, id] = line.fields(&["type", "id"]);
            (text(kind)? == "session").then(|| owned(id))?
        });
        stated.unwrap_or_else(|| layout::session_id(candidate.path))
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    /// The header is written anew when an old file is brought up to date, and Oh My Pi writes titles over
    /// the first line.
    fn habits(&self) -> Habits {
        Habits {
            role: Some(role),
            ..Habits::default()
        }
    }

    /// A fork begins with the lines of the session that it comes from.
    fn repeats_its_parent(&self) -> bool {
        true
    }
}

/// What a line is to the file.
fn role(line: &[u8]) -> LineRole {
    let line = String::from_utf8_lossy(line);
    let object = object_in(lines::body(&line)).ok();
    let [kind] = fields_of(object, &["type"]);
    match text(kind).as_deref() {
        Some("session" | "title") => LineRole::Frame,
        _ => LineRole::Said,
    }
}

impl Companions for Pi {}

impl Agent for Pi {
    fn aliases(&self) -> &'static [&'static str] {
        &["oh-my-pi", "omp"]
    }

    fn title(&self) -> &'static str {
        "pi"
    }

    fn found(&self) -> &'static str {
        "`.pi/agent/sessions`, `.omp/agent/sessions` (Oh My Pi)"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("PI_CODING_AGENT_DIR", ""),
            DefaultHome::in_home(".pi/agent"),
        ];
        &HOMES
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["pi", "--session", id].map(str::to_owned).into())
    }

    /// Where it was; but a folder of Oh My Pi's is named otherwise, and pi looks for nothing in it.
    fn place_in_home(
        &self,
        home: &Path,
        _summary: &Summary,
        was: Option<&[String]>,
    ) -> Option<Vec<String>> {
        let was = was?;
        let is_other = |name: &String| name.starts_with('-') && !name.starts_with("--");
        let is_placed = !was.get(1).is_some_and(is_other) || home.ends_with(".omp/agent");
        is_placed.then(|| was.to_vec())
    }

    fn more_homes(&self) -> &'static [&'static [&'static str]] {
        &[&[".omp", "agent"]]
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    fn more_places(&self) -> &'static [DefaultHome] {
        const PLACES: [DefaultHome; 2] = [
            DefaultHome::in_variable("PI_CODING_AGENT_SESSION_DIR", ""),
            DefaultHome::in_home(".omp/agent/sessions"),
        ];
        &PLACES
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"message","id":"a1b2c302","parentId":null,"timestamp":"2026-04-03T09:00:02.000Z","message":{"role":"user","content":[{"type":"text","text":"hi"}]}}"#,
                r#"{"type":"session","version":3,"id":"s","timestamp":"2026-04-03T09:00:00.000Z","cwd":"/w"}"#,
                r#"{"type":"compaction","id":"a1b2c303","parentId":"a1b2c302","timestamp":"2026-04-03T09:00:03.000Z","summary":"S","firstKeptEntryId":"a1b2c302","tokensBefore":5,"usage":{"input":3,"output":4}}"#,
                r#"{"type":"message","id":"a1b2c304","parentId":"a1b2c303","timestamp":"2026-04-03T09:00:04.000Z","message":{"role":"bashExecution","command":"ls","output":"a"}}"#,
                r#"{"type":"session_info","id":"a1b2c305","parentId":"a1b2c304","timestamp":"2026-04-03T09:00:05.000Z","name":"T"}"#,
            ],
            paths: &[
                "/h/.pi/agent/sessions/--w--/2026-04-03T09-00-00-000Z_0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.omp/agent/sessions/--w--/2026-04-03T09-00-00-000Z_0a1b2c3d.jsonl",
            ],
        }
    }
}

impl Format for Pi {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        entries::read(object)
    }

    fn message(&self, object: Json<'_>) -> Message {
        messages::message(object)
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        messages::about(object)
    }
}
