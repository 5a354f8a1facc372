//! Amp: a JSON document for each thread, `~/.local/share/amp/threads/T-<id>.json`, written anew with each turn.

mod messages;
mod thread;

pub(crate) use self::messages::Amp;
use self::thread::AGENT;
use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::document::{Document, DocumentLines};
use super::parts::paths;
use crate::json::Json;

/// The folder that it keeps its files in.
const OWN: [&str; 3] = [".local", "share", "amp"];

/// The list of prompts there.
const PROMPTS: &str = "history.jsonl";

impl Dialect for Amp {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["id"])
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        thread::recognise(candidate, head)
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let lines = thread::SHAPE.lines(bytes)?;
        Some(lines.with_open_turn(self))
    }

    fn document_messages<'t>(&self, text: &'t str) -> Option<Vec<Json<'t>>> {
        thread::SHAPE.messages(text)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }
}

impl Companions for Amp {
    /// The list of prompts. Beside it lie tokens and settings.
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let names = paths::names(path);
        let is_list = matches!(paths::below(&names, &OWN), Some([name]) if name == PROMPTS);
        is_list.then_some(Sidecar::Folder)
    }
}

impl Agent for Amp {
    fn title(&self) -> &'static str {
        "Amp"
    }

    fn found(&self) -> &'static str {
        "`.local/share/amp/threads`, documents"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_data("amp")];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["threads"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"amp","kind":"messages","entry":{"role":"user","messageId":0,"content":[{"type":"text","text":"hi"}],"meta":{"sentAt":1775206860000}}}"#,
                r#"{"agent":"amp","kind":"session","entry":{"id":"T-1","created":1775206860000}}"#,
                r#"{"agent":"amp","kind":"messages","entry":{"role":"assistant","messageId":1,"usage":{"model":"m","inputTokens":5,"outputTokens":2,"timestamp":"2026-04-03T09:00:01.000Z"},"content":[{"type":"tool_use","id":"c","name":"ls","input":{}}]}}"#,
                r#"{"agent":"amp","kind":"session","entry":{"id":"T-1","title":"T","env":{"initial":{"trees":[{"uri":"file:///w"}]}}}}"#,
            ],
            paths: &[
                "/h/.local/share/amp/threads/T-1.json",
                "/h/.local/share/amp/history.jsonl",
            ],
        }
    }
}
