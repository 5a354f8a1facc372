//! A thread: one document, with the messages and what is known of it.

use memchr::memmem;

use crate::agents::dialect::Candidate;
use crate::agents::document::Document;
use crate::agents::parts::documents::Shape;
use crate::agents::parts::fields::{fields_of_start, owned};
use crate::agents::parts::paths;

/// The agent's name.
pub(super) const AGENT: &str = "amp";

/// The member that holds the messages.
pub(super) const MESSAGES: &str = "messages";

/// What threads' names and ids begin with.
const THREAD: &str = "T-";

/// The folders that threads are kept in.
const OWN: [&str; 2] = ["amp", "threads"];

/// What it looks like. Traces are about the program.
pub(super) const SHAPE: Shape = Shape {
    agent: AGENT,
    messages: MESSAGES,
    kind: MESSAGES,
    id: "id",
    first: &["created"],
    left_out: &["meta"],
};

/// The session that a file is: by its place, whatever is in it, or by such an id in it and such a name.
pub(super) fn recognise(candidate: &Candidate<'_>, head: &str) -> Option<Document> {
    let stem = paths::document_stem(candidate.path).filter(|stem| stem.starts_with(THREAD))?;
    let names = paths::names(candidate.path);
    let is_own = matches!(paths::below(&names, &OWN), Some([_]));
    if is_own && !head.starts_with('[') {
        return Some(Document::new(AGENT, stem));
    }
    if !head.starts_with('{') {
        return None;
    }
    memmem::find(head.as_bytes(), b"\"messages\"")?;
    let [id] = fields_of_start(head, &["id"]);
    let id = owned(id).filter(|id| id.starts_with(THREAD))?;
    Some(Document::new(AGENT, id))
}
