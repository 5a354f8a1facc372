//! `OpenClaw`'s tables: a window is a session, its events are pi's lines, as text or packed. Of what stands about a
//! session under its key only names and times are read: not whom it was talked with.

use std::path::Path;

use super::reading::{AGENT, OpenClaw};
use crate::agents::database::Database;
use crate::agents::parts::rows::{self, Beside, Column, Form, Messages, Sessions, Tables};
use crate::model::error::Result;

const TABLES: Tables = Tables {
    agent: AGENT,
    sessions: Sessions {
        table: "session_windows",
        id: "session_id",
        project: None,
        first: &[Column::Plain("created_at")],
        last: &[
            Column::Plain("session_key"),
            Column::Plain("previous_session_id"),
            Column::Plain("reason"),
            Column::Plain("updated_at"),
            Column::Plain("ended_at"),
            Column::Plain("model"),
            Column::Plain("display_name"),
        ],
        beside: &[Beside::Rows {
            table: "session_nodes",
            of: ("session_key", "session_key"),
            order: &[],
            columns: &[
                Column::Plain("label"),
                Column::Plain("display_name"),
                Column::Plain("archived_at"),
                Column::Plain("fork_source_session_id"),
            ],
        }],
        sums: &[],
    },
    messages: Messages {
        table: "transcript_events",
        session: "session_id",
        order: &["seq"],
        form: Form::Line {
            text: "event_json",
            packed: "event_zstd",
        },
        beside: &[],
    },
    format: &OpenClaw,
};

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn Database>> {
    rows::open(path, &[&TABLES])
}
