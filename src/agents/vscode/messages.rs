//! The lines that are made of a chat.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{fields_of, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// What a line says and tells.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let [
        kind,
        id,
        role,
        time,
        model,
        content,
        title,
        created,
        updated,
    ] = fields_of(
        Some(object),
        &[
            "chat", "id", "role", "time", "model", "content", "title", "created", "updated",
        ],
    );
    let mut reading = Reading::of(RecordKind::Unknown);
    let facts = &mut reading.facts;
    match text(kind).as_deref() {
        Some("session") => facts.created_us = times::time_us(created),
        Some("state") => {
            facts.updated_us = times::time_us(updated);
            facts.title = titles::latest(text(title), titles::CHOSEN);
        }
        Some("message") => {
            let role = Role::from_word(&text(role).unwrap_or_default());
            facts.record_id = text_filled(id);
            facts.model = text_filled(model);
            facts.title = titles::of_message(role, content, titles::any);
            reading.role = Some(role);
            reading.time_us = times::time_us(time);
            reading.kind = RecordKind::Message;
            return reading;
        }
        _ => return reading,
    }
    reading.kind = RecordKind::Meta;
    reading
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let [id, role, time, model, content] =
        fields_of(Some(object), &["id", "role", "time", "model", "content"]);
    Message {
        id: owned(id),
        content: blocks::content(content),
        time: times::time(time),
        model: owned(model),
        ..Message::new(Role::from_word(&text(role).unwrap_or_default()))
    }
}
