//! Long values cut into parts that fill pages of the database.
//!
//! redb keeps a value that is larger than a page alone in a page of 4 KiB times a power of two: a
//! value of 33 KiB takes 64. Cut into parts that fill such pages, it takes 36.

/// Bytes of a page that a value cannot use: the page's own header, the key and the offsets.
const PAGE_OVERHEAD: usize = 32;

/// The smallest page.
const PAGE_BYTES: usize = 4096;

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

#[cfg(test)]
mod tests {
    use super::*;

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
