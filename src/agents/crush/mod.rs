//! Crush: a SQLite database in each project, `.crush/crush.db`.

mod reading;
#[cfg(feature = "sqlite")]
mod tables;

use self::reading::AGENT;
pub(crate) use self::reading::Crush;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::database::{Databases, reader};
use super::dialect::Dialect;

/// Its databases.
const DATABASES: Databases = Databases {
    name: ("crush", ".db"),
    places: &[&[".crush"]],
    open: reader!(tables::open),
    tree: None,
};

impl Dialect for Crush {
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

// None: beside the database lie logs and what its tools have put out.
impl Companions for Crush {}

impl Agent for Crush {
    fn title(&self) -> &'static str {
        "Crush"
    }

    fn found(&self) -> &'static str {
        "`.crush/crush.db` in a project (with its WAL, read-only)"
    }

    fn more_homes(&self) -> &'static [&'static [&'static str]] {
        &[&[".crush"]]
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"agent":"crush","kind":"messages","entry":{"id":"m1","role":"user","parts":[{"type":"text","data":{"text":"hi"}}],"created_at":1775206860}}"#,
                r#"{"agent":"crush","kind":"session","entry":{"id":"s","created_at":1775206860}}"#,
                r#"{"agent":"crush","kind":"messages","entry":{"id":"m2","role":"assistant","parts":[{"type":"tool_call","data":{"id":"c","name":"ls","input":"{}"}},{"type":"finish","data":{"reason":"tool_use","time":1775206861}}],"model":"m","created_at":1775206861}}"#,
                r#"{"agent":"crush","kind":"session","entry":{"id":"s","title":"T","prompt_tokens":5,"completion_tokens":2,"updated_at":1775206862}}"#,
            ],
            paths: &["/w/.crush/crush.db"],
        }
    }
}
