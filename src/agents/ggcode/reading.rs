//! ggcode's lines in.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _, SecondsFormat};

use crate::json::Json;

use crate::agents::described::{Facts, TitleOffer};
use crate::agents::dialect::MarkdownHead;
use crate::agents::parts::fields::{self, elements, entries, fields_of, object_in, owned, text};
use crate::agents::parts::lines::{self, Format, Reading};
use crate::agents::parts::{blocks, times, titles, tokens, values};
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::record::RecordKind;
use crate::model::session::Session;
use crate::model::text::cut;

/// Fields of a `meta` line that are fields of a session, or of every line.
pub(super) const META_FIELDS: [&str; 14] = [
    "type",
    "session_id",
    "title",
    "model",
    "created_at",
    "updated_at",
    "message",
    "cost",
    "workspace",
    "parent_id",
    "id",
    "timestamp",
    "token_usage",
    "extra",
];

/// Fields of a message that are known here.
pub(super) const MESSAGE_FIELDS: [&str; 7] = [
    "role",
    "content",
    "id",
    "parent_id",
    "model",
    "usage",
    "extra",
];

/// The field of a session that `cost` lines hold.
pub(super) const COST: &str = "cost";

/// A longer title, in bytes, is cut...
const TITLE_BYTES_MAX: usize = 60;

/// ... to this many, and gets three dots.
const TITLE_BYTES_CUT: usize = 57;

/// Kinds of lines besides `meta` and `message`.
pub(super) const EVENTS: [&str; 5] = ["cost", "usage", "metric", "checkpoint", "tunnel_event"];

/// The title of a session that has none yet.
pub(super) const NO_TITLE: &str = "New session";

/// ggcode's session files.
#[derive(Debug)]
pub(crate) struct Ggcode;

impl Format for Ggcode {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [
            kind,
            title,
            model,
            created,
            updated,
            message,
            timestamp,
            id,
            workspace,
            parent,
        ] = fields_of(
            Some(object),
            &[
                "type",
                "title",
                "model",
                "created_at",
                "updated_at",
                "message",
                "timestamp",
                "id",
                "workspace",
                "parent_id",
            ],
        );
        let mut reading = Reading::of(RecordKind::Event);
        reading.time_us = times::time_us(timestamp);
        match text(kind).as_deref() {
            Some("meta") => {
                reading.kind = RecordKind::Meta;
                reading.facts = Facts {
                    created_us: times::time_us(created),
                    updated_us: times::time_us(updated),
                    project: fields::text_filled(workspace),
                    title: titles::latest(given(title), titles::GENERATED),
                    model: fields::text_filled(model),
                    parent: fields::text_filled(parent),
                    // The last of these lines holds, whole: what it does not say is not so any
                    // more.
                    replaces: true,
                    ..Facts::default()
                };
            }
            // Without a body it is no message.
            Some("message") if message.is_some_and(Json::is_object) => {
                let [role, content, inner_id] = fields_of(message, &["role", "content", "id"]);
                let role = Role::from_word(&text(role).unwrap_or_default());
                reading.kind = RecordKind::Message;
                reading.role = Some(role);
                reading.facts.record_id =
                    fields::text_filled(inner_id).or_else(|| fields::text_filled(id));
                reading.facts.title = titles::of_message(role, content, titles::any).map(shortened);
            }
            Some("message") => {}
            Some(kind) if EVENTS.contains(&kind) => {}
            _ => reading.kind = RecordKind::Unknown,
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [message, timestamp, id] = fields_of(Some(object), &["message", "timestamp", "id"]);
        let [role, said, inner_id, parent, model, usage, extra] =
            fields_of(message, &MESSAGE_FIELDS);
        Message {
            id: owned(inner_id).or_else(|| owned(id)),
            parent_id: owned(parent),
            role: Role::from_word(&text(role).unwrap_or_default()),
            content: content(said),
            time: times::time(timestamp),
            model: owned(model),
            usage: tokens::in_any_spelling(usage),
            extra: unknown(message, extra, &MESSAGE_FIELDS),
            ..Message::new(Role::Other)
        }
    }
}

/// A title that stands for one.
pub(super) fn given(title: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    text(title).filter(|title| title != NO_TITLE && !title.trim().is_empty())
}

