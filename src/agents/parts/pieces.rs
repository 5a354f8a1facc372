//! The pieces of a content: blocks as most agents write them, Gemini's `parts`, the parts of a chat in
//! a page, goose's requests and responses, and calls in `OpenAI`'s form.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{elements, fields_of, is_true, owned, text};
use crate::json::Json;
use crate::model::message::{Block, Role};

/// The blocks of a content.
pub(crate) fn blocks(content: Option<Json<'_>>) -> Vec<Block> {
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
pub(crate) fn are_answers(content: Json<'_>) -> bool {
    let mut pieces = content.elements().peekable();
    pieces.peek().is_some()
        && pieces.all(|piece| {
            let [kind, response] = fields_of(Some(piece), &["type", "functionResponse"]);
            let kind = text(kind);
            let is_answer = matches!(
                kind.as_deref(),
                Some("toolResponse" | "tool_result" | "tool-result")
            );
            response.is_some() || is_answer
        })
}

/// Who speaks: what stands in the user's name and is nothing but answers of tools is theirs.
pub(crate) fn speaker(role: &str, content: Option<Json<'_>>) -> Role {
    match Role::from_word(role) {
        Role::User if content.is_some_and(are_answers) => Role::Tool,
        role => role,
    }
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
        found.push(blocks::call(id, name, input));
    } else if let Some(response) = response {
        let [id, name, answer] = fields_of(Some(response), &["id", "name", "response"]);
        let [output, error] = fields_of(answer, &["output", "error"]);
        let answer = output.or(error).or(answer);
        // With an output beside it the call has not failed.
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
        found.push(blocks::thought(owned(said).unwrap_or_default()));
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
            found.push(blocks::call(id, name, input));
        }
        "toolResponse" => {
            let [id, result] = fields_of(Some(piece), &["id", "toolResult"]);
            let [value, error] = fields_of(result, &["value", "error"]);
            let [content] = fields_of(value, &["content"]);
            let answer = error.or(content).or(value).or(result);
            found.push(blocks::result(owned(id), None, answer, error.is_some()));
        }
        "tool-result" => {
            let [id, name, output, result] =
                fields_of(Some(piece), &["toolCallId", "toolName", "output", "result"]);
            // Newer versions say of what kind the value is.
            let [sort, value] = fields_of(output, &["type", "value"]);
            let sort = text(sort);
            let is_error = sort
                .as_deref()
                .is_some_and(|sort| sort.starts_with("error"));
            let answer = value.filter(|_| sort.is_some()).or(output).or(result);
            found.push(blocks::result(owned(id), owned(name), answer, is_error));
        }
        "dynamic-tool" => call_and_answer(piece, None, found),
        _ => {
            let [id] = fields_of(Some(piece), &["toolCallId"]);
            let Some(name) = kind.strip_prefix("tool-").filter(|_| id.is_some()) else {
                return false;
            };
            // A part of a chat in a page has the tool's name in its type.
            let name = (name != "call").then_some(name);
            call_and_answer(piece, name, found);
        }
    }
    true
}

/// A call, and what came of it if that stands with it.
fn call_and_answer(piece: Json<'_>, named: Option<&str>, found: &mut Vec<Block>) {
    let [id, name, input, args, output, error] = fields_of(
        Some(piece),
        &[
            "toolCallId",
            "toolName",
            "input",
            "args",
            "output",
            "errorText",
        ],
    );
    let (id, name) = (owned(id), owned(name).or(named.map(str::to_owned)));
    found.push(Block::ToolUse {
        id: id.clone(),
        name: name.clone().unwrap_or_default(),
        input: input.or(args).map(blocks::arguments),
    });
    if output.or(error).is_some() {
        found.push(blocks::result(id, name, output.or(error), output.is_none()));
    }
}

/// A call as it stands in a list beside the content: with its name and arguments in a `function`, or without.
pub(crate) fn call(call: Json<'_>) -> Block {
    let [id, snake_id, camel_id, function, name, arguments, args] = fields_of(
        Some(call),
        &[
            "id",
            "tool_call_id",
            "toolCallId",
            "function",
            "name",
            "arguments",
            "args",
        ],
    );
    let [inner_name, inner_arguments] = fields_of(function, &["name", "arguments"]);
    // What names the call alone goes before what may name the object that it stands in.
    let first = |told: &[Option<Json<'_>>]| told.iter().copied().find_map(owned);
    Block::ToolUse {
        id: first(&[camel_id, snake_id, id]),
        name: first(&[inner_name, name]).unwrap_or_default(),
        input: inner_arguments
            .or(arguments)
            .or(args)
            .map(blocks::arguments),
    }
}
