//! Qwen Code: `~/.qwen/projects/<folder>/chats/<session>.jsonl`. Around each message lies Claude Code's
//! envelope, in it Gemini's parts, which the fallback reads.

#[cfg(test)]
mod tests;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::fallback::Fallback;
use super::parts::fields::{self, fields_of, fields_of_start, text};
use super::parts::lines::{Format, Reading};
use super::parts::paths::{self, below, names};
use super::parts::titles;
use crate::json::Json;
use crate::model::message::Message;
use crate::model::record::RecordKind;

/// The folder that it keeps projects in.
const OWN: [&str; 2] = [".qwen", "projects"];

/// Who wrote a message that the user did write.
const BY_THE_USER: &str = "real_user";

/// Qwen Code's session files.
#[derive(Debug)]
pub(crate) struct Qwen;

impl Dialect for Qwen {
    fn agent(&self) -> &'static str {
        "qwen"
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        match paths::is_lines(candidate.path) {
            true if self.may_own(candidate) => Recognition::PathAndLines,
            true if candidate.lines().any(|line| is_line(&line)) => Recognition::Lines,
            _ => Recognition::No,
        }
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        let names = names(candidate.path);
        matches!(below(&names, &OWN), Some([_, chats, _]) if chats == "chats")
    }
}

impl Companions for Qwen {}

impl Agent for Qwen {
    fn aliases(&self) -> &'static [&'static str] {
        &["qwen-code"]
    }

    fn title(&self) -> &'static str {
        "Qwen Code"
    }

    fn found(&self) -> &'static str {
        "`.qwen/projects/*/chats`"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 3] = [
            DefaultHome::in_variable("QWEN_RUNTIME_DIR", ""),
            DefaultHome::in_variable("QWEN_HOME", ""),
            DefaultHome::in_home(".qwen"),
        ];
        &HOMES
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["qwen", "--resume", id].map(str::to_owned).into())
    }

    fn folders(&self) -> &'static [&'static str] {
        &["projects"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"uuid":"u1","parentUuid":null,"sessionId":"s","timestamp":"2026-04-03T09:00:00.000Z","type":"user","cwd":"/w","provenance":"real_user","message":{"role":"user","parts":[{"text":"hi"}]}}"#,
                r#"{"uuid":"u2","parentUuid":"u1","sessionId":"s","type":"tool_result","message":{"role":"user","parts":[{"functionResponse":{"id":"c","name":"f","response":{"output":"x"}}}]}}"#,
            ],
            paths: &["/h/.qwen/projects/-w/chats/0a1b2c3d-0000-4000-8000-000000000001.jsonl"],
        }
    }
}

/// Whether a line, perhaps cut off, is one of Qwen Code's: in the same envelope others put `content`.
fn is_line(line: &str) -> bool {
    let [uuid, session, provenance, message] =
        fields_of_start(line, &["uuid", "sessionId", "provenance", "message"]);
    let [parts] = fields_of(message, &["parts"]);
    uuid.is_some() && session.is_some() && (provenance.is_some() || parts.is_some())
}

impl Format for Qwen {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [kind, subtype, branch, provenance, payload] = fields_of(
            Some(object),
            &[
                "type",
                "subtype",
                "gitBranch",
                "provenance",
                "systemPayload",
            ],
        );
        let mut reading = Fallback.read(object);
        reading.facts.branch = fields::text_filled(branch);
        let by = text(provenance);
        if by.is_some_and(|by| by != BY_THE_USER) {
            reading.facts.title = None;
        }
        if reading.kind == RecordKind::Message {
            return reading;
        }
        let [title, parent] = fields_of(payload, &["customTitle", "parentSessionId"]);
        match text(subtype).as_deref() {
            Some("custom_title") => {
                reading.kind = RecordKind::Meta;
                reading.facts.title = titles::changed(text(title), titles::CHOSEN);
            }
            Some("parent_session") => {
                reading.kind = RecordKind::Meta;
                reading.facts.parent = fields::text_filled(parent);
            }
            _ if text(kind).as_deref() == Some("system") => reading.kind = RecordKind::Event,
            _ => {}
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        Fallback.message(object)
    }
}
