//! picoclaw: `<workspace>/sessions/<key>.jsonl`, one message a line, with a `.meta.json` beside it.

use std::path::Path;

use super::lines::{Format, Reading};
use super::{Candidate, Dialect, Recognition, Sidecar, paths};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// The dialect.
#[derive(Debug)]
pub(crate) struct Picoclaw;

impl Dialect for Picoclaw {
    fn agent(&self) -> &'static str {
        "picoclaw"
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

impl Format for Picoclaw {
    fn read<'a>(&self, _object: &'a str) -> serde_json::Result<Reading<'a>> {
        Ok(Reading::of(RecordKind::Unknown))
    }

    fn message(&self, _object: &str) -> Message {
        Message::new(Role::Other)
    }
}
