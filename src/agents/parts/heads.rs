//! The first lines of a file, for finding out what it is.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::fields::{Found, fields_of_start, members_of_start, wanted};
use super::lines;
use crate::json::{Json, Key};

/// Lines that are looked at. The first ones can be damaged, or say nothing of the agent.
const LINES: usize = 200;

/// One of the first lines of a file. Several agents ask what it has: it is looked at once for all of them.
#[derive(Clone, Debug)]
pub(crate) struct HeadLine<'a> {
    bytes: &'a [u8],
    text: OnceCell<Cow<'a, str>>,
    members: OnceCell<Vec<(Key<'a>, Json<'a>)>>,
}

impl<'a> HeadLine<'a> {
    /// A line, perhaps cut off.
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            text: OnceCell::new(),
            members: OnceCell::new(),
        }
    }

    fn cow(&self) -> &Cow<'a, str> {
        self.text
            .get_or_init(|| match std::str::from_utf8(self.bytes) {
                Ok(text) => Cow::Borrowed(trimmed(text)),
                Err(_) => Cow::Owned(trimmed(&String::from_utf8_lossy(self.bytes)).to_owned()),
            })
    }

    /// It, without what stands around its JSON.
    pub(crate) fn text(&self) -> &str {
        self.cow()
    }

    /// The values of `keys`, as far as the line goes.
    pub(crate) fn fields<const N: usize>(&self, keys: &[&str; N]) -> Found<'_, N> {
        match self.cow() {
            Cow::Borrowed(text) => {
                let members = self
                    .members
                    .get_or_init(|| members_of_start(text).collect());
                wanted(members.iter().copied(), keys)
            }
            Cow::Owned(text) => fields_of_start(text, keys),
        }
    }
}

/// The lines of the first bytes of a file: the last one may be cut off, and some may have nothing but spaces.
pub(crate) fn lines_of_head(head: &[u8]) -> Vec<HeadLine<'_>> {
    let lines = head.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(HeadLine::of).collect()
}

/// Those of them that are looked at.
pub(crate) fn filled<'l, 'a>(
    lines: &'l [HeadLine<'a>],
) -> impl Iterator<Item = &'l HeadLine<'a>> + use<'l, 'a> {
    let filled = lines.iter().filter(|line| !line.text().is_empty());
    filled.take(LINES)
}

/// The line without white space, byte order mark and NUL bytes around it.
fn trimmed(text: &str) -> &str {
    lines::body(lines::body(text).trim_matches('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_bytes_around_the_json_are_skipped() {
        let head = b"\xef\xbb\xbf \r\n\n\0\0{\"a\":1}\r\n{\"b\xff";
        let lines = lines_of_head(head);
        let texts: Vec<_> = filled(&lines).map(HeadLine::text).collect();
        assert_eq!(texts, ["{\"a\":1}", "{\"b\u{fffd}"]);
    }

    #[test]
    fn fields_are_those_of_a_start_whoever_asks_first() {
        for line in [
            &br#"{"a":1,"b":{"c":2},"a":3}"#[..],
            br#"{"a":1,"b":"cut of"#,
            br#"{"a":1,"b":nothing,"c":3}"#,
            b"{\"a\":\"\xff\",\"b\":2}",
            b"",
        ] {
            let known = HeadLine::of(line);
            for keys in [&["a", "b"], &["c", "a"], &["a", "b"]] {
                let values =
                    |found: Found<'_, 2>| found.map(|json| json.map(|json| json.get().to_owned()));
                let text = known.text().to_owned();
                assert_eq!(
                    values(known.fields(keys)),
                    values(fields_of_start(&text, keys))
                );
            }
        }
    }
}
