//! What the values of a line's fields mean.

use std::borrow::Cow;

use memchr::memmem;

use crate::agents::parts::fields::{self, fields_of, text};
use crate::json::Json;

/// The model of messages that Claude Code made up itself, such as errors.
const NO_MODEL: &str = "<synthetic>";

/// Whether a content holds a tool's answer.
pub(super) fn has_tool_result(content: Option<Json<'_>>) -> bool {
    // Cheap first: most texts do not even hold the word.
    let content = content.filter(|content| {
        let json = content.get();
        json.starts_with('[') && memmem::find(json.as_bytes(), b"tool_result").is_some()
    });
    content.is_some_and(|content| {
        content.elements().any(|block| {
            let [kind] = fields_of(Some(block), &["type"]);
            text(kind).is_some_and(|kind| kind.ends_with("tool_result"))
        })
    })
}

/// The model that wrote a message.
pub(super) fn model_of(model: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    fields::text_filled(model).filter(|model| model != NO_MODEL)
}
