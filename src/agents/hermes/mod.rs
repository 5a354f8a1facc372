//! Hermes: a SQLite database of sessions, `~/.hermes/state.db`, and before it a JSON document for each,
//! which is not read.

mod reading;
#[cfg(feature = "sqlite")]
mod tables;

use self::reading::AGENT;
pub(crate) use self::reading::Hermes;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::database::{Databases, reader};
use super::default_home::DefaultHome;
use super::dialect::Dialect;

/// Its databases.
const DATABASES: Databases = Databases {
    name: ("state", ".db"),
    places: &[&[".hermes"]],
    open: reader!(tables::open),
    tree: None,
};

impl Dialect for Hermes {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["id"])
    }

    fn has_message_ids(&self) -> bool {
        false
    }
}

// None: beside the database lie settings, credentials, memories and logs.
impl Companions for Hermes {}

impl Agent for Hermes {
    fn aliases(&self) -> &'static [&'static str] {
        &["hermes-agent"]
    }

    fn title(&self) -> &'static str {
        "Hermes"
    }

    fn found(&self) -> &'static str {
        "`.hermes/state.db` (with its WAL, read-only)"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("HERMES_HOME", "state.db"),
            DefaultHome::in_home(".hermes/state.db"),
        ];
        &HOMES
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["hermes", "--resume", id].map(str::to_owned).into())
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"hermes","kind":"messages","entry":{"role":"user","content":"hi","timestamp":1775206860.5}}"#,
                r#"{"agent":"hermes","kind":"session","entry":{"id":"20260403_090000_abcd12","source":"cli","started_at":1775206860.0}}"#,
                r#"{"agent":"hermes","kind":"messages","entry":{"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],"timestamp":1775206861.5,"reasoning":"R"}}"#,
                r#"{"agent":"hermes","kind":"session","entry":{"id":"20260403_090000_abcd12","title":"T","cwd":"/w","model":"m","input_tokens":5,"output_tokens":2}}"#,
            ],
            paths: &["/h/.hermes/state.db"],
        }
    }
}
