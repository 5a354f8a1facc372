//! The lines that `droid exec -o stream-json` prints, where somebody has saved them: in shapes that the
//! fallback reads, each with the session's id.

use crate::agents::fallback::Fallback;
use crate::agents::parts::fields::{fields_of, text, text_filled};
use crate::agents::parts::heads::HeadLine;
use crate::agents::parts::lines::{Format as _, Reading};
use crate::json::Json;
use crate::model::message::Message;
use crate::model::record::RecordKind;

/// Whether a line, perhaps cut off, is one that no other program prints.
pub(super) fn is_line(kind: &str, line: &HeadLine<'_>) -> bool {
    let [session, said, name, input] =
        line.fields(&["session_id", "finalText", "toolName", "parameters"]);
    let is_its = match kind {
        "completion" => said.is_some(),
        "tool_call" => name.is_some() && input.is_some(),
        _ => false,
    };
    is_its && text(session).is_some()
}

/// Whether an object is such a line, and not one of a session's file.
pub(super) fn is_streamed(object: Json<'_>) -> bool {
    let [session, message] = fields_of(Some(object), &["session_id", "message"]);
    text_filled(session).is_some() && message.is_none()
}

/// What a line says.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let mut reading = Fallback.read(object);
    let [kind, model, cwd] = fields_of(Some(object), &["type", "model", "cwd"]);
    match text(kind).as_deref() {
        _ if reading.kind == RecordKind::Message => {}
        Some("system") => {
            reading.kind = RecordKind::Meta;
            reading.facts.model = text_filled(model);
            reading.facts.project = text_filled(cwd);
        }
        // It repeats the last answer.
        Some("completion" | "error") => reading.kind = RecordKind::Event,
        _ => {}
    }
    reading
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    Fallback.message(object)
}
