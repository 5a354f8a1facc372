//! Finding the whole JSON objects on a line that is not one JSON object: records glued together,
//! a record that was cut off and another written behind it, NUL bytes left by a power failure.
//!
//! The work is bounded by the length of the line, whatever is on it: a few passes over it and a
//! fixed number of tries.

use memchr::memmem;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::model::limits::LINE_MESSAGES_MAX;

/// Most starts that are tried in vain on one line.
const TRIES_MAX: usize = 64;

/// Bytes that may be read in vain on one line, in lengths of the line.
const PASSES_MAX: usize = 4;

/// A JSON object on a damaged line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether it is a record for sure. Otherwise it stands behind text that could not be read,
    /// and may be an inner part of what was lost: it counts only if the dialect knows its kind.
    pub certain: bool,
}

/// What is on a damaged line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Split<'a> {
    /// The whole objects, in order; at most [`LINE_MESSAGES_MAX`].
    pub values: Vec<Value<'a>>,
    /// Whether there is a start of an object that does not end.
    torn: bool,
    /// Whether there is one before the first whole object.
    torn_first: bool,
    /// Whether there is other text that could not be read.
    noise: bool,
    /// Whether there are NUL bytes outside of the objects.
    nul: bool,
    /// Whether the line is a JSON value, but no object.
    other_json: bool,
    /// The first thing that serde_json could not read, and the byte at which it stopped.
    error: Option<(String, usize)>,
    /// Whether that was the end of the line.
    cut: bool,
}

/// Finds the objects on a line that does not parse as one object. `body` is the line without
/// white space at its ends.
pub(crate) fn split(body: &str) -> Split<'_> {
    let mut found = Split::default();
    if !body.starts_with(['{', '\0']) && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        found.other_json = true;
        return found;
    }
    let mut at = 0;
    let mut budget = Budget {
        tries: TRIES_MAX,
        bytes: body.len().saturating_mul(PASSES_MAX),
    };
    // Where the last cut-off record became unreadable: an object that ends before is part of it.
    let mut unread_to = 0;
    let mut certain = true;
    while found.values.len() < LINE_MESSAGES_MAX {
        at += found.skip_separators(body.get(at..).unwrap_or_default());
        let rest = body.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        if !rest.starts_with('{') {
            found.noise = true;
            found.keep_error(rest, at);
            certain = false;
            match memmem::find(rest.as_bytes(), b"{\"") {
                Some(next) if budget.spend(0) => at += next,
                _ => break,
            }
            continue;
        }
        match object_length(rest) {
            Ok(length) => {
                if at + length > unread_to {
                    let text = rest.get(..length).unwrap_or_default();
                    found.values.push(Value { text, certain });
                    certain = true;
                }
                at += length;
            }
            Err(error) => {
                found.torn = true;
                found.torn_first |= found.values.is_empty();
                let stopped = stopped_at(rest, &error);
                found.keep_parsed_error(&error, at + stopped);
                if !budget.spend(stopped) {
                    break;
                }
                if error.is_eof() {
                    let last = last_closed(rest);
                    found.values.extend(last.map(|text| Value {
                        text,
                        certain: false,
                    }));
                    break;
                }
                unread_to = unread_to.max(at + stopped);
                at += next_start(rest, stopped).unwrap_or(floor(rest, stopped).max(1));
            }
        }
    }
    found
}

/// What may still be read in vain.
struct Budget {
    tries: usize,
    bytes: usize,
}

impl Budget {
    fn spend(&mut self, bytes: usize) -> bool {
        let (tries, rest) = (self.tries.checked_sub(1), self.bytes.checked_sub(bytes));
        self.tries = tries.unwrap_or(0);
        self.bytes = rest.unwrap_or(0);
        tries.is_some() && rest.is_some()
    }
}

