//! Qwen Code: `~/.qwen/projects/<folder>/chats/<session>.jsonl`. Around each message lies Claude Code's
//! envelope, in it Gemini's parts, which the fallback reads. Each line hangs on another one, so that what
//! was rewound is on a branch that was left.

mod layout;
mod links;
mod records;
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
use super::parts::fields::fields_of;
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use crate::json::Json;
use crate::model::message::Message;

/// Qwen Code's session files.
#[derive(Debug)]
pub(crate) struct Qwen;

impl Dialect for Qwen {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path)
    }

    /// Whether a line, perhaps cut off, is one of Qwen Code's: in the same envelope others put `content`.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        let [uuid, session, provenance, message] =
            line.fields(&["uuid", "sessionId", "provenance", "message"]);
        let [parts] = fields_of(message, &["parts"]);
        uuid.is_some() && session.is_some() && (provenance.is_some() || parts.is_some())
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate.path)
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn reader_version(&self) -> u16 {
        2
    }

    fn is_in_parts(&self) -> bool {
        true
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    /// A branch begins with the lines of the session that it comes from.
    fn repeats_its_parent(&self) -> bool {
        true
    }
}

impl Companions for Qwen {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }
}

impl Agent for Qwen {
    fn aliases(&self) -> &'static [&'static str] {
        &["qwen-code"]
    }

    fn title(&self) -> &'static str {
        "Qwen Code"
    }

    fn counts_cache_as_input(&self) -> bool {
        true
    }

    fn found(&self) -> &'static str {
        "`.qwen/projects/*/chats`, with subagents"
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
                r#"{"uuid":"u3","parentUuid":"u1","sessionId":"s","type":"system","provenance":"system","subtype":"rewind","systemPayload":{}}"#,
                r#"{"uuid":"u4","parentUuid":"u3","sessionId":"s","type":"assistant","provenance":"assistant_output","usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}"#,
            ],
            paths: &[
                "/h/.qwen/projects/-w/chats/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.qwen/projects/-w/chats/0a1b2c3d-0000-4000-8000-000000000001.runtime.json",
                "/h/.qwen/projects/-w/subagents/0a1b2c3d-0000-4000-8000-000000000001/agent-a1.jsonl",
                "/h/.qwen/projects/-w/subagents/0a1b2c3d-0000-4000-8000-000000000001/agent-a1.meta.json",
            ],
        }
    }
}

impl Format for Qwen {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        records::read(object)
    }

    fn message(&self, object: Json<'_>) -> Message {
        records::message(object)
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        records::about(object)
    }
}
