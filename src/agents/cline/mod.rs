//! Cline: its command line keeps a session in two JSON documents, the messages and what is known of it; its
//! extension of VS Code keeps a task in a folder of documents.

mod layout;
mod manifest;
mod sessions;
mod talk;
pub(super) mod tasks;

use std::path::Path;

use self::layout::AGENT;
use self::tasks::{TaskFormat, Tasks};
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::document::{Document, DocumentLines};
use super::state::SidecarFacts;

/// The tasks of the extension, and of the first versions of the command line.
const TASKS: Tasks = Tasks {
    agent: AGENT,
    places: &[
        &["globalStorage", "saoudrizwan.claude-dev", "tasks"],
        &[".cline", "data", "tasks"],
    ],
};

/// Cline's sessions and tasks.
#[derive(Debug)]
pub(crate) struct Cline;

impl Dialect for Cline {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["sessionId", "id"])
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        let session = sessions::document(candidate, head);
        session.or_else(|| TASKS.document(candidate, head))
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let lines = sessions::SHAPE.lines(bytes);
        let lines = lines.or_else(|| TASKS.lines(bytes))?;
        Some(lines.with_open_turn(self))
    }

    fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        let session =
            || manifest::folder(&tasks::whole(&layout::manifest_beside(candidate.path)?)?);
        session().or_else(|| TASKS.project(candidate))
    }

    fn parent(&self, candidate: &Candidate<'_>) -> Option<String> {
        layout::parent(candidate.path)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn reader_version(&self) -> u16 {
        2
    }
}

impl TaskFormat for Cline {
    const AGENT: &'static str = AGENT;
}

impl Companions for Cline {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        layout::sidecar(path).or_else(|| TASKS.sidecar(path))
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        match layout::manifest_of(path) {
            Some(session) => vec![manifest::facts(session, bytes)],
            None => tasks::facts(path, bytes),
        }
    }

    fn usage_file(&self) -> Option<&'static str> {
        Some(tasks::SHOWN)
    }
}

impl Agent for Cline {
    fn aliases(&self) -> &'static [&'static str] {
        &["cline-cli", "claude-dev"]
    }

    fn title(&self) -> &'static str {
        "Cline"
    }

    fn found(&self) -> &'static str {
        "`.cline/data/sessions`, tasks of its extension of VS Code"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 3] = [
            DefaultHome::in_variable("CLINE_DATA_DIR", ""),
            DefaultHome::in_variable("CLINE_DIR", "data"),
            DefaultHome::in_home(".cline/data"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions", "tasks"]
    }

    fn more_places(&self) -> &'static [DefaultHome] {
        const MORE: [DefaultHome; 2] = [
            DefaultHome::in_settings("Code/User/globalStorage/saoudrizwan.claude-dev/tasks"),
            DefaultHome::in_home(
                ".vscode-server/data/User/globalStorage/saoudrizwan.claude-dev/tasks",
            ),
        ];
        &MORE
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["cline", "--id", id].map(str::to_owned).into())
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"cline","kind":"messages","entry":{"role":"user","content":[{"type":"text","text":"<task>\nhi\n</task>"},{"type":"text","text":"<environment_details>\n# Current Working Directory (/w) Files\n</environment_details>"}],"ts":1775206860000}}"#,
                r#"{"agent":"cline","kind":"session","entry":{"sessionId":"s-1","agent":"lead"}}"#,
                r#"{"agent":"cline","kind":"messages","entry":{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"ls","input":{}}],"modelInfo":{"id":"m"},"metrics":{"inputTokens":5,"outputTokens":2},"ts":1775206861000}}"#,
                r#"{"agent":"cline","kind":"messages","entry":{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"query":"ls","result":"a","success":true}]}],"ts":1775206862000}}"#,
            ],
            paths: &[
                "/h/.cline/data/sessions/s-1/s-1.messages.json",
                "/h/.cline/data/sessions/s-1/s-1.json",
                "/h/.config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks/1775206860000/api_conversation_history.json",
                "/h/.config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks/1775206860000/ui_messages.json",
                "/h/.config/Code/User/globalStorage/saoudrizwan.claude-dev/state/taskHistory.json",
            ],
        }
    }
}
