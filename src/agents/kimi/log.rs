//! `wire.jsonl` of Kimi CLI: a log of what its session did, beside the messages that the model sees. It has what these
//! have not: times, and what each call took.

use crate::agents::parts::fields::{fields, fields_of, text};
use crate::agents::parts::lines::body;
use crate::agents::parts::{times, tokens};
use crate::agents::state::SidecarFacts;
use crate::model::message::Usage;

/// How the parts of a call's count are called.
const COUNTS: [&str; 4] = [
    "input_other",
    "output",
    "input_cache_read",
    "input_cache_creation",
];

/// What it tells of a session. What its sub-agents did stands in their own logs.
pub(super) fn facts(id: String, bytes: &[u8]) -> SidecarFacts {
    let mut facts = SidecarFacts {
        id,
        ..SidecarFacts::default()
    };
    let content = String::from_utf8_lossy(bytes);
    for line in content.lines() {
        let Ok([time, message]) = fields(body(line), &["timestamp", "message"]) else {
            continue;
        };
        let time = times::time_us(time);
        facts.created_us = facts.created_us.or(time);
        facts.updated_us = facts.updated_us.max(time);
        let [kind, payload] = fields_of(message, &["type", "payload"]);
        if text(kind).as_deref() != Some("StatusUpdate") {
            continue;
        }
        let [call] = fields_of(payload, &["token_usage"]);
        if let Some(call) = tokens::named(call, &COUNTS) {
            *facts.usage.get_or_insert(Usage::default()) += call;
        }
    }
    facts
}