impl Split<'_> {
    /// Bytes of white space, NULs and commas at the start of `rest`.
    fn skip_separators(&mut self, rest: &str) -> usize {
        let separator = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0);
        let length = rest.bytes().take_while(|byte| separator(byte)).count();
        let skipped = rest.as_bytes().get(..length).unwrap_or_default();
        self.nul |= memchr::memchr(0, skipped).is_some();
        length
    }

    fn keep_error(&mut self, rest: &str, at: usize) {
        if self.error.is_none()
            && let Err(error) = serde_json::from_str::<IgnoredAny>(rest)
        {
            self.keep_parsed_error(&error, at + stopped_at(rest, &error));
        }
    }

    fn keep_parsed_error(&mut self, error: &serde_json::Error, at: usize) {
        if self.error.is_none() {
            self.cut = error.is_eof();
            let text = error.to_string();
            let reason = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(reason, _)| reason);
            self.error = Some((reason.to_owned(), at));
        }
    }

    /// What is wrong with the line, of which `known` objects are records. `before` bytes lie
    /// before the body in the line.
    pub(crate) fn problem(&self, known: usize, before: usize) -> String {
        let unread = self.torn || self.noise;
        match known {
            0 if self.other_json => "not a JSON object".to_owned(),
            0 if self.nul && !unread => "NUL bytes instead of text".to_owned(),
            0 if self.torn && self.cut => "cut off before its end".to_owned(),
            0 => match &self.error {
                Some((reason, at)) => format!("not JSON: {reason} at column {}", before + at + 1),
                None => "not a JSON object".to_owned(),
            },
            1 if self.torn_first => "a cut-off record, then a whole one".to_owned(),
            1 if self.torn => "a whole record, then a cut-off one".to_owned(),
            1 if self.noise => "a JSON object among text that is not JSON".to_owned(),
            1 if self.nul => "NUL bytes beside a JSON object".to_owned(),
            1 => "more than a JSON object on one line".to_owned(),
            _ if unread => format!("{known} JSON objects on one line, and text that is not JSON"),
            _ => format!("{known} JSON objects on one line"),
        }
    }
}

/// Bytes of the object at the start of `text`.
fn object_length(text: &str) -> serde_json::Result<usize> {
    let mut stream = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    stream.next().transpose()?;
    Ok(stream.byte_offset())
}

/// About which byte of `text` serde_json refused.
fn stopped_at(text: &str, error: &serde_json::Error) -> usize {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(line - 2)
            .map_or(text.len(), |feed| feed + 1),
    };
    (line_start + error.column().saturating_sub(1)).min(text.len())
}

/// Where the next record may start in `text`, of which the first one became unreadable at about
/// `stopped`: behind the NUL bytes there, or else at the last `{"` before.
///
/// A record that was cut off and followed by another becomes unreadable at the first bytes of
/// that other one, because none of `{"type` can go on a string, a number or a list of fields.
fn next_start(text: &str, stopped: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let near = stopped.saturating_sub(1).max(1);
    let reached = bytes
        .get(near..(stopped + 2).min(bytes.len()))
        .unwrap_or_default();
    if let Some(nul) = memchr::memchr(0, reached) {
        let run = bytes.get(near + nul..).unwrap_or_default();
        return Some(near + nul + run.iter().take_while(|byte| **byte == 0).count());
    }
    let read = bytes
        .get(1..(stopped + 3).min(bytes.len()))
        .unwrap_or_default();
    memmem::rfind(read, b"{\"").map(|at| at + 1)
}

/// The object that ends at the end of `text`, of which the first one does not end: it may be a
/// record that was taken for a value of the cut-off one before it.
fn last_closed(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '\t', '\r', '\n', '\0']);
    if !text.ends_with('}') {
        return None;
    }
    let mut depth = 0_usize;
    for_each_bracket(text, |_, opens| depth = step(depth, opens));
    let (mut opened, mut now) = (None, 0_usize);
    for_each_bracket(text, |at, opens| {
        if opens && now == depth {
            opened = Some(at);
        }
        now = step(now, opens);
    });
    let object = text.get(opened?..)?;
    object_length(object)
        .is_ok_and(|length| length == object.len())
        .then_some(object)
}

fn step(depth: usize, opens: bool) -> usize {
    if opens {
        depth + 1
    } else {
        depth.saturating_sub(1)
    }
}

/// Every bracket outside of strings: where it is, and whether it opens.
fn for_each_bracket(text: &str, mut seen: impl FnMut(usize, bool)) {
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => seen(at, true),
            b'}' | b']' if !in_string => seen(at, false),
            _ => {}
        }
    }
}

