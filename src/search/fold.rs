//! Case folding: letters that differ in nothing but their case become the same one.
//!
//! Simple folding takes a character to one character, so `ß` stays and is not `ss`; accents stay.

use super::fold_table::RUNS;

/// What a character folds to.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = u32::from(c);
    // The scripts of most text beyond Latin have no case.
    if (0x2e80..0xa640).contains(&code) || (0xac00..0xfb00).contains(&code) {
        return c;
    }
    let at = RUNS.partition_point(|run| run.1 < code);
    match RUNS.get(at) {
        Some((first, _, step, distance)) if *first <= code && (code - first) % step == 0 => {
            let folded = code.checked_add_signed(*distance);
            folded.and_then(char::from_u32).unwrap_or(c)
        }
        _ => c,
    }
}

/// Appends a text, folded.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    out.reserve(text.len());
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(written) = out.get_mut(start..) {
            written.make_ascii_lowercase();
        }
        return;
    }
    // In runs: text that is not all ASCII mostly is for long stretches.
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !byte.is_ascii());
        let (ascii, other) = rest.split_at(plain.unwrap_or(rest.len()));
        let start = out.len();
        out.push_str(ascii);
        if let Some(written) = out.get_mut(start..) {
            written.make_ascii_lowercase();
        }
        let end = other.bytes().position(|byte| byte.is_ascii());
        let (other, behind) = other.split_at(end.unwrap_or(other.len()));
        out.extend(other.chars().map(fold));
        rest = behind;
    }
}

/// A text, folded.
pub(crate) fn folded(text: &str) -> String {
    let mut out = String::new();
    fold_into(text, &mut out);
    out
}

/// The place in a text that a place in its folded form stands for: folding changes lengths.
pub(super) fn place_before_folding(text: &str, place: usize) -> usize {
    let mut at = 0;
    for (start, c) in text.char_indices() {
        if at >= place {
            return start;
        }
        at += fold(c).len_utf8();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_fold_whatever_their_case() {
        for (text, expected) in [
            ("QuorumEpoch_7", "quorumepoch_7"),
            ("ÄÖÜ Straße", "äöü straße"),
            ("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ σίσυφοσ"),
            ("ПРИВЕТ", "привет"),
            ("\u{212a}elvin \u{212b}", "kelvin å"),
            ("ſ", "s"),
            ("\u{1e9e}", "ß"),
            // A Turkish dotless i is no i, and a dotted I folds by no simple rule.
            ("ı\u{130}", "ı\u{130}"),
            ("錯誤 エラー", "錯誤 エラー"),
            ("\u{ff21}\u{10400}\u{1e900}", "\u{ff41}\u{10428}\u{1e922}"),
        ] {
            assert_eq!(folded(text), expected);
        }
    }

    #[test]
    fn what_is_folded_stays_so_and_the_table_is_in_order() {
        for pair in RUNS.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{pair:?}");
        }
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            assert_eq!(fold(fold(c)), fold(c), "{c:?}");
            let mut lower = c.to_lowercase();
            // What the compiler's table knows as one letter in two cases is one here.
            if let (Some(one), None) = (lower.next(), lower.next()) {
                assert_eq!(fold(one), fold(c), "{c:?}");
            }
        }
    }

    #[test]
    fn a_place_in_the_folded_text_leads_back() {
        let text = "a\u{212a}b\u{1e9e}c";
        let folded = folded(text);
        let at = folded.find('c').unwrap();
        assert_eq!(place_before_folding(text, at), text.find('c').unwrap());
        assert_eq!(place_before_folding(text, folded.len()), text.len());
    }
}
