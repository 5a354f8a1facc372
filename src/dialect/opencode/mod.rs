//! OpenCode: a SQLite database, or JSON documents. Its lines are made here: `{"info":...}` for the session, `{"info":...,"parts":[...]}` for each message.

use std::path::Path;

use super::lines::{Format, Reading};
use super::{Candidate, Dialect, Recognition, Sidecar, paths};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// The dialect.
#[derive(Debug)]
pub(crate) struct OpenCode;

impl Dialect for OpenCode {
    fn agent(&self) -> &'static str {
        "opencode"
    }

    fn recognise(&self, _candidate: &Candidate<'_>) -> Recognition {
        Recognition::No
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        paths::stem(candidate.path)
    }

    fn sidecar(&self, _path: &Path) -> Option<Sidecar> {
        None
    }
}

impl Format for OpenCode {
    fn read<'a>(&self, _object: &'a str) -> serde_json::Result<Reading<'a>> {
        Ok(Reading::of(RecordKind::Unknown))
    }

    fn message(&self, _object: &str) -> Message {
        Message::new(Role::Other)
    }
}