/// The title as ggcode makes it of a message, but cut at a character.
fn shortened(offer: TitleOffer<'_>) -> TitleOffer<'_> {
    if offer.text.len() <= TITLE_BYTES_MAX {
        return offer;
    }
    let short = format!("{}...", cut(&offer.text, TITLE_BYTES_CUT));
    TitleOffer {
        text: Cow::Owned(short),
        ..offer
    }
}

/// The blocks of a message.
pub(super) fn content(value: Option<Json<'_>>) -> Vec<Block> {
    let read = blocks::content(value);
    match value.filter(|value| value.get().starts_with('[')) {
        Some(array) => read
            .into_iter()
            .zip(elements(array))
            .map(|(block, element)| completed(block, element))
            .collect(),
        None => read,
    }
}

/// A block with what only lines of this crate have in it (see `writing`): v1.0.9 leaves out what
/// is empty, and has no place for a block of a kind of its own.
fn completed(block: Block, element: Json<'_>) -> Block {
    match block {
        Block::Other { .. } => {
            let [kind, json] = fields_of(Some(element), &["type", "json"]);
            match (text(kind).as_deref(), json) {
                (Some("text"), _) => blocks::said(String::new()),
                (Some("other"), Some(json)) => blocks::other(json),
                _ => block,
            }
        }
        Block::ToolResult {
            id,
            name,
            output,
            is_error,
            images,
        } if images.is_empty() => {
            let [images] = fields_of(Some(element), &["images"]);
            Block::ToolResult {
                id,
                name,
                output,
                is_error,
                images: blocks::content(images),
            }
        }
        block => block,
    }
}

/// The fields of an object that are not known, and those of `extra` within it.
fn unknown(
    object: Option<Json<'_>>,
    extra: Option<Json<'_>>,
    known: &[&str],
) -> Vec<(String, RawJson)> {
    // Written there because Go would have taken one of them for a field that it knows.
    let inner = extra.filter(|extra| extra.is_object());
    let inner = inner.map(|extra| entries(extra)).unwrap_or_default();
    let outer = object.map(|object| entries(object)).unwrap_or_default();
    let outer = outer
        .into_iter()
        .filter(|(key, _)| !known.contains(&key.as_str()));
    inner
        .into_iter()
        .chain(outer)
        .map(|(key, value)| (key, RawJson::trusted(value)))
        .collect()
}

/// Reads what a `meta` or a `cost` line says into a session.
pub(super) fn meta(line: &[u8], session: &mut Session) {
    let line = String::from_utf8_lossy(line);
    let body = lines::body(&line);
    if let Ok(one) = object_in(body) {
        return object(one, session);
    }
    for value in values::split(body).values {
        object(value.object, session);
    }
}

/// The head of ggcode's Markdown: its times with the offset that they were written with, to the
/// second, and vendor, endpoint and model on one line.
pub(super) fn markdown_head(header: &[u8]) -> Option<MarkdownHead> {
    let line = String::from_utf8_lossy(header);
    let [kind, created, updated, vendor, endpoint, model] = fields::fields_of_start(
        lines::body(&line),
        &[
            "type",
            "created_at",
            "updated_at",
            "vendor",
            "endpoint",
            "model",
        ],
    );
    if text(kind).as_deref() != Some("meta") {
        return None;
    }
    let parts = [vendor, endpoint, model].map(fields::text_filled);
    // The line is named after the vendor; without one the usual line with the model is written.
    let has_vendor = parts.first().is_some_and(Option::is_some);
    let named: Vec<String> = parts.into_iter().flatten().map(Cow::into_owned).collect();
    Some(MarkdownHead {
        created: seconds(created),
        updated: seconds(updated),
        answering: has_vendor.then(|| ("Vendor", named.join(" / "))),
    })
}

/// A time as Go prints it to the second; none for Go's zero time.
fn seconds(time: Option<Json<'_>>) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(&text(time)?).ok()?;
    (time.year() > 1).then(|| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn object(whole: Json<'_>, session: &mut Session) {
    let [kind, title, model, workspace, parent, cost, extra] = fields_of(
        Some(whole),
        &[
            "type",
            "title",
            "model",
            "workspace",
            "parent_id",
            COST,
            "extra",
        ],
    );
    match text(kind).as_deref() {
        Some("meta") => {
            if let Some(title) = given(title) {
                session.title = title.into_owned();
            }
            session.model = owned(model);
            session.project = owned(workspace);
            session.parent = owned(parent);
            // The cost has a line of its own, which a later header does not take back.
            let known = session.extra.iter().find(|(key, _)| key == COST).cloned();
            session.extra = unknown(Some(whole), extra, &META_FIELDS);
            session.extra.extend(known);
        }
        Some(COST) => {
            if let Some(cost) = cost {
                session.extra.retain(|(key, _)| key != COST);
                let cost = (COST.to_owned(), RawJson::trusted(cost));
                session.extra.push(cost);
            }
        }
        _ => {}
    }
}
