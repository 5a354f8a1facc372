//! Finding the whole JSON objects on a line that is not one JSON object: records glued together,
//! a record that was cut off and another written behind it, NUL bytes left by a power failure.
//!
//! The work is bounded by the length of the line, whatever is on it: a few passes over it and a
//! fixed number of tries.

#[cfg(test)]
mod tests;

use memchr::memmem;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::json::Json;
use crate::model::limits::LINE_MESSAGES_MAX;

/// Most starts that are tried in vain on one line.
const TRIES_MAX: usize = 64;

/// Bytes that may be read in vain on one line, in lengths of the line.
const PASSES_MAX: usize = 4;

/// A JSON object on a damaged line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// The object.
    pub object: Json<'a>,
    /// Whether it is a record for sure. Otherwise it stands behind text that could not be read,
    /// and may be an inner part of what was lost: it counts only if the dialect knows its kind.
    pub certain: bool,
}

/// What is on a damaged line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Split<'a> {
    /// The whole objects, in order; at most [`LINE_MESSAGES_MAX`].
    pub values: Vec<Value<'a>>,
    /// The worst of what else is on the line.
    unread: Unread,
    /// The first thing that `serde_json` could not read.
    error: Option<Refused>,
}

/// What is on a line besides whole objects, from harmless to bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Unread {
    /// White space and commas.
    #[default]
    Nothing,
    /// A JSON value that is no object, and nothing else.
    OtherJson,
    /// NUL bytes.
    Nul,
    /// Text that is not JSON.
    Noise,
    /// An object that does not end, behind a whole one.
    TornLast,
    /// An object that does not end, before any whole one.
    TornFirst,
}

/// What `serde_json` said of text that it could not read.
#[derive(Clone, Debug)]
struct Refused {
    reason: String,
    /// The byte of the body at which it stopped.
    at: usize,
    /// Whether that was the end of the line.
    at_end: bool,
}

/// Finds the objects on a line that does not parse as one object. `body` is the line without
/// white space at its ends.
pub(crate) fn split(body: &str) -> Split<'_> {
    let mut found = Split::default();
    if !body.starts_with(['{', '\0']) && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        found.unread = Unread::OtherJson;
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
            found.note(Unread::Noise);
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
                    let object = Json::delimited(rest.get(..length).unwrap_or_default());
                    found.values.push(Value { object, certain });
                    certain = true;
                }
                at += length;
            }
            Err(error) => {
                found.note(if found.values.is_empty() {
                    Unread::TornFirst
                } else {
                    Unread::TornLast
                });
                let stopped = stopped_at(rest, &error);
                found.keep_parsed_error(&error, at + stopped);
                if !budget.spend(stopped) {
                    break;
                }
                if error.is_eof() {
                    let last = last_closed(rest);
                    found.values.extend(last.map(|object| Value {
                        object: Json::delimited(object),
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
    fn note(&mut self, unread: Unread) {
        self.unread = self.unread.max(unread);
    }

    /// Bytes of white space, NULs and commas at the start of `rest`.
    fn skip_separators(&mut self, rest: &str) -> usize {
        let separator = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0);
        let length = rest.bytes().take_while(|byte| separator(byte)).count();
        let skipped = rest.as_bytes().get(..length).unwrap_or_default();
        if memchr::memchr(0, skipped).is_some() {
            self.note(Unread::Nul);
        }
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
            let text = error.to_string();
            // The parser names a place in the piece that it was given, and not in the line.
            let reason = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(reason, _)| reason);
            self.error = Some(Refused {
                reason: reason.to_owned(),
                at,
                at_end: error.is_eof(),
            });
        }
    }

    /// What is wrong with the line, of which `known` objects are records. `before` bytes lie
    /// before the body in the line.
    pub(crate) fn problem(&self, known: usize, before: usize) -> String {
        let more = if self.values.len() < LINE_MESSAGES_MAX {
            ""
        } else {
            "at least "
        };
        let count = format!("{more}{known} JSON objects on one line");
        let text = match (known, self.unread) {
            (0, unread) => return self.problem_of_none(unread, before),
            (1, Unread::TornFirst) => "a cut-off record, then a whole one",
            (1, Unread::TornLast) => "a whole record, then a cut-off one",
            (1, Unread::Noise) => "a JSON object among text that is not JSON",
            (1, Unread::Nul) => "NUL bytes beside a JSON object",
            (1, _) => "more than a JSON object on one line",
            (_, Unread::Nothing | Unread::OtherJson | Unread::Nul) => return count,
            _ => return count + ", and text that is not JSON",
        };
        text.to_owned()
    }

    fn problem_of_none(&self, unread: Unread, before: usize) -> String {
        match &self.error {
            _ if unread == Unread::Nul => "NUL bytes instead of text".to_owned(),
            Some(error) if error.at_end && unread >= Unread::TornLast => {
                "cut off before its end".to_owned()
            }
            Some(error) => {
                format!(
                    "not JSON: {} at column {}",
                    error.reason,
                    before + error.at + 1
                )
            }
            None => "not a JSON object".to_owned(),
        }
    }
}

/// Bytes of the object at the start of `text`.
fn object_length(text: &str) -> serde_json::Result<usize> {
    let mut stream = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    stream.next().transpose()?;
    Ok(stream.byte_offset())
}

/// About which byte of `text` `serde_json` refused.
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
    // The depth that is left at the end is the one at which the last object began.
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
