//! Continue: a JSON document for each session, `~/.continue/sessions/<id>.json`, of its command line and of its
//! extensions alike, written anew with each turn; and a list of them.

mod history;
mod index;

use self::history::AGENT;
pub(crate) use self::history::ContinueDev;
use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::document::{Document, DocumentLines};
use super::parts::documents::Shape;
use super::parts::fields::{fields_of_start, owned};
use super::parts::paths;
use super::state::SidecarFacts;
use crate::json::Json;

/// The folder that it keeps sessions in.
const OWN: [&str; 2] = [".continue", "sessions"];

/// What a document looks like.
const SHAPE: Shape = Shape {
    agent: AGENT,
    messages: "history",
    kind: history::ITEM,
    id: "sessionId",
    first: &[],
    left_out: &[],
};

/// The name of a file in the folder of sessions.
fn own(path: &Path) -> Option<String> {
    match paths::below(&paths::names(path), &OWN) {
        Some([name]) => Some(name.clone()),
        _ => None,
    }
}

impl Dialect for ContinueDev {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["sessionId", "id"])
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        let stem = paths::document_stem(candidate.path)?;
        let is_object = head.is_empty() || head.starts_with('{');
        let id = if own(candidate.path)? != index::NAME && is_object {
            let [id] = fields_of_start(head, &["sessionId"]);
            owned(id).unwrap_or(stem)
        } else {
            return None;
        };
        Some(Document::new(AGENT, id))
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let lines = SHAPE.lines_with(bytes, history::items)?;
        Some(lines.with_open_turn(self))
    }

    fn document_messages<'t>(&self, text: &'t str) -> Option<Vec<Json<'t>>> {
        SHAPE.messages(text)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn has_message_ids(&self) -> bool {
        false
    }

    fn reader_version(&self) -> u16 {
        2
    }
}

impl Companions for ContinueDev {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let is_list = own(path)? == index::NAME;
        is_list.then_some(Sidecar::Folder)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        if paths::name(path) == index::NAME {
            index::facts(bytes)
        } else {
            Vec::new()
        }
    }
}

impl Agent for ContinueDev {
    fn aliases(&self) -> &'static [&'static str] {
        &["cn"]
    }

    fn title(&self) -> &'static str {
        "Continue"
    }

    fn found(&self) -> &'static str {
        "`.continue/sessions`, with its list"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("CONTINUE_GLOBAL_DIR", ""),
            DefaultHome::in_home(".continue"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"continue","kind":"item","entry":{"message":{"role":"user","content":"hi"},"contextItems":[]}}"#,
                r#"{"agent":"continue","kind":"session","entry":{"sessionId":"s"}}"#,
                r#"{"agent":"continue","kind":"item","entry":{"message":{"role":"assistant","content":"","toolCalls":[{"id":"c","type":"function","function":{"name":"ls","arguments":"{}"}}]},"toolCallStates":[{"toolCallId":"c","status":"done","output":[{"name":"ls","content":"a"}]}]}}"#,
                r#"{"agent":"continue","kind":"session","entry":{"sessionId":"s","title":"T","workspaceDirectory":"file:///w","usage":{"promptTokens":5,"completionTokens":2}}}"#,
            ],
            paths: &[
                "/h/.continue/sessions/0a1b2c3d-0000-4000-8000-000000000001.json",
                "/h/.continue/sessions/sessions.json",
            ],
        }
    }
}
