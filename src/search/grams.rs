//! What an index holds of a text: small pieces of it, as numbers of buckets.
//!
//! - A text is folded, and each run of what stands between words becomes one space ([`Normal`]).
//! - Its pieces are every three bytes, every four bytes without a space, every word, and every two words
//!   in a row if one of them is short.
//! - A text that holds another one has all of that one's pieces: so what lacks one cannot hold it. Pieces
//!   that share a bucket make a text only look as if it could.
//!
//! Frozen: whatever changes here, or in folding and words, is another [`VERSION`].

use super::words::{Class, class};

/// The version of all of this.
pub(crate) const VERSION: u16 = 1;

const THREES: u32 = 1 << 17;
const FOURS: u32 = 1 << 14;
const WORDS: u32 = 1 << 18;

/// How many buckets there are.
pub(crate) const BUCKETS: u32 = THREES + FOURS + WORDS;

/// A longer word is none: base64, hashes.
pub(super) const WORD_BYTES_MAX: usize = 64;

/// Of two words in a row one has at most so many bytes.
const SHORT_BYTES_MAX: usize = 4;

pub(super) const SPACE: u8 = b' ';

/// Where a word stands in a normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

/// The normal form of a folded text, and the words in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Normal {
    bytes: Vec<u8>,
    words: Vec<Span>,
}

impl Normal {
    /// Takes a folded text in place of the one before.
    fn take(&mut self, folded: &str) {
        self.bytes.clear();
        self.words.clear();
        self.bytes.reserve(folded.len() + 2);
        let bytes = folded.as_bytes();
        let mut at = 0;
        // Most of most texts are words of ASCII: each is taken in one piece.
        while let Some(first) = bytes.get(at).copied() {
            let rest = bytes.get(at..).unwrap_or_default();
            if is_plain(first) {
                let length = rest.iter().position(|byte| !is_plain(*byte));
                let word = length.and_then(|length| rest.get(..length)).unwrap_or(rest);
                self.push_word(word);
                at += word.len();
            } else if first.is_ascii() {
                self.push_space();
                at += 1;
            } else {
                let c = folded.get(at..).and_then(|text| text.chars().next());
                let length = c.map_or(1, char::len_utf8);
                let piece = rest.get(..length).unwrap_or_default();
                match c.map_or(Class::Other, class) {
                    Class::Word => self.push_word(piece),
                    Class::Unspaced => self.bytes.extend_from_slice(piece),
                    Class::Other => self.push_space(),
                }
                at += length;
            }
        }
    }

    /// Adds to the word that is being taken, or begins one.
    fn push_word(&mut self, word: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(word);
        let end = self.bytes.len();
        match self.words.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => self.words.push(Span { start, end }),
        }
    }

    fn push_space(&mut self) {
        if self.bytes.last() != Some(&SPACE) {
            self.bytes.push(SPACE);
        }
    }

    fn word(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start..span.end).unwrap_or_default()
    }

    /// Gives every three bytes, and every four without a space.
    fn each_piece(&self, give: &mut impl FnMut(u32)) {
        let (mut piece, mut since_space, mut seen) = (0_u32, 0_u32, 0_u32);
        for byte in &self.bytes {
            piece = piece << 8 | u32::from(*byte);
            seen += 1;
            since_space = if *byte == SPACE { 0 } else { since_space + 1 };
            if seen >= 3 {
                give(three(piece));
            }
            if since_space >= 4 {
                give(four(piece));
            }
        }
    }

    fn pieces(&self, is_of: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut pieces = Vec::new();
        self.each_piece(&mut |bucket| {
            if is_of(bucket) {
                pieces.push(bucket);
            }
        });
        pieces
    }

    /// The buckets of words and of pairs of them, of those that are whole.
    fn words(&self, is_whole: impl Fn(Span) -> bool) -> impl Iterator<Item = u32> {
        let mut before: Option<(usize, (usize, u64))> = None;
        let words = self.words.iter().copied();
        words
            .filter_map(move |span| {
                let length = span.end - span.start;
                if !is_whole(span) || length > WORD_BYTES_MAX {
                    before = None;
                    return None;
                }
                let word = (length, hash(self.word(span)));
                // One space apart: the normal form has no more between words, and letters of
                // scripts without spaces may stand there instead.
                let last = before.filter(|(end, _)| end + 1 == span.start);
                before = Some((span.end, word));
                let pair = last.and_then(|(_, last)| pair_bucket(last, word));
                Some([Some(word_bucket(word.1)), pair])
            })
            .flatten()
            .flatten()
    }
}

