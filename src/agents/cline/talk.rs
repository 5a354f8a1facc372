//! The messages of Cline and of what was made from it: those of the provider, with times, and with tags around
//! what the user wrote and what the program put beside it.

use std::borrow::Cow;

use crate::agents::described::Facts;
use crate::agents::parts::blocks;
use crate::agents::parts::fields::{elements, fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles, tokens};
use crate::json::Json;
use crate::model::links::{Answer, Links, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// The member that holds them, and the kind of their lines.
pub(super) const MESSAGES: &str = "messages";

/// Tags around what the user wrote.
const WRITTEN: [&str; 5] = ["task", "user_message", "user_input", "feedback", "answer"];

/// What the program puts beside it begins so.
const PUT_IN: [&str; 2] = ["<environment_details", "<environment_context"];

/// What is said of a session as a whole.
pub(super) fn session(about: Json<'_>) -> Reading<'_> {
    let [updated, origin, whose] = fields_of(Some(about), &["updated_at", "origin", "agent"]);
    let [parent] = fields_of(origin, &["parentThreadId"]);
    let parent = text_filled(parent);
    Reading::meta(Facts {
        updated_us: times::time_us(updated),
        subagent: parent.is_some() && text(whose).is_some_and(|whose| whose != "lead"),
        parent,
        ..Facts::default()
    })
}

/// What a message says, for a header.
pub(super) fn said(message: Json<'_>) -> Reading<'_> {
    let [role, content, time] = fields_of(Some(message), &["role", "content", "ts"]);
    let Some(word) = text(role) else {
        return Reading::of(RecordKind::Event);
    };
    let role = speaker(&word, content);
    let title = (role == Role::User).then(|| first_words(content)).flatten();
    // Messages have no id; their time and what was written tell one answer from another.
    let answer = usage(message).zip(time).map(|(usage, time)| Answer {
        key: id_hash(&format!("{} {}", time.get(), usage.output_tokens)),
        usage,
    });
    let mut reading = Reading::said(role);
    reading.time_us = times::time_us(time);
    reading.facts = Facts {
        record_id: time.map(|time| Cow::Borrowed(time.get())),
        model: model(message),
        title: titles::offer(title, titles::FIRST_MESSAGE),
        links: Links {
            answer,
            ..Links::default()
        },
        ..Facts::default()
    };
    reading
}

/// The message itself.
pub(super) fn message(message: Json<'_>) -> Message {
    let [role, content, time] = fields_of(Some(message), &["role", "content", "ts"]);
    let role = speaker(&text(role).unwrap_or_default(), content);
    let mut said = content_of(content);
    // What the program puts beside the user's words, where there are some.
    if !said.iter().all(is_put_in) {
        said.retain(|block| !is_put_in(block));
    }
    let injected = role == Role::User && !said.is_empty() && said.iter().all(is_put_in);
    Message {
        id: time.map(|time| time.get().to_owned()),
        content: said.into_iter().map(unwrapped).collect(),
        time: times::time(time),
        model: model(message).map(Cow::into_owned),
        usage: usage(message),
        injected,
        ..Message::new(role)
    }
}

/// Who speaks: what stands in the user's name and is answers of tools, beside what the program puts in, is
/// theirs.
fn speaker(role: &str, content: Option<Json<'_>>) -> Role {
    let role = Role::from_word(role);
    if role != Role::User {
        return role;
    }
    let mut answers = 0;
    for block in content.into_iter().flat_map(elements) {
        let [kind, said] = fields_of(Some(block), &["type", "text"]);
        match (text(kind).as_deref(), text(said)) {
            (Some("tool_result"), _) => answers += 1,
            (Some("text"), Some(said)) if begins_put_in(&said) => {}
            _ => return Role::User,
        }
    }
    if answers > 0 { Role::Tool } else { Role::User }
}

/// The blocks of a content. What a tool answers is a text, blocks, or a list of what was asked and found.
fn content_of(content: Option<Json<'_>>) -> Vec<Block> {
    let Some(list) = content.filter(|content| content.get().starts_with('[')) else {
        return blocks::content(content);
    };
    let mut found = Vec::new();
    for block in elements(list) {
        let [kind, id, answer, is_error] =
            fields_of(Some(block), &["type", "tool_use_id", "content", "is_error"]);
        // The command line lists what was asked and found; any other content is the provider's own
        // shape.
        match (text(kind).as_deref(), answer.and_then(asked_and_found)) {
            (Some("tool_result"), Some((output, has_failed))) => found.push(Block::ToolResult {
                id: owned(id),
                name: None,
                output,
                is_error: has_failed || is_true(is_error),
                images: Vec::new(),
            }),
            _ => found.extend(blocks::content(Some(block))),
        }
    }
    found
}

/// What was found for each of several things that a tool was asked, and whether one has failed; `None` if an
/// answer is no such list.
fn asked_and_found(answer: Json<'_>) -> Option<(String, bool)> {
    let (mut found, mut has_failed) = (Vec::new(), false);
    for one in elements(answer) {
        let [result, error, success] = fields_of(Some(one), &["result", "error", "success"]);
        has_failed |= success?.get() == "false";
        let said = result.or(error)?;
        found.push(text(Some(said)).map_or_else(|| said.get().to_owned(), Cow::into_owned));
    }
    (!found.is_empty()).then(|| (found.join("\n"), has_failed))
}

/// The first words of a content that the user wrote.
fn first_words(content: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    let written = |said: Cow<'_, str>| {
        let said = inner(&said).trim();
        let is_own = !begins_put_in(said) && !said.is_empty();
        is_own.then(|| Cow::Owned(said.to_owned()))
    };
    if let Some(said) = text(content) {
        return written(said);
    }
    content.into_iter().flat_map(elements).find_map(|block| {
        let [said] = fields_of(Some(block), &["text"]);
        written(text(said)?)
    })
}

/// A text without the tag that stands around it.
fn inner(said: &str) -> &str {
    let trimmed = said.trim();
    for tag in WRITTEN {
        let rest = trimmed
            .strip_prefix('<')
            .and_then(|rest| rest.strip_prefix(tag))
            .filter(|rest| rest.starts_with(['>', ' ']))
            .and_then(|rest| rest.split_once('>'))
            .map(|(_attributes, rest)| rest);
        if let Some((inner, _)) = rest.and_then(|rest| rest.split_once(&format!("</{tag}>"))) {
            return inner.trim_matches('\n');
        }
    }
    said
}

fn unwrapped(block: Block) -> Block {
    match block {
        Block::Text { text } => Block::Text {
            text: inner(&text).to_owned(),
        },
        other => other,
    }
}

fn begins_put_in(said: &str) -> bool {
    let said = said.trim_start();
    PUT_IN.iter().any(|start| said.starts_with(start))
}

fn is_put_in(block: &Block) -> bool {
    matches!(block, Block::Text { text } if begins_put_in(text))
}

fn model(message: Json<'_>) -> Option<Cow<'_, str>> {
    let [info] = fields_of(Some(message), &["modelInfo"]);
    let [id, model] = fields_of(info, &["id", "modelId"]);
    text_filled(id).or_else(|| text_filled(model))
}

/// The tokens of an answer, where its message tells them.
fn usage(message: Json<'_>) -> Option<Usage> {
    let [metrics] = fields_of(Some(message), &["metrics"]);
    let names = [
        "inputTokens",
        "outputTokens",
        "cacheReadTokens",
        "cacheWriteTokens",
    ];
    tokens::named(metrics, &names)
}
