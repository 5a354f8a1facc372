//! The lines of a session of pi: what each is, tells of the session, and hangs on.

use std::borrow::Cow;

use super::layout;
use super::messages::{self, Entry};
use crate::agents::described::{Facts, TitleOffer};
use crate::agents::parts::fields::{fields_of, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{times, titles};
use crate::json::Json;
use crate::model::links::{Answer, Links, Place, id_hash};
use crate::model::message::Role;
use crate::model::record::RecordKind;

/// Entries of which nothing is said.
const EVENTS: [&str; 13] = [
    "thinking_level_change",
    "custom",
    "label",
    "usage",
    "model_usage",
    "context_edit",
    "service_tier_change",
    "title_change",
    "ttsr_injection",
    "credential_pin",
    "session_init",
    "mode_change",
    "reset_boundary",
];

/// What a line says and tells.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let entry = Entry::of(Some(object));
    let kind = text(entry.kind).unwrap_or_default();
    let mut reading = Reading::of(RecordKind::Unknown);
    let role = messages::speaker(&entry);
    if let Some(role) = role {
        reading.kind = RecordKind::Message;
        reading.role = Some(role);
        said(role, &entry, &mut reading.facts);
    } else if !about_session(&kind, object, &mut reading) {
        if !EVENTS.contains(&&*kind) {
            return reading;
        }
        reading.kind = RecordKind::Event;
    }
    reading.time_us = times::time_us(entry.time);
    // The header's id is the session's, and the title line is overwritten in place: neither has a
    // place in the tree.
    if kind != "session" && kind != "title" {
        reading.facts.record_id = text_filled(entry.id);
        reading.facts.links = links(&entry, role);
    }
    reading
}

/// What a message tells of the session.
fn said<'a>(role: Role, entry: &Entry<'a>, facts: &mut Facts<'a>) {
    let [content, model] = fields_of(entry.message, &["content", "model"]);
    facts.model = text_filled(model).filter(|_| role == Role::Assistant);
    facts.title = titles::of_message(role, content, titles::any);
}

/// What a line tells of the session as a whole; whether it is such a line.
fn about_session<'a>(kind: &str, object: Json<'a>, reading: &mut Reading<'a>) -> bool {
    let facts = &mut reading.facts;
    match kind {
        "session" => {
            let [time, cwd, title, source, parent, branched, model] = fields_of(
                Some(object),
                &[
                    "timestamp",
                    "cwd",
                    "title",
                    "titleSource",
                    "parentSession",
                    "branchedFrom",
                    "modelId",
                ],
            );
            facts.created_us = times::time_us(time);
            facts.project = text_filled(cwd);
            facts.model = text_filled(model);
            facts.title = named(title, source);
            let origin = text_filled(parent).or_else(|| text_filled(branched));
            facts.parent = origin
                .and_then(|path| layout::id_of_file(&path).map(|id| Cow::Owned(id.to_owned())));
        }
        "title" => {
            let [title, source] = fields_of(Some(object), &["title", "source"]);
            facts.title = named(title, source);
        }
        "session_info" => {
            let [name] = fields_of(Some(object), &["name"]);
            // A name that is not there takes the one before it back.
            let name = text(name).unwrap_or_default();
            facts.title = titles::changed(Some(name), titles::CHOSEN);
        }
        "model_change" => {
            let [id, model, role] = fields_of(Some(object), &["modelId", "model", "role"]);
            // A model for another role than the talk does not answer in it.
            let is_main = text(role).is_none_or(|role| role == "default");
            facts.model = text_filled(id)
                .or_else(|| text_filled(model))
                .filter(|_| is_main);
        }
        _ => return false,
    }
    reading.kind = RecordKind::Meta;
    true
}

/// A title that Oh My Pi notes, and who gave it.
fn named<'a>(title: Option<Json<'a>>, source: Option<Json<'a>>) -> Option<TitleOffer<'a>> {
    let is_by_user = text(source).is_some_and(|source| source == "user");
    let rank = if is_by_user {
        titles::CHOSEN
    } else {
        titles::GENERATED
    };
    titles::latest(text(title), rank)
}

/// What an entry says of others: what it hangs on, and what it took.
fn links(entry: &Entry<'_>, role: Option<Role>) -> Links {
    let own = text_filled(entry.id);
    let place = match role {
        _ if own.is_none() => Place::Apart,
        Some(Role::User) if entry.parent.is_some_and(|parent| parent.get() == "null") => {
            Place::Root
        }
        Some(Role::User) => Place::Asked,
        // What a tool answers belongs to the message that asked for it.
        Some(_) if messages::is_result(entry) => Place::Way,
        Some(_) => Place::Answered,
        None => Place::Way,
    };
    // Ids are unique within a file alone; a fork has its parent's, with their times.
    let key = format!(
        "{} {}",
        own.as_deref().unwrap_or_default(),
        text(entry.time).unwrap_or_default()
    );
    Links {
        id: own.as_deref().map(id_hash),
        parent: text_filled(entry.parent).map(|id| id_hash(&id)),
        place,
        answer: messages::usage(entry).map(|usage| Answer {
            key: id_hash(&key),
            usage,
        }),
        ..Links::default()
    }
}
