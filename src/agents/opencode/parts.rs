//! The parts of OpenCode's messages, and what a message says of itself.

use std::borrow::Cow;

use crate::json::Json;

use crate::agents::described::TitleOffer;
use crate::agents::parts::blocks as shapes;
use crate::agents::parts::fields::{self, count, elements, fields_of, is_true, owned, text};
use crate::agents::parts::titles;
use crate::model::links::{Answer, Links, id_hash};
use crate::model::message::{Block, Role, Usage};
use crate::model::raw_json::RawJson;

/// Parts that say nothing: where a step of the model starts and ends. What it took is also in the
/// message.
const SILENT: [&str; 2] = ["step-start", "step-finish"];

/// The model of a message; the user's messages name the one that is asked.
pub(super) fn model(info: Json<'_>) -> Option<Cow<'_, str>> {
    let [model, asked] = fields_of(Some(info), &["modelID", "model"]);
    let [nested] = fields_of(asked, &["modelID"]);
    fields::text_filled(model).or_else(|| fields::text_filled(nested))
}

/// The tokens of a message.
pub(super) fn usage(tokens: Option<Json<'_>>) -> Option<Usage> {
    let tokens = tokens.filter(|tokens| tokens.is_object())?;
    let [input, output, cache, thoughts, total] = fields_of(
        Some(tokens),
        &["input", "output", "cache", "reasoning", "total"],
    );
    let [read, write] = fields_of(cache, &["read", "write"]);
    let mut usage = Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cache_read_tokens: count(read),
        cache_write_tokens: count(write),
    };
    // What was thought is among what was written up to 1.4, and beside it in 1.18: the sum of all tells which.
    let with_thoughts = usage.total().saturating_add(count(thoughts));
    if total.is_some() && count(total) == with_thoughts {
        usage.output_tokens = usage.output_tokens.saturating_add(count(thoughts));
    }
    Some(usage)
}

/// The title that the user's words offer: not those that OpenCode added in the user's name.
pub(super) fn first_text(role: Role, parts: Option<Json<'_>>) -> Option<TitleOffer<'_>> {
    if role != Role::User {
        return None;
    }
    let said = elements(parts?).into_iter().find_map(|part| {
        let [kind, said, synthetic, ignored] =
            fields_of(Some(part), &["type", "text", "synthetic", "ignored"]);
        let is_said =
            text(kind).as_deref() == Some("text") && !is_true(synthetic) && !is_true(ignored);
        is_said
            .then(|| text(said).and_then(|said| titles::cleaned(said, titles::any)))
            .flatten()
    });
    titles::offer(said, titles::FIRST_MESSAGE)
}

/// What a message says of others: its id, and the answer that it is.
pub(super) fn links(id: Option<Json<'_>>, tokens: Option<Json<'_>>) -> Links {
    let key = fields::text_filled(id).map(|id| id_hash(&id));
    let answer = key.zip(usage(tokens));
    Links {
        id: key,
        answer: answer.map(|(key, usage)| Answer { key, usage }),
        ..Links::default()
    }
}

/// Whether all that a message's parts say is such as OpenCode added in the user's name: its texts, or that a
/// compaction begins.
pub(super) fn is_put_in(parts: Json<'_>) -> bool {
    let mut said = elements(parts).into_iter().filter_map(is_added);
    said.next() == Some(true) && said.all(|is_added| is_added)
}

/// Whether OpenCode added a part in the user's name, of a part that says something.
fn is_added(part: Json<'_>) -> Option<bool> {
    let [kind, synthetic] = fields_of(Some(part), &["type", "synthetic"]);
    match &*text(kind)? {
        "text" => Some(is_true(synthetic)),
        "compaction" => Some(true),
        _ => None,
    }
}

/// The blocks of what a user says: without what OpenCode added to it, unless that is all.
pub(super) fn of_user(parts: Json<'_>) -> Vec<Block> {
    if is_put_in(parts) {
        return blocks(parts);
    }
    let own = elements(parts).into_iter();
    blocks_of(own.filter(|part| is_added(*part) != Some(true)))
}

/// Who says a message: a summary of what went before is the model's words, put in by the program.
pub(super) fn speaker(word: &str, info: Option<Json<'_>>) -> Role {
    let [summary] = fields_of(info, &["summary"]);
    match Role::from_word(word) {
        Role::Assistant if is_true(summary) => Role::System,
        role => role,
    }
}

/// The blocks of a message's parts. A part for a tool holds the call and its result.
pub(super) fn blocks(parts: Json<'_>) -> Vec<Block> {
    blocks_of(elements(parts).into_iter())
}

fn blocks_of<'a>(parts: impl Iterator<Item = Json<'a>>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for part in parts {
        let [kind, said] = fields_of(Some(part), &["type", "text"]);
        match (text(kind).as_deref(), text(said)) {
            (Some("text"), Some(said)) => blocks.push(shapes::said(said.into_owned())),
            (Some("reasoning"), Some(said)) => blocks.push(Block::Thinking {
                text: said.into_owned(),
                signature: None,
            }),
            (Some("tool"), _) => tool(part, &mut blocks),
            (Some("file"), _) => blocks.push(file(part)),
            (Some(kind), _) if SILENT.contains(&kind) => {}
            _ => blocks.push(shapes::other(part)),
        }
    }
    blocks
}

fn tool(part: Json<'_>, blocks: &mut Vec<Block>) {
    let [id, name, state] = fields_of(Some(part), &["callID", "tool", "state"]);
    let [status, input, output, error, attachments] = fields_of(
        state,
        &["status", "input", "output", "error", "attachments"],
    );
    let id = owned(id);
    let name = owned(name);
    blocks.push(Block::ToolUse {
        id: id.clone(),
        name: name.clone().unwrap_or_default(),
        input: input.map(RawJson::trusted),
    });
    let failed = text(status).as_deref() == Some("error");
    let answer = if failed { error.or(output) } else { output };
    // A call that is still at work has no answer yet.
    if answer.is_none() && !failed {
        return;
    }
    let mut result = shapes::result(id, name, answer, failed);
    if let Block::ToolResult { images, .. } = &mut result {
        let attached = attachments.map(elements).unwrap_or_default();
        images.extend(
            attached
                .into_iter()
                .map(file)
                .filter(|block| matches!(block, Block::Image { .. })),
        );
    }
    blocks.push(result);
}

/// An image, or any other file as it is.
pub(super) fn file(part: Json<'_>) -> Block {
    let [mime, url] = fields_of(Some(part), &["mime", "url"]);
    let (Some(media_type), Some(url)) = (owned(mime), owned(url)) else {
        return shapes::other(part);
    };
    if !media_type.starts_with("image/") {
        return shapes::other(part);
    }
    // A file that was pasted in stands in its URL; any other leads to a place.
    let data = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(";base64,"))
        .map(|(_, data)| data.to_owned());
    Block::Image {
        media_type: Some(media_type),
        url: data.is_none().then_some(url),
        data,
    }
}
