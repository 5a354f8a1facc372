//! OpenCode: a SQLite database, or one JSON document a session.
//!
//! Its lines are made here, the same from both: `{"info":{..}}` says what the session is,
//! `{"info":{..},"parts":[..]}` is a message with its parts. A first line holds what stays the
//! same for the life of a session, the last one (the trailer) what changes: title, time of the
//! last change, totals.

#[cfg(feature = "sqlite")]
pub(crate) mod open;
mod parts;
#[cfg(feature = "sqlite")]
pub(crate) mod tables;
#[cfg(test)]
mod tests;
#[cfg(feature = "sqlite")]
pub(crate) mod values;

use std::path::Path;

use crate::json::Json;

use super::described::Facts;
use super::dialect::{Candidate, Dialect, Recognition, Sidecar};
use super::document::DocumentLines;
#[cfg(feature = "sqlite")]
pub(crate) use super::parts::compact::compact as one_line;
#[cfg(any(test, feature = "sqlite"))]
use super::parts::compact::string;
use super::parts::compact::{compact, object};
use super::parts::fields::{
    self, elements, entries, entries_in, fields, fields_of, fields_of_start,
};
use super::parts::lines::{Format, Reading};
use super::parts::{paths, times, titles};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// What a session's first line holds, in this order; the rest goes to the trailer.
const LASTING: [&str; 7] = [
    "id",
    "slug",
    "projectID",
    "workspaceID",
    "directory",
    "parentID",
    "version",
];

/// Titles of sessions that have none yet start so; the time of creation follows.
const NO_TITLE: [&str; 2] = ["New session - ", "Child session - "];

/// OpenCode's sessions.
#[derive(Debug)]
pub(crate) struct OpenCode;

impl Dialect for OpenCode {
    fn agent(&self) -> &'static str {
        "opencode"
    }

    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        if paths::is_lines(candidate.path) && candidate.lines().any(|line| is_line(&line)) {
            return Recognition::Lines;
        }
        Recognition::No
    }

    /// The id in the first lines, else the stem.
    fn may_own(&self, _candidate: &Candidate<'_>) -> bool {
        false
    }

    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let found = candidate.lines().find_map(|line| {
            let [info] = fields_of_start(&line, &["info"]);
            let [id, session] = fields_of(info, &["id", "sessionID"]);
            fields::owned(session).or_else(|| fields::owned(id))
        });
        found.unwrap_or_else(|| paths::stem(candidate.path))
    }

    /// None: beside OpenCode's sessions lie credentials, caches and snapshots of whole projects.
    fn sidecar(&self, _path: &Path) -> Option<Sidecar> {
        None
    }

    fn document_lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let text = String::from_utf8_lossy(bytes);
        let [info, messages] =
            fields(super::parts::lines::body(&text), &["info", "messages"]).ok()?;
        let (info, messages) = (info?, messages?);
        if !info.is_object() || !messages.get().starts_with('[') {
            return None;
        }
        let info: Vec<(String, String)> = entries(info)
            .into_iter()
            .map(|(key, value)| (key, compact(value.get())))
            .collect();
        let messages = elements(messages).into_iter().map(|message| {
            let mut line = compact(message.get()).into_bytes();
            line.push(b'\n');
            line
        });
        Some(content(&info, messages.collect()))
    }
}

/// Whether a line, perhaps cut off, is one of those that are made here.
fn is_line(line: &str) -> bool {
    let [info, parts] = fields_of_start(line, &["info", "parts"]);
    let [id, session] = fields_of(info, &["id", "sessionID"]);
    let named = [id, session]
        .into_iter()
        .filter_map(fields::text)
        .any(|id| id.starts_with("ses_"));
    named || (session.is_some() && parts.is_some())
}

/// The first line of a session and its trailer, from the fields of its `info` as JSON.
pub(crate) fn session_lines(info: &[(String, String)]) -> (Vec<u8>, Option<Vec<u8>>) {
    let find = |key: &str| info.iter().rev().find(|(found, _)| found == key);
    let times = find("time").map_or("{}", |(_, time)| time.as_str());
    let times = entries_in(times);
    let time_of = |created: bool| {
        let of = times
            .iter()
            .filter(|(key, _)| (key == "created") == created);
        object(of.map(|(key, value)| (key.as_str(), value.get())))
    };
    let (created, changed) = (time_of(true), time_of(false));
    let timed = |fields: &mut Vec<(&str, String)>, time: &String| {
        if time != "{}" {
            fields.push(("time", time.clone()));
        }
    };
    let mut first = Vec::new();
    for key in LASTING {
        first.extend(find(key).map(|(_, value)| (key, value.clone())));
    }
    timed(&mut first, &created);
    let mut last: Vec<(&str, String)> = info
        .iter()
        .filter(|(key, _)| key != "time" && !LASTING.contains(&key.as_str()))
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    timed(&mut last, &changed);
    let trailer = (!last.is_empty()).then(|| {
        let id = find("id").map(|(_, id)| ("id", id.clone()));
        info_line(&id.into_iter().chain(last).collect::<Vec<_>>())
    });
    (info_line(&first), trailer)
}

