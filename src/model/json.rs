//! JSON text that is known to be well-formed, walked through without being parsed again.
//!
//! A line is checked once, by `serde_json`. From then on its values are found by looking for the
//! quotes and brackets that end them, several times as fast as a parser goes, and nothing is
//! converted before somebody asks what it is.

use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::json_string;

/// One JSON value, as its text without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Takes text after checking that it is one JSON value. Depth is no limit, numbers may have
    /// any size, and half of a surrogate pair is no error.
    ///
    /// # Errors
    ///
    /// What `serde_json` says, if it is not.
    pub(crate) fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str::<&RawValue>(text).map(Self::of)
    }

    /// Text that `serde_json` has delimited as one value.
    pub(crate) fn delimited(text: &'a str) -> Self {
        Self(text)
    }

    /// A value that `serde_json` has delimited.
    pub(crate) fn of(value: &'a RawValue) -> Self {
        Self(value.get())
    }

    /// Its text.
    pub(crate) fn get(self) -> &'a str {
        self.0
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Every member of an object in its order, duplicates included; none of anything else.
    pub(crate) fn members(self) -> Members<'a> {
        Members::of(self.0)
    }

    /// Every element of an array in its order; none of anything else.
    pub(crate) fn elements(self) -> Elements<'a> {
        let at = if self.0.starts_with('[') {
            1
        } else {
            self.0.len()
        };
        Elements { text: self.0, at }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::of)
    }
}

/// The key of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// Its text.
    pub(crate) fn text(self) -> Cow<'a, str> {
        json_string::decode(self.0).unwrap_or_default()
    }

    /// Whether it is this one.
    pub(crate) fn is(self, name: &str) -> bool {
        let plain = self
            .0
            .strip_prefix('"')
            .and_then(|key| key.strip_suffix('"'));
        // A key with an escape is longer than what it stands for.
        plain == Some(name)
            || (self.0.len() > name.len() + 2 && self.0.contains('\\') && self.text() == name)
    }
}

/// The members of an object, which may be cut off: those before the cut.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Members<'a> {
    /// Of text that starts with an object.
    pub(crate) fn of(text: &'a str) -> Self {
        let at = if text.starts_with('{') { 1 } else { text.len() };
        Self { text, at }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key_end = end_of_value(self.text, separators(self.text, self.at))?;
        let key = self.text.get(separators(self.text, self.at)..key_end)?;
        let start = separators(self.text, key_end);
        let end = end_of_value(self.text, start)?;
        self.at = end;
        Some((Key(key), Json(self.text.get(start..end)?)))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = separators(self.text, self.at);
        let end = end_of_value(self.text, start)?;
        self.at = end;
        Some(Json(self.text.get(start..end)?))
    }
}

/// The first place from `at` on that is neither white space, nor a comma, nor a colon.
fn separators(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let is_separator = |byte: &&u8| matches!(byte, b',' | b':' | b' ' | b'\t' | b'\r' | b'\n');
    at + rest.iter().take_while(is_separator).count()
}

/// Behind the value that starts at `start`; `None` if there is none, or if it does not end.
fn end_of_value(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        match *bytes.get(at)? {
            b'"' => at = end_of_string(bytes, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth == 0 => at = end_of_word(bytes, at)?,
            // White space, commas, colons and words within.
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind the quote that ends a string, whose text starts at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        let before = bytes.get(at..quote)?;
        let backslashes = before
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        if backslashes % 2 == 0 {
            return Some(quote + 1);
        }
        at = quote + 1;
    }
}

/// Behind a number, `true`, `false` or `null`; `None` if the text may go on.
fn end_of_word(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    rest.iter().position(is_end).map(|length| at + length)
}
