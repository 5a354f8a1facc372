//! A session of Cline's command line: one document with its messages.

use super::layout::{self, AGENT};
use super::talk::MESSAGES;
use crate::agents::dialect::Candidate;
use crate::agents::document::Document;
use crate::agents::parts::documents::Shape;

/// What it looks like. What the model was told about itself is no part of the talk.
pub(super) const SHAPE: Shape = Shape {
    agent: AGENT,
    messages: MESSAGES,
    kind: MESSAGES,
    id: "sessionId",
    first: &["agent", "origin"],
    left_out: &["system_prompt"],
};

/// The session that a file is, by its place.
pub(super) fn document(candidate: &Candidate<'_>, head: &str) -> Option<Document> {
    let (_, session) = layout::messages_of(candidate.path)?;
    let is_object = head.is_empty() || head.starts_with('{');
    is_object.then(|| Document::new(AGENT, session))
}
