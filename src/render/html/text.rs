//! Text that says what it looks like: characters that are invisible, or turn the direction of text, are spelled out.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every such character as `\u{202e}`; line feeds and tabs stay, the `\r` of a CRLF goes.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text
        .chars()
        .any(|c| is_hidden(c) && !matches!(c, '\n' | '\t'))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut signs = text.chars().peekable();
    let mut before = None;
    while let Some(c) = signs.next() {
        let after = signs.peek().copied();
        let joins = matches!(c, '\u{200c}' | '\u{200d}');
        // Joiners make one sign of several, and shape words of some scripts; beside ASCII they only hide.
        let is_meant = joins && [before, after].iter().flatten().all(|c| !c.is_ascii());
        match c {
            '\r' if after == Some('\n') => {}
            '\n' | '\t' => out.push(c),
            c if is_hidden(c) && !is_meant => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    Cow::Owned(out)
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
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
