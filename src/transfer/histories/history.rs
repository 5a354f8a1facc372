//! The files of one truncated JSONL history, and the numbers in its meta file.
//!
//! A history `NAME` is `NAME.jsonl`, one message a line, and `NAME.meta.json`, whose `skip` says
//! how many lines at the start are hidden and whose `count` how many there are. What counts as a
//! line is what its agent counts: zero-length lines do not, a line of spaces does.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::agents::parts::meta_file::META_ENDING;

/// What the name of a journal ends with.
pub(super) const JOURNAL_SUFFIX: &str = ".compact-journal";

/// What the name of a lock ends with. No agent's program takes such a file for one of its own: they
/// read `*.json` and `*.jsonl`.
pub(super) const LOCK_SUFFIX: &str = ".compact-lock";

/// The paths of a history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct History {
    /// Its folder.
    pub folder: PathBuf,
    /// The name that its files begin with; may be empty.
    pub name: OsString,
}

impl History {
    /// The history that a meta file or a journal belongs to, by its name.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let file_name = crate::transfer::files::paths::to_bytes(Path::new(path.file_name()?));
        let name = [META_ENDING, JOURNAL_SUFFIX]
            .iter()
            .find_map(|suffix| file_name.strip_suffix(suffix.as_bytes()))?;
        let name = crate::transfer::files::paths::from_bytes(name).into_os_string();
        Some(Self {
            folder: path.parent()?.to_owned(),
            name,
        })
    }

    /// Its lines.
    pub(super) fn lines(&self) -> PathBuf {
        self.with(OsStr::new(".jsonl"))
    }

    /// Its meta file.
    pub(super) fn meta(&self) -> PathBuf {
        self.with(OsStr::new(META_ENDING))
    }

    /// A file of its name with this suffix.
    pub(super) fn with(&self, suffix: impl AsRef<OsStr>) -> PathBuf {
        let mut name = self.name.clone();
        name.push(suffix);
        self.folder.join(name)
    }
}

/// How many lines a file has, and where the visible ones start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LineCount {
    /// Lines that count.
    pub lines: u64,
    /// Where the last of the first `skip` lines ends, in bytes.
    pub cut: u64,
    /// The file's length in bytes.
    pub bytes: u64,
}

/// Counts the lines of a file, and finds where the first `skip` of them end. Holds one buffer,
/// however long a line is.
pub(super) fn count_lines(file: impl Read, skip: u64) -> io::Result<LineCount> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut count = LineCount::default();
    // What is known of the line at hand: its length without its terminator, and its first byte.
    let (mut length, mut first) = (0_u64, 0_u8);
    loop {
        let buffer = reader.fill_buf()?;
        let end = memchr::memchr(b'\n', buffer);
        let content = end.unwrap_or(buffer.len());
        if length == 0 {
            first = buffer.first().copied().unwrap_or_default();
        }
        length += content as u64;
        let (taken, at_end) = (end.map_or(content, |end| end + 1), buffer.is_empty());
        count.bytes += taken as u64;
        reader.consume(taken);
        if end.is_none() && !at_end {
            continue;
        }
        // Its agent takes a `\r` before the terminator for a part of it.
        if length > 1 || (length == 1 && first != b'\r') {
            count.lines += 1;
            if count.lines == skip {
                count.cut = count.bytes;
            }
        }
        if at_end {
            return Ok(count);
        }
        length = 0;
    }
}

/// What the meta file says about the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// How many lines at the start are hidden.
    pub skip: u64,
    /// Whether the file says how many lines there are.
    has_count: bool,
}

