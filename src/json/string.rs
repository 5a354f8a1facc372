//! JSON strings to text, whatever their escapes: half of a surrogate pair becomes U+FFFD instead
//! of an error.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

/// The text of a JSON string with its quotes, borrowed where it has no escape; `None` if `json`
/// is anything else.
pub(crate) fn decode(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    // A quote within is looked for as well: what has one bare is no string, and is refused below.
    let Some(first) = memchr2(b'\\', b'"', inner.as_bytes()) else {
        return Some(Cow::Borrowed(inner));
    };
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    let mut escape = Some(first);
    while let Some(at) = escape {
        text.push_str(rest.get(..at)?);
        let (letter, length) = escaped(rest.get(at..)?)?;
        text.push(letter);
        rest = rest.get(at + length..)?;
        escape = memchr(b'\\', rest.as_bytes());
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

/// The character that the escape at the start of `text` stands for, and the escape's length.
fn escaped(text: &str) -> Option<(char, usize)> {
    let letter = match text.strip_prefix('\\')?.as_bytes().first()? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let first = unit(text.as_bytes(), 0)?;
            // A half without the other one is what agents write that cut text between the two.
            let second = unit(text.as_bytes(), 6);
            return Some(match (first, second) {
                (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
                    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    (char::from_u32(code)?, 12)
                }
                _ => (char::from_u32(first).unwrap_or('\u{fffd}'), 6),
            });
        }
        _ => return None,
    };
    Some((letter, 2))
}

/// Whether the JSON text holds an escape that is half of a surrogate pair without the other half.
pub(crate) fn has_lone_surrogate(json: &str) -> bool {
    let bytes = json.as_bytes();
    // Escapes of surrogates start with `\ud` or `\uD`; few lines hold one at all.
    [b"\\ud", b"\\uD"].iter().any(|start| {
        memmem::find_iter(bytes, *start).any(|at| is_escape(bytes, at) && !is_paired(bytes, at))
    })
}

/// Whether the backslash at `at` starts an escape, and is not the second of an escaped backslash.
fn is_escape(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
        % 2
        == 0
}

/// Whether the `\ud...` escape at `at` is no surrogate, or one beside its other half.
fn is_paired(bytes: &[u8], at: usize) -> bool {
    match unit(bytes, at) {
        Some(0xd800..=0xdbff) => matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)),
        Some(0xdc00..=0xdfff) => at.checked_sub(6).is_some_and(|first| {
            matches!(unit(bytes, first), Some(0xd800..=0xdbff)) && is_escape(bytes, first)
        }),
        _ => true,
    }
}

/// The number of the escape at `at`: `\u` and four hex digits.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at.checked_add(6)?)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(
            decode("\"資 \u{2028}\""),
            Some(Cow::Borrowed("資 \u{2028}"))
        ));
        assert_eq!(decode(r#""a\n\u003c\/\ud83d\ude00""#).unwrap(), "a\n</😀");
        assert_eq!(decode("1"), None);
        assert_eq!(decode("\""), None);
    }

    #[test]
    fn half_a_surrogate_pair_is_one_replacement_character() {
        for (json, text) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ud83db""#, "\u{fffd}b"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        ] {
            assert_eq!(decode(json).unwrap(), text, "{json}");
            assert!(has_lone_surrogate(json), "{json}");
        }
    }

    #[test]
    fn pairs_and_escaped_backslashes_are_not_lone_surrogates() {
        for json in [
            r#""\ud83d\ude00""#,
            r#""\uD83D\uDE00""#,
            r#""\\ud83d""#,
            r#""\ud7ff""#,
            "\"\\ud\"",
        ] {
            assert!(!has_lone_surrogate(json), "{json}");
        }
        assert!(has_lone_surrogate(r#""\\\ud83d""#));
        assert!(has_lone_surrogate(r#""\\ud83d\ude00""#));
    }
}
