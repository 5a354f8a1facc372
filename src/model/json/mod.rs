//! JSON text that is known to be well-formed, walked through without being parsed again.
//!
//! A line is checked once, by `serde_json`. From then on its values are found by looking for the
//! quotes and brackets that end them, several times as fast as a parser goes, and nothing is
//! converted before somebody asks what it is.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::json_string;

/// Bytes of a string that are looked at one by one.
const SHORT_BYTES: usize = 32;

/// Members that most objects do not have more of.
const MEMBERS: usize = 16;

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

    /// The members of an object, together.
    pub(crate) fn all_members(self) -> Vec<(Key<'a>, Self)> {
        let mut members = Vec::with_capacity(MEMBERS);
        members.extend(self.members());
        members
    }

    /// Every element of an array in its order; none of anything else.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements(Items::of(self.0, '['))
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::of)
    }
}

/// The key of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    json: &'a str,
    /// Whether it is known to hold no escape.
    is_plain: bool,
}

impl<'a> Key<'a> {
    /// Its JSON, with the quotes.
    pub(crate) fn json(self) -> Json<'a> {
        Json(self.json)
    }

    /// Its text.
    pub(crate) fn text(self) -> Cow<'a, str> {
        let inner = self.json.get(1..self.json.len().saturating_sub(1));
        match inner.filter(|_| self.is_plain) {
            Some(inner) => Cow::Borrowed(inner),
            None => json_string::decode(self.json).unwrap_or_default(),
        }
    }

    /// Its place among names.
    pub(crate) fn place_in(self, names: &[&str]) -> Option<usize> {
        let text = self.text();
        names.iter().position(|name| *name == text)
    }
}

/// The members of an object, which may be cut off: those before the cut.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a>(Items<'a>);

impl<'a> Members<'a> {
    /// Of text that starts with an object.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Items::of(text, '{'))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.text;
        let start = self.0.start()?;
        if *text.as_bytes().get(start)? != b'"' {
            return None;
        }
        let short = end_of_short_string(text.as_bytes(), start + 1);
        let key_end = match short {
            Some(end) => end,
            None => end_of_string(text.as_bytes(), start + 1)?,
        };
        let colon = behind(text, key_end, b':')?;
        let value = self.0.value(white_space(text, colon))?;
        let key = Key {
            json: text.get(start..key_end)?,
            is_plain: short.is_some(),
        };
        Some((key, value))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a>(Items<'a>);

impl<'a> Elements<'a> {
    /// The next element, with its members if it is an object: found on the way to its end.
    pub(crate) fn next_with_members(&mut self) -> Option<(Json<'a>, Vec<(Key<'a>, Json<'a>)>)> {
        let start = self.0.start()?;
        let text = self.0.text;
        if !text.get(start..)?.starts_with('{') {
            return Some((self.0.value(start)?, Vec::new()));
        }
        let mut walk = Members(Items {
            text,
            at: start + 1,
            is_first: true,
        });
        let mut members = Vec::with_capacity(MEMBERS);
        members.extend(walk.by_ref());
        let end = behind(text, walk.0.at, b'}').or_else(|| end_of_value(text, start))?;
        self.0.at = end;
        Some((Json(text.get(start..end)?), members))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.start()?;
        self.0.value(start)
    }
}

/// What stands between two brackets, with commas between.
#[derive(Clone, Debug)]
struct Items<'a> {
    text: &'a str,
    /// Behind the bracket, or behind the last item.
    at: usize,
    is_first: bool,
}

impl<'a> Items<'a> {
    /// Of text that starts with a bracket; none of any other.
    fn of(text: &'a str, bracket: char) -> Self {
        Self {
            text: if text.starts_with(bracket) { text } else { "" },
            at: 1,
            is_first: true,
        }
    }

    /// Where the next item starts.
    fn start(&mut self) -> Option<usize> {
        let at = if std::mem::take(&mut self.is_first) {
            self.at
        } else {
            behind(self.text, self.at, b',')?
        };
        Some(white_space(self.text, at))
    }

    /// The value that ends the item.
    fn value(&mut self, start: usize) -> Option<Json<'a>> {
        let end = end_of_value(self.text, start)?;
        self.at = end;
        self.text.get(start..end).map(Json)
    }
}

/// The first place from `at` on that is not white space.
fn white_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let is_white = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    at + rest.iter().take_while(is_white).count()
}

/// Behind a byte that comes next, white space aside.
fn behind(text: &str, at: usize, wanted: u8) -> Option<usize> {
    let at = white_space(text, at);
    (*text.as_bytes().get(at)? == wanted).then_some(at + 1)
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

/// The same of a string that is short and has no escape: most are keys and words, at their end
/// before a faster search gets going.
fn end_of_short_string(bytes: &[u8], at: usize) -> Option<usize> {
    let near = bytes.get(at..)?.iter().take(SHORT_BYTES);
    let end = near
        .enumerate()
        .find(|(_, byte)| matches!(byte, b'"' | b'\\'))?;
    (*end.1 == b'"').then_some(at + end.0 + 1)
}

/// Behind the quote that ends a string, whose text starts at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    if let Some(end) = end_of_short_string(bytes, at) {
        return Some(end);
    }
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
