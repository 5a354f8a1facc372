//! The tables of `llm`: conversations with their responses, and threads with their turns. A turn leads to its
//! last message, and each message to the one before it: what a turn added are those behind the last of the turn
//! before. (What the row calls its parent is the last message that was sent, which is part of the turn.)

use std::path::Path;

use super::reading::{AGENT, RESPONSES, SimonwLlm, TURNS};
use crate::agents::database::Database;
use crate::agents::parts::rows::{self, Beside, Chain, Column, Form, Messages, Sessions, Tables};
use crate::model::error::Result;

/// Conversations, as they were kept first.
const CONVERSATIONS: Tables = Tables {
    agent: AGENT,
    sessions: Sessions {
        table: "conversations",
        id: "id",
        project: None,
        first: &[Column::Plain("name"), Column::Plain("model")],
        last: &[],
        beside: &[],
        sums: &[],
    },
    messages: Messages {
        table: RESPONSES,
        session: "conversation_id",
        order: &["id"],
        form: Form::Row(&[
            Column::Plain("id"),
            Column::Plain("model"),
            Column::Plain("resolved_model"),
            Column::Plain("system"),
            Column::Plain("prompt"),
            Column::Plain("response"),
            Column::Plain("reasoning"),
            Column::Plain("datetime_utc"),
            Column::Plain("input_tokens"),
            Column::Plain("output_tokens"),
        ]),
        beside: &[
            Beside::Rows {
                table: "tool_results",
                of: ("response_id", "id"),
                order: &["id"],
                columns: &[
                    Column::Plain("name"),
                    Column::Plain("output"),
                    Column::Plain("tool_call_id"),
                    Column::Plain("exception"),
                ],
            },
            Beside::Rows {
                table: "tool_calls",
                of: ("response_id", "id"),
                order: &["id"],
                columns: &[
                    Column::Plain("name"),
                    Column::Plain("arguments"),
                    Column::Plain("tool_call_id"),
                ],
            },
        ],
    },
    format: &SimonwLlm,
};

/// Threads, as they are kept now.
const THREADS: Tables = Tables {
    agent: AGENT,
    sessions: Sessions {
        table: "threads",
        id: "id",
        project: None,
        first: &[Column::Plain("datetime_utc")],
        last: &[Column::Plain("name"), Column::Plain("forked_from")],
        beside: &[],
        sums: &[],
    },
    messages: Messages {
        table: TURNS,
        session: "thread_id",
        order: &["id"],
        form: Form::Row(&[
            Column::Plain("id"),
            Column::Plain("model"),
            Column::Plain("resolved_model"),
            Column::Plain("datetime_utc"),
            Column::Plain("input_tokens"),
            Column::Plain("output_tokens"),
        ]),
        beside: &[Beside::Chain(Chain {
            links: ("messages", "hash", "parent_hash"),
            from: (TURNS, "thread_id", "tip_message_hash"),
            column: "role",
            table: "parts",
            of: "message_hash",
            order: &["position"],
            columns: &[
                Column::Plain("type"),
                Column::Plain("tool_name"),
                Column::Plain("text"),
                Column::Json("payload"),
            ],
        })],
    },
    format: &SimonwLlm,
};

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn Database>> {
    rows::open(path, &[&THREADS, &CONVERSATIONS])
}
