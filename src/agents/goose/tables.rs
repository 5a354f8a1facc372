//! goose's tables, versions 1 to 17 of its schema. Of a message's metadata only whether the user sees it is
//! read: whether the model sees it changes with each compaction. The ids and times of rows are not read, since
//! a compaction writes all of a session's rows anew.

use std::path::Path;

use super::reading::{AGENT, Goose, MESSAGES};
use crate::agents::database::Database;
use crate::agents::parts::rows::{self, Column, Form, Messages, Sessions, Sums, Tables};
use crate::model::error::Result;

const TABLES: Tables = Tables {
    agent: AGENT,
    sessions: Sessions {
        table: "sessions",
        id: "id",
        project: Some("working_dir"),
        first: &[Column::Plain("created_at")],
        last: &[
            Column::Plain("name"),
            Column::Plain("description"),
            Column::Plain("user_set_name"),
            Column::Plain("session_type"),
            Column::Plain("working_dir"),
            Column::Plain("updated_at"),
            Column::Plain("archived_at"),
            Column::Plain("parent_session_id"),
            Column::Plain("provider_name"),
            Column::Member("model_config_json", "model_name"),
            Column::Plain("input_tokens"),
            Column::Plain("output_tokens"),
            Column::Plain("accumulated_input_tokens"),
            Column::Plain("accumulated_output_tokens"),
            Column::Plain("accumulated_cache_read_tokens"),
            Column::Plain("accumulated_cache_write_tokens"),
            Column::Plain("accumulated_cost"),
        ],
        beside: &[],
        sums: &[Sums {
            table: "usage_ledger",
            session: "session_id",
            by: "model",
            columns: &[
                "input_tokens",
                "output_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
            ],
        }],
    },
    messages: Messages {
        table: MESSAGES,
        session: "session_id",
        order: &["id"],
        form: Form::Row(&[
            Column::Plain("message_id"),
            Column::Plain("role"),
            Column::Json("content_json"),
            Column::Plain("created_timestamp"),
            Column::Member("metadata_json", "userVisible"),
        ]),
        beside: &[],
    },
    format: &Goose,
};

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn Database>> {
    rows::open(path, &[&TABLES])
}
