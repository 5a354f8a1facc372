//! The lines of Kimi CLI 1: messages as the model sees them, in a common shape that the fallback reads, and
//! notes under roles of their own.

use crate::agents::fallback::Fallback;
use crate::agents::parts::lines::{Format as _, Reading};
use crate::json::Json;
use crate::model::links::{Links, Place};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// The roles of notes.
pub(super) const NOTES: [&str; 3] = ["_checkpoint", "_usage", "_system_prompt"];

/// What a line says.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let mut reading = Fallback.read(object);
    if reading.kind == RecordKind::Message && reading.role == Some(Role::User) {
        reading.facts.links = Links {
            place: Place::Asked,
            ..Links::default()
        };
    }
    reading
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    Fallback.message(object)
}
