//! ggcode's `index.json`: an array with a row for each session of the folder.
//!
//! Rows that are not written anew stay byte for byte, and so does what stands between them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::json::Json;
use chrono::{DateTime, Utc};

use super::reading::{NO_TITLE, given};
use crate::agents::parts::fields::{self, entries, fields_of, owned, text};
use crate::agents::parts::go_json::{Escape, block, go_time, member, string};
use crate::agents::parts::{lines, times};
use crate::agents::state::{SessionState, SidecarFacts};

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

/// The rows of an index, those that are no objects too: they tell nothing, and stay. `None` if it
/// is none.
fn rows(text: &str) -> Option<Vec<Json<'_>>> {
    let rows: Option<Vec<Json<'_>>> = serde_json::from_str(text).ok()?;
    Some(rows.unwrap_or_default())
}

fn id_of(row: Json<'_>) -> Option<String> {
    let [id] = fields_of(Some(row), &["id"]);
    owned(id)
}

/// What the index tells of sessions. Of two rows for one session the first holds.
pub(super) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let index = String::from_utf8_lossy(bytes);
    let mut known = HashSet::new();
    let mut facts = Vec::new();
    for row in rows(&index).unwrap_or_default() {
        let [title, created, updated] =
            fields_of(Some(row), &["title", "created_at", "updated_at"]);
        let Some(id) = id_of(row).filter(|id| known.insert(id.clone())) else {
            continue;
        };
        facts.push(SidecarFacts {
            id,
            title: given(title).map(Cow::into_owned),
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
    // As Go writes an index without rows.
    let index = match original {
        Some(original) => std::str::from_utf8(original).ok()?,
        None => "null",
    };
    // Rows of sessions that are not known here would be lost with an index that cannot be read.
    let rows = rows(index)?;
    let mut missing: HashMap<&str, &SessionState> = changed
        .iter()
        .map(|state| (id_in_index(state), state))
        .collect();
    let mut written = String::with_capacity(index.len());
    let mut rest = index;
    for row in &rows {
        // Between rows there is white space and a comma.
        let (before, after) = rest.split_once(row.get())?;
        written.push_str(before);
        rest = after;
        let state = id_of(*row).and_then(|id| missing.remove(id.as_str()));
        match state {
            Some(state) => written.push_str(&row_of(state, Some(*row))),
            None => written.push_str(row.get()),
        }
    }
    let new: Vec<String> = changed
        .iter()
        .filter(|state| missing.contains_key(id_in_index(state)))
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
fn row_of(state: &SessionState, there: Option<Json<'_>>) -> String {
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
    // A header says all that there is, also that there is no vendor; without one the row is all
    // that is known.
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
    // Fields of newer versions stay in their rows.
    let others = there.map(|row| entries(row)).unwrap_or_default();
    let mut members: Vec<String> = row
        .into_iter()
        .map(|(key, value)| member(4, key, &value))
        .collect();
    for (key, value) in others {
        if !FIELDS.contains(&key.as_str()) {
            members.push(member(4, &key, value.get()));
        }
    }
    block('{', &members, '}', 2)
}

/// A time, spelled as it was if it is the same to the microsecond.
fn time(time: DateTime<Utc>, there: Option<Json<'_>>) -> String {
    match there {
        Some(there) if times::time_us(Some(there)) == Some(time.timestamp_micros()) => {
            there.get().to_owned()
        }
        _ => string(&go_time(time), Escape::Html),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;
    use crate::model::properties::Properties;
    use crate::model::session::Summary;

    const ROW: &str = "  {\n    \"id\": \"a\",\n    \"title\": \"One \\u0026 two\",\n    \
        \"created_at\": \"2026-04-03T11:45:00.1002003+02:00\",\n    \
        \"updated_at\": \"2026-04-03T11:52:00.4005006+02:00\",\n    \"msg_count\": 2,\n    \
        \"vendor\": \"zai\",\n    \"model\": \"glm-5\"\n  }";

    fn state(id: &str, title: &str, messages: u64) -> SessionState {
        let key = SessionKey::new("ggcode", id).unwrap();
        let time = |text: &str| text.parse().unwrap();
        SessionState {
            summary: Summary {
                title: title.to_owned(),
                updated_at: time("2026-04-03T09:52:00.400500Z"),
                message_count: messages,
                record_count: messages,
                next_sequence: messages,
                model: Some("glm-5".to_owned()),
                ..Summary::new(key, 1, time("2026-04-03T09:45:00.100200Z"))
            },
            properties: Properties::default(),
            lines: messages,
            skip: 0,
            first_line: b"{\"type\":\"meta\",\"vendor\":\"zai\"}\n".to_vec(),
            path: vec!["sessions".to_owned(), format!("{id}.jsonl")],
        }
    }

    fn written(original: Option<&str>, changed: &[SessionState]) -> Option<String> {
        let bytes = write(original.map(str::as_bytes), changed)?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn feature_index_file_rows_are_those_of_go() {
        let index = written(None, &[state("a", "One & two", 2)]).unwrap();
        let row = ROW.replace("11:45:00.1002003+02:00", "09:45:00.1002Z");
        let row = row.replace("11:52:00.4005006+02:00", "09:52:00.4005Z");
        assert_eq!(index, format!("[\n{row}\n]"));
        let untitled = written(Some("[]"), &[state("b", "", 0)]).unwrap();
        assert!(
            untitled.contains("\"title\": \"New session\""),
            "{untitled}"
        );
        assert_eq!(written(None, &[]), None);
    }

    #[test]
    fn a_row_that_still_holds_and_every_other_keeps_its_bytes() {
        let stale = "{\"id\":\"gone\", \"odd\" :1.50}";
        let original = format!("[\n{ROW},\n {stale}  ,\n{ROW}]\n");
        let same = [state("a", "One & two", 2)];
        assert_eq!(written(Some(&original), &same).unwrap(), original);
        assert_eq!(written(Some(&original), &[]).unwrap(), original);

        let changed = [state("a", "One & two", 5), state("new", "N", 1)];
        let index = written(Some(&original), &changed).unwrap();
        let row = ROW.replace("\"msg_count\": 2", "\"msg_count\": 5");
        assert!(
            index.starts_with(&format!(
                "[\n{row},\n {stale}  ,\n{ROW},\n  {{\n    \"id\": \"new\""
            )),
            "{index}"
        );
        assert!(index.ends_with("\n  }]\n"), "{index}");
        let ids: Vec<_> = facts(index.as_bytes())
            .into_iter()
            .map(|fact| fact.id)
            .collect();
        assert_eq!(ids, ["a", "gone", "new"]);
    }

    #[test]
    fn fields_that_are_not_known_stay_in_a_row() {
        let original = ROW.replace(
            "\"msg_count\": 2",
            "\"preview\": \"p\",\n    \"msg_count\": 2",
        );
        let index = written(Some(&format!("[{original}]")), &[state("a", "T", 3)]).unwrap();
        assert!(
            index.contains("\"model\": \"glm-5\",\n    \"preview\": \"p\"\n  }]"),
            "{index}"
        );
        assert!(index.contains("11:45:00.1002003+02:00"), "{index}");
    }

    #[test]
    fn a_corrupt_index_is_not_written_and_tells_nothing() {
        for corrupt in ["", "[\n  {\n    \"id\": \"2026sg", "{}", "\u{feff}[]"] {
            assert_eq!(
                written(Some(corrupt), &[state("a", "T", 1)]),
                None,
                "{corrupt}"
            );
            assert_eq!(written(Some(corrupt), &[]).as_deref(), Some(corrupt));
            assert_eq!(facts(corrupt.as_bytes()), [], "{corrupt}");
        }
        assert_eq!(
            write(Some(b"[{\"id\":\"\xff\"}]"), &[state("a", "T", 1)]),
            None
        );
    }

    #[test]
    fn a_row_that_is_no_object_costs_itself_alone() {
        let original = format!("[null, 1 ,{ROW},\n  \"x\", [2] ]\n");
        let told = facts(original.as_bytes());
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].id, "a");
        let changed = [state("a", "One & two", 5), state("new", "N", 1)];
        let index = written(Some(&original), &changed).unwrap();
        let row = ROW.replace("\"msg_count\": 2", "\"msg_count\": 5");
        let start = format!("[null, 1 ,{row},\n  \"x\", [2],\n  {{\n    \"id\": \"new\"");
        assert!(index.starts_with(&start), "{index}");
        assert!(index.ends_with("\n  } ]\n"), "{index}");
    }

    #[test]
    fn hazard_3_5_10_of_two_rows_the_first_tells() {
        let second = ROW.replace("One", "Two");
        let unset =
            "{\"id\":\"b\",\"title\":\"New session\",\"updated_at\":\"0001-01-01T00:00:00Z\"}";
        let facts = facts(format!("[{ROW},{second},{unset}]").as_bytes());
        assert_eq!(facts.len(), 2);
        assert_eq!(facts[0].title.as_deref(), Some("One & two"));
        assert_eq!(facts[0].created_us, Some(1_775_209_500_100_200));
        assert_eq!(facts[0].updated_us, Some(1_775_209_920_400_500));
        assert_eq!((&facts[1].title, facts[1].updated_us), (&None, None));
    }
}
