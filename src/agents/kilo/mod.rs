//! Kilo Code: OpenCode's database under another name, `kilo.db`; before April 2026 an extension of VS Code that
//! was made from Cline's, with its tasks.

use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::cline::tasks::{self, TaskFormat, Tasks};
use super::companions::{Companions, Sidecar};
use super::database::{Databases, reader};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::{Document, DocumentLines};
use super::opencode::OpenCode;
use super::parts::lines::{Format, Reading};
use super::parts::{entries, paths};
use super::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::Message;

/// The agent's name.
const AGENT: &str = "kilo";

/// What the names of its sessions begin with.
const ID: &str = "ses_";

/// The tasks of the extension.
const TASKS: Tasks = Tasks {
    agent: AGENT,
    places: &[&["globalStorage", "kilocode.kilo-code", "tasks"]],
};

/// Its databases.
const DATABASES: Databases = Databases {
    name: ("kilo", ".db"),
    places: &[&["kilo"]],
    open: reader!(super::opencode::open_database),
    tree: None,
};

/// Kilo Code's sessions.
#[derive(Debug)]
pub(crate) struct Kilo;

impl Dialect for Kilo {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        candidate.told_by(
            || self.may_own(candidate) && OpenCode.recognise(candidate) > Recognition::No,
            || candidate.lines().any(|line| self.is_line(line)),
        )
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    /// Lines of its sessions are told from those of the agent that it was made from by their folder alone.
    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        let names = paths::names(candidate.path);
        let is_session = |name: &String| name.starts_with(ID);
        paths::is_lines(candidate.path)
            && paths::below(&names, &[AGENT]).is_some()
            && names.last().is_some_and(is_session)
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        OpenCode.session_id(candidate)
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

    fn reader_version(&self) -> u16 {
        2
    }
}

/// The lines of the extension's tasks.
struct Extension;

impl TaskFormat for Extension {
    const AGENT: &'static str = AGENT;
}

impl Format for Kilo {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        match entries::of(AGENT, object) {
            Some(_) => Extension.read(object),
            None => OpenCode.read(object),
        }
    }

    fn message(&self, object: Json<'_>) -> Message {
        match entries::of(AGENT, object) {
            Some(_) => Extension.message(object),
            None => OpenCode.message(object),
        }
    }
}

impl Companions for Kilo {
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

impl Agent for Kilo {
    fn aliases(&self) -> &'static [&'static str] {
        &["kilo-code"]
    }

    fn title(&self) -> &'static str {
        "Kilo Code"
    }

    fn found(&self) -> &'static str {
        "`.local/share/kilo/kilo.db` (with its WAL, read-only), tasks of the older extension of VS Code"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_data("kilo/kilo.db")];
        &HOMES
    }

    fn more_places(&self) -> &'static [DefaultHome] {
        const MORE: [DefaultHome; 1] = [DefaultHome::in_settings(
            "Code/User/globalStorage/kilocode.kilo-code/tasks",
        )];
        &MORE
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["kilo", "--session", id].map(str::to_owned).into())
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"kilo","kind":"messages","entry":{"role":"user","content":[{"type":"text","text":"<task>\nhi\n</task>"}],"ts":1775206860000}}"#,
            ],
            paths: &[
                "/h/.local/share/kilo/kilo.db",
                "/h/.local/share/kilo/ses_1.jsonl",
                "/h/.config/Code/User/globalStorage/kilocode.kilo-code/tasks/1775206860000/api_conversation_history.json",
                "/h/.config/Code/User/globalStorage/kilocode.kilo-code/tasks/1775206860000/ui_messages.json",
            ],
        }
    }
}
