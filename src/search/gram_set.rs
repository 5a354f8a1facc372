//! The buckets of some texts, gathered word by word: what a short word has was set when it was met first.
//!
//! That is most of them, in code as in prose. Whether a word was met is told by all of its bytes, not by a hash.

use super::fold::fold_into;
use super::grams::{
    BUCKETS, SPACE, WORD_BYTES_MAX, four, hash, hash_of_short, pair_bucket, three, word_bucket,
    words_of,
};
use super::words::{Class, class};

/// Longer words are not remembered.
const REMEMBERED_BYTES: usize = 16;

/// Places of words that are remembered, a power of two.
const REMEMBERED: usize = 4096;

/// Bytes of room for a folded text that are kept for the next one.
const FOLDED_BYTES_KEPT: usize = 1024 * 1024;

/// The buckets of some texts.
#[derive(Clone, Debug)]
pub(crate) struct GramSet {
    bits: Vec<u64>,
    /// Words that were met, each where its hash says; 0 where none was.
    met: Vec<u128>,
    /// A text, folded.
    folded: String,
}

impl Default for GramSet {
    fn default() -> Self {
        Self {
            bits: vec![0; BUCKETS.div_ceil(64) as usize],
            met: vec![0; REMEMBERED],
            folded: String::new(),
        }
    }
}

/// What stands before a chunk of text, behind one space.
#[derive(Clone, Copy, Default)]
struct Before {
    last: Option<u8>,
    /// The word that ends it: its bytes, and its hash.
    word: Option<(usize, u64)>,
}

impl GramSet {
    /// Adds those of a text.
    pub(crate) fn add_text(&mut self, text: &str) {
        let mut folded = std::mem::take(&mut self.folded);
        fold_into(text, &mut folded);
        self.add(&folded);
        folded.clear();
        folded.shrink_to(FOLDED_BYTES_KEPT);
        self.folded = folded;
    }

    /// Adds those of a folded text.
    pub(super) fn add(&mut self, folded: &str) {
        let bytes = folded.as_bytes();
        let (mut start, mut before) = (0, Before::default());
        while let Some(first) = bytes.get(start) {
            if of_byte(*first) == Byte::Between {
                start += 1;
                continue;
            }
            let (end, is_word) = chunk(folded, start);
            if end == start {
                let c = folded.get(start..).and_then(|rest| rest.chars().next());
                start += c.map_or(1, char::len_utf8);
                continue;
            }
            let piece = bytes.get(start..end).unwrap_or_default();
            // Three bytes across a gap: whatever stands in it counts as one space.
            if let (Some(last), Some(first)) = (before.last, piece.first()) {
                self.set(three(
                    u32::from(last) << 16 | u32::from(SPACE) << 8 | u32::from(*first),
                ));
            }
            before.word = if !is_word {
                self.add_mixed(folded.get(start..end).unwrap_or_default(), before.word)
            } else if piece.len() <= REMEMBERED_BYTES {
                Some(self.add_short(key(bytes, start, piece), piece, before.word))
            } else {
                self.add_pieces(piece);
                self.add_word(piece, before.word)
            };
            before.last = piece.last().copied();
            start = end;
        }
    }

    /// Adds a word that may have been met.
    fn add_short(&mut self, key: u128, word: &[u8], before: Option<(usize, u64)>) -> (usize, u64) {
        let hash = hash_of_short(word.len(), key);
        let place = place(key);
        let is_met = self.met.get(place) == Some(&key);
        if !is_met {
            // A word that had the place is forgotten, and costs its pieces once more.
            if let Some(slot) = self.met.get_mut(place) {
                *slot = key;
            }
            self.add_pieces(word);
            self.set(word_bucket(hash));
        }
        let word = (word.len(), hash);
        self.add_pair(before, word);
        word
    }

    /// Adds a word, and gives what is to be known of it before the next one; nothing of one that is too long.
    fn add_word(&mut self, word: &[u8], before: Option<(usize, u64)>) -> Option<(usize, u64)> {
        if word.len() > WORD_BYTES_MAX {
            return None;
        }
        let word = (word.len(), hash(word));
        self.set(word_bucket(word.1));
        self.add_pair(before, word);
        Some(word)
    }

    fn add_pair(&mut self, before: Option<(usize, u64)>, word: (usize, u64)) {
        if let Some(bucket) = before.and_then(|before| pair_bucket(before, word)) {
            self.set(bucket);
        }
    }

    /// Adds a chunk in which words stand beside letters of scripts without spaces.
    fn add_mixed(&mut self, chunk: &str, before: Option<(usize, u64)>) -> Option<(usize, u64)> {
        self.add_pieces(chunk.as_bytes());
        let mut last = None;
        for (start, word) in words_of(chunk) {
            // Pairs are of words with nothing but a gap between them: of a chunk, the first and the
            // last one.
            let before = before.filter(|_| start == 0);
            let added = self.add_word(word, before);
            last = added.filter(|_| start + word.len() == chunk.len());
        }
        last
    }

    /// Adds every three bytes of a chunk with the space before and behind it, and every four of it.
    fn add_pieces(&mut self, chunk: &[u8]) {
        let mut piece = u32::from(SPACE);
        for (at, byte) in chunk.iter().enumerate() {
            piece = piece << 8 | u32::from(*byte);
            if at >= 1 {
                self.set(three(piece));
            }
            if at >= 3 {
                self.set(four(piece));
            }
        }
        self.set(three(piece << 8 | u32::from(SPACE)));
    }

