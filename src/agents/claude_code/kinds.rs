//! The kinds of lines that Claude Code writes besides messages, and what those about a session tell.

use crate::agents::described::Facts;
use crate::agents::parts::fields::{self, fields_of};
use crate::agents::parts::lines::Reading;
use crate::json::Json;
use crate::model::record::RecordKind;

use super::title;

/// Kinds of lines that are neither messages nor about the session as a whole.
pub(super) const EVENTS: [&str; 46] = [
    "system",
    "progress",
    "attachment",
    "last-prompt",
    "file-history-snapshot",
    "file-history-delta",
    "permission-mode",
    "mode",
    "queue-operation",
    "pr-link",
    "bridge-session",
    "agent-name",
    "frame-link",
    "user",
    "assistant",
    "version",
    "human",
    "message",
    "tool-use",
    "tool-result",
    "snapshot",
    "task-summary",
    "agent-color",
    "agent-setting",
    "tag",
    "cost-state",
    "continued-in",
    "repl-mode",
    "memory-mode",
    "session-owner",
    "hybrid-organization",
    "isolation-latch",
    "atis-latch",
    "dev-mods",
    "tools-used",
    "data-flow-records",
    "data-flow-incomplete",
    "content-replacement",
    "history-suppression",
    "fork-context-ref",
    "observer-ref",
    "worktree-state",
    "resume-head-vouch",
    "line-withheld",
    "artifact-comment-monitor",
    "artifact-autoreact-ledger",
];

/// Kinds of lines that lead to another folder or another session.
const LINKS: [&str; 2] = ["relocated", "derived-from"];

/// Kinds that no other agent is known to write: one such line tells the format.
pub(super) const UNMISTAKABLE: [&str; 13] = [
    "file-history-snapshot",
    "file-history-delta",
    "permission-mode",
    "custom-title",
    "ai-title",
    "last-prompt",
    "queue-operation",
    "pr-link",
    "bridge-session",
    "agent-name",
    "cost-state",
    "relocated",
    "continued-in",
];

/// What a line that says nothing tells of the session as a whole.
pub(super) fn about_session<'a>(
    kind: &str,
    object: Json<'a>,
    session: Option<Json<'a>>,
    reading: &mut Reading<'a>,
) {
    if title::KINDS.contains(&kind) {
        reading.kind = RecordKind::Meta;
        reading.facts.title = title::given(kind, object, session);
    } else if LINKS.contains(&kind) {
        reading.kind = RecordKind::Meta;
        link(object, &mut reading.facts);
    } else if kind == "last-prompt" {
        // Written again with every prompt: an event, and its text a title only where there is no
        // better one.
        reading.facts.title = title::last_prompt(object);
    } else if !EVENTS.contains(&kind) {
        reading.kind = RecordKind::Unknown;
    }
}

/// What lines of [`LINKS`] tell: where the session goes on working, and which ones it came from.
fn link<'a>(object: Json<'a>, facts: &mut Facts<'a>) {
    let [folder, sessions] = fields_of(Some(object), &["relocatedCwd", "sessions"]);
    if let Some(folder) = fields::text_filled(folder) {
        (facts.project, facts.moved) = (Some(folder), true);
    }
    let first = sessions.and_then(|sessions| sessions.elements().next());
    facts.parent = fields::text_filled(first);
}
