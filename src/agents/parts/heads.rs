//! The first lines of a file, for finding out what it is.

use std::borrow::Cow;

use super::lines;
use crate::agents::dialect::Candidate;

/// Lines that are looked at. The first ones can be damaged, or say nothing of the agent.
const LINES: usize = 200;

impl<'a> Candidate<'a> {
    /// The first lines that are not blank, as text without what stands around their JSON. The
    /// last one may be cut off.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.head
            .split(|byte| *byte == b'\n')
            .map(|line| match std::str::from_utf8(line) {
                Ok(text) => Cow::Borrowed(trimmed(text)),
                Err(_) => Cow::Owned(trimmed(&String::from_utf8_lossy(line)).to_owned()),
            })
            .filter(|line| !line.is_empty())
            .take(LINES)
    }
}

/// The line without white space, byte order mark and NUL bytes around it.
fn trimmed(text: &str) -> &str {
    lines::body(lines::body(text).trim_matches('\0'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn blank_lines_and_bytes_around_the_json_are_skipped() {
        let head = b"\xef\xbb\xbf \r\n\n\0\0{\"a\":1}\r\n{\"b\xff";
        let candidate = Candidate {
            path: Path::new("/a"),
            head,
            companion: None,
        };
        let lines: Vec<_> = candidate.lines().collect();
        assert_eq!(lines, ["{\"a\":1}", "{\"b\u{fffd}"]);
    }
}