    fn set(&mut self, bucket: u32) {
        if let Some(word) = self.bits.get_mut(bucket as usize / 64) {
            *word |= 1 << (bucket % 64);
        }
    }

    /// The buckets in their order; the set is empty then.
    pub(crate) fn drain(&mut self) -> Vec<u32> {
        let mut buckets = Vec::new();
        self.drain_into(&mut |bucket| buckets.push(bucket));
        buckets
    }

    /// The same, packed.
    pub(crate) fn drain_packed(&mut self) -> PackedSet {
        let count: u32 = self.bits.iter().map(|word| word.count_ones()).sum();
        let mut packed = PackedSet(Vec::with_capacity(count as usize));
        let mut last = 0;
        self.drain_into(&mut |bucket| {
            packed.push(bucket - last);
            last = bucket;
        });
        packed
    }

    fn drain_into(&mut self, give: &mut impl FnMut(u32)) {
        self.met.fill(0);
        for (at, word) in (0_u32..).zip(self.bits.iter_mut()) {
            let mut bits = std::mem::take(word);
            while bits != 0 {
                give(at * 64 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }
}

/// What a byte is to chunks: between them, of one, or of a character that has to be looked at.
#[derive(Clone, Copy, PartialEq)]
enum Byte {
    Between,
    Plain,
    Other,
}

const BYTES: [Byte; 256] = {
    let mut bytes = [Byte::Between; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        #[expect(clippy::indexing_slicing, reason = "below 256")]
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            bytes[at] = Byte::Plain;
        } else if !byte.is_ascii() {
            bytes[at] = Byte::Other;
        }
        at += 1;
    }
    bytes
};

fn of_byte(byte: u8) -> Byte {
    BYTES.get(usize::from(byte)).copied().unwrap_or(Byte::Other)
}

/// The end of the chunk that starts here: what stands between two of what words have between them; and
/// whether it is one word. There may be none.
fn chunk(text: &str, start: usize) -> (usize, bool) {
    let bytes = text.as_bytes();
    let (mut end, mut is_word) = (start, true);
    while let Some(byte) = bytes.get(end) {
        match of_byte(*byte) {
            Byte::Plain => end += 1,
            Byte::Other => {
                let c = text.get(end..).and_then(|rest| rest.chars().next());
                match c.map(class) {
                    Some(Class::Word) => {}
                    Some(Class::Unspaced) => is_word = false,
                    _ => break,
                }
                end += c.map_or(1, char::len_utf8);
            }
            Byte::Between => break,
        }
    }
    (end, is_word)
}

/// The bytes of a short word that starts here, as one number: words have no byte that is 0.
fn key(bytes: &[u8], start: usize, word: &[u8]) -> u128 {
    // Most have so many bytes behind their start, of which those behind the word are masked.
    let ahead = bytes.get(start..).and_then(|rest| rest.first_chunk::<16>());
    let number = if let Some(ahead) = ahead {
        u128::from_le_bytes(*ahead)
    } else {
        let mut padded = [0; 16];
        for (slot, byte) in padded.iter_mut().zip(word) {
            *slot = *byte;
        }
        u128::from_le_bytes(padded)
    };
    let unused = REMEMBERED_BYTES.saturating_sub(word.len()) * 8;
    number
        & u128::MAX
            .checked_shr(u32::try_from(unused).unwrap_or(0))
            .unwrap_or(0)
}

/// Where a word is remembered.
fn place(key: u128) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
    let (low, high) = (key as u64, (key >> 64) as u64);
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap_or(0) % REMEMBERED
}

/// Buckets in their order, as their distances, each one number or, where it is too large for that, three.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackedSet(Vec<u16>);

impl PackedSet {
    fn push(&mut self, distance: u32) {
        match u16::try_from(distance) {
            Ok(short) if short < u16::MAX => self.0.push(short),
            _ => {
                #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
                let (low, high) = (distance as u16, (distance >> 16) as u16);
                self.0.extend_from_slice(&[u16::MAX, low, high]);
            }
        }
    }

    /// Each bucket.
    pub(crate) fn buckets(&self) -> Buckets<'_> {
        Buckets {
            rest: &self.0,
            last: 0,
        }
    }
}

/// What is left of the buckets of a packed set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buckets<'p> {
    rest: &'p [u16],
    last: u32,
}

impl Buckets<'_> {
    /// The next one, if it is before another one.
    pub(crate) fn next_before(&mut self, end: u32) -> Option<u32> {
        let (first, behind) = self.rest.split_first()?;
        let (distance, rest) = if *first == u16::MAX {
            let ([low, high], behind) = behind.split_first_chunk::<2>()?;
            (u32::from(*low) | u32::from(*high) << 16, behind)
        } else {
            (u32::from(*first), behind)
        };
        let bucket = self.last + distance;
        if bucket >= end {
            return None;
        }
        (self.rest, self.last) = (rest, bucket);
        Some(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_word_hashes_as_any() {
        for word in [
            "a",
            "epoch_7",
            "12345678",
            "123456789",
            "0123456789abcdef",
            "été",
        ] {
            for text in [word.to_owned(), format!("{word} and something behind it")] {
                let key = key(text.as_bytes(), 0, word.as_bytes());
                let short = hash_of_short(word.len(), key);
                assert_eq!(short, hash(word.as_bytes()), "{text}");
            }
        }
    }
}
