//! Where strings stop: the search that a check of JSON spends its time in. Eight bytes are looked at
//! together, and where strings are long 32.

/// Bytes in a word.
const WORD: usize = size_of::<u64>();

/// Bytes that are only asked whether they have a stop.
const CHUNK: usize = 32;

/// Words that are looked at before a string counts as a long one.
const WORDS: usize = 4;

/// A word of ones.
const ONES: u64 = u64::MAX / 255;

/// The highest bit of each byte.
const HIGH: u64 = ONES << 7;

/// The first byte from `at` on that is a quote, a backslash or a control character, and where it is;
/// `None` if there is none.
#[expect(
    clippy::inline_always,
    reason = "left to the compiler it is a call for each string"
)]
#[inline(always)]
pub(super) fn stop(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    near(bytes, at).or_else(|| in_long(bytes, at + WORDS * WORD))
}

/// The same, if it is near, as the ends of most keys and words are.
#[expect(
    clippy::inline_always,
    reason = "left to the compiler it is a call for each string"
)]
#[inline(always)]
pub(super) fn near(bytes: &[u8], mut at: usize) -> Option<(usize, u8)> {
    let mut rest = bytes.get(at..)?;
    for _ in 0..WORDS {
        let Some((word, more)) = rest.split_first_chunk::<WORD>() else {
            return in_last(bytes, at);
        };
        match stops(*word) {
            0 => (at, rest) = (at + WORD, more),
            stops => return in_word(bytes, at, stops),
        }
    }
    None
}

/// The first stop from `at` on, where nothing stopped so far.
#[inline(never)]
fn in_long(bytes: &[u8], mut at: usize) -> Option<(usize, u8)> {
    let mut rest = bytes.get(at..)?;
    while let Some((chunk, more)) = rest.split_first_chunk::<CHUNK>() {
        // Without a jump for each byte: the compiler makes vector instructions of it.
        if chunk.iter().fold(0, |any, byte| any | stop_bit(*byte)) != 0 {
            break;
        }
        (at, rest) = (at + CHUNK, more);
    }
    while let Some((word, more)) = rest.split_first_chunk::<WORD>() {
        match stops(*word) {
            0 => (at, rest) = (at + WORD, more),
            stops => return in_word(bytes, at, stops),
        }
    }
    in_last(bytes, at)
}

/// The same, where less than a word is left.
#[cold]
fn in_last(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let rest = bytes.get(at..)?;
    let place = rest.iter().position(|byte| is_stop(*byte))?;
    rest.get(place).map(|byte| (at + place, *byte))
}

/// The first of the stops in the word at `at`.
#[inline]
fn in_word(bytes: &[u8], at: usize, stops: u64) -> Option<(usize, u8)> {
    let place = at + (stops.trailing_zeros() / 8) as usize;
    bytes.get(place).map(|byte| (place, *byte))
}

/// The highest bit of each byte that is a stop. Bytes behind the first one may be taken for stops,
/// since the subtractions borrow.
#[inline]
fn stops(word: [u8; WORD]) -> u64 {
    let word = u64::from_le_bytes(word);
    let below = |word: u64, end: u8| word.wrapping_sub(ONES * u64::from(end)) & !word;
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (equals(b'"') | equals(b'\\') | below(word, b' ')) & HIGH
}

fn is_stop(byte: u8) -> bool {
    stop_bit(byte) != 0
}

/// 1 if the byte is a stop.
fn stop_bit(byte: u8) -> u8 {
    u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_stop_is_found(
            bytes in proptest::collection::vec(
                prop_oneof![30 => any::<u8>().prop_filter("no stop", |byte| !is_stop(*byte)), 1 => any::<u8>()],
                0..200,
            ),
            at in 0_usize..210,
        ) {
            let wanted = (at..bytes.len())
                .find(|place| is_stop(bytes[*place]))
                .map(|place| (place, bytes[place]));
            prop_assert_eq!(stop(&bytes, at), wanted);
            let is_near = wanted.is_some_and(|(place, _)| place < at + WORDS * WORD);
            prop_assert_eq!(near(&bytes, at), wanted.filter(|_| is_near));
        }
    }
}
