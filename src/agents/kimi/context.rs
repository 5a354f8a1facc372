//! The lines of Kimi CLI 1: messages as the model sees them, in a common shape that the fallback reads, and
//! notes under roles of their own.

use crate::agents::fallback::Fallback;
use crate::agents::parts::fields::{elements, fields_of, text};
use crate::agents::parts::lines::{Format as _, Reading};
use crate::json::Json;
use crate::model::links::{Links, Place};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// The roles of notes.
pub(super) const NOTES: [&str; 3] = ["_checkpoint", "_usage", "_system_prompt"];

/// How what the program says in the person's name begins: its summary of what was said before, its marks.
const PUT_IN: [&str; 2] = ["<system>", "<system-reminder>"];

/// Whether the program wrote what stands in the person's name, as the first text in it tells.
fn is_put_in(object: Json<'_>) -> bool {
    let [content] = fields_of(Some(object), &["content"]);
    let first = content.map(|content| {
        let [block] = fields_of(elements(content).first().copied(), &["text"]);
        text(block.or(Some(content)))
    });
    first
        .flatten()
        .is_some_and(|text| PUT_IN.iter().any(|tag| text.trim_start().starts_with(tag)))
}

/// What a line says.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let mut reading = Fallback.read(object);
    if reading.kind == RecordKind::Message && reading.role == Some(Role::User) {
        if is_put_in(object) {
            reading.facts.title = None;
        } else {
            reading.facts.links = Links {
                place: Place::Asked,
                ..Links::default()
            };
        }
    }
    reading
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let mut message = Fallback.message(object);
    message.injected |= message.role == Role::User && is_put_in(object);
    message
}
