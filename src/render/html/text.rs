//! Text of a page says what it looks like: what hides in it is spelled out.

use std::borrow::Cow;

use crate::render::hidden::spelled_out;

/// The text with every such character as `\u{202e}`; line feeds and tabs stay, the `\r` of a CRLF goes.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    spelled_out(text, |c, after| match c {
        '\n' | '\t' => None,
        '\r' if after == Some('\n') => Some(String::new()),
        c => Some(format!("\\u{{{:x}}}", u32::from(c))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_turns_is_spelled_out() {
        for (text, expected) in [
            ("plain\n\ttext", "plain\n\ttext"),
            ("a\r\nb\rc", "a\nb\\u{d}c"),
            ("a\u{202e}b\u{200b}\0", "a\\u{202e}b\\u{200b}\\u{0}"),
            ("👨\u{200d}👩 r\u{200d}m", "👨\u{200d}👩 r\\u{200d}m"),
            ("資料 é", "資料 é"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
