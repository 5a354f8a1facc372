//! What is a word: for phrases, whose ends lie between words, and for what an index holds of text.

/// What a character, folded, is to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is part of a word, as letters, digits and `_` are.
    Word,
    /// It is a letter of a script that puts no space between words: a phrase may end anywhere in it.
    Unspaced,
    /// It stands between words.
    Other,
}

/// Scripts without spaces between words: Thai, Lao, Myanmar, Khmer, Kana, Han.
const UNSPACED: [(u32, u32); 16] = [
    (0x0e01, 0x0e7f),
    (0x0e81, 0x0eff),
    (0x1000, 0x109f),
    (0x1780, 0x17ff),
    (0x2e80, 0x2fdf),
    (0x3005, 0x3007),
    (0x3021, 0x302f),
    (0x3031, 0x3035),
    (0x3041, 0x30fa),
    (0x30fc, 0x312f),
    (0x31a0, 0x31ff),
    (0x3400, 0x9fff),
    (0xf900, 0xfaff),
    (0xff66, 0xff9f),
    (0x1_aff0, 0x1_b16f),
    (0x2_0000, 0x3_ffff),
];

/// Punctuation, signs and pictures beyond ASCII.
const OTHER: [(u32, u32); 34] = [
    (0x0080, 0x00a9),
    (0x00ab, 0x00b4),
    (0x00b6, 0x00b9),
    (0x00bb, 0x00bf),
    (0x00d7, 0x00d7),
    (0x00f7, 0x00f7),
    (0x02c2, 0x02c5),
    (0x02d2, 0x02df),
    (0x055a, 0x055f),
    (0x0589, 0x058a),
    (0x05be, 0x05be),
    (0x05f3, 0x05f4),
    (0x060c, 0x060c),
    (0x061b, 0x061f),
    (0x066a, 0x066d),
    (0x06d4, 0x06d4),
    (0x0964, 0x0965),
    (0x1680, 0x1680),
    (0x2000, 0x206f),
    (0x20a0, 0x20cf),
    (0x2190, 0x2bff),
    (0x2e00, 0x2e7f),
    (0x3000, 0x3004),
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0x3036, 0x303f),
    (0x30fb, 0x30fb),
    (0xfe10, 0xfe1f),
    (0xfe30, 0xfe6f),
    (0xfeff, 0xff0f),
    (0xff1a, 0xff20),
    (0xff5b, 0xff65),
    (0xffe0, 0xffff),
    (0x1_f000, 0x1_faff),
];

fn is_in(ranges: &[(u32, u32)], code: u32) -> bool {
    let at = ranges.partition_point(|range| range.1 < code);
    ranges.get(at).is_some_and(|range| range.0 <= code)
}

/// What a character is to words.
pub(crate) fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() || c == '_' {
            Class::Word
        } else {
            Class::Other
        };
    }
    let code = u32::from(c);
    if is_in(&UNSPACED, code) {
        Class::Unspaced
    } else if is_in(&OTHER, code) {
        Class::Other
    } else {
        Class::Word
    }
}

/// Whether two words meet, with nothing between them, where one character follows another.
pub(super) fn is_within_word(before: Option<char>, after: Option<char>) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| class(c) == Class::Word);
    is_word(before) && is_word(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_of_words_of_unspaced_scripts_or_between() {
        for (text, expected) in [
            ("aZ09_éßжあ".trim_end_matches('あ'), Class::Word),
            ("한글ע", Class::Word),
            ("錯误エラーไทย", Class::Unspaced),
            (" \n-(\u{a0}…→“”、。・😀", Class::Other),
        ] {
            for c in text.chars() {
                assert_eq!(class(c), expected, "{c:?}");
            }
        }
        for ranges in [&UNSPACED[..], &OTHER[..]] {
            for pair in ranges.windows(2) {
                assert!(pair[0].1 < pair[1].0, "{pair:?}");
            }
        }
    }

    /// Where white space ends a word of a phrase, an index has to end one too.
    #[test]
    fn white_space_is_between_words() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            assert!(!c.is_whitespace() || class(c) == Class::Other, "{c:?}");
        }
    }
}
