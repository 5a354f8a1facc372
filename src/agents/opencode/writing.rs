//! The lines that are made of OpenCode's sessions, the same from a document and from a database.

use super::reading::OpenCode;
use crate::agents::document::DocumentLines;
use crate::agents::parts::compact::object;
use crate::agents::parts::compact::{compact, string};
use crate::agents::parts::fields::entries_in;
use crate::agents::parts::fields::fields;

/// What the ids of sessions begin with.
pub(super) const ID: &str = "ses_";

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

/// The first line of a session and its trailer, from the fields of its `info` as JSON.
pub(super) fn session_lines(info: &[(String, String)]) -> (Vec<u8>, Option<Vec<u8>>) {
    // Of a key that stands there twice the last one holds.
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
        // The trailer names its session too, since a line is read alone.
        let id = find("id").map(|(_, id)| ("id", id.clone()));
        info_line(&id.into_iter().chain(last).collect::<Vec<_>>())
    });
    (info_line(&first), trailer)
}

/// A session, from the fields of its `info` as JSON and the lines of its messages. OpenCode writes
/// the turn that is not over again and again: the answer as it grows, and what it changed to the
/// question.
pub(super) fn content(info: &[(String, String)], messages: Vec<Vec<u8>>) -> DocumentLines {
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
pub(super) fn message_line(info: &str, parts: &[String]) -> Vec<u8> {
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

/// The line of a message as later versions keep it: what the database holds, with its ids and its type.
#[cfg(feature = "sqlite")]
pub(super) fn later_line(data: &str, ids: &[(&str, &str)]) -> Vec<u8> {
    let message = with_ids(data, ids);
    (object([("message", message.as_str())]) + "\n").into_bytes()
}

/// The JSON of a message or a part: what the database holds, and the ids that it leaves out.
/// What is no JSON object is kept as a text.
pub(super) fn with_ids(data: &str, ids: &[(&str, &str)]) -> String {
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