/// A session, from the fields of its `info` as JSON and the lines of its messages. OpenCode writes
/// the turn that is not over again and again: the answer as it grows, and what it changed to the
/// question.
pub(crate) fn content(info: &[(String, String)], messages: Vec<Vec<u8>>) -> DocumentLines {
    let (header, trailer) = session_lines(info);
    let mut lines = messages;
    lines.insert(0, header);
    let content = DocumentLines {
        lines,
        trailer,
        ..DocumentLines::default()
    };
    content.with_open_turn(&OpenCode)
}

fn info_line(fields: &[(&str, String)]) -> Vec<u8> {
    let info = object(fields.iter().map(|(key, json)| (*key, json.as_str())));
    (object([("info", info.as_str())]) + "\n").into_bytes()
}

/// A message's line, from the JSON of its `info` and of its parts.
#[cfg(any(test, feature = "sqlite"))]
pub(crate) fn message_line(info: &str, parts: &[String]) -> Vec<u8> {
    let mut list = "[".to_owned();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            list.push(',');
        }
        list.push_str(part);
    }
    list.push(']');
    (object([("info", info), ("parts", list.as_str())]) + "\n").into_bytes()
}

/// The JSON of a message or a part: what the database holds, and the ids that it leaves out.
/// What is no JSON object is kept as a text.
#[cfg(any(test, feature = "sqlite"))]
pub(crate) fn with_ids(data: &str, ids: &[(&str, &str)]) -> String {
    let ids: Vec<(&str, String)> = ids.iter().map(|(key, id)| (*key, string(id))).collect();
    let ids = object(ids.iter().map(|(key, id)| (*key, id.as_str())));
    let body = if fields(data, &["role"]).is_ok() {
        compact(data)
    } else {
        object([("data", string(data).as_str())])
    };
    match (body.strip_suffix('}'), ids.strip_prefix('{')) {
        (Some("{"), _) => ids,
        (Some(body), Some(ids)) if ids.len() > 1 => format!("{body},{ids}"),
        _ => body,
    }
}

impl Format for OpenCode {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let [info, parts] = fields_of(Some(object), &["info", "parts"]);
        let Some(info) = info.filter(|info| info.is_object()) else {
            return Reading::of(RecordKind::Unknown);
        };
        let [role, id, time] = fields_of(Some(info), &["role", "id", "time"]);
        let [created] = fields_of(time, &["created"]);
        let Some(word) = fields::text(role) else {
            let kind = match (parts, fields::text_filled(id)) {
                (Some(_), _) => RecordKind::Event,
                (None, Some(_)) => return session(info),
                (None, None) => RecordKind::Unknown,
            };
            return Reading::of(kind);
        };
        let role = Role::from_word(&word);
        let mut reading = Reading::of(RecordKind::Message);
        reading.role = Some(role);
        reading.time_us = times::time_us(created);
        reading.facts = Facts {
            model: parts::model(info),
            record_id: fields::text_filled(id),
            title: parts::first_text(role, parts),
            ..Facts::default()
        };
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let [info, parts] = fields_of(Some(object), &["info", "parts"]);
        let [role, id, parent, time, tokens] =
            fields_of(info, &["role", "id", "parentID", "time", "tokens"]);
        let [created] = fields_of(time, &["created"]);
        Message {
            id: fields::owned(id),
            parent_id: fields::owned(parent),
            content: parts.map(parts::blocks).unwrap_or_default(),
            time: times::time(created),
            model: info.and_then(parts::model).map(Into::into),
            usage: parts::usage(tokens),
            ..Message::new(Role::from_word(&fields::text(role).unwrap_or_default()))
        }
    }
}

/// What a line about the session tells.
fn session(info: Json<'_>) -> Reading<'_> {
    let [directory, title, parent, time] =
        fields_of(Some(info), &["directory", "title", "parentID", "time"]);
    let [created, updated] = fields_of(time, &["created", "updated"]);
    let title = fields::text_filled(title)
        .filter(|title| !NO_TITLE.iter().any(|start| title.starts_with(start)));
    let facts = Facts {
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        project: fields::text_filled(directory),
        parent: fields::text_filled(parent),
        title: titles::latest(title, titles::GENERATED),
        ..Facts::default()
    };
    Reading {
        facts,
        ..Reading::of(RecordKind::Meta)
    }
}
