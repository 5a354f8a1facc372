//! ggcode's `index.json`: an array with a row for each session of the folder.
//!
//! Rows that are not written anew stay byte for byte, and so does what stands between them.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::NO_TITLE;
use super::reading::given;
use crate::dialect::fields::{self, entries, fields_of, is_object, owned, text};
use crate::dialect::go_json::{Escape, go_time, string};
use crate::dialect::{SessionState, SidecarFacts, lines, times};

/// The name of the file.
pub(super) const NAME: &str = "index.json";

/// The fields of a row.
const FIELDS: [&str; 8] = [
    "id",
    "title",
    "created_at",
    "updated_at",
    "msg_count",
    "vendor",
    "endpoint",
    "model",
];

/// The rows of an index; `None` if it is none.
fn rows(text: &str) -> Option<Vec<&RawValue>> {
    let rows: Option<Vec<&RawValue>> = serde_json::from_str(text).ok()?;
    let rows = rows.unwrap_or_default();
    rows.iter().all(|row| is_object(row)).then_some(rows)
}

fn id_of(row: &RawValue) -> Option<String> {
    let [id] = fields_of(Some(row), &["id"]);
    owned(id)
}

/// What the index tells of sessions. Of two rows for one session the first holds.
pub(super) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let index = String::from_utf8_lossy(bytes);
    let mut known = std::collections::HashSet::new();
    let mut facts = Vec::new();
    for row in rows(&index).unwrap_or_default() {
        let [title, created, updated] =
            fields_of(Some(row), &["title", "created_at", "updated_at"]);
        let Some(id) = id_of(row).filter(|id| known.insert(id.clone())) else {
            continue;
        };
        facts.push(SidecarFacts {
            id,
            title: given(title).map(std::borrow::Cow::into_owned),
            created_us: times::time_us(created),
            updated_us: times::time_us(updated),
            ..SidecarFacts::default()
        });
    }
    facts
}

/// The index with rows for the sessions that changed: the first row of each, or a new one behind
/// all others. `None` if the original cannot be read, so that no row of it is known.
pub(super) fn write(original: Option<&[u8]>, changed: &[SessionState]) -> Option<Vec<u8>> {
    if changed.is_empty() {
        return original.map(<[u8]>::to_vec);
    }
    let index = match original {
        Some(original) => std::str::from_utf8(original).ok()?,
        None => "null",
    };
    let rows = rows(index)?;
    let mut missing: Vec<&SessionState> = changed.iter().collect();
    let mut written = String::with_capacity(index.len());
    let mut rest = index;
    for row in &rows {
        // Between rows there is white space and a comma.
        let (before, after) = rest.split_once(row.get())?;
        written.push_str(before);
        rest = after;
        let id = id_of(row);
        let place = missing
            .iter()
            .position(|state| id.as_deref() == Some(id_in_index(state)));
        match place {
            Some(place) => written.push_str(&row_of(missing.remove(place), Some(row))),
            None => written.push_str(row.get()),
        }
    }
    let new: Vec<String> = missing
        .into_iter()
        .map(|state| row_of(state, None))
        .collect();
    let new = new.join(",\n  ");
    if rows.is_empty() {
        written = format!("[\n  {new}\n]");
    } else {
        if !new.is_empty() {
            written.push_str(",\n  ");
            written.push_str(&new);
        }
        written.push_str(rest);
    }
    Some(written.into_bytes())
}

/// The id under which ggcode finds a session: the name of its file.
fn id_in_index(state: &SessionState) -> &str {
    let name = state
        .path
        .last()
        .and_then(|name| name.strip_suffix(".jsonl"));
    name.unwrap_or_else(|| state.summary.key.id())
}

/// The row of a session, as Go indents it. Of the row that there was it keeps what still holds,
/// and fields that are not known.
fn row_of(state: &SessionState, there: Option<&RawValue>) -> String {
    let [title, created, updated, vendor, endpoint, model] = fields_of(
        there,
        &[
            "title",
            "created_at",
            "updated_at",
            "vendor",
            "endpoint",
            "model",
        ],
    );
    let summary = &state.summary;
    let header = String::from_utf8_lossy(&state.first_line);
    let [kind, header_vendor, header_endpoint] =
        fields::fields(lines::body(&header), &["type", "vendor", "endpoint"]).unwrap_or([None; 3]);
    let has_header = text(kind).as_deref() == Some("meta");
    let of_header = |header, row| owned(if has_header { header } else { row });
    let title = match summary.title.as_str() {
        "" => owned(title).unwrap_or_else(|| NO_TITLE.to_owned()),
        title => title.to_owned(),
    };
    let quoted = |text: &str| string(text, Escape::Html);
    let mut row = vec![
        ("id", quoted(id_in_index(state))),
        ("title", quoted(&title)),
        ("created_at", time(summary.created_at, created)),
        ("updated_at", time(summary.updated_at, updated)),
        ("msg_count", summary.message_count.to_string()),
    ];
    let texts = [
        ("vendor", of_header(header_vendor, vendor)),
        ("endpoint", of_header(header_endpoint, endpoint)),
        ("model", summary.model.clone().or_else(|| owned(model))),
    ];
    for (key, value) in texts {
        row.extend(value.map(|value| (key, quoted(&value))));
    }
    let others = there.map(|row| entries(row.get())).unwrap_or_default();
    let mut lines: Vec<String> = row
        .into_iter()
        .map(|(key, value)| format!("    \"{key}\": {value}"))
        .collect();
    for (key, value) in others {
        if !FIELDS.contains(&key.as_str()) {
            lines.push(format!("    {}: {}", quoted(&key), value.get()));
        }
    }
    format!("{{\n{}\n  }}", lines.join(",\n"))
}

/// A time, spelled as it was if it is the same to the microsecond.
fn time(time: DateTime<Utc>, there: Option<&RawValue>) -> String {
    match there {
        Some(there) if times::time_us(Some(there)) == Some(time.timestamp_micros()) => {
            there.get().to_owned()
        }
        _ => string(&go_time(time), Escape::Html),
    }
}
