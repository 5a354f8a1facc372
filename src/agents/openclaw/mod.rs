//! `OpenClaw`: pi's lines. Until 2026 in files, `~/.openclaw/agents/<agent>/sessions/<id>.jsonl` with labels in
//! `sessions.json`; since then as the rows of a SQLite database for each agent.

mod index;
mod reading;
#[cfg(feature = "sqlite")]
mod tables;

use self::reading::AGENT;
pub(crate) use self::reading::OpenClaw;
use std::path::Path;

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::database::{Databases, reader};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::habits::Habits;
use super::parts::{entries, paths};
use super::pi::Pi;
use super::state::SidecarFacts;

/// The folder that its agents are kept in.
const OWN: [&str; 2] = [".openclaw", "agents"];

/// Its databases.
const DATABASES: Databases = Databases {
    name: ("openclaw-agent", ".sqlite"),
    places: &[&OWN],
    open: reader!(tables::open),
    tree: None,
};

/// Whether a file lies in the folder of an agent's sessions.
fn is_own(path: &Path) -> bool {
    let names = paths::names(path);
    matches!(paths::below(&names, &OWN), Some([_, sessions, _]) if sessions == "sessions")
}

impl Dialect for OpenClaw {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        is_own(candidate.path)
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["session_id"])
    }

    /// The id of the row, or of the header line.
    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stated = entries::session_id(AGENT, candidate.lines(), &["session_id"]);
        stated.unwrap_or_else(|| Pi.session_id(candidate))
    }

    fn habits(&self) -> Habits {
        Pi.habits()
    }

    fn reader_version(&self) -> u16 {
        2
    }

    fn repeats_its_parent(&self) -> bool {
        true
    }
}

impl Companions for OpenClaw {
    /// The index of an agent's sessions. Beside it lie credentials.
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let is_index = paths::name(path) == index::NAME && is_own(path);
        is_index.then_some(Sidecar::Folder)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        if paths::name(path) == index::NAME {
            index::facts(bytes)
        } else {
            Vec::new()
        }
    }
}

impl Agent for OpenClaw {
    fn aliases(&self) -> &'static [&'static str] {
        &["clawdbot"]
    }

    fn title(&self) -> &'static str {
        "OpenClaw"
    }

    fn found(&self) -> &'static str {
        "`.openclaw/agents/*`: `openclaw-agent.sqlite` (with its WAL, read-only), older lines with labels"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("OPENCLAW_STATE_DIR", ""),
            DefaultHome::in_home(".openclaw"),
        ];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["agents"]
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"message","id":"a1b2c302","parentId":null,"timestamp":"2026-04-03T09:00:02.000Z","message":{"role":"user","content":[{"type":"text","text":"hi"}]}}"#,
                r#"{"agent":"openclaw","kind":"session","entry":{"session_id":"0a1b2c3d-0000-4000-8000-000000000001","created_at":1775206860000}}"#,
                r#"{"type":"reset","id":"a1b2c303","parentId":"a1b2c302","timestamp":"2026-04-03T09:00:03.000Z","firstKeptEntryId":"a1b2c302"}"#,
                r#"{"agent":"openclaw","kind":"session","entry":{"session_id":"0a1b2c3d-0000-4000-8000-000000000001","session_key":"agent:main:main","updated_at":1775206862000,"session_nodes":[{"label":"T"}]}}"#,
            ],
            paths: &[
                "/h/.openclaw/agents/main/sessions/0a1b2c3d-0000-4000-8000-000000000001.jsonl",
                "/h/.openclaw/agents/main/sessions/sessions.json",
                "/h/.openclaw/agents/main/agent/openclaw-agent.sqlite",
            ],
        }
    }
}
