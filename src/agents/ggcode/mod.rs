//! ggcode: `~/.ggcode/sessions/<id>.jsonl`, a `meta` line, `message` lines and a few others, and
//! `index.json` beside them.
//!
//! The last `meta` line holds, and the last `cost` line. Messages of v1.0.9 have no id and no
//! time; later versions write `id` and `timestamp`, which v1.0.9 passes over. What is written here
//! v1.0.9 reads, but for lines over 10 MiB, its own limit.

mod index;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

use std::path::Path;

use self::reading::EVENTS;
pub(crate) use self::reading::Ggcode;
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::{Companions, Sidecar};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, MarkdownHead, Recognition};
use super::habits::{Dates, Habits, LineRole};
use super::parts::fields::{fields_of_start, text};
use super::parts::heads::HeadLine;
use super::parts::own_folder;
use super::parts::paths::{self, below, names, stem};
use super::state::{SessionState, SidecarFacts};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::session::Session;

/// The folder that ggcode keeps sessions in.
const OWN: [&str; 2] = [".ggcode", "sessions"];

/// Endings of sidecars of a session.
const SIDECARS: [&str; 4] = [".jsonl.tmp", ".jsonl.flock", ".jsonl.lock", ".lock"];

impl Dialect for Ggcode {
    fn agent(&self) -> &'static str {
        "ggcode"
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        let has_lines = |candidate: &Candidate<'_>| candidate.lines().any(|line| is_line(line));
        own_folder::recognise(&OWN, candidate, has_lines)
    }

    fn may_own(&self, candidate: &Candidate<'_>) -> bool {
        own_folder::has(&OWN, candidate.path)
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        stem(candidate.path)
    }

    /// A scanner with a buffer of so many bytes.
    fn line_bytes_max(&self) -> Option<u64> {
        Some(10_485_759)
    }

    fn markdown_head(&self, header: &[u8]) -> Option<MarkdownHead> {
        reading::markdown_head(header)
    }

    /// A save writes the header anew and the cost last; a compaction drops lines.
    fn habits(&self) -> Habits {
        Habits {
            role: Some(role),
            dates: Dates::Headers,
            rewrites: true,
            ..Habits::default()
        }
    }

    fn has_message_ids(&self) -> bool {
        false
    }

    fn write_message(&self, key: &SessionKey, message: &Message) -> Result<Vec<Vec<u8>>> {
        Ok(vec![writing::message(key, message)])
    }

    /// A `meta` line, and behind it a `cost` line if the session has a cost.
    fn write_meta(&self, session: &Session, _first: bool) -> Result<Option<Vec<u8>>> {
        writing::meta(session).map(Some)
    }

    fn read_meta(&self, line: &[u8], session: &mut Session) {
        reading::meta(line, session);
    }

    fn has_scattered_meta(&self) -> bool {
        true
    }
}

impl Companions for Ggcode {
    fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        let name = paths::name(path);
        let session = SIDECARS
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .filter(|session| !session.is_empty() && *session != "index.json");
        let is_index = name.starts_with("index.json");
        let names = names(path);
        let own = below(&names, &OWN).is_some() && (is_index || session.is_some());
        // In a copy of the folder only an id as the agent makes it, or the folder's name, tells
        // whose a lock is.
        let copied = session.is_some_and(is_generated)
            || (is_index && below(&names, &["ggcode", "sessions"]).is_some());
        (own || copied).then(|| {
            session.map_or(Sidecar::Folder, |session| {
                Sidecar::Session(session.to_owned())
            })
        })
    }

    fn sidecar_facts(&self, path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
        if paths::name(path) == index::NAME {
            index::facts(bytes)
        } else {
            Vec::new()
        }
    }

    fn file_name(&self, state: &SessionState) -> Option<Vec<String>> {
        Some(vec![format!("{}.jsonl", state.summary.key.id())])
    }

    fn write_index(
        &self,
        original: Option<&[u8]>,
        changed: &[SessionState],
    ) -> Option<(String, Vec<u8>)> {
        let bytes = index::write(original, changed)?;
        Some((index::NAME.to_owned(), bytes))
    }
}

impl Agent for Ggcode {
    fn title(&self) -> &'static str {
        "ggcode"
    }

    fn found(&self) -> &'static str {
        "`.ggcode/sessions`, with its index"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 1] = [DefaultHome::in_home(".ggcode")];
        &HOMES
    }

    fn folders(&self) -> &'static [&'static str] {
        &["sessions"]
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"type":"message","session_id":"s","created_at":"0001-01-01T00:00:00Z","updated_at":"0001-01-01T00:00:00Z","message":{"role":"user","content":[{"type":"text","text":"hi"}]}}"#,
                r#"{"type":"meta","session_id":"s","title":"T","created_at":"2026-04-03T09:00:00Z","updated_at":"2026-04-03T09:00:00Z"}"#,
            ],
            paths: &[
                "/h/.ggcode/sessions/20260812-111500-6105d6cc76af4003.jsonl",
                "/h/.ggcode/sessions/index.json",
            ],
        }
    }
}

/// Whether a line, perhaps cut off, is one of ggcode's.
fn is_line(line: &HeadLine<'_>) -> bool {
    let [kind, session, message] = line.fields(&["type", "session_id", "message"]);
    text(session).is_some()
        && match text(kind).as_deref() {
            Some("meta") => true,
            // Others write such lines with the words in the line itself; one may be cut off before them.
            Some("message") => match message {
                Some(message) => message.is_object(),
                None => !line.text().ends_with('}'),
            },
            Some(kind) => EVENTS.contains(&kind),
            None => false,
        }
}

/// What a line is to its file: only `meta` and `cost` are written again.
fn role(line: &[u8]) -> LineRole {
    let start = line.get(..line.len().min(64)).unwrap_or_default();
    let start = String::from_utf8_lossy(start);
    let [kind] = fields_of_start(&start, &["type"]);
    match text(kind).as_deref() {
        Some("meta" | "cost") => LineRole::Frame,
        Some("checkpoint") => LineRole::Summary,
        _ => LineRole::Said,
    }
}

/// Whether a name is an id as ggcode makes them: date, time and 16 hex digits.
fn is_generated(name: &str) -> bool {
    name.len() == 32
        && name.bytes().enumerate().all(|(at, byte)| match at {
            8 | 15 => byte == b'-',
            0..16 => byte.is_ascii_digit(),
            _ => byte.is_ascii_hexdigit(),
        })
}
