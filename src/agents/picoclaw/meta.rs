//! The meta file beside a session: its key, its summary, and how many of its lines are hidden.

use std::borrow::Cow;
use std::path::Path;

use crate::json::Json;
use chrono::{DateTime, Utc};
use memchr::memmem;

use crate::agents::parts::fields::{self, elements, entries_in, fields, owned, text};
use crate::agents::parts::go_json::{self, Escape, GoObject};
use crate::agents::parts::{lines, paths, times};
use crate::agents::state::{SessionState, SidecarFacts};
use crate::model::raw_json::RawJson;

/// The fields of a meta file; the last two are of newer versions.
const FIELDS: [&str; 8] = [
    "key",
    "summary",
    "skip",
    "count",
    "created_at",
    "updated_at",
    "scope",
    "aliases",
];

/// Whether bytes are a meta file that is whole: nobody else writes these six fields.
pub(super) fn is_meta(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(found) = fields(lines::body(&text), &FIELDS) else {
        return false;
    };
    let [key, summary, skip, count, created, updated, ..] = found;
    let is_text = |value: Option<Json<'_>>| value.is_some_and(|v| v.get().starts_with('"'));
    let is_number = |value: Option<Json<'_>>| {
        value.is_some_and(|value| value.get().bytes().all(|byte| byte.is_ascii_digit()))
    };
    [key, summary, created, updated].into_iter().all(is_text)
        && [skip, count].into_iter().all(is_number)
}

/// The key in a meta file, as far as it can still be found in a damaged one.
pub(super) fn key(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let [key] = fields::fields_of_start(lines::body(&text), &["key"]);
    owned(key).or_else(|| key_in_damage(&text))
}

fn key_in_damage(text: &str) -> Option<String> {
    let at = memmem::find(text.as_bytes(), b"\"key\"")?;
    let after = text.get(at + "\"key\"".len()..)?.trim_start();
    let value = after.strip_prefix(':')?.trim_start();
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<Json<'_>>();
    owned(values.next()?.ok())
}

/// What a meta file tells of the session `id`; `None` if it cannot be read.
pub(super) fn facts(id: String, bytes: &[u8]) -> Option<SidecarFacts> {
    let text_of_file = String::from_utf8_lossy(bytes);
    let found = fields(lines::body(&text_of_file), &FIELDS).ok()?;
    let [_, summary, skip, _, created, updated, scope, aliases] = found;
    Some(SidecarFacts {
        id,
        skip: skip.map(|skip| fields::count(Some(skip))),
        summary: text(summary).map(Cow::into_owned),
        aliases: aliases.map(names),
        scope: scope.and_then(scope_of),
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        ..SidecarFacts::default()
    })
}

fn names(list: Json<'_>) -> Vec<String> {
    elements(list)
        .into_iter()
        .filter_map(|name| owned(Some(name)))
        .collect()
}

/// Whether there is nothing in a list, or no list.
fn is_empty(list: Json<'_>) -> bool {
    list.get() == "null" || elements(list).is_empty()
}

/// A scope on one line; `null` is none.
fn scope_of(scope: Json<'_>) -> Option<RawJson> {
    if scope.get() == "null" {
        return None;
    }
    RawJson::parse(go_json::compact(scope.get(), Escape::Plain)).ok()
}

/// The meta file of a session as it is now: the original bytes if they still say the same.
pub(super) fn write(state: &SessionState, original: Option<&[u8]>) -> Vec<u8> {
    let text_of_file = original.map(String::from_utf8_lossy).unwrap_or_default();
    let body = lines::body(&text_of_file);
    let found = fields(body, &FIELDS).ok();
    if let Some(original) = original
        && found.map_or_else(|| says_nothing(state), |found| holds(&found, state))
    {
        return original.to_vec();
    }
    let [key, _, _, _, created, updated, scope, aliases] = found.unwrap_or([None; FIELDS.len()]);
    // An id can differ from the key: it was too long, or the file is one of two with that key.
    let key = owned(key).unwrap_or_else(|| state.summary.key.id().to_owned());
    let mut object = GoObject::new(Escape::Html);
    object
        .text("key", &key)
        .text("summary", &state.properties.summary)
        .number("skip", state.skip)
        .number("count", state.lines)
        .json("created_at", &time(created, state.summary.created_at))
        .json("updated_at", &time(updated, state.summary.updated_at));
    // What was not changed stays as it was written, with all that was not understood of it.
    let known = &state.properties;
    match (scope, &known.scope) {
        (Some(scope), known) if scope.get() != "null" && scope_of(scope) == *known => {
            object.json("scope", scope.get());
        }
        (_, Some(scope)) => {
            object.json("scope", scope.as_str());
        }
        (_, None) => {}
    }
    match aliases {
        Some(list) if !is_empty(list) && names(list) == known.aliases => {
            object.json("aliases", list.get());
        }
        _ if known.aliases.is_empty() => {}
        _ => {
            let aliases = known.aliases.iter();
            let aliases = aliases.map(|alias| go_json::string(alias, Escape::Html));
            object.json("aliases", &go_json::array(aliases));
        }
    }
    let unknown = if found.is_some() {
        entries_in(body)
    } else {
        Vec::new()
    };
    for (name, value) in unknown {
        if !FIELDS.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            object.json(&name, value.get());
        }
    }
    indented(&object.close()).into_bytes()
}

