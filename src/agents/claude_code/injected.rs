//! What stands in the user's name and was put in by Claude Code: by its own mark, and where it has none
//! by what a text begins with.

use crate::json::Json;

use crate::agents::parts::fields::{fields_of, text};
use crate::agents::parts::injected::PutIn;
use crate::model::message::{Message, Role};

/// What is put in, in tags.
const TAGS: &[&str] = &[
    "system-reminder",
    "task-notification",
    "teammate-message",
    "local-command-stdout",
    "local-command-stderr",
    "local-command-caveat",
    "bash-stdout",
    "bash-stderr",
    "user-prompt-submit-hook",
    "session-start-hook",
    "persisted-output",
    "ide_opened_file",
    "ide_selection",
];

/// What is put in begins so.
const STARTS: &[&str] = &[
    "Caveat: The messages below",
    "[Request interrupted",
    "[Image: source",
    "This session is being continued from a previous conversation",
];

const PUT_IN: PutIn = PutIn {
    tags: TAGS,
    starts: STARTS,
};

/// Whether the message of a line of the user's was put in: as [`is_injected`], before it is read.
pub(super) fn is_injected_line(content: Option<Json<'_>>, origin: Option<Json<'_>>) -> bool {
    let [kind] = fields_of(origin, &["kind"]);
    if let Some(kind) = text(kind) {
        return kind != "human";
    }
    PUT_IN.is_content(content)
}

/// Whether a message was put in: `origin` is the agent's own mark.
pub(super) fn is_injected(message: &Message, origin: Option<Json<'_>>) -> bool {
    if message.role != Role::User {
        return false;
    }
    let [origin] = fields_of(origin, &["kind"]);
    if let Some(origin) = text(origin) {
        return origin != "human";
    }
    PUT_IN.is_message(message)
}
