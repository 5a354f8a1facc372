//! GitHub Copilot CLI: `~/.copilot/session-state/<session>/events.jsonl`, one event a line.
//!
//! The events are a chain and no tree. What a sub-agent says stands among those of the session, with
//! the sub-agent's id.

mod events;
mod kinds;
mod layout;
#[cfg(test)]
mod tests;
mod workspace;

use std::path::Path;

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::parts::fields::text;
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::Message;

/// Copilot CLI's sessions.
#[derive(Debug)]
pub(crate) struct Copilot;

impl Dialect for Copilot {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::own_session(candidate.path).is_some()
    }

    /// Whether a line, perhaps cut off, is an event of Copilot's.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        let [kind, data, parent] = line.fields(&["type", "data", "parentId"]);
        let is_known = |kind: &str| kinds::is_said(kind) || kinds::is_event(kind);
        data.is_some_and(Json::is_object)
            && parent.is_some()
            && text(kind).is_some_and(|kind| is_known(&kind))
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        layout::session_id(candidate)
    }

    fn reader_version(&self) -> u16 {
        // 2: what single calls took (`session.usage_record`).
        2
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn is_in_parts(&self) -> bool {
        true
    }
}

impl Companions for Copilot {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        let about = layout::session_of_workspace(path);
        about
            .map(|id| workspace::facts(id, bytes))
            .into_iter()
            .collect()
    }
}

impl Agent for Copilot {
    fn aliases(&self) -> &'static [&'static str] {
        &["copilot-cli"]
    }

    fn title(&self) -> &'static str {
        "Copilot CLI"
    }

    fn counts_cache_as_input(&self) -> bool {
        true
    }

    fn found(&self) -> &'static str {
        "`.copilot/session-state`, with names, plans and checkpoints"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("COPILOT_HOME", ""),
            DefaultHome::in_home(".copilot"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["session-state"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["copilot", "--resume", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"user.message","data":{"content":"hi","attachments":[]},"id":"e2","timestamp":"2026-04-03T09:00:01.000Z","parentId":"e1"}"#,
                r#"{"type":"session.start","data":{"sessionId":"s","startTime":"2026-04-03T09:00:00.000Z","context":{"cwd":"/w","branch":"main"}},"id":"e1","timestamp":"2026-04-03T09:00:00.000Z","parentId":null}"#,
                r#"{"type":"assistant.message","data":{"messageId":"a","model":"m","content":"x","chunkIndex":0,"chunkCount":2,"outputTokens":3},"id":"e3","timestamp":"2026-04-03T09:00:02.000Z","parentId":"e2"}"#,
                r#"{"type":"session.shutdown","data":{"modelMetrics":{"m":{"usage":{"inputTokens":9,"outputTokens":3}}}},"id":"e4","timestamp":"2026-04-03T09:00:03.000Z","parentId":"e3"}"#,
            ],
            paths: &[
                "/h/.copilot/session-state/0a1b2c3d-0000-4000-8000-000000000001/events.jsonl",
                "/h/.copilot/session-state/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.copilot/session-state/0a1b2c3d-0000-4000-8000-000000000001/workspace.yaml",
            ],
        }
    }
}

impl Format for Copilot {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        events::read(object)
    }

    fn message(&self, object: Json<'_>) -> Message {
        events::message(object)
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        events::about(object)
    }
}
