//! What tools put out, without the codes that coloured it.

use std::borrow::Cow;

/// The text without the sequences that colour it (`ESC [ … m`) or clear the rest of a line (`ESC [ … K`).
/// Others stay: what a terminal does with them is its reader's business. Looks at each byte once.
///
/// ```
/// assert_eq!(scrollback::without_colours("\x1b[1;32mok\x1b[0m"), "ok");
/// ```
pub fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains("\x1b[") {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        kept.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && !";:?".contains(c));
        rest = match end.and_then(|end| after.split_at_checked(end)) {
            Some((_, behind)) if behind.starts_with(['m', 'K']) => {
                behind.get(1..).unwrap_or_default()
            }
            _ => {
                // Another sequence, or one that is cut off: its text may begin right behind it.
                kept.push_str("\x1b[");
                after
            }
        };
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_other_sequences_stay() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\x1b[1;32mok\x1b[0m done\x1b[K", "ok done"),
            ("\x1b[38;5;10mx\x1b[39m", "x"),
            ("\x1b[38:2::1:2:3mx", "x"),
            ("a\x1b[2Jb\x1b[m", "a\x1b[2Jb"),
            ("\x1b[", "\x1b["),
            ("\x1b[12", "\x1b[12"),
            ("\x1b]52;c;x\x07", "\x1b]52;c;x\x07"),
            ("\x1b[31mé\x1b[0m", "é"),
        ] {
            assert_eq!(without_colours(text), expected, "{text:?}");
        }
    }
}
