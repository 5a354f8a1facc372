//! What `OpenClaw`'s lines say: pi's lines, and what the database says of a session.

use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::fields::{elements, fields_of, text, text_filled};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{times, titles};
use crate::agents::pi::Pi;
use crate::json::Json;
use crate::model::message::Message;
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "openclaw";

/// The type of an entry about a tool that another tool called.
const NESTED: &str = "openclaw.nested-tool";

/// `OpenClaw`'s sessions.
#[derive(Debug)]
pub(crate) struct OpenClaw;

impl Format for OpenClaw {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        if let Some(entry) = entries::of(AGENT, object) {
            return if entry.kind == SESSION {
                session(entry.entry)
            } else {
                Reading::of(RecordKind::Event)
            };
        }
        let reading = Pi.read(object);
        let [kind, message] = fields_of(Some(object), &["type", "message"]);
        // A tool that another tool called: what it answers is in the answer of that one.
        let [own] = fields_of(message, &["customType"]);
        if text(own).is_some_and(|own| own.starts_with(NESTED)) {
            return Reading::of(RecordKind::Event);
        }
        // A talk that begins anew in the same window.
        let is_reset = text(kind).as_deref() == Some("reset");
        if reading.kind == RecordKind::Unknown && is_reset {
            return Reading {
                kind: RecordKind::Event,
                ..reading
            };
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        Pi.message(object)
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        match entries::of(AGENT, object) {
            Some(_) => None,
            None => Pi.about(object),
        }
    }
}

/// What is said of a session.
fn session(row: Json<'_>) -> Reading<'_> {
    let [created, updated, before, model, own_name, nodes] = fields_of(
        Some(row),
        &[
            "created_at",
            "updated_at",
            "previous_session_id",
            "model",
            "display_name",
            "session_nodes",
        ],
    );
    let node = nodes.and_then(|nodes| elements(nodes).into_iter().next());
    let [label, shown, archived, forked] = fields_of(
        node,
        &[
            "label",
            "display_name",
            "archived_at",
            "fork_source_session_id",
        ],
    );
    let title = [label, shown, own_name].into_iter().find_map(text_filled);
    Reading::meta(Facts {
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        title: titles::latest(title, titles::GENERATED),
        model: text_filled(model),
        parent: text_filled(before).or_else(|| text_filled(forked)),
        // The first line holds what never changes: only the last one tells.
        archived: created.is_none().then(|| archived.is_some()),
        ..Facts::default()
    })
}
