//! Documents of agents that have no format here: they are kept whole under the agent's name, and
//! nothing in them is read.

use memchr::memmem;

use crate::agents::dialect::Candidate;
use crate::agents::document::Document;
use crate::agents::parts::fields::{fields_of_start, owned};
use crate::agents::parts::paths;

/// Amp's threads: `T-<id>.json`, with the same id in them.
const THREAD: &str = "T-";

/// The session that a file is, if it is such a document. `head` is the start of it, as text.
pub(super) fn recognise(candidate: &Candidate<'_>, head: &str) -> Option<Document> {
    let stem = paths::document_stem(candidate.path)?;
    if !stem.starts_with(THREAD) || !head.starts_with('{') {
        return None;
    }
    memmem::find(head.as_bytes(), b"\"messages\"")?;
    let [id] = fields_of_start(head, &["id"]);
    let id = owned(id).filter(|id| id.starts_with(THREAD))?;
    Some(Document {
        agent: "amp",
        id,
        yields: false,
    })
}