impl Meta {
    /// Reads a meta file's text; `None` if it is another kind of file, without `skip`.
    ///
    /// # Errors
    ///
    /// In words, what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let members = members(text)?;
        let Some(skip) = newest(&members, "skip") else {
            return Ok(None);
        };
        let number = |value: &RawValue| value.get().parse::<u64>();
        let skip = number(skip)
            .map_err(|_| format!("its `skip` is no whole number: {}", shorten(skip.get())))?;
        let count = newest(&members, "count");
        if count.is_some_and(|count| number(count).is_err()) {
            return Err("its `count` is no whole number".to_owned());
        }
        Ok(Some(Self {
            skip,
            has_count: count.is_some(),
        }))
    }

    /// The text with these numbers in place of its own, and nothing else changed.
    ///
    /// # Errors
    ///
    /// In words, what is wrong with the text.
    pub(super) fn replace(self, text: &str, skip: u64, count: u64) -> Result<String, String> {
        let members = members(text)?;
        let mut places = vec![(newest(&members, "skip"), skip)];
        if self.has_count {
            places.push((newest(&members, "count"), count));
        }
        let mut edits = Vec::new();
        for (value, number) in places {
            let value = value.ok_or("it has changed")?.get();
            // The value is a part of the text, so the difference is its place there.
            let start = value.as_ptr().addr() - text.as_ptr().addr();
            edits.push((start, start + value.len(), number.to_string()));
        }
        edits.sort();
        let mut result = text.to_owned();
        // From the last one on, so that the places before it stay right.
        for (start, end, number) in edits.into_iter().rev() {
            result.replace_range(start..end, &number);
        }
        Ok(result)
    }
}

/// The value of the last member of that name: that is the one that its agent takes.
fn newest<'t>(members: &[(String, &'t RawValue)], name: &str) -> Option<&'t RawValue> {
    members
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| *value)
}

/// The start of a text, for a message.
fn shorten(text: &str) -> &str {
    crate::model::text::cut(text, 40)
}

/// The members of the object that a text is.
fn members(text: &str) -> Result<Vec<(String, &RawValue)>, String> {
    struct Members;
    // A map would keep one value of a name that stands there twice, and not where each lies in the
    // text.
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json
        .deserialize_map(Members)
        .map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())?;
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, skip: u64) -> (u64, u64) {
        let count = count_lines(text.as_bytes(), skip).unwrap();
        assert_eq!(count.bytes, text.len() as u64);
        (count.lines, count.cut)
    }

    #[test]
    fn zero_length_lines_do_not_count_and_lines_of_spaces_do() {
        assert_eq!(count("", 0), (0, 0));
        assert_eq!(count("a\n\nb\n", 1), (2, 2));
        assert_eq!(count("a\n\nb\n", 2), (2, 5));
        assert_eq!(count("a\n  \nb", 2), (3, 5));
        assert_eq!(count("a\r\n\r\nb\r\n", 1), (2, 3));
        assert_eq!(count("a\n\r\r\nb", 2), (3, 5));
        assert_eq!(count("a\nb", 2), (2, 3));
        assert_eq!(count("\n\n", 1), (0, 0));
    }

    #[test]
    fn only_the_two_numbers_of_a_meta_file_change() {
        let text =
            "{\n  \"zeta\": {\"skip\": 9},\n  \"count\" : 10,\n  \"skip\":6, \"f\": 1e400}\n";
        let meta = Meta::parse(text).unwrap().unwrap();
        assert_eq!(meta.skip, 6);
        let changed = meta.replace(text, 0, 4).unwrap();
        assert_eq!(
            changed,
            text.replace(": 10", ": 4")
                .replace("\"skip\":6", "\"skip\":0")
        );
    }

    #[test]
    fn a_meta_file_that_is_damaged_or_of_another_kind_is_told_apart() {
        assert_eq!(Meta::parse("{\"a\":1}"), Ok(None));
        for damaged in [
            "",
            "{",
            "[]",
            "{\"skip\":-1}",
            "{\"skip\":1.0}",
            "{\"skip\":1}x",
        ] {
            assert!(Meta::parse(damaged).is_err(), "{damaged}");
        }
        let twice = Meta::parse("{\"skip\":1,\"skip\":2}").unwrap().unwrap();
        assert_eq!(
            twice.replace("{\"skip\":1,\"skip\":2}", 0, 0).unwrap(),
            "{\"skip\":1,\"skip\":0}"
        );
    }
}