/// Whether there is nothing of a session that only a meta file can say: a damaged one is as good
/// as any then, and stays as it was.
fn says_nothing(state: &SessionState) -> bool {
    let properties = &state.properties;
    state.skip == 0
        && properties.summary.is_empty()
        && properties.aliases.is_empty()
        && properties.scope.is_none()
}

/// Whether a meta file says of a session what is so.
fn holds(found: &fields::Found<'_, 8>, state: &SessionState) -> bool {
    let [key, summary, skip, count, _, updated, scope, aliases] = *found;
    let properties = &state.properties;
    let scope = scope.and_then(scope_of);
    let known = properties.scope.as_ref();
    key.is_some()
        && text(summary).unwrap_or_default() == *properties.summary
        && skip.is_some_and(|skip| skip.get() == state.skip.to_string())
        && count.is_some_and(|count| count.get() == state.lines.to_string())
        && times::time_us(updated)
            .is_some_and(|updated| updated >= state.summary.updated_at.timestamp_micros())
        && scope.as_ref() == known
        && aliases.map(names).unwrap_or_default() == properties.aliases
}

/// A time as JSON, in its old spelling if that is the same to the microsecond: a file has
/// nanoseconds and an offset.
fn time(original: Option<Json<'_>>, now: DateTime<Utc>) -> String {
    match original {
        Some(original) if times::time_us(Some(original)) == Some(now.timestamp_micros()) => {
            original.get().to_owned()
        }
        _ => go_json::string(&go_json::go_time(now), Escape::Html),
    }
}

/// Deepest level that is indented further than the one above it: else a hostile value would take
/// the square of its depth.
const INDENTED_MAX: usize = 100;

/// Compact JSON, two spaces deeper for each level, as Go indents it.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut before = ' ';
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth.min(INDENTED_MAX)));
    };
    for character in json.chars() {
        let opens = matches!(before, '{' | '[') && !in_string;
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            before = 's';
            continue;
        }
        let closes = matches!(character, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        // Nothing between the brackets stays nothing.
        if opens != closes {
            line(&mut out, depth);
        }
        out.push(character);
        match character {
            '{' | '[' => depth += 1,
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => {}
        }
        before = character;
    }
    out
}

/// The key that the meta file beside a session file gives it, or else the file's stem.
pub(super) fn id_of(lines: &Path, meta: Option<&[u8]>) -> String {
    meta.and_then(key).unwrap_or_else(|| paths::stem(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_go_does_it() {
        assert_eq!(
            indented(r#"{"a":{},"b":[],"c":[1,{"d":"x\",[{:"}],"e":{"f":null}}"#),
            "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n      \"d\": \"x\\\",[{:\"\n    \
             }\n  ],\n  \"e\": {\n    \"f\": null\n  }\n}"
        );
    }

    #[test]
    fn hazard_4_5_7_the_key_is_found_in_a_damaged_meta_file() {
        for (bytes, expected) in [
            ("{\"key\": \"web:a\", \"summ", Some("web:a")),
            ("\0\0\0ry\": \"x\",\n \"key\" : \"web:b\",\n", Some("web:b")),
            ("{\"key\": \"web:c", None),
            ("{\"key\": \"\", \"summary\": \"\"}", None),
            ("", None),
        ] {
            assert_eq!(key(bytes.as_bytes()).as_deref(), expected, "{bytes}");
        }
    }
}
