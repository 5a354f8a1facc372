//! JSON objects as Go's `encoding/json` writes them, for agents that are Go programs: compact,
//! fields in the order of the struct, and escapes as SEEDS section 1 has them.

use chrono::{DateTime, SecondsFormat, Utc};

/// The zero time of Go: what a time that is not set is written as.
pub(crate) const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// Which characters Go writes as escapes beside those that JSON asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// `<`, `>` and `&` too: the default of Go.
    Html,
    /// Not those: after `SetEscapeHTML(false)`.
    Plain,
}

/// A JSON object under construction.
#[derive(Debug)]
pub(crate) struct GoObject {
    text: String,
    escape: Escape,
}

impl GoObject {
    /// An object without fields.
    pub(crate) fn new(escape: Escape) -> Self {
        Self {
            text: "{".to_owned(),
            escape,
        }
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        push_string(&mut self.text, key, self.escape);
        self.text.push(':');
    }

    /// A text field.
    pub(crate) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        push_string(&mut self.text, value, self.escape);
        self
    }

    /// A text field that is left out if it is empty.
    pub(crate) fn text_if(&mut self, key: &str, value: &str) -> &mut Self {
        if value.is_empty() {
            return self;
        }
        self.text(key, value)
    }

    /// A field that is JSON already: white space between its tokens goes, all else stays.
    pub(crate) fn json(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key);
        push_compact(&mut self.text, json, self.escape);
        self
    }

    /// A whole number.
    pub(crate) fn number(&mut self, key: &str, number: u64) -> &mut Self {
        self.key(key);
        self.text.push_str(&number.to_string());
        self
    }

    /// A time; Go's zero time if there is none.
    pub(crate) fn time(&mut self, key: &str, time: Option<DateTime<Utc>>) -> &mut Self {
        let written = time.map_or_else(|| ZERO_TIME.to_owned(), go_time);
        self.text(key, &written)
    }

    /// The object.
    pub(crate) fn close(mut self) -> String {
        self.text.push('}');
        self.text
    }

    /// The object as a line with its `\n`.
    pub(crate) fn line(self) -> Vec<u8> {
        let mut line = self.close().into_bytes();
        line.push(b'\n');
        line
    }
}

/// A time as Go's `RFC3339Nano`: without a fraction of zeros, and without zeros at its end.
pub(crate) fn go_time(time: DateTime<Utc>) -> String {
    let written = time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    match written
        .strip_suffix('Z')
        .and_then(|written| written.split_once('.'))
    {
        Some((seconds, fraction)) => match fraction.trim_end_matches('0') {
            "" => format!("{seconds}Z"),
            fraction => format!("{seconds}.{fraction}Z"),
        },
        None => written,
    }
}

/// An array of values that are JSON already.
pub(crate) fn array<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    let mut text = "[".to_owned();
    for value in values {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(value.as_ref());
    }
    text.push(']');
    text
}

/// A string as JSON.
pub(crate) fn string(value: &str, escape: Escape) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    push_string(&mut text, value, escape);
    text
}

/// JSON without the white space between its tokens; all else stays.
pub(crate) fn compact(json: &str, escape: Escape) -> String {
    let mut text = String::with_capacity(json.len());
    push_compact(&mut text, json, escape);
    text
}

fn push_string(out: &mut String, value: &str, escape: Escape) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => push_escape(out, character),
            '<' | '>' | '&' if escape == Escape::Html => push_escape(out, character),
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn push_escape(out: &mut String, character: char) {
    let code = u32::from(character);
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.extend(char::from_digit((code >> shift) & 0xf, 16));
    }
}

/// Writes JSON without the white space between its tokens.
fn push_compact(out: &mut String, json: &str, escape: Escape) {
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        match character {
            ' ' | '\t' | '\r' | '\n' if !in_string => continue,
            // Go escapes these in raw values too when it writes an object that holds them.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if escape == Escape::Html => {
                push_escape(out, character);
            }
            _ => out.push(character),
        }
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            in_string = character == '"';
        }
    }
}

/// A field of an object as Go indents it, so many spaces deep.
pub(crate) fn member(indent: usize, key: &str, json: &str) -> String {
    let key = string(key, Escape::Html);
    format!("{}{key}: {json}", " ".repeat(indent))
}

/// An object or an array of members that are indented already.
pub(crate) fn block(open: char, members: &[String], close: char, indent: usize) -> String {
    if members.is_empty() {
        return format!("{open}{close}");
    }
    format!(
        "{open}\n{}\n{}{close}",
        members.join(",\n"),
        " ".repeat(indent)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_as_go_writes_it() {
        let mut object = GoObject::new(Escape::Html);
        object
            .text("a", "x<&>\u{2028}\u{1}\n\"\\é")
            .text_if("left_out", "")
            .json("raw", "{ \"k\" : [1.0, 1e400 , \"a \\\" b <\"] }")
            .number("n", 3)
            .time("t", None);
        assert_eq!(
            object.close(),
            "{\"a\":\"x\\u003c\\u0026\\u003e\\u2028\\u0001\\n\\\"\\\\é\",\
             \"raw\":{\"k\":[1.0,1e400,\"a \\\" b \\u003c\"]},\"n\":3,\
             \"t\":\"0001-01-01T00:00:00Z\"}"
        );
        let mut plain = GoObject::new(Escape::Plain);
        plain.text("a", "<&>\u{2029}");
        assert_eq!(plain.line(), b"{\"a\":\"<&>\\u2029\"}\n");
        assert_eq!(array(["1", "{}"]), "[1,{}]");
        assert_eq!(string("a\"", Escape::Plain), "\"a\\\"\"");
    }

    #[test]
    fn times_lose_the_zeros_at_their_end() {
        let time = |text: &str| go_time(text.parse().unwrap());
        assert_eq!(
            time("2026-04-03T11:30:00.120345Z"),
            "2026-04-03T11:30:00.120345Z"
        );
        assert_eq!(
            time("2026-04-03T13:30:00.500+02:00"),
            "2026-04-03T11:30:00.5Z"
        );
        assert_eq!(time("2026-04-03T11:30:00Z"), "2026-04-03T11:30:00Z");
    }
}
