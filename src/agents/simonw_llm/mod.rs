//! `llm` (simonw): a SQLite database of all that was asked, `logs.db`. Up to 0.31 or so a conversation has
//! responses; later versions keep each message once, by its hash, and turns that lead to them.

mod reading;
#[cfg(feature = "sqlite")]
mod tables;

use self::reading::AGENT;
pub(crate) use self::reading::SimonwLlm;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::database::{Databases, reader};
use super::default_home::DefaultHome;
use super::dialect::Dialect;

/// Its databases.
const DATABASES: Databases = Databases {
    name: ("logs", ".db"),
    places: &[&["io.datasette.llm"]],
    open: reader!(tables::open),
    tree: None,
};

impl Dialect for SimonwLlm {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["id"])
    }

    fn has_unique_ids(&self) -> bool {
        true
    }
}

// None: beside the database lie keys and settings.
impl Companions for SimonwLlm {}

impl Agent for SimonwLlm {
    fn title(&self) -> &'static str {
        "llm"
    }

    fn found(&self) -> &'static str {
        "`io.datasette.llm/logs.db` (with its WAL, read-only)"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("LLM_USER_PATH", "logs.db"),
            DefaultHome::in_settings("io.datasette.llm/logs.db"),
        ];
        &HOMES
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["llm", "chat", "--cid", id].map(str::to_owned).into())
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"llm","kind":"responses","entry":{"id":"01a","prompt":"hi","datetime_utc":"2026-04-03T09:00:00+00:00"}}"#,
                r#"{"agent":"llm","kind":"session","entry":{"id":"01c","name":"T","model":"m"}}"#,
                r#"{"agent":"llm","kind":"responses","entry":{"id":"01b","model":"m","prompt":"a","response":"b","input_tokens":5,"output_tokens":2,"datetime_utc":"2026-04-03T09:00:01+00:00","tool_calls":[{"name":"f","arguments":"{}","tool_call_id":"c"}]}}"#,
                r#"{"agent":"llm","kind":"turns","entry":{"id":"01d","model":"m","input_tokens":5,"output_tokens":2,"parts":[{"role":"user","type":"text","text":"a"},{"role":"assistant","type":"text","text":"b"}]}}"#,
            ],
            paths: &["/h/.config/io.datasette.llm/logs.db"],
        }
    }
}
