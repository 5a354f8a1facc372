//! Crush's tables. Which folder a session works in stands in none of them: it is the one that the database
//! lies in.

use std::path::Path;

use super::reading::{AGENT, Crush, MESSAGES};
use crate::agents::database::Database;
use crate::agents::parts::rows::{self, Column, Form, Messages, Sessions, Tables};
use crate::model::error::Result;

const TABLES: Tables = Tables {
    agent: AGENT,
    sessions: Sessions {
        table: "sessions",
        id: "id",
        project: None,
        first: &[Column::Plain("created_at")],
        last: &[
            Column::Plain("title"),
            Column::Plain("parent_session_id"),
            Column::Plain("prompt_tokens"),
            Column::Plain("completion_tokens"),
            Column::Plain("cost"),
            Column::Plain("updated_at"),
        ],
        beside: &[],
        sums: &[],
    },
    messages: Messages {
        table: MESSAGES,
        session: "session_id",
        order: &["created_at", "id"],
        form: Form::Row(&[
            Column::Plain("id"),
            Column::Plain("role"),
            Column::Json("parts"),
            Column::Plain("model"),
            Column::Plain("provider"),
            Column::Plain("created_at"),
            Column::Plain("is_summary_message"),
        ]),
        beside: &[],
    },
    format: &Crush,
};

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn Database>> {
    let project = path
        .ancestors()
        .nth(2)
        .map(|folder| folder.display().to_string());
    rows::open_in(
        path,
        &[&TABLES],
        project.filter(|folder| !folder.is_empty()),
    )
}
