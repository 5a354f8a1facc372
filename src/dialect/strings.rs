//! JSON strings to text, whatever their escapes: half of a surrogate pair becomes U+FFFD instead
//! of an error.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::de::{Deserializer, Visitor};

/// The text of a JSON string with its quotes, borrowed where it has no escape; `None` if `json`
/// is anything else.
pub(crate) fn decode(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr2(b'\\', b'"', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_bytes(Text).ok()
}

struct Text;

impl<'a> Visitor<'a> for Text {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'a [u8]) -> Result<Self::Value, E> {
        Ok(std::str::from_utf8(bytes)
            .map_or_else(|_| Cow::Owned(from_generalised_utf8(bytes)), Cow::Borrowed))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(from_generalised_utf8(bytes)))
    }
}

/// UTF-8 that may hold surrogates, each of three bytes, to text with one U+FFFD for each.
pub(crate) fn from_generalised_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let valid = rest.utf8_chunks().next();
        let Some(chunk) = valid else { return text };
        text.push_str(chunk.valid());
        let bad = rest.get(chunk.valid().len()..).unwrap_or_default();
        let skipped = match bad {
            [] => return text,
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
            _ => chunk.invalid().len().max(1),
        };
        text.push('\u{fffd}');
        rest = bad.get(skipped..).unwrap_or_default();
    }
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