/// Whether a byte is of a word by itself.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte.is_ascii_uppercase()
}

/// The bucket of three bytes, the last ones of a piece.
pub(super) fn three(piece: u32) -> u32 {
    (piece & 0x00ff_ffff).wrapping_mul(0x9e37_79b1) >> (32 - 17)
}

/// The bucket of four bytes.
pub(super) fn four(piece: u32) -> u32 {
    THREES + (piece.wrapping_mul(0x85eb_ca6b) >> (32 - 14))
}

/// The bucket of a word, by its hash.
pub(super) fn word_bucket(hash: u64) -> u32 {
    let bits = u32::try_from(hash >> (64 - 18)).unwrap_or_default();
    THREES + FOURS + bits
}

/// The bucket of two words that follow each other, each as its bytes and its hash, if one is short.
pub(super) fn pair_bucket(one: (usize, u64), other: (usize, u64)) -> Option<u32> {
    let is_short = one.0.min(other.0) <= SHORT_BYTES_MAX;
    is_short.then(|| word_bucket(mix(one.1 ^ other.1.rotate_left(23))))
}

/// The hash of a word.
pub(super) fn hash(word: &[u8]) -> u64 {
    let mut hash = word.len() as u64;
    for chunk in word.chunks(8) {
        let mut piece = [0; 8];
        for (slot, byte) in piece.iter_mut().zip(chunk) {
            *slot = *byte;
        }
        hash = mix(hash ^ u64::from_le_bytes(piece));
    }
    hash
}

/// The same of a word of at most 16 bytes, as one number.
pub(super) fn hash_of_short(length: usize, word: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
    let (low, high) = (word as u64, (word >> 64) as u64);
    let hash = mix(length as u64 ^ low);
    if length > 8 { mix(hash ^ high) } else { hash }
}

