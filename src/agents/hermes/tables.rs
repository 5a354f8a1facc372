//! Hermes' tables. What it changes in messages later (whether they are in the context still, whether they were
//! compacted) is not read, and of a session nothing of whom it was talked with or who is paid.

use std::path::Path;

use super::reading::{AGENT, Hermes, MESSAGES};
use crate::agents::database::Database;
use crate::agents::parts::rows::{self, Column, Form, Messages, Sessions, Tables};
use crate::model::error::Result;

const TABLES: Tables = Tables {
    agent: AGENT,
    sessions: Sessions {
        table: "sessions",
        id: "id",
        project: Some("cwd"),
        first: &[Column::Plain("source"), Column::Plain("started_at")],
        last: &[
            Column::Plain("title"),
            Column::Plain("display_name"),
            Column::Plain("model"),
            Column::Member("model_config", "_delegate_from"),
            Column::Plain("parent_session_id"),
            Column::Plain("cwd"),
            Column::Plain("git_branch"),
            Column::Plain("ended_at"),
            Column::Plain("end_reason"),
            Column::Plain("archived"),
            Column::Plain("input_tokens"),
            Column::Plain("output_tokens"),
            Column::Plain("cache_read_tokens"),
            Column::Plain("cache_write_tokens"),
            Column::Plain("reasoning_tokens"),
        ],
        beside: &[],
        sums: &[],
    },
    messages: Messages {
        table: MESSAGES,
        session: "session_id",
        order: &["id"],
        form: Form::Row(&[
            Column::Plain("role"),
            Column::Plain("content"),
            Column::Plain("tool_call_id"),
            Column::Json("tool_calls"),
            Column::Plain("tool_name"),
            Column::Plain("timestamp"),
            Column::Plain("finish_reason"),
            Column::Plain("reasoning"),
            Column::Plain("reasoning_content"),
        ]),
        beside: &[],
    },
    format: &Hermes,
};

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn Database>> {
    rows::open(path, &[&TABLES])
}
