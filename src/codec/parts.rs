//! Long values cut into parts that fill pages of the database.
//!
//! redb keeps a value that is larger than a page alone in a page of 4 KiB times a power of two: a
//! value of 33 KiB takes 64. Cut into parts that fill such pages, it takes 36. What is left at the
//! end takes a page that is half empty on average, so the first part of the value that comes next
//! fills that one: of an import's segments, that is a twelfth.

/// Bytes of a page that a value cannot use: the page's own header, the key and the offsets.
const PAGE_OVERHEAD: usize = 32;

/// The smallest page; the only one that several values share.
pub(crate) const PAGE_BYTES: usize = 4096;

/// Bytes of a shared page that no value can use.
pub(crate) const PAGE_HEAD_BYTES: usize = 4;

/// Bytes that a value takes in a shared page beside its own, with a key of `records`.
pub(crate) const ENTRY_BYTES: usize = 24;

/// A part is not made to fill less room than this.
const FILL_BYTES_MIN: usize = 128;

/// Powers of two of the largest page that is used: 256 KiB.
const ORDER_MAX: u32 = 6;

/// The length of the next part of a value that has `rest` bytes left, where each part has `frame`
/// bytes around it. At least 1 if anything is left.
pub(crate) fn next_length(rest: usize, frame: usize) -> usize {
    for order in (0..=ORDER_MAX).rev() {
        let room = (PAGE_BYTES << order) - PAGE_OVERHEAD - frame;
        if rest >= room {
            return room;
        }
    }
    rest
}

/// The length of the first part of a value of `whole` bytes, where the page before has `room` left:
/// what fits there, or else that of any other part.
pub(crate) fn first_length(whole: usize, frame: usize, room: usize) -> usize {
    match room.saturating_sub(ENTRY_BYTES + frame) {
        fits if fits < FILL_BYTES_MIN => next_length(whole, frame),
        fits => whole.min(fits),
    }
}

/// Whether a value of so many bytes leaves no more of its page empty than a quarter, where
/// it has `frame` bytes around it. One that does not fill the smallest page shares it.
pub(crate) fn fills_pages(bytes: usize, frame: usize) -> bool {
    let taken = bytes + frame + PAGE_OVERHEAD;
    let page = taken.next_power_of_two();
    page >= PAGE_BYTES && page - taken <= page / 4
}

/// Whether a row of so many bytes leaves no room in its page that is worth filling.
pub(crate) fn fills_page(row: usize) -> bool {
    PAGE_HEAD_BYTES + row + ENTRY_BYTES + FILL_BYTES_MIN > PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_part_fills_the_page_before_if_that_is_worth_a_row() {
        assert_eq!(first_length(33_000, 10, 1_000), 1_000 - 34);
        assert_eq!(first_length(500, 10, 1_000), 500);
        assert_eq!(first_length(33_000, 10, 34 + 127), 32_768 - 42);
        assert_eq!(first_length(33_000, 10, 34 + 128), 128);
        assert_eq!(first_length(33_000, 10, 0), 32_768 - 42);
    }

    #[test]
    fn parts_fill_pages_and_add_up() {
        let mut rest = 33_000;
        let mut lengths = Vec::new();
        while rest > 0 {
            let length = next_length(rest, 10);
            lengths.push(length);
            rest -= length;
        }
        assert_eq!(lengths, [32_768 - 42, 33_000 - 32_768 + 42]);
        assert_eq!(next_length(10_000_000, 10), (4096 << 6) - 42);
        assert_eq!(next_length(1, 10), 1);
    }
}
