//! What native lines are made of, by name.

/// The version of lines that this crate writes and reads.
pub(super) const VERSION: &str = "1";

/// The fields of a `session` line.
pub(super) const SESSION_FIELDS: [&str; 12] = [
    "scrollback",
    "type",
    "id",
    "agent",
    "title",
    "project",
    "model",
    "parent",
    "forked",
    "created_at",
    "updated_at",
    "extra",
];

/// The fields of a `message` line.
pub(super) const MESSAGE_FIELDS: [&str; 13] = [
    "scrollback",
    "type",
    "id",
    "parent_id",
    "role",
    "content",
    "time",
    "model",
    "usage",
    "answer_id",
    "agent_id",
    "injected",
    "extra",
];
