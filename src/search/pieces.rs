//! The parts of a message that are searched: its texts and thoughts, the calls of tools with what they
//! are given, and what tools answer. Each is a piece of its own: no word goes from one into the next.

use std::borrow::Cow;

use super::fold::folded;
use super::term::Looked;
use crate::json::string;
use crate::model::message::{Block, Message};

/// The pieces of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces<'m>(Vec<(Cow<'m, str>, String)>);

impl<'m> Pieces<'m> {
    /// One piece.
    pub(crate) fn of(text: &'m str) -> Self {
        let mut pieces = Self::default();
        pieces.push(Cow::Borrowed(text));
        pieces
    }

    fn push(&mut self, text: Cow<'m, str>) {
        if !text.is_empty() {
            let folded = folded(&text);
            self.0.push((text, folded));
        }
    }

    /// Each piece, in its order.
    pub(crate) fn looked(&self) -> impl Iterator<Item = Looked<'_>> {
        let all = self.0.iter();
        all.map(|(text, folded)| Looked { text, folded })
    }
}

/// The pieces of the blocks of a message that `takes` holds for.
pub(crate) fn pieces<'m>(
    message: &'m Message,
    takes: &mut dyn FnMut(&Block) -> bool,
) -> Pieces<'m> {
    let mut pieces = Pieces::default();
    each_text(message, takes, &mut |text| pieces.push(text));
    pieces
}

/// Gives the text of each piece.
pub(crate) fn each_text<'m>(
    message: &'m Message,
    takes: &mut dyn FnMut(&Block) -> bool,
    give: &mut dyn FnMut(Cow<'m, str>),
) {
    for block in message.content.iter().filter(|block| takes(block)) {
        match block {
            Block::Text { text } | Block::Thinking { text, .. } => give(Cow::Borrowed(text)),
            Block::ToolUse { name, input, .. } => {
                give(Cow::Borrowed(name));
                if let Some(input) = input {
                    give(Cow::Owned(input_text(input.as_str())));
                }
            }
            Block::ToolResult { output, .. } => give(Cow::Borrowed(output)),
            Block::Image { .. } | Block::Other { .. } => {}
        }
    }
}

/// What a tool is given, as text: each value on lines of its own behind its key, strings without quotes and
/// escapes.
pub(crate) fn input_text(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(first) = rest.bytes().next() {
        match first {
            b'"' => {
                let end = string_end(rest);
                let (text, behind) = rest.split_at(end);
                out.push_str(&string::decode(text).unwrap_or(Cow::Borrowed(text)));
                let next = behind.trim_start();
                // A string before a colon is a key, and stands on the line of its value.
                rest = if let Some(value) = next.strip_prefix(':') {
                    out.push_str(": ");
                    value
                } else {
                    out.push('\n');
                    next
                };
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                rest = rest.get(1..).unwrap_or_default();
            }
            _ => {
                let end = rest.find(['{', '}', '[', ']', ',', ':', ' ', '"', '\n']);
                let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
                out.push_str(word);
                out.push('\n');
                rest = behind;
            }
        }
    }
    out
}

/// Behind the quote that ends the string at the start of a text; its end if none does.
fn string_end(text: &str) -> usize {
    let mut at = 1;
    let bytes = text.as_bytes();
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Role;
    use crate::model::raw_json::RawJson;

    #[test]
    fn what_a_tool_is_given_is_text_without_quotes_and_escapes() {
        for (json, expected) in [
            (
                r#"{"command":"grep \"a\\b\" x\nls","timeout":10, "deep":{"a":[1,true,"z"]},"n":null}"#,
                "command: grep \"a\\b\" x\nls\ntimeout: 10\ndeep: a: 1\ntrue\nz\nn: null\n",
            ),
            (r#""*** Begin\tPatch\u00e9""#, "*** Begin\tPatché\n"),
            ("{}", ""),
            ("1e400", "1e400\n"),
            // Never of a message, but never a panic either.
            ("\"cut", "\"cut\n"),
            ("\"cut\\", "\"cut\\\n"),
        ] {
            assert_eq!(input_text(json), expected);
        }
    }

    #[test]
    fn all_that_is_said_is_a_piece_and_nothing_else() {
        let mut message = Message::text(Role::Assistant, "text");
        let image = || Block::Image {
            media_type: None,
            data: Some("QUJD".into()),
            url: Some("http://x".into()),
        };
        message.content.extend([
            Block::Thinking {
                text: "thought".into(),
                signature: Some("sig".into()),
            },
            image(),
            Block::ToolUse {
                id: Some("id".into()),
                name: "Bash".into(),
                input: RawJson::parse(r#"{"a":"b"}"#).ok(),
            },
            Block::ToolResult {
                id: Some("id".into()),
                name: None,
                output: "OUT".into(),
                is_error: false,
                images: vec![image()],
            },
        ]);
        let found = pieces(&message, &mut |_| true);
        let texts: Vec<&str> = found.looked().map(|piece| piece.text).collect();
        assert_eq!(texts, ["text", "thought", "Bash", "a: b\n", "OUT"]);
        assert_eq!(found.looked().last().unwrap().folded, "out");
    }
}