/// The words of a text that is folded, each with where it starts.
pub(super) fn words_of(folded: &str) -> Vec<(usize, &[u8])> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    for (start, c) in folded.char_indices() {
        let end = start + c.len_utf8();
        match words.last_mut() {
            _ if class(c) != Class::Word => {}
            Some(last) if last.1 == start => last.1 = end,
            _ => words.push((start, end)),
        }
    }
    let of = |(start, end)| folded.as_bytes().get(start..end).unwrap_or_default();
    words.into_iter().map(|word| (word.0, of(word))).collect()
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (value ^ (value >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// The buckets that every text has that holds a part as it stands: its first and its last word may be
/// parts of longer ones, unless they are `bounded`.
pub(super) fn of_part(folded: &str, is_bounded: bool) -> Vec<u32> {
    let mut normal = Normal::default();
    normal.take(folded);
    let length = normal.bytes.len();
    let is_whole = |span: Span| is_bounded || (span.start > 0 && span.end < length);
    let mut buckets: Vec<u32> = normal.words(is_whole).collect();
    buckets.extend(some(normal.pieces(|bucket| bucket >= THREES)));
    buckets.extend(some(normal.pieces(|bucket| bucket < THREES)));
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// Most pieces of one kind that are looked up: further ones of a long word tell little.
const LOOKED_UP_MAX: usize = 24;

/// Some of many, spread over all.
fn some(all: Vec<u32>) -> Vec<u32> {
    let step = all.len().div_ceil(LOOKED_UP_MAX).max(1);
    all.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fold::folded;
    use super::super::gram_set::GramSet;
    use super::super::pattern::Pattern;
    use super::*;

    fn set(text: &str) -> Vec<u32> {
        let mut set = GramSet::default();
        set.add(&folded(text));
        set.drain()
    }

    /// The same, as this file says it: of the normal form of the text between spaces.
    fn plainly(text: &str) -> Vec<u32> {
        let mut normal = Normal::default();
        normal.take(&format!(" {} ", folded(text)));
        let mut buckets = normal.pieces(|_| true);
        buckets.extend(normal.words(|_| true));
        buckets.sort_unstable();
        buckets.dedup();
        buckets
    }

    #[test]
    fn a_normal_form_has_one_space_between_words() {
        let mut normal = Normal::default();
        normal.take("ab,  c->d 錯誤x\u{2014}é_1 ");
        let text = String::from_utf8(normal.bytes.clone()).unwrap();
        assert_eq!(text, "ab c d 錯誤x é_1 ");
        let words = normal.words.iter();
        let words: Vec<&[u8]> = words.map(|span| normal.word(*span)).collect();
        assert_eq!(words, [&b"ab"[..], b"c", b"d", b"x", "é_1".as_bytes()]);
    }

    #[test]
    fn buckets_are_fixed() {
        let buckets = set("The Quorum epoch");
        let sum = buckets
            .iter()
            .fold(0_u64, |sum, bucket| mix(sum ^ u64::from(*bucket)));
        assert_eq!((buckets.len(), sum), (25, 12_690_996_725_678_608_808));
        assert!(buckets.iter().all(|bucket| *bucket < BUCKETS));
    }

    #[test]
    fn a_long_word_is_none_and_two_long_words_are_no_pair() {
        let words = |text: &str| {
            let mut normal = Normal::default();
            normal.take(text);
            normal.words(|_| true).count()
        };
        let long = |bytes| "w".repeat(bytes);
        assert_eq!(words(&long(WORD_BYTES_MAX)), 1);
        assert_eq!(words(&long(WORD_BYTES_MAX + 1)), 0);
        let pair = |bytes| words(&format!("longer {}", long(bytes)));
        // Both words, and the two of them.
        assert_eq!(pair(SHORT_BYTES_MAX), 3);
        assert_eq!(pair(SHORT_BYTES_MAX + 1), 2);
    }

    #[test]
    fn a_set_of_several_texts_has_what_each_has() {
        let texts = [
            "the error of the 错误error",
            "été é the 错误 the",
            "",
            " - ",
            "a b",
        ];
        let mut all = GramSet::default();
        let mut expected = Vec::new();
        for text in texts {
            all.add(&folded(text));
            expected.extend(plainly(text));
        }
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(all.drain(), expected);
        assert_eq!(all.drain(), [] as [u32; 0]);
    }

    fn any_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-cA-C_1]{1,5}",
            "[ \\n\\t.,>-]{1,3}",
            "[错误処エé\u{2014}ß]{1,3}",
            Just("x".repeat(70)),
            "[a-b]{7,9}",
            "[a-b]{15,18}",
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// What cannot be left out: a text that holds a word or a phrase has all of its buckets.
        #[test]
        fn a_text_has_the_buckets_of_what_it_holds(
            text in any_text(), from in 0_usize..40, length in 1_usize..20,
        ) {
            let all = set(&text);
            prop_assert_eq!(&all, &plainly(&text));
            let mut again = GramSet::default();
            again.add(&folded(&text));
            let packed = again.drain_packed();
            let mut buckets = packed.buckets();
            let packed = std::iter::from_fn(|| buckets.next_before(BUCKETS));
            prop_assert_eq!(packed.collect::<Vec<u32>>(), all.clone());
            let part: String = text.chars().skip(from).take(length).collect();
            for bucket in of_part(&folded(&part), false) {
                prop_assert!(all.contains(&bucket), "{text:?} {part:?}");
            }
            if !part.contains('"') && !part.trim().is_empty() {
                let phrase = Pattern::parse(&format!("\"{part}\"")).unwrap();
                let message = crate::model::message::Message::text(
                    crate::model::message::Role::User, text.clone());
                if phrase.is_in(&message, "") {
                    let words: Vec<&str> = part.split_whitespace().collect();
                    for bucket in of_part(&folded(&words.join(" ")), true) {
                        prop_assert!(all.contains(&bucket), "{text:?} {part:?}");
                    }
                }
            }
        }
    }
}
