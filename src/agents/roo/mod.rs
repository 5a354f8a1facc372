//! Roo Code, and Zoo Code that goes on with it: an extension of VS Code that was made from Cline's, with its
//! tasks.

use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::cline::tasks::{self, TaskFormat, Tasks};
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::document::{Document, DocumentLines};
use super::state::SidecarFacts;

/// The agent's name.
const AGENT: &str = "roo";

/// Its tasks.
const TASKS: Tasks = Tasks {
    agent: AGENT,
    places: &[&["globalStorage", "rooveterinaryinc.roo-cline", "tasks"]],
};

/// Roo Code's tasks.
#[derive(Debug)]
pub(crate) struct Roo;

impl Dialect for Roo {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        TASKS.document(candidate, head)
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        Some(TASKS.lines(bytes)?.with_open_turn(self))
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        TASKS.project(candidate)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }
}

impl TaskFormat for Roo {
    const AGENT: &'static str = AGENT;
}

impl Companions for Roo {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        TASKS.sidecar(path)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        tasks::facts(path, bytes)
    }

    fn usage_file(&self) -> Option<&'static str> {
        Some(tasks::SHOWN)
    }
}

impl Agent for Roo {
    fn aliases(&self) -> &'static [&'static str] {
        &["roo-code", "roo-cline", "zoo-code"]
    }

    fn title(&self) -> &'static str {
        "Roo Code"
    }

    fn found(&self) -> &'static str {
        "tasks of its extension of VS Code"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_settings(
            "Code/User/globalStorage/rooveterinaryinc.roo-cline",
        )];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["tasks"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"roo","kind":"messages","entry":{"role":"user","content":[{"type":"text","text":"<user_message>\nhi\n</user_message>"}],"ts":1775206860000}}"#,
            ],
            paths: &[
                "/h/.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks/0a1b/api_conversation_history.json",
                "/h/.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks/0a1b/history_item.json",
                "/h/.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks/_index.json",
            ],
        }
    }
}
