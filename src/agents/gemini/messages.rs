//! The messages of Gemini CLI: those of its documents and lines, and those of agentx's sample
//! homes, which name an `author`.

use std::borrow::Cow;

use crate::json::Json;

use crate::agents::described::{Facts, TitleOffer};
use crate::agents::parts::blocks as shapes;
use crate::agents::parts::fields::{
    count, elements, fields_of, is_true, named_fields, owned, text, text_filled,
};
use crate::agents::parts::injected::PutIn;
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles};
use crate::model::links::{Act, Answer, Links, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;

/// What a user's message starts with when it says nothing of what the user asked for.
const NOT_WRITTEN: [&str; 4] = [
    "<session_context>",
    "<hook_context>",
    // Commands of the program.
    "/",
    "?",
];

/// What Gemini CLI puts into the user's name.
const PUT_IN: PutIn = PutIn {
    tags: &["session_context", "hook_context"],
    // What it sends itself where a model has stopped without an answer (seen in a real file).
    starts: &["System: Please continue."],
};

/// States of a call that has no answer because it failed.
const FAILED: [&str; 2] = ["error", "cancelled"];

named_fields! {
    /// The fields of a message.
    Fields {
        author: "author",
        kind: "type",
        id: "id",
        timestamp: "timestamp",
        content: "content",
        model: "model",
        calls: "toolCalls",
        thoughts: "thoughts",
        tokens: "tokens",
    }
}

/// What a message's object says; `None` if it is none.
pub(super) fn read(object: Json<'_>) -> Option<Reading<'_>> {
    let fields = Fields::of(Some(object));
    fields.content.or(fields.calls).or(fields.thoughts)?;
    let role = speaker(fields.author, fields.kind)?;
    // The answers of tools are with their calls already.
    if fields.calls.is_none() && fields.content.is_some_and(is_answers) {
        return None;
    }
    let mut reading = Reading::of(RecordKind::Message);
    reading.role = Some(role);
    reading.time_us = times::time_us(fields.timestamp);
    let key = text_filled(fields.id).map(|id| id_hash(&id));
    let links = Links {
        id: key,
        answer: key
            .zip(usage(fields.tokens))
            .map(|(key, usage)| Answer { key, usage }),
        act: Act::Again,
        ..Links::default()
    };
    reading.facts = Facts {
        links,
        model: text_filled(fields.model),
        record_id: text_filled(fields.id),
        title: title(role, fields.content),
        ..Facts::default()
    };
    Some(reading)
}

/// Whether a content is nothing but answers of tools.
fn is_answers(content: Json<'_>) -> bool {
    let mut parts = content.elements().peekable();
    parts.peek().is_some()
        && parts.all(|part| {
            let [response] = fields_of(Some(part), &["functionResponse"]);
            response.is_some()
        })
}

/// The message of such an object.
pub(super) fn message(object: Json<'_>) -> Message {
    let fields = Fields::of(Some(object));
    let mut content = blocks(fields.thoughts, fields.content);
    for call in fields.calls.map(elements).unwrap_or_default() {
        tool_call(call, &mut content);
    }
    let role = speaker(fields.author, fields.kind).unwrap_or(Role::Other);
    let mut message = Message {
        id: owned(fields.id),
        content,
        time: times::time(fields.timestamp),
        model: owned(fields.model),
        usage: usage(fields.tokens),
        ..Message::new(role)
    };
    message.injected = PUT_IN.is_message(&message);
    message
}

/// Who speaks. An author that is not known is the user, as agentx has it.
fn speaker(author: Option<Json<'_>>, kind: Option<Json<'_>>) -> Option<Role> {
    if let Some(author) = text(author) {
        return Some(match author.to_lowercase().as_str() {
            "gemini" | "assistant" | "model" => Role::Assistant,
            "system" => Role::System,
            _ => Role::User,
        });
    }
    Some(match &*text(kind)? {
        "user" => Role::User,
        "gemini" | "assistant" | "model" => Role::Assistant,
        "info" | "error" | "warning" | "system" => Role::System,
        _ => return None,
    })
}

fn title(role: Role, content: Option<Json<'_>>) -> Option<TitleOffer<'_>> {
    let single = content.filter(|content| content.is_object());
    match (role, single) {
        (Role::User, Some(part)) => {
            let [said] = fields_of(Some(part), &["text"]);
            let said = text(said).and_then(|said| titles::cleaned(said, written));
            titles::offer(said, titles::FIRST_MESSAGE)
        }
        _ => titles::of_message(role, content, written),
    }
}

fn written(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let is_written = !text.is_empty() && !NOT_WRITTEN.iter().any(|start| text.starts_with(start));
    is_written.then_some(text)
}

/// The tokens of a message; none where nothing was read or written.
fn usage(tokens: Option<Json<'_>>) -> Option<Usage> {
    let tokens = tokens.filter(|tokens| tokens.is_object())?;
    let [input, output, cached] = fields_of(Some(tokens), &["input", "output", "cached"]);
    let usage = Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cache_read_tokens: count(cached),
        cache_write_tokens: 0,
    };
    (usage.input_tokens > 0 || usage.output_tokens > 0).then_some(usage)
}

fn blocks(thoughts: Option<Json<'_>>, content: Option<Json<'_>>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let thought: Vec<String> = thoughts
        .map(elements)
        .unwrap_or_default()
        .into_iter()
        .map(|thought| {
            let [subject, description] = fields_of(Some(thought), &["subject", "description"]);
            let said: Vec<Cow<'_, str>> = [subject, description]
                .into_iter()
                .filter_map(text_filled)
                .collect();
            said.join(": ")
        })
        .collect();
    if !thought.is_empty() {
        blocks.push(Block::Thinking {
            text: thought.join("\n"),
            signature: None,
        });
    }
    let Some(content) = content.filter(|content| content.get() != "null") else {
        return blocks;
    };
    if content.get().starts_with('[') {
        blocks.extend(elements(content).into_iter().filter_map(part));
    } else {
        blocks.extend(part(content));
    }
    blocks
}

/// One part of a content; `None` for a text without anything in it.
fn part(part: Json<'_>) -> Option<Block> {
    if let Some(said) = text(Some(part)) {
        return (!said.is_empty()).then(|| shapes::said(said.into_owned()));
    }
    let [said, thought, call, response, inline, file] = fields_of(
        Some(part),
        &[
            "text",
            "thought",
            "functionCall",
            "functionResponse",
            "inlineData",
            "fileData",
        ],
    );
    let block = match (text(said), call, response) {
        (Some(said), ..) if is_true(thought) => Block::Thinking {
            text: said.into_owned(),
            signature: None,
        },
        // Answers are written with an empty text where only calls follow.
        (Some(said), ..) if said.is_empty() => return None,
        (Some(said), ..) => shapes::said(said.into_owned()),
        (None, Some(call), _) => {
            let [id, name, args] = fields_of(Some(call), &["id", "name", "args"]);
            Block::ToolUse {
                id: owned(id),
                name: owned(name).unwrap_or_default(),
                input: args.map(RawJson::trusted),
            }
        }
        (None, None, Some(response)) => {
            let [id, name, answer] = fields_of(Some(response), &["id", "name", "response"]);
            let (output, is_error) = answered(answer);
            shapes::result(owned(id), owned(name), output, is_error)
        }
        _ => image(inline, file).unwrap_or_else(|| shapes::other(part)),
    };
    Some(block)
}

fn image(inline: Option<Json<'_>>, file: Option<Json<'_>>) -> Option<Block> {
    let [media_type, data, file_type, url] = {
        let [media_type, data] = fields_of(inline, &["mimeType", "data"]);
        let [file_type, url] = fields_of(file, &["mimeType", "fileUri"]);
        [media_type, data, file_type, url].map(owned)
    };
    let media_type = media_type.or(file_type)?;
    (media_type.starts_with("image/") && (data.is_some() || url.is_some())).then_some(
        Block::Image {
            media_type: Some(media_type),
            data,
            url,
        },
    )
}

/// The answer in a function's response, and whether it is an error.
fn answered(response: Option<Json<'_>>) -> (Option<Json<'_>>, bool) {
    let [output, error] = fields_of(response, &["output", "error"]);
    match (output, error) {
        (Some(output), _) => (Some(output), false),
        (None, Some(error)) => (Some(error), true),
        (None, None) => (response, false),
    }
}

/// A call, and its result if there is one.
fn tool_call(call: Json<'_>, blocks: &mut Vec<Block>) {
    let [id, name, args, status, result, display] = fields_of(
        Some(call),
        &["id", "name", "args", "status", "result", "resultDisplay"],
    );
    let (id, name) = (owned(id), owned(name));
    blocks.push(Block::ToolUse {
        id: id.clone(),
        name: name.clone().unwrap_or_default(),
        input: args.map(RawJson::trusted),
    });
    let failed = text(status).is_some_and(|status| FAILED.contains(&&*status));
    let result = result.filter(|result| result.get() != "null");
    let Some(result) = result else {
        // A call that was refused or failed may have no result, but what the person was shown of
        // it.
        if failed {
            let display = display.filter(|display| text(Some(*display)).is_some());
            blocks.push(shapes::result(id, name, display, true));
        }
        return;
    };
    let (mut outputs, mut images, mut is_error) = (Vec::new(), Vec::new(), failed);
    let parts = match elements(result) {
        parts if parts.is_empty() => vec![result],
        parts => parts,
    };
    for answer in parts {
        match part(answer) {
            Some(Block::ToolResult {
                output,
                is_error: failed,
                ..
            }) => {
                outputs.push(output);
                is_error |= failed;
            }
            Some(Block::Text { text }) => outputs.push(text),
            Some(image @ Block::Image { .. }) => images.push(image),
            Some(_) if answer.is_object() => outputs.push(answer.get().to_owned()),
            _ => {}
        }
    }
    blocks.push(Block::ToolResult {
        id,
        name,
        output: outputs.join("\n"),
        is_error,
        images,
    });
}
