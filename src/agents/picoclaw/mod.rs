//! picoclaw: `<workspace>/sessions/<key>.jsonl`, one message a line, with a `.meta.json` beside it
//! that has the session's true key, its summary and how many lines are hidden.
//!
//! The file's name is the key with `:`, `/` and `\` replaced, so only the meta file tells two keys
//! apart. Older versions kept a whole session in `<key>.json`.

mod calls;
mod layout;
mod legacy;
mod meta;
mod reading;
#[cfg(test)]
mod round_trip;
mod sidecars;
#[cfg(test)]
mod tests;
mod writing;

use std::path::{Path, PathBuf};

use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::described::Described;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::{Document, DocumentLines};
use super::habits::Habits;
use super::parts::lines::{self, Format, Reading};
use super::parts::paths;
use super::state::{SessionState, SidecarFacts};
use crate::json::{Ends, Json};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::record::{RecordFlags, RecordKind};
use crate::model::session::Session;

/// The agent's name.
const AGENT: &str = "picoclaw";

/// picoclaw's session files.
#[derive(Debug)]
pub(crate) struct Picoclaw;

impl Dialect for Picoclaw {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if !paths::is_lines(candidate.path) {
            return Recognition::No;
        }
        // A file in picoclaw's own folder is its, whatever is in it, even nothing. So is one with
        // a meta file beside it that nobody else writes.
        if layout::is_own(candidate.path) || candidate.companion.is_some_and(meta::is_meta) {
            return Recognition::PathAndLines;
        }
        // The look into the folder comes last: it costs more than the rest, for each of its files.
        let is_lines = layout::is_in_sessions(candidate.path)
            && candidate.lines().any(|line| reading::is_line(line))
            && (candidate.companion.is_some() || layout::has_meta_beside(candidate.path));
        if is_lines {
            return Recognition::Lines;
        }
        Recognition::No
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        layout::is_own(candidate.path) || candidate.companion.is_some()
    }

    /// It drops what it hid, sets a history anew, and counts what it hides in the meta file.
    fn habits(&self) -> Habits {
        Habits {
            truncates: true,
            rewrites: true,
            counts_hidden: true,
            ..Habits::default()
        }
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        meta::id_of(candidate.path, candidate.companion)
    }

    /// A line of white space is no empty one: picoclaw counts it, and finds no message in it.
    fn describe_with<'a>(&self, line: &'a [u8], ends: Option<&'a mut Ends>) -> Described<'a> {
        let mut described = lines::describe(self, line, ends);
        let is_empty = matches!(line, b"" | b"\n" | b"\r\n" | b"\r");
        if described.header.kind == RecordKind::Blank && !is_empty {
            described.header.kind = RecordKind::Malformed;
            described.header.flags = described.header.flags.with(RecordFlags::DAMAGED);
            described.problem = Some("white space without a message".to_owned());
        }
        described
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        let id = legacy::document_id(candidate, head)?;
        Some(Document {
            agent: AGENT,
            id,
            yields: true,
        })
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        legacy::lines_of(bytes)
    }

    /// A scanner with a buffer of so many bytes.
    fn line_bytes_max(&self) -> Option<u64> {
        Some(10_485_759)
    }

    fn has_message_ids(&self) -> bool {
        false
    }

    fn write_message(&self, _key: &SessionKey, message: &Message) -> Result<Vec<Vec<u8>>> {
        Ok(writing::lines(message))
    }

    /// All that picoclaw knows of a session stands in its meta file.
    fn write_meta(&self, _session: &Session, _first: bool) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

impl Companions for Picoclaw {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        sidecars::sidecar(path, &|candidate| {
            self.recognise(candidate) != Recognition::No
        })
    }

    fn companion(&self, path: &Path) -> Option<PathBuf> {
        layout::meta_of(path)
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        let facts = match layout::lines_of(path) {
            Some(lines) => meta::facts(meta::id_of(&lines, Some(bytes)), bytes),
            None => legacy::facts(path, bytes),
        };
        facts.into_iter().collect()
    }

    /// picoclaw reads each legacy document at its start, and replaces the session by it, until its
    /// name says that it was read.
    fn is_read_anew(&self, name: &[u8]) -> bool {
        name.ends_with(b".json") && !name.ends_with(layout::META_ENDING.as_bytes())
    }

    fn id_by_file(&self, key: &str) -> Option<String> {
        Some(layout::file_stem(key)).filter(|stem| stem != key)
    }

    fn file_name(&self, state: &SessionState) -> Option<Vec<String>> {
        let stem = layout::file_stem(state.summary.key.id());
        Some(vec![format!("{stem}.jsonl")])
    }

    fn write_sidecar(
        &self,
        state: &SessionState,
        original: Option<&[u8]>,
    ) -> Option<(String, Vec<u8>)> {
        let stem = layout::file_stem(state.summary.key.id());
        let bytes = meta::write(state, original);
        Some((format!("{stem}{}", layout::META_ENDING), bytes))
    }
}

impl Agent for Picoclaw {
    fn title(&self) -> &'static str {
        "picoclaw"
    }

    fn found(&self) -> &'static str {
        "`.picoclaw/workspace/sessions`, with meta files and old documents"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_home(".picoclaw")];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["workspace/sessions", "sessions"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[],
            paths: &[
                "/h/.picoclaw/workspace/sessions/telegram_1.jsonl",
                "/h/.picoclaw/workspace/sessions/telegram_1.meta.json",
            ],
        }
    }
}

impl Format for Picoclaw {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        reading::read(object)
    }

    fn message(&self, object: Json<'_>) -> Message {
        reading::message(object)
    }
}
