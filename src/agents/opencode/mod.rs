//! OpenCode: a SQLite database, or one JSON document a session.
//!
//! Its lines are made here, the same from both: `{"info":{..}}` says what the session is,
//! `{"info":{..},"parts":[..]}` is a message with its parts, `{"message":{..}}` one as later versions
//! keep it. A first line holds what stays the
//! same for the life of a session, the last one (the trailer) what changes: title, time of the
//! last change, totals.

#[cfg(feature = "sqlite")]
mod database;
#[cfg(feature = "sqlite")]
mod first;
#[cfg(feature = "sqlite")]
mod later;
mod later_message;
mod parts;
mod reading;
#[cfg(feature = "sqlite")]
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod writing;

use memchr::memmem;

#[cfg(feature = "sqlite")]
pub(in crate::agents) use self::database::open as open_database;
pub(crate) use self::reading::OpenCode;
use self::writing::{ID, content};
use super::agent::Agent;
#[cfg(any(test, fuzzing))]
use super::agent::Samples;
use super::companions::Companions;
use super::database::{Databases, Tree, reader};
use super::default_home::DefaultHome;
use super::dialect::{Candidate, Dialect, Recognition};
use super::document::{Document, DocumentLines};
use super::parts::compact::compact;
use super::parts::fields::{self, elements, entries, fields, fields_of, fields_of_start};
use super::parts::heads::HeadLine;
use super::parts::{lines, paths};

/// The agent's name.
const AGENT: &str = "opencode";

/// A head of so many bytes is perhaps not the whole file.
const HEAD_BYTES: usize = 64 * 1024;

/// OpenCode's databases: `opencode.db`, and those of its other channels.
const DATABASES: Databases = Databases {
    name: ("opencode", ".db"),
    places: &[],
    open: reader!(database::open),
    tree: Some(Tree {
        is_session: tree::is_session,
        // Those are documents of nobody.
        is_part: |_| false,
        log: |_| None,
        open: tree::open,
    }),
};

impl Dialect for OpenCode {
    fn agent(&self) -> &'static str {
        AGENT
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if paths::is_lines(candidate.path) && candidate.lines().any(|line| is_line(line)) {
            return Recognition::Lines;
        }
        Recognition::No
    }

    fn reader_version(&self) -> u16 {
        3
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    /// The id in the first lines, else the stem.
    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let found = candidate.lines().find_map(|line| {
            let [info] = line.fields(&["info"]);
            let [id, session] = fields_of(info, &["id", "sessionID"]);
            fields::owned(session).or_else(|| fields::owned(id))
        });
        found.unwrap_or_else(|| paths::stem(candidate.path))
    }

    fn document(&self, candidate: &Candidate<'_>, head: &str) -> Option<Document> {
        let has_messages = memmem::find(head.as_bytes(), b"\"messages\"").is_some();
        if !head.starts_with('{') || !(has_messages || candidate.head.len() >= HEAD_BYTES) {
            return None;
        }
        let [info] = fields_of_start(head, &["info"]);
        let [id] = fields_of(info, &["id"]);
        let id = fields::owned(id).filter(|id| id.starts_with(ID))?;
        Some(Document::new(AGENT, id))
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let text = String::from_utf8_lossy(bytes);
        let [info, messages] = fields(lines::body(&text), &["info", "messages"]).ok()?;
        let (info, messages) = (info?, messages?);
        if !info.is_object() || !messages.get().starts_with('[') {
            return None;
        }
        // An export is indented: without the white space its lines are those of the database.
        let info: Vec<(String, String)> = entries(info)
            .into_iter()
            .map(|(key, value)| (key, compact(value.get())))
            .collect();
        let messages = elements(messages).into_iter().map(|message| {
            let mut line = compact(message.get()).into_bytes();
            line.push(b'\n');
            line
        });
        Some(content(&info, messages.collect()))
    }
}

// None: beside OpenCode's sessions lie credentials, caches and snapshots of whole projects.
impl Companions for OpenCode {}

impl Agent for OpenCode {
    fn title(&self) -> &'static str {
        "OpenCode"
    }

    fn found(&self) -> &'static str {
        "`opencode.db` (with its WAL, read-only), exported JSON"
    }

    fn homes(&self) -> &'static [DefaultHome] {
        const HOMES: [DefaultHome; 2] = [
            DefaultHome::in_variable("OPENCODE_DB", ""),
            DefaultHome::in_data("opencode/opencode.db"),
        ];
        &HOMES
    }

    fn more_places(&self) -> &'static [DefaultHome] {
        const MORE: [DefaultHome; 2] = [
            DefaultHome::in_data("opencode/opencode-*.db"),
            DefaultHome::in_data("opencode/storage"),
        ];
        &MORE
    }

    fn resume_command(&self, id: &str) -> Option<Vec<String>> {
        Some(["opencode", "--session", id].map(str::to_owned).into())
    }

    fn databases(&self) -> Option<&'static Databases> {
        Some(&DATABASES)
    }

    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples {
        Samples {
            lines: &[
                r#"{"info":{"role":"user","time":{"created":1775206860000},"id":"msg_1","sessionID":"ses_1"},"parts":[{"type":"text","text":"hi"}]}"#,
                r#"{"info":{"id":"ses_1","directory":"/w","title":"T","time":{"created":1775206860000}}}"#,
            ],
            paths: &["/x/export.json"],
        }
    }
}

/// Whether a line, perhaps cut off, is one of those that are made here.
fn is_line(line: &HeadLine<'_>) -> bool {
    let [info, parts] = line.fields(&["info", "parts"]);
    let [id, session] = fields_of(info, &["id", "sessionID"]);
    let named = [id, session]
        .into_iter()
        .filter_map(fields::text)
        .any(|id| id.starts_with(ID));
    named || (session.is_some() && parts.is_some())
}
