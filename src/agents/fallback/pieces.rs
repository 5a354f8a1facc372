//! The pieces of a content: blocks as most agents write them, Gemini's `parts`, the parts of a chat in
//! a page, and goose's requests and responses.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{elements, fields_of, is_true, owned, text};
use crate::json::Json;
use crate::model::message::Block;
use crate::model::raw_json::RawJson;

/// The blocks of a content.
pub(super) fn blocks(content: Option<Json<'_>>) -> Vec<Block> {
    let Some(list) = content.filter(|content| content.get().starts_with('[')) else {
        return blocks::content(content);
    };
    let mut found = Vec::new();
    for piece in elements(list) {
        if !special(piece, &mut found) {
            found.extend(blocks::content(Some(piece)));
        }
    }
    found
}

/// Whether a content is answers of tools, in a spelling of its own, and nothing else.
pub(super) fn are_answers(content: Json<'_>) -> bool {
    let mut pieces = content.elements().peekable();
    pieces.peek().is_some()
        && pieces.all(|piece| {
            let [kind, response] = fields_of(Some(piece), &["type", "functionResponse"]);
            response.is_some() || text(kind).as_deref() == Some("toolResponse")
        })
}

/// Adds what a piece of a special shape says; returns whether it is one.
fn special(piece: Json<'_>, found: &mut Vec<Block>) -> bool {
    let [kind, said, thought, call, response, data] = fields_of(
        Some(piece),
        &[
            "type",
            "text",
            "thought",
            "functionCall",
            "functionResponse",
            "inlineData",
        ],
    );
    let kind = text(kind);
    if let Some(call) = call {
        let [id, name, input] = fields_of(Some(call), &["id", "name", "args"]);
        found.push(Block::ToolUse {
            id: owned(id),
            name: owned(name).unwrap_or_default(),
            input: input.map(RawJson::trusted),
        });
    } else if let Some(response) = response {
        let [id, name, answer] = fields_of(Some(response), &["id", "name", "response"]);
        let [output, error] = fields_of(answer, &["output", "error"]);
        let answer = output.or(error).or(answer);
        let is_error = output.is_none() && error.is_some();
        found.push(blocks::result(owned(id), owned(name), answer, is_error));
    } else if let Some(data) = data {
        let [media_type, data] = fields_of(Some(data), &["mimeType", "data"]);
        found.push(Block::Image {
            media_type: owned(media_type),
            data: owned(data),
            url: None,
        });
    } else if is_true(thought) {
        found.push(Block::Thinking {
            text: owned(said).unwrap_or_default(),
            signature: None,
        });
    } else {
        return by_kind(kind.as_deref().unwrap_or_default(), piece, found);
    }
    true
}

/// The same of pieces that a `type` tells.
fn by_kind(kind: &str, piece: Json<'_>, found: &mut Vec<Block>) -> bool {
    match kind {
        "toolRequest" => {
            let [id, call] = fields_of(Some(piece), &["id", "toolCall"]);
            let [value] = fields_of(call, &["value"]);
            let [name, input] = fields_of(value.or(call), &["name", "arguments"]);
            found.push(Block::ToolUse {
                id: owned(id),
                name: owned(name).unwrap_or_default(),
                input: input.map(blocks::arguments),
            });
        }
        "toolResponse" => {
            let [id, result] = fields_of(Some(piece), &["id", "toolResult"]);
            let [value, error] = fields_of(result, &["value", "error"]);
            let [content] = fields_of(value, &["content"]);
            let answer = error.or(content).or(value).or(result);
            found.push(blocks::result(owned(id), None, answer, error.is_some()));
        }
        "dynamic-tool" => {
            let [id, name, input, output, error] = fields_of(
                Some(piece),
                &["toolCallId", "toolName", "input", "output", "errorText"],
            );
            let (id, name) = (owned(id), owned(name));
            found.push(Block::ToolUse {
                id: id.clone(),
                name: name.clone().unwrap_or_default(),
                input: input.map(blocks::arguments),
            });
            if output.or(error).is_some() {
                found.push(blocks::result(id, name, output.or(error), output.is_none()));
            }
        }
        _ => return false,
    }
    true
}
