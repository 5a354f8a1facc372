//! Numbers in Rice's code: the high bits as so many ones and a zero, the low ones as they are.

/// How many low bits of a distance are written as they are.
pub(super) fn rice_shift(count: u64, all: u32) -> u32 {
    let mean = u64::from(all) / count.max(1);
    mean.max(1).ilog2()
}

/// Bits on their way into bytes, the lowest of a byte first.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    held: u64,
    count: u32,
}

impl<'o> Writer<'o> {
    /// Behind what is there.
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            held: 0,
            count: 0,
        }
    }

    /// Writes a number whose low `shift` bits, at most 15, are as they are.
    pub(super) fn push(&mut self, value: u32, shift: u32) {
        let mut high = value >> shift;
        while high >= 16 {
            self.put(0xffff, 16);
            high -= 16;
        }
        // Ones, the zero that ends them, and the low bits.
        let low = u64::from(value & ((1 << shift) - 1));
        self.put(((1 << high) - 1) | low << (high + 1), high + 1 + shift);
    }

    /// At most 32 bits: fewer than 32 are held before.
    fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        if self.count >= 32 {
            let [a, b, c, d, ..] = self.held.to_le_bytes();
            self.out.extend_from_slice(&[a, b, c, d]);
            self.held >>= 32;
            self.count -= 32;
        }
    }

    /// Writes what is held.
    pub(super) fn end(self) {
        let bytes = self.count.div_ceil(8) as usize;
        let held = self.held.to_le_bytes();
        self.out
            .extend_from_slice(held.get(..bytes).unwrap_or_default());
    }
}

/// The same bits, as they are read.
pub(super) struct Reader<'r> {
    rest: &'r [u8],
    held: u64,
    count: u32,
}

impl<'r> Reader<'r> {
    /// From the first one on.
    pub(super) fn new(bytes: &'r [u8]) -> Self {
        Self {
            rest: bytes,
            held: 0,
            count: 0,
        }
    }

    /// Holds at least 33 bits, if there are so many.
    fn fill(&mut self) {
        if self.count > 32 {
            return;
        }
        let (bytes, rest) = if let Some((four, rest)) = self.rest.split_first_chunk::<4>() {
            (*four, rest)
        } else {
            let mut last = [0; 4];
            for (slot, byte) in last.iter_mut().zip(self.rest) {
                *slot = *byte;
            }
            (last, &[][..])
        };
        let taken = u32::try_from(self.rest.len() - rest.len()).unwrap_or(0) * 8;
        self.held |= u64::from(u32::from_le_bytes(bytes)) << self.count;
        self.count += taken;
        self.rest = rest;
    }

    /// A number whose low `shift` bits, at most 32, are as they are; `None` where the bits end before it does.
    pub(super) fn next(&mut self, shift: u32) -> Option<u32> {
        let mut high = 0_u32;
        loop {
            self.fill();
            let ones = self.held.trailing_ones().min(self.count);
            high += ones;
            if ones < self.count {
                self.take(ones + 1);
                break;
            }
            // All that was held was ones, so the number goes on; with nothing held the bits are
            // over.
            if ones == 0 {
                return None;
            }
            self.take(ones);
        }
        self.fill();
        if self.count < shift {
            return None;
        }
        let low = self.held & ((1 << shift) - 1);
        self.take(shift);
        let high = u64::from(high) << shift;
        u32::try_from(high | low).ok()
    }

    fn take(&mut self, count: u32) {
        self.held = self.held.checked_shr(count).unwrap_or(0);
        self.count -= count;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(
            numbers in prop::collection::vec(0_u32..5000, 0..60), shift in 0_u32..=12, cut in 0_usize..4,
        ) {
            let mut bytes = vec![7];
            let mut writer = Writer::new(&mut bytes);
            for number in &numbers {
                writer.push(*number, shift);
            }
            writer.end();
            let bits: u32 = numbers.iter().map(|number| (number >> shift) + 1 + shift).sum();
            prop_assert_eq!(bytes.len(), 1 + bits.div_ceil(8) as usize);
            let mut reader = Reader::new(&bytes[1..]);
            for number in &numbers {
                prop_assert_eq!(reader.next(shift), Some(*number));
            }
            // Bits that end too soon end the numbers.
            let kept = bytes.len().saturating_sub(cut).max(1);
            let mut reader = Reader::new(&bytes[1..kept]);
            let read = std::iter::from_fn(|| reader.next(shift)).take(numbers.len());
            let read: Vec<u32> = read.collect();
            prop_assert!(numbers.starts_with(&read));
        }
    }
}
