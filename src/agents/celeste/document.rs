//! celeste's older form of a session: one JSON document with all messages.

use std::borrow::Cow;
use std::path::Path;

use crate::json::Json;
use chrono::DateTime;

use super::layout::OWN;
use super::project_id::is_project_id;
use crate::agents::dialect::Candidate;
use crate::agents::document::DocumentLines;
use crate::agents::parts::fields::{elements, fields, fields_of, fields_of_start, owned, text};
use crate::agents::parts::go_json::{Escape, GoObject, ZERO_TIME};
use crate::agents::parts::paths::{below, name, names};
use crate::agents::parts::{lines, times};
use crate::agents::state::SidecarFacts;

/// The id of the session in a file that lies where celeste keeps such documents.
pub(super) fn session_id(candidate: &Candidate<'_>, head: &str) -> Option<String> {
    let named = stem(candidate.path)?;
    let head = Some(head).filter(|head| head.starts_with('{'))?;
    let [id, messages] = fields_of_start(head, &["id", "messages"]);
    // A long list of messages is cut off by the end of the head.
    let whole = messages.is_some() || head.contains("\"messages\"");
    whole.then(|| owned(id).unwrap_or(named))
}

/// The name of a document without its ending, if it lies in celeste's folder itself.
fn stem(path: &Path) -> Option<String> {
    let names = names(path);
    let [_] = below(&names, &OWN)? else {
        return None;
    };
    let name = name(path);
    let stem = name.strip_suffix(".json")?;
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// Most things in celeste's folder that are looked at for the lines of a document.
const LOOK_MAX: usize = 4096;

/// Whether the lines of a document's session lie beside it, or in the folder of a project there:
/// an export puts all lines of a session that went on there.
pub(super) fn has_lines(path: &Path) -> bool {
    let lines = path.with_extension("jsonl");
    if lines.is_file() {
        return true;
    }
    let (Some(name), Some(folder)) = (lines.file_name(), path.parent()) else {
        return false;
    };
    let Ok(beside) = std::fs::read_dir(folder) else {
        return false;
    };
    beside
        .take(LOOK_MAX)
        .filter_map(Result::ok)
        .filter(|found| found.file_name().to_str().is_some_and(is_project_id))
        .any(|found| found.path().join(name).is_file())
}

/// The messages of a document as entries.
pub(super) fn lines(bytes: &[u8]) -> Option<DocumentLines> {
    let document = String::from_utf8_lossy(bytes);
    let [messages] = fields(lines::body(&document), &["messages"]).ok()?;
    let lines = elements(messages?)
        .into_iter()
        .map(|message| {
            let [role, content, timestamp] =
                fields_of(Some(message), &["role", "content", "timestamp"]);
            let role = text(role).unwrap_or_default();
            // Entries of lines call an answer so, and these are to read as those.
            let kind = if role == "tool" {
                "tool_result"
            } else {
                &*role
            };
            let said = text(content);
            let said = said.as_deref().or(content.map(Json::get));
            let mut entry = GoObject::new(Escape::Plain);
            entry
                .text("type", kind)
                .text("content", said.unwrap_or_default())
                .text("timestamp", &time(timestamp));
            entry.line()
        })
        .collect();
    Some(DocumentLines {
        lines,
        ..DocumentLines::default()
    })
}

/// A time as it is spelled; Go's zero time if it is none, since celeste passes over an entry
/// with a time that it cannot read.
fn time(value: Option<Json<'_>>) -> String {
    text(value)
        .filter(|text| DateTime::parse_from_rfc3339(text).is_ok())
        .map_or_else(|| ZERO_TIME.to_owned(), Cow::into_owned)
}

/// What a document tells of its session besides its messages.
pub(super) fn facts(path: &Path, bytes: &[u8]) -> Option<SidecarFacts> {
    let stem = stem(path)?;
    let document = String::from_utf8_lossy(bytes);
    let [id, title, created, updated, messages] = fields(
        lines::body(&document),
        &["id", "name", "created_at", "updated_at", "messages"],
    )
    .ok()?;
    // A document without messages is another kind of file.
    messages?;
    Some(SidecarFacts {
        id: owned(id).unwrap_or(stem),
        title: owned(title),
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        ..SidecarFacts::default()
    })
}
