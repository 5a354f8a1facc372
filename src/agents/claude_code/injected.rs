//! What stands in the user's name and was put in by Claude Code: by its own mark, and where it has none
//! by what a text begins with.

use crate::json::Json;

use crate::agents::parts::fields::{fields_of, text};
use crate::agents::parts::injected::is_put_in;
use crate::model::message::{Block, Message, Role};

/// What is put in, in tags.
const TAGS: [&str; 13] = [
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
const STARTS: [&str; 4] = [
    "Caveat: The messages below",
    "[Request interrupted",
    "[Image: source",
    "This session is being continued from a previous conversation",
];

/// Whether the message of a line of the user's was put in: as [`is_injected`], before it is read.
pub(super) fn is_injected_line(content: Option<Json<'_>>, origin: Option<Json<'_>>) -> bool {
    let [kind] = fields_of(origin, &["kind"]);
    if let Some(kind) = text(kind) {
        return kind != "human";
    }
    let Some(content) = content else {
        return false;
    };
    if let Some(said) = text(Some(content)) {
        return is_put_in(&said, &TAGS, &STARTS);
    }
    let mut blocks = content.elements().peekable();
    blocks.peek().is_some()
        && blocks.all(|block| {
            let [kind, said] = fields_of(Some(block), &["type", "text"]);
            text(kind).as_deref() == Some("text")
                && text(said).is_some_and(|said| is_put_in(&said, &TAGS, &STARTS))
        })
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
    let mut texts = message.content.iter().peekable();
    texts.peek().is_some()
        && texts.all(|block| match block {
            Block::Text { text } => is_put_in(text, &TAGS, &STARTS),
            _ => false,
        })
}
