//! Auggie, the command line of Augment: a JSON document for each session, `~/.augment/sessions/<id>.json`, written
//! anew with each exchange.

mod exchange;

use self::exchange::AGENT;
pub(crate) use self::exchange::Auggie;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::document::{Document, DocumentLines};
use super::parts::documents::Shape;
use super::parts::fields::{fields_of_start, owned};
use super::parts::paths;
use crate::json::Json;

/// The folder that it keeps sessions in.
const OWN: [&str; 2] = [".augment", "sessions"];

/// What a document looks like. Of the state of the agent nothing is read: it says who is logged in.
const SHAPE: Shape = Shape {
    agent: AGENT,
    messages: exchange::EXCHANGES,
    kind: exchange::EXCHANGES,
    id: "sessionId",
    first: &["created"],
    left_out: &["agentState"],
};

impl Dialect for Auggie {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["sessionId", "id"])
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        let stem = paths::document_stem(candidate.path)?;
        let names = paths::names(candidate.path);
        let is_own = matches!(paths::below(&names, &OWN), Some([_]));
        if !is_own || !(head.is_empty() || head.starts_with('{')) {
            return None;
        }
        let [id] = fields_of_start(head, &["sessionId"]);
        Some(Document::new(AGENT, owned(id).unwrap_or(stem)))
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let lines = SHAPE.lines(bytes)?;
        Some(lines.with_open_turn(self))
    }

    fn document_messages<'t>(&self, text: &'t str) -> Option<Vec<Json<'t>>> {
        SHAPE.messages(text)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn reader_version(&self) -> u16 {
        2
    }
}

// None: beside the sessions lie settings, a login and locks.
impl Companions for Auggie {}

impl Agent for Auggie {
    fn aliases(&self) -> &'static [&'static str] {
        &["augment"]
    }

    fn title(&self) -> &'static str {
        "Auggie"
    }

    fn found(&self) -> &'static str {
        "`.augment/sessions`, documents"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_home(".augment")];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["auggie", "--resume", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"auggie","kind":"chatHistory","entry":{"exchange":{"request_message":"hi","request_id":"r1"},"completed":true,"sequenceId":1,"finishedAt":"2026-04-03T09:00:01.000Z"}}"#,
                r#"{"agent":"auggie","kind":"session","entry":{"sessionId":"s","created":"2026-04-03T09:00:00.000Z"}}"#,
                r#"{"agent":"auggie","kind":"chatHistory","entry":{"exchange":{"request_message":"","response_text":"b","request_id":"r2","request_nodes":[{"id":1,"type":1,"tool_result_node":{"tool_use_id":"c","content":"a","is_error":false}}],"response_nodes":[{"id":1,"type":5,"tool_use":{"tool_use_id":"d","tool_name":"ls","input_json":"{}"}}]},"completed":true,"sequenceId":2}}"#,
                r#"{"agent":"auggie","kind":"session","entry":{"sessionId":"s","modified":"2026-04-03T09:00:02.000Z","title":"T"}}"#,
            ],
            paths: &["/h/.augment/sessions/0a1b2c3d-0000-4000-8000-000000000001.json"],
        }
    }
}
