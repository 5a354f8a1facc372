//! Native lines in. A field of another type than the description names is as good as absent; a
//! block of a kind that is not known stays JSON.

use crate::json::Json;
use chrono::{DateTime, Utc};

use super::names::{MESSAGE_FIELDS, SESSION_FIELDS};
use crate::agents::parts::blocks;
use crate::agents::parts::fields::{Object, entries, is_true, objects, text};
use crate::agents::parts::tokens;
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;
use crate::model::session::Session;

/// How deep tool results may lie within the images of tool results. Nobody writes even one such
/// level; deeper ones stay JSON.
const DEPTH_MAX: usize = 8;

/// The message of a `message` line.
pub(crate) fn message(object: Json<'_>) -> Message {
    let members = Object::of(object);
    let [
        id,
        parent,
        role,
        content,
        when,
        model,
        usage,
        answer,
        agent,
        injected,
        extra,
    ] = members.fields(&[
        "id",
        "parent_id",
        "role",
        "content",
        "time",
        "model",
        "usage",
        "answer_id",
        "agent_id",
        "injected",
        "extra",
    ]);
    Message {
        id: plain(id),
        parent_id: plain(parent),
        role: Role::from_word(&text(role).unwrap_or_default()),
        content: content.map(content_of).unwrap_or_default(),
        time: time(when),
        model: plain(model),
        usage: tokens::in_any_spelling(usage),
        answer_id: plain(answer),
        agent_id: plain(agent),
        injected: is_true(injected),
        live: true,
        extra: unknown(&members, extra, &MESSAGE_FIELDS),
    }
}

/// Reads the fields of a `session` line into `session`, all but its key.
pub(crate) fn session(object: Json<'_>, session: &mut Session) {
    let members = Object::of(object);
    let [
        title,
        project,
        model,
        parent,
        forked,
        created,
        updated,
        extra,
    ] = members.fields(&[
        "title",
        "project",
        "model",
        "parent",
        "forked",
        "created_at",
        "updated_at",
        "extra",
    ]);
    session.title = plain(title).unwrap_or_default();
    session.project = plain(project);
    session.model = plain(model);
    session.parent = plain(parent);
    session.forked = is_true(forked);
    session.created_at = time(created);
    session.updated_at = time(updated);
    session.extra = unknown(&members, extra, &SESSION_FIELDS);
}

/// A time in microseconds since 1970: RFC 3339 text, or the number itself. Unlike in other
/// agents' lines, no time stands for "unset". A number that is no time is as good as absent.
pub(crate) fn time_us(value: Option<Json<'_>>) -> Option<i64> {
    let time = match text(value) {
        Some(text) => DateTime::parse_from_rfc3339(&text).ok()?.to_utc(),
        None => DateTime::from_timestamp_micros(value?.get().parse().ok()?)?,
    };
    Some(time.timestamp_micros())
}

fn time(value: Option<Json<'_>>) -> Option<DateTime<Utc>> {
    time_us(value).and_then(DateTime::from_timestamp_micros)
}

fn plain(value: Option<Json<'_>>) -> Option<String> {
    text(value).map(std::borrow::Cow::into_owned)
}

/// The fields of `extra`, then those at the top of the line that are not known.
fn unknown(
    members: &Object<'_>,
    extra: Option<Json<'_>>,
    known: &[&str],
) -> Vec<(String, RawJson)> {
    let nested = extra.filter(|extra| extra.is_object());
    let at_top = members.others(known).chain(
        extra
            // A field of a caller's own that has this name and is no object.
            .filter(|_| nested.is_none())
            .map(|value| ("extra".to_owned(), value)),
    );
    let nested = nested.map(|extra| entries(extra)).unwrap_or_default();
    nested
        .into_iter()
        .chain(at_top)
        .map(|(key, value)| (key, RawJson::trusted(value)))
        .collect()
}

fn content_of(content: Json<'_>) -> Vec<Block> {
    match text(Some(content)) {
        Some(text) => vec![blocks::said(text.into_owned())],
        None => objects(content)
            .map(|(value, object)| block(value, &object, 0))
            .collect(),
    }
}

fn block(value: Json<'_>, object: &Object<'_>, depth: usize) -> Block {
    let [
        kind,
        said,
        signature,
        media_type,
        data,
        url,
        id,
        name,
        input,
        output,
        is_error,
        images,
        json,
    ] = object.fields(&[
        "type",
        "text",
        "signature",
        "media_type",
        "data",
        "url",
        "id",
        "name",
        "input",
        "output",
        "is_error",
        "images",
        "json",
    ]);
    let words = || plain(said).unwrap_or_default();
    match text(kind).as_deref() {
        Some("text") => Block::Text { text: words() },
        Some("thinking") => Block::Thinking {
            text: words(),
            signature: plain(signature),
        },
        Some("image") => Block::Image {
            media_type: plain(media_type),
            data: plain(data),
            url: plain(url),
        },
        Some("tool_use") => Block::ToolUse {
            id: plain(id),
            name: plain(name).unwrap_or_default(),
            input: input.map(RawJson::trusted),
        },
        Some("tool_result") if depth < DEPTH_MAX => Block::ToolResult {
            id: plain(id),
            name: plain(name),
            output: plain(output).unwrap_or_default(),
            is_error: is_true(is_error),
            images: images
                .map(|images| {
                    objects(images)
                        .map(|(image, object)| block(image, &object, depth + 1))
                        .collect()
                })
                .unwrap_or_default(),
        },
        Some("other") if json.is_some() => Block::Other {
            json: RawJson::trusted(json.unwrap_or(value)),
        },
        _ => blocks::other(value),
    }
}
