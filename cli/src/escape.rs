//! Text from sessions made harmless for a terminal.
//!
//! A terminal obeys what it is sent: a title can set the clipboard (OSC 52), a carriage return can
//! overwrite the line that a reader trusts, a bidirectional override can turn a command around.
//! Everything of that kind is spelled out (`\x1b`, `\r`, `\u{202e}`). On a pipe nothing is.

use std::borrow::Cow;
use std::io::{self, Write};

use scrollback::spelled_out;

/// Bytes that [`EscapingWriter`] holds back at most while it waits for the end of a line.
const HELD_BYTES_MAX: usize = 64 * 1024;

/// Text of several lines: line feeds, tabs and the `\r` of a CRLF stay what they are.
pub(crate) fn body(text: &str) -> Cow<'_, str> {
    spelled_out(text, |c, after| {
        (!ends_or_indents_a_line(c, after)).then(|| for_people(c))
    })
}

/// Text that has to stay on one line: line feeds and tabs are spelled out as well.
pub(crate) fn field(text: &str) -> Cow<'_, str> {
    spelled_out(text, |c, _| Some(for_people(c)))
}

/// JSON text: spelled as JSON escapes, so that it means the same.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    spelled_out(text, |c, after| {
        (!ends_or_indents_a_line(c, after)).then(|| {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            let units: Vec<String> = units.map(|unit| format!("\\u{unit:04x}")).collect();
            units.concat()
        })
    })
}

fn ends_or_indents_a_line(c: char, after: Option<char>) -> bool {
    matches!(c, '\n' | '\t') || (c == '\r' && after == Some('\n'))
}

fn for_people(c: char) -> String {
    match c {
        '\r' => "\\r".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        c if u32::from(c) < 0x100 => format!("\\x{:02x}", u32::from(c)),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

/// Escapes what passes through as [`body`] does; bytes that are not UTF-8 become U+FFFD.
///
/// Text is handed on line by line, a very long line in pieces.
#[derive(Debug)]
pub(crate) struct EscapingWriter<W: Write> {
    inner: W,
    held: Vec<u8>,
}

impl<W: Write> EscapingWriter<W> {
    /// A writer in front of `inner`.
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            held: Vec::new(),
        }
    }

    /// Hands on all that is held back, a line without its end included.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.inner
            .write_all(body(&String::from_utf8_lossy(&held)).as_bytes())
    }

    /// Hands on the first `end` bytes.
    fn pass_on(&mut self, end: usize) -> io::Result<()> {
        let rest = self.held.split_off(end.min(self.held.len()));
        let ready = std::mem::replace(&mut self.held, rest);
        self.inner
            .write_all(body(&String::from_utf8_lossy(&ready)).as_bytes())
    }
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if let Some(last) = self.held.iter().rposition(|byte| *byte == b'\n') {
            self.pass_on(last + 1)?;
        } else if self.held.len() > HELD_BYTES_MAX {
            // The start of a character that is cut at the end waits for its rest.
            let start = self
                .held
                .iter()
                .rev()
                .take(4)
                .position(|byte| byte & 0xc0 != 0x80);
            let cut = start.map_or(0, |back| back + 1);
            self.pass_on(self.held.len() - cut)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_that_command_a_terminal_are_spelled_out() {
        assert_eq!(body("\x1b]52;c;ZXZpbA==\x07"), "\\x1b]52;c;ZXZpbA==\\x07");
        assert_eq!(
            body("\x1b]8;;http://a\x1b\\bank\x1b]8;;\x1b\\"),
            "\\x1b]8;;http://a\\x1b\\bank\\x1b]8;;\\x1b\\"
        );
        assert_eq!(body("\x1b[2J\u{9b}31m\x7f\0"), "\\x1b[2J\\x9b31m\\x7f\\x00");
    }

    #[test]
    fn a_carriage_return_cannot_overwrite_a_line() {
        assert_eq!(body("rm -rf /\rls"), "rm -rf /\\rls");
        assert_eq!(body("one\r\ntwo\r"), "one\r\ntwo\\r");
        assert_eq!(field("one\r\ntwo\tx"), "one\\r\\ntwo\\tx");
    }

    #[test]
    fn invisible_and_turning_characters_are_spelled_out() {
        assert_eq!(
            body("a\u{202e}b\u{2066}c\u{200b}d\u{feff}"),
            "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}"
        );
        assert_eq!(field("r\u{200d}m \u{e0041}"), "r\\u{200d}m \\u{e0041}");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "plain \\ text\n\twith tabs",
            "資料 é 👨\u{200d}💻",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(body(text), text);
        }
        assert!(matches!(body("plain\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"a": "x\u{9b}y\u{202e}z\u{e0041}\u{7f}\u{1b}é"});
        let text = serde_json::to_string(&value).unwrap();
        let escaped = json(&text);
        assert!(matches!(field(&escaped), Cow::Borrowed(_)), "{escaped}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
            value
        );
    }

    #[test]
    fn a_writer_escapes_across_its_calls() {
        let mut out = Vec::new();
        let mut writer = EscapingWriter::new(&mut out);
        for byte in "a\x1b[1mé\r\nend\r".as_bytes() {
            writer.write_all(&[*byte]).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a\\x1b[1mé\r\nend\\r");
    }

    #[test]
    fn a_writer_passes_a_long_line_on_in_pieces_without_cutting_a_character() {
        let text = "é".repeat(HELD_BYTES_MAX);
        let mut out = Vec::new();
        let mut writer = EscapingWriter::new(&mut out);
        for piece in text.as_bytes().chunks(1001) {
            writer.write_all(piece).unwrap();
            assert!(writer.held.len() <= HELD_BYTES_MAX + 1001);
        }
        writer.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}
