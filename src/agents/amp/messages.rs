//! What Amp's lines say. Messages are those of the provider, with a number, and with tokens at those of the
//! model; what a tool answered is a run with a state.

use std::borrow::Cow;

use super::thread::{AGENT, MESSAGES};
use crate::agents::described::Facts;
use crate::agents::parts::entries::{Entry, EntryFormat};
use crate::agents::parts::fields::{elements, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, paths, pieces, times, titles, tokens};
use crate::json::Json;
use crate::model::links::{Answer, Links, id_hash};
use crate::model::message::{Block, Message, Usage};
use crate::model::record::RecordKind;

/// Amp's threads.
#[derive(Debug)]
pub(crate) struct Amp;

impl EntryFormat for Amp {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[MESSAGES];

    /// What is said of a thread.
    fn session(about: Json<'_>) -> Reading<'_> {
        let [created, title, around] = fields_of(Some(about), &["created", "title", "env"]);
        let [initial] = fields_of(around, &["initial"]);
        let [trees] = fields_of(initial, &["trees"]);
        let tree = trees.and_then(|trees| elements(trees).into_iter().next());
        let [uri] = fields_of(tree, &["uri"]);
        Reading::meta(Facts {
            created_us: times::time_us(created),
            project: text_filled(uri).and_then(paths::folder_of_uri),
            title: titles::latest(text_filled(title), titles::GENERATED),
            ..Facts::default()
        })
    }

    /// What a message says, for a header.
    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        let message = entry.entry;
        let [role, number, content, usage] =
            fields_of(Some(message), &["role", "messageId", "content", "usage"]);
        let Some(word) = text(role) else {
            return Reading::of(RecordKind::Event);
        };
        let role = pieces::speaker(&word, content);
        let [model] = fields_of(usage, &["model"]);
        let answer = taken(usage).zip(usage).map(|(usage, told)| Answer {
            // The time of the call is in it.
            key: id_hash(told.get()),
            usage,
        });
        let mut reading = Reading::said(role);
        reading.time_us = times::time_us(time(message));
        reading.facts = Facts {
            record_id: number.map(|number| Cow::Borrowed(number.get())),
            model: text_filled(model),
            title: titles::of_message(role, content, titles::any),
            links: Links {
                answer,
                ..Links::default()
            },
            ..Facts::default()
        };
        reading
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        vec![message(entry.entry)]
    }
}

fn message(message: Json<'_>) -> Message {
    let [role, number, content, usage] =
        fields_of(Some(message), &["role", "messageId", "content", "usage"]);
    let role = pieces::speaker(&text(role).unwrap_or_default(), content);
    let [model] = fields_of(usage, &["model"]);
    Message {
        id: number.map(|number| number.get().to_owned()),
        content: content_of(content),
        time: times::time(time(message)),
        model: owned(model),
        usage: taken(usage),
        ..Message::new(role)
    }
}

/// When a message was sent, or its answer was there.
fn time(message: Json<'_>) -> Option<Json<'_>> {
    let [usage, about] = fields_of(Some(message), &["usage", "meta"]);
    let [answered] = fields_of(usage, &["timestamp"]);
    let [sent] = fields_of(about, &["sentAt"]);
    answered.or(sent)
}

fn content_of(content: Option<Json<'_>>) -> Vec<Block> {
    let Some(list) = content.filter(|content| content.get().starts_with('[')) else {
        return blocks::content(content);
    };
    let mut found = Vec::new();
    for block in elements(list) {
        let [kind, id, run] = fields_of(Some(block), &["type", "toolUseID", "run"]);
        match run.filter(|_| text(kind).as_deref() == Some("tool_result")) {
            Some(run) => found.push(result(owned(id), run)),
            None => found.extend(blocks::content(Some(block))),
        }
    }
    found
}

/// What a tool answered: a text, a list or an object, perhaps with the text in its `content` or `output`.
fn result(id: Option<String>, run: Json<'_>) -> Block {
    let [status, result, error] = fields_of(Some(run), &["status", "result", "error"]);
    let [content, output] = fields_of(result, &["content", "output"]);
    let [message] = fields_of(error, &["message"]);
    let inner = content
        .or(output)
        .filter(|inner| text(Some(*inner)).is_some());
    let answer = inner.or(result).or(message).or(error);
    let is_error = matches!(
        text(status).as_deref(),
        Some("error" | "cancelled" | "rejected-by-user")
    );
    blocks::result(id, None, answer, is_error)
}

fn taken(usage: Option<Json<'_>>) -> Option<Usage> {
    let names = [
        "inputTokens",
        "outputTokens",
        "cacheReadInputTokens",
        "cacheCreationInputTokens",
    ];
    tokens::named(usage, &names)
}
