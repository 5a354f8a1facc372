//! JSON text that is known to be well-formed, walked through without being parsed again.
//!
//! A line is checked once (`check`). From then on its values are found by looking for the quotes and
//! brackets that end them, several times as fast as a parser goes, or where the check has noted that
//! they end; and nothing is converted before somebody asks what it is.

mod check;
mod scan;
pub(crate) mod string;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::check::{Checked, Note};

pub(crate) use self::check::Ends;

/// Members that most objects do not have more of.
const MEMBERS: usize = 16;

/// One JSON value, as its text without white space around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    /// What is known of the values in it.
    known: Known<'a>,
}

/// Where values end, as far as that was noted.
#[derive(Clone, Copy, Debug, Default)]
struct Known<'a> {
    notes: &'a [Note],
    /// Where the text starts in the one that was checked.
    base: usize,
}

impl<'a> Json<'a> {
    /// Takes text after checking that it is one JSON value. Depth is no limit, numbers may have
    /// any size, and half of a surrogate pair is no error.
    ///
    /// # Errors
    ///
    /// What `serde_json` says, if it is not.
    pub(crate) fn parse(text: &'a str) -> serde_json::Result<Self> {
        match Self::checked(text) {
            Some((json, _)) => Ok(json),
            None => serde_json::from_str::<&RawValue>(text).map(Self::of),
        }
    }

    /// The same, where nobody asks what is wrong; and whether a string in it has half of a surrogate
    /// pair.
    pub(crate) fn checked(text: &'a str) -> Option<(Self, bool)> {
        let checked = check::check(text)?;
        Self::within(text, checked, &[])
    }

    /// The same, with notes of where values end, for a caller that is going to ask for some of them.
    pub(crate) fn noted(text: &'a str, ends: &'a mut Ends) -> Option<(Self, bool)> {
        let checked = ends.check(text)?;
        Self::within(text, checked, ends.notes())
    }

    fn within(text: &'a str, checked: Checked, notes: &'a [Note]) -> Option<(Self, bool)> {
        let base = checked.start;
        // The first note is of the value itself.
        let notes = notes.get(1..).unwrap_or_default();
        let json = Self {
            text: text.get(base..checked.end)?,
            known: Known { notes, base },
        };
        Some((json, checked.has_lone_surrogate))
    }

    /// Text that `serde_json` has delimited as one value.
    pub(crate) fn delimited(text: &'a str) -> Self {
        Self {
            text,
            known: Known::default(),
        }
    }

    /// A value that `serde_json` has delimited.
    pub(crate) fn of(value: &'a RawValue) -> Self {
        Self::delimited(value.get())
    }

    /// Its text.
    pub(crate) fn get(self) -> &'a str {
        self.text
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    /// Every member of an object in its order, duplicates included; none of anything else.
    pub(crate) fn members(self) -> Members<'a> {
        Members(Items::of(self, '{'))
    }

    /// The members of an object, together.
    pub(crate) fn all_members(self) -> Vec<(Key<'a>, Self)> {
        let mut members = Vec::with_capacity(MEMBERS);
        members.extend(self.members());
        members
    }

    /// Every element of an array in its order; none of anything else.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements(Items::of(self, '['))
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Json<'_> {}

impl Known<'_> {
    /// Where the value ends that starts at `start`, and what is known of it, if that was noted. What
    /// stands before it is forgotten.
    fn take(&mut self, start: usize) -> Option<(usize, Self)> {
        loop {
            let (note, rest) = self.notes.split_first()?;
            let place = (note.start as usize).checked_sub(self.base)?;
            // Notes are in the order of their values: of this one there is none.
            if place > start {
                return None;
            }
            let (inner, later) = rest.split_at_checked(note.inner as usize)?;
            self.notes = later;
            if place == start {
                let known = Self {
                    notes: inner,
                    base: note.start as usize,
                };
                return Some(((note.end as usize).checked_sub(self.base)?, known));
            }
        }
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
        Json::delimited(self.json)
    }

    /// Its text.
    pub(crate) fn text(self) -> Cow<'a, str> {
        let inner = self.json.get(1..self.json.len().saturating_sub(1));
        match inner.filter(|_| self.is_plain) {
            Some(inner) => Cow::Borrowed(inner),
            None => string::decode(self.json).unwrap_or_default(),
        }
    }

    /// Its place among names.
    pub(crate) fn place_in(self, names: &[&str]) -> Option<usize> {
        let text = self.text();
        let first = text.as_bytes().first();
        // Most names differ in what can be seen without a call.
        let is_it = |name: &&str| name.as_bytes().first() == first && **name == text;
        names.iter().position(is_it)
    }
}

/// The members of an object, which may be cut off: those before the cut.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a>(Items<'a>);

impl<'a> Members<'a> {
    /// Of text that starts with an object.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Items::of(Json::delimited(text), '{'))
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
        if let Some(object) = self.0.noted(start) {
            return Some((object, object.all_members()));
        }
        let mut walk = Members(Items {
            text,
            at: start + 1,
            is_first: true,
            known: Known::default(),
        });
        let mut members = Vec::with_capacity(MEMBERS);
        members.extend(walk.by_ref());
        // Where the walk has stopped before the bracket, its end is looked for.
        let end = behind(text, walk.0.at, b'}').or_else(|| end_of_value(text, start))?;
        self.0.at = end;
        Some((Json::delimited(text.get(start..end)?), members))
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
    known: Known<'a>,
}

impl<'a> Items<'a> {
    /// Of text that starts with a bracket; none of any other.
    fn of(Json { text, known }: Json<'a>, bracket: char) -> Self {
        Self {
            text: if text.starts_with(bracket) { text } else { "" },
            at: 1,
            is_first: true,
            known,
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
        self.noted(start).or_else(|| {
            let end = end_of_value(self.text, start)?;
            self.at = end;
            self.text.get(start..end).map(Json::delimited)
        })
    }

    /// The same, if its end was noted.
    fn noted(&mut self, start: usize) -> Option<Json<'a>> {
        let (end, known) = self.known.take(start)?;
        let text = self.text.get(start..end)?;
        self.at = end;
        Some(Json { text, known })
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
    let (end, byte) = scan::near(bytes, at)?;
    (byte == b'"').then_some(end + 1)
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
        // Behind an odd number of backslashes the quote itself is escaped.
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
