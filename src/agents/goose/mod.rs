//! goose: a SQLite database of sessions (from 1.10 on), and before it a file of lines for each, whose first
//! line says what the session is.

mod reading;
#[cfg(feature = "sqlite")]
mod tables;

use self::reading::AGENT;
pub(crate) use self::reading::Goose;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::database::{Databases, reader};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect};
use super::parts::fields::text;
use super::parts::heads::HeadLine;
use super::parts::{entries, paths};

/// The folders that sessions are kept in: that of all systems but Windows, and that of Windows and of a root
/// that the user names.
const OWN: [&[&str]; 2] = [&["goose", "sessions"], &["goose", "data", "sessions"]];

/// Its databases.
const DATABASES: Databases = Databases {
    name: ("sessions", ".db"),
    places: &OWN,
    open: reader!(tables::open),
    tree: None,
};

impl Dialect for Goose {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        let names = paths::names(candidate.path);
        OWN.iter()
            .any(|own| matches!(paths::below(&names, own), Some([_])))
    }

    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        Some(&["id"])
    }

    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        is_header(line) || entries::is_line(AGENT, line)
    }
}

/// Whether a line, perhaps cut off, is the first of a file of lines.
fn is_header(line: &HeadLine<'_>) -> bool {
    let [folder, described, count, role] =
        line.fields(&["working_dir", "description", "message_count", "role"]);
    text(folder).is_some() && role.is_none() && (described.is_some() || count.is_some())
}

// None: what lies beside is the prompts' history and what extensions keep.
impl Companions for Goose {}

impl Agent for Goose {
    fn title(&self) -> &'static str {
        "goose"
    }

    fn found(&self) -> &'static str {
        "`sessions.db` in `.local/share/goose/sessions` (with its WAL, read-only), older lines beside it"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("GOOSE_PATH_ROOT", "data/sessions/sessions.db"),
            DefaultHome::in_data("goose/sessions/sessions.db"),
        ];
        &HOMES
    }

    /// The older files of lines lie beside the database.
    fn more_places(&self) -> &'static [DefaultHome] {
        const MORE: [DefaultHome; 1] = [DefaultHome::in_data("goose/sessions")];
        &MORE
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"goose","kind":"messages","entry":{"message_id":"m1","role":"user","content_json":[{"type":"text","text":"hi"}],"created_timestamp":1775206860,"userVisible":true}}"#,
                r#"{"agent":"goose","kind":"session","entry":{"id":"20260403_1","created_at":"2026-04-03 09:00:00"}}"#,
                r#"{"agent":"goose","kind":"session","entry":{"id":"20260403_1","name":"T","user_set_name":1,"working_dir":"/w","accumulated_input_tokens":5,"accumulated_output_tokens":2}}"#,
                r#"{"working_dir":"/w","description":"T","message_count":1,"total_tokens":7}"#,
                r#"{"id":"m2","role":"assistant","created":1775206861,"content":[{"type":"toolRequest","id":"c","toolCall":{"status":"success","value":{"name":"shell","arguments":{}}}}]}"#,
            ],
            paths: &[
                "/h/.local/share/goose/sessions/20260403_090000.jsonl",
                "/h/.local/share/goose/sessions/sessions.db",
            ],
        }
    }
}
