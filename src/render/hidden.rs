//! Text that says what it looks like: characters that command a terminal, that are invisible, or that turn the
//! direction of text are spelled out. How is up to whoever shows the text: a terminal, a page, JSON.

use std::borrow::Cow;

/// The text with what hides in it as `spell` spells it: control characters (line feeds and tabs among them), characters
/// that are invisible, and those that turn the direction of text. `spell` is given each with the character behind it;
/// where it gives `None` the character stays. Joiners between characters beyond ASCII stay too: they make one sign of
/// several emoji and shape Persian and Indic words; beside ASCII they only hide. Looks at each character once.
///
/// ```
/// use scrollback::spelled_out;
///
/// let spell = |c: char, _: Option<char>| (c != '\n').then(|| format!("<{:x}>", u32::from(c)));
/// assert_eq!(spelled_out("one\ntwo\u{202e}", spell), "one\ntwo<202e>");
/// ```
pub fn spelled_out(
    text: &str,
    mut spell: impl FnMut(char, Option<char>) -> Option<String>,
) -> Cow<'_, str> {
    let mut out: Option<String> = None;
    let mut characters = text.char_indices().peekable();
    let mut before = None;
    while let Some((at, c)) = characters.next() {
        let after = characters.peek().map(|(_, c)| *c);
        let is_hidden = is_hidden(c) && !joins(before, c, after);
        match is_hidden.then(|| spell(c, after)).flatten() {
            Some(spelled) => {
                // Nothing is copied before the first character that is spelled out: most texts have
                // none.
                let start = || text.get(..at).unwrap_or_default().to_owned();
                out.get_or_insert_with(start).push_str(&spelled);
            }
            None => out.iter_mut().for_each(|out| out.push(c)),
        }
        before = Some(c);
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn joins(before: Option<char>, c: char, after: Option<char>) -> bool {
    let is_beyond_ascii = |c: char| !c.is_ascii() && !is_hidden(c);
    matches!(c, '\u{200c}' | '\u{200d}')
        && before.is_some_and(is_beyond_ascii)
        && after.is_some_and(is_beyond_ascii)
}

/// Control characters, and those that are invisible or turn the direction of text.
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
    fn what_hides_is_spelled_and_what_joins_stays() {
        let hex = |c: char, _: Option<char>| Some(format!("<{:x}>", u32::from(c)));
        for (text, expected) in [
            ("plain é 資料", "plain é 資料"),
            (
                "a\n\u{9b}\u{61c}\u{feff}\u{e0041}",
                "a<a><9b><61c><feff><e0041>",
            ),
            ("👨\u{200d}👩 r\u{200d}m", "👨\u{200d}👩 r<200d>m"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("é\u{200d}\u{202e}é\u{200d}", "é<200d><202e>é<200d>"),
        ] {
            assert_eq!(spelled_out(text, hex), expected);
        }
        let kept = spelled_out("a\n\u{1b}\n", |_, _| None);
        assert!(matches!(kept, Cow::Borrowed("a\n\u{1b}\n")));
        let behind = spelled_out("\r\n\r", |c, after| {
            (after != Some('\n') && c == '\r').then(|| "r".into())
        });
        assert_eq!(behind, "\r\nr");
    }
}
