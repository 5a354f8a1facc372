//! picoclaw's old form of a session: one document with all messages, beside which a newer JSONL
//! file may lie.

use std::borrow::Cow;
use std::path::Path;

use crate::json::Json;
use memchr::memmem;

use super::layout;
use crate::agents::dialect::Candidate;
use crate::agents::document::DocumentLines;
use crate::agents::parts::fields::{self, elements, fields, fields_of_start, text};
use crate::agents::parts::go_json::{self, Escape};
use crate::agents::parts::{lines, paths, times};
use crate::agents::state::SidecarFacts;

const FIELDS: [&str; 5] = ["key", "messages", "summary", "created", "updated"];

/// The key of a session that is one document, if the file is one. `head` is the start of it, as
/// text.
pub(super) fn document_id(candidate: &Candidate<'_>, head: &str) -> Option<String> {
    let path = candidate.path;
    let stem = stem(path)?;
    let head = Some(lines::body(head)).filter(|head| head.starts_with('{'))?;
    let [key, messages, _, created, updated] = fields_of_start(head, &FIELDS);
    let key = text(key)?;
    // The list may go on behind the head.
    let has_messages = match messages {
        Some(messages) => messages.get().starts_with('[') || messages.get() == "null",
        None => memmem::find(head.as_bytes(), b"\"messages\"").is_some() && !is_whole(head),
    };
    let is_named = layout::is_in_sessions(path) && layout::file_stem(&key) == stem;
    let is_dated = [created, updated].into_iter().all(is_time);
    if !has_messages || !(layout::is_own(path) || is_named || is_dated) {
        return None;
    }
    Some(if key.is_empty() {
        stem
    } else {
        key.into_owned()
    })
}

fn is_time(value: Option<Json<'_>>) -> bool {
    text(value).is_some_and(|text| chrono::DateTime::parse_from_rfc3339(&text).is_ok())
}

fn is_whole(json: &str) -> bool {
    fields(json, &[""]).is_ok()
}

/// The name of a document without its ending.
fn stem(path: &Path) -> Option<String> {
    let name = paths::name(path);
    let stem = name.strip_suffix(".json").filter(|stem| !stem.is_empty())?;
    (!name.ends_with(layout::META_ENDING)).then(|| stem.to_owned())
}

/// The messages of a document as lines, as picoclaw's own migration would write them; `None` if it
/// cannot be read.
pub(super) fn lines_of(bytes: &[u8]) -> Option<DocumentLines> {
    let text = String::from_utf8_lossy(bytes);
    let [messages] = fields(lines::body(&text), &["messages"]).ok()?;
    let messages = messages?;
    // A list that was never made is null in Go.
    if !messages.get().starts_with('[') && messages.get() != "null" {
        return None;
    }
    let lines = elements(messages).into_iter().map(|message| {
        let mut line = go_json::compact(message.get(), Escape::Html).into_bytes();
        line.push(b'\n');
        line
    });
    Some(DocumentLines {
        lines: lines.collect(),
        ..DocumentLines::default()
    })
}

/// What a document tells of its session; `None` if the file is none.
pub(super) fn facts(path: &Path, bytes: &[u8]) -> Option<SidecarFacts> {
    let text_of_file = String::from_utf8_lossy(bytes);
    let candidate = Candidate::new(path, bytes);
    let id = document_id(&candidate, &text_of_file)?;
    let found = fields(lines::body(&text_of_file), &FIELDS).ok()?;
    let [_, _, summary, created, updated] = found;
    Some(SidecarFacts {
        id,
        summary: fields::text_filled(summary).map(Cow::into_owned),
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        ..SidecarFacts::default()
    })
}