/// The last place from which text can be cut, at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORD: &str = r#"{"type":"message","n":-1.5e3,"ok":true,"list":[{"a":"b"},[]],"text":"a \"quoted\" \u00e9 é","in":{"x":null}}"#;

    fn texts(body: &str) -> Vec<&str> {
        split(body).values.iter().map(|value| value.text).collect()
    }

    fn problem(body: &str) -> String {
        let split = split(body);
        split.problem(split.values.len(), 0)
    }

    #[test]
    fn a_record_behind_a_cut_off_one_is_found_wherever_the_cut_is() {
        for (cut, _) in RECORD.char_indices().skip(1) {
            for gap in ["", " ", "\0\0\0"] {
                let line = format!("{}{gap}{RECORD}", &RECORD[..cut]);
                let split = split(&line);
                let last = split.values.last().map(|value| value.text);
                assert_eq!(last, Some(RECORD), "cut at {cut}: {line}");
                assert!(
                    split.values.iter().all(|value| value.text == RECORD),
                    "cut at {cut}: an inner part taken for a record: {split:?}"
                );
            }
        }
    }

    #[test]
    fn all_whole_objects_are_found() {
        assert_eq!(
            texts(r#"{"a":1}{"b":2} {"c":3}"#),
            [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]
        );
        assert_eq!(texts("\0\0{\"a\":1}\0"), ["{\"a\":1}"]);
        assert_eq!(texts(r#"{"a":{"b":1} oops}"#), [] as [&str; 0]);
        assert_eq!(texts(r#"{"a":1}{"b":"#), [r#"{"a":1}"#]);
        assert_eq!(texts(r#"x": "y"}{"a":1}"#), [r#"{"a":1}"#]);
        assert_eq!(texts(r#"[{"a":1}]"#), [] as [&str; 0]);
    }

    #[test]
    fn the_problem_is_named() {
        for (body, expected) in [
            ("[]", "not a JSON object"),
            ("null", "not a JSON object"),
            ("\0\0", "NUL bytes instead of text"),
            ("{\"a\":[1,", "cut off before its end"),
            ("not json", "not JSON: expected ident at column 2"),
            ("{broken", "not JSON: key must be a string at column 2"),
            ("NaN", "not JSON: expected value at column 1"),
            (r#"{"a":1}{"b":2}"#, "2 JSON objects on one line"),
            (r#"{"a":1}{"b":"#, "a whole record, then a cut-off one"),
            (r#"{"a":"x{"b":2}"#, "a cut-off record, then a whole one"),
            (
                r#"{"a":1} tail"#,
                "a JSON object among text that is not JSON",
            ),
            ("{\"a\":1}\0\0", "NUL bytes beside a JSON object"),
            (
                r#"{"a":1}x{"b":2}"#,
                "2 JSON objects on one line, and text that is not JSON",
            ),
        ] {
            assert_eq!(problem(body), expected, "{body:?}");
        }
    }

    #[test]
    fn hostile_lines_take_bounded_work() {
        let started = std::time::Instant::now();
        for unit in [
            "{\"a\":",
            "{\"a\":{\"a\" ",
            "{",
            "[{\"",
            "{\"\\",
            "\0{\"",
            "{}",
            "x{\"a",
            "\"{\"",
        ] {
            let line = unit.repeat(4_000_000 / unit.len());
            assert!(split(&line).values.len() <= LINE_MESSAGES_MAX, "{unit:?}");
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn whatever_is_found_is_an_object_of_the_line(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just(RECORD.to_owned()),
                    (0..RECORD.len()).prop_map(|cut| RECORD[..floor(RECORD, cut)].to_owned()),
                    "[{}\\[\\]\",:0\\\\ a]{0,12}",
                    any::<String>(),
                ],
                0..6,
            ),
        ) {
            let line = pieces.concat();
            let mut from = 0;
            for value in split(&line).values {
                let at = line[from..].find(value.text);
                prop_assert!(at.is_some(), "found twice or out of order");
                from += at.unwrap() + value.text.len();
                prop_assert!(serde_json::from_str::<IgnoredAny>(value.text).is_ok());
                prop_assert_eq!(value.text.as_bytes().first(), Some(&b'{'));
            }
        }
    }
}
