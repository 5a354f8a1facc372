//! What OpenCode's lines say.

use super::{later_message, parts};
use crate::agents::described::Facts;
use crate::agents::parts::fields::{self, fields_of};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::links::{Act, Links, id_hash};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// Titles of sessions that have none yet start so; the time of creation follows.
const NO_TITLE: [&str; 2] = ["New session - ", "Child session - "];

/// OpenCode's sessions.
#[derive(Debug)]
pub(crate) struct OpenCode;

impl Format for OpenCode {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [info, parts, message] = fields_of(Some(object), &["info", "parts", "message"]);
        let Some(info) = info.filter(|info| info.is_object()) else {
            let message = message.filter(|message| message.is_object());
            return message.map_or(Reading::of(RecordKind::Unknown), later_message::read);
        };
        let [role, id, time, tokens] = fields_of(Some(info), &["role", "id", "time", "tokens"]);
        let [created] = fields_of(time, &["created"]);
        let Some(word) = fields::text(role) else {
            // Neither a role nor parts, but an id: what is said of the session.
            let kind = match (parts, fields::text_filled(id)) {
                (Some(_), _) => RecordKind::Event,
                (None, Some(_)) => return session(info),
                (None, None) => RecordKind::Unknown,
            };
            return Reading::of(kind);
        };
        let role = parts::speaker(&word, Some(info));
        let mut reading = Reading::of(RecordKind::Message);
        reading.role = Some(role);
        reading.time_us = times::time_us(created);
        reading.facts = Facts {
            model: parts::model(info),
            record_id: fields::text_filled(id),
            title: parts::first_text(role, parts),
            links: parts::links(id, tokens),
            ..Facts::default()
        };
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [info, parts, message] = fields_of(Some(object), &["info", "parts", "message"]);
        if let (None, Some(message)) = (info, message) {
            return later_message::message(message);
        }
        let [role, id, parent, time, tokens] =
            fields_of(info, &["role", "id", "parentID", "time", "tokens"]);
        let [created] = fields_of(time, &["created"]);
        let role = parts::speaker(&fields::text(role).unwrap_or_default(), info);
        let blocks = match role {
            Role::User => parts::of_user,
            _ => parts::blocks,
        };
        let is_put_in = role == Role::System || parts.is_some_and(parts::is_put_in);
        Message {
            id: fields::owned(id),
            parent_id: fields::owned(parent),
            content: parts.map(blocks).unwrap_or_default(),
            time: times::time(created),
            model: info.and_then(parts::model).map(Into::into),
            usage: parts::usage(tokens),
            injected: is_put_in,
            ..Message::new(role)
        }
    }
}

/// What is taken back: from a message on, or from a part of it on.
fn reverted(revert: Option<Json<'_>>) -> Links {
    // The database has it as a text of JSON.
    let written = fields::text(revert);
    let inner = written
        .as_deref()
        .and_then(|text| fields::object_in(text).ok());
    let [message, part] = fields_of(inner.or(revert), &["messageID", "partID"]);
    Links {
        act: Act::Reverted {
            from: fields::text_filled(message).map(|id| id_hash(&id)),
            is_kept: fields::text_filled(part).is_some(),
        },
        ..Links::default()
    }
}

/// What a line about the session tells.
fn session(info: Json<'_>) -> Reading<'_> {
    let [directory, title, parent, time, model, revert] = fields_of(
        Some(info),
        &["directory", "title", "parentID", "time", "model", "revert"],
    );
    let [created, updated, archived] = fields_of(time, &["created", "updated", "archived"]);
    // The first line holds what never changes: only the last one tells.
    let is_put_away = |archived: Option<Json<'_>>| {
        archived.is_some_and(|time| !matches!(time.get(), "null" | "0" | "false"))
    };
    let title = fields::text_filled(title)
        .filter(|title| !NO_TITLE.iter().any(|start| title.starts_with(start)));
    let facts = Facts {
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        project: fields::text_filled(directory),
        parent: fields::text_filled(parent),
        subagent: parent.is_some(),
        model: later_message::model_of(model),
        title: titles::latest(title, titles::GENERATED),
        links: reverted(revert),
        archived: updated.map(|_| is_put_away(archived)),
        ..Facts::default()
    };
    Reading {
        facts,
        ..Reading::of(RecordKind::Meta)
    }
}
