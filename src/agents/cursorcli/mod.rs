//! Cursor's command line: `~/.cursor/projects/<folder>/agent-transcripts/<session>/<session>.jsonl`, a message a
//! line, without ids and times, without what tools answer. The databases that it keeps beside them
//! are not read.

mod layout;
mod messages;
#[cfg(test)]
mod tests;

use self::layout::AGENT;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::parts::fields::{fields_of, text};
use super::parts::heads::HeadLine;
use super::parts::lines::{Format, Reading};
use crate::json::Json;
use crate::model::message::Message;

/// Cursor's transcripts.
#[derive(Debug)]
pub(crate) struct CursorCli;

impl Dialect for CursorCli {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path)
    }

    /// Whether a line, perhaps cut off, is one of Cursor's: a role, and blocks one level below; other
    /// agents that write so have more.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        let [role, message, kind, id, uuid, session] =
            line.fields(&["role", "message", "type", "id", "uuid", "sessionId"]);
        let [inner_role, content] = fields_of(message, &["role", "content"]);
        let is_more = [kind, id, uuid, session, inner_role]
            .iter()
            .any(Option::is_some);
        text(role).is_some()
            && !is_more
            && content.is_some_and(|content| content.get().starts_with('['))
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::project(candidate.path)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn has_message_ids(&self) -> bool {
        false
    }
}

impl Companions for CursorCli {}

impl Agent for CursorCli {
    fn aliases(&self) -> &'static [&'static str] {
        &["cursor-cli", "cursor-agent"]
    }

    fn title(&self) -> &'static str {
        "Cursor CLI"
    }

    fn found(&self) -> &'static str {
        "`.cursor/projects/*/agent-transcripts`"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("CURSOR_DATA_DIR", ""),
            DefaultHome::in_home(".cursor"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["projects"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"role":"user","message":{"content":[{"type":"text","text":"<user_query>\nhi\n</user_query>"}]}}"#,
                r#"{"role":"assistant","message":{"content":[{"type":"text","text":"x"},{"type":"tool_use","name":"ReadFile","input":{"path":"/w/a"}}]}}"#,
            ],
            paths: &[
                "/h/.cursor/projects/w-shop/agent-transcripts/0a1b2c3d-0000-4000-8000-000000000001/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
            ],
        }
    }
}

impl Format for CursorCli {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        messages::read(object)
    }

    fn message(&self, object: Json<'_>) -> Message {
        messages::message(object)
    }
}
