//! A session in one JSON document, as the lines that newer versions would write of it.

use memchr::memmem;

use super::layout::{self, AGENT};
use crate::json::Json;

use crate::agents::dialect::Candidate;
use crate::agents::document::{Document, DocumentLines};
use crate::agents::parts::compact::{compact, object};
use crate::agents::parts::fields::{elements, entries_in, fields, fields_of_start, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::paths;

/// Fields of the document that never change, in the order of a header line.
const HEADER: [&str; 3] = ["sessionId", "projectHash", "startTime"];

/// The messages of a document, as they stand in it; `None` if it is not a whole one.
pub(super) fn document_messages(text: &str) -> Option<Vec<Json<'_>>> {
    let [messages] = fields(body(text), &["messages"]).ok()?;
    let messages = messages?;
    messages.get().starts_with('[').then(|| elements(messages))
}

/// A header, a line for each message, and a `$set` line with all that changes.
pub(super) fn lines(bytes: &[u8]) -> Option<DocumentLines> {
    let text = String::from_utf8_lossy(bytes);
    let messages = document_messages(&text)?;
    let fields: Vec<(String, String)> = entries_in(body(&text))
        .into_iter()
        .filter(|(key, _)| key != "messages")
        .map(|(key, value)| (key, compact(value.get())))
        .collect();
    let find = |key: &str| {
        let (_, value) = fields.iter().rev().find(|(found, _)| found == key)?;
        Some(value.as_str())
    };
    let header = HEADER
        .into_iter()
        .filter_map(|key| Some((key, find(key)?)))
        .chain([("kind", find("kind").unwrap_or("\"main\""))]);
    let mut lines = vec![line(&object(header))];
    lines.extend(messages.iter().map(|message| line(&compact(message.get()))));
    let changing: Vec<(&str, &str)> = fields
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| !HEADER.contains(key) && *key != "kind")
        .collect();
    let trailer = (!changing.is_empty()).then(|| line(&object([("$set", &*object(changing))])));
    let content = DocumentLines {
        lines,
        trailer,
        ..DocumentLines::default()
    };
    // Answers and calls are added to the message that they belong to.
    Some(content)
}

fn line(json: &str) -> Vec<u8> {
    let mut line = json.as_bytes().to_vec();
    line.push(b'\n');
    line
}

/// The session that a file is, if it is a document of Gemini CLI's. `head` is the start of it, as
/// text.
pub(super) fn recognise(candidate: &Candidate<'_>, head: &str) -> Option<Document> {
    let stem = paths::document_stem(candidate.path)?;
    // Gemini CLI goes on with an old session in a file of lines beside its document.
    let yields = candidate.path.with_extension("jsonl").is_file();
    let document_of = |id: String| Document {
        agent: AGENT,
        id,
        yields,
    };
    let chat = || layout::own_chat(candidate.path).map(document_of);
    if head.starts_with('{') && memmem::find(head.as_bytes(), b"\"messages\"").is_some() {
        let [session, project] = fields_of_start(head, &["sessionId", "projectHash"]);
        if let Some(session) = owned(session)
            && (project.is_some() || layout::is_chat(candidate.path, &stem))
        {
            return Some(document_of(session));
        }
    }
    chat()
}
