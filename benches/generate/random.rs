//! Numbers from a seed: the same on every machine.

/// A generator of the splitmix64 family.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers that follow from `seed` alone.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u128;
        // The product's upper half is below the bound, which is a `usize`.
        usize::try_from((u128::from(self.bits()) * bound) >> 64).unwrap_or(0)
    }

    /// A number between two bounds, the upper one left out.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low))
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// A place in a list of `count` things: the nth is chosen about 1/n as often as the first.
    pub(crate) fn zipf(&mut self, count: usize) -> usize {
        let width = usize::BITS - (count / 2).leading_zeros();
        let step = 1_usize << self.below(width.max(1) as usize);
        (step - 1 + self.below(step)).min(count.saturating_sub(1))
    }

    /// Appends a uuid of version 4.
    pub(crate) fn uuid(&mut self, out: &mut String) {
        let bits = (u128::from(self.bits()) << 64) | u128::from(self.bits());
        out.push_str(
            &uuid::Builder::from_u128(bits)
                .with_version(uuid::Version::Random)
                .as_uuid()
                .to_string(),
        );
    }

    /// Appends characters that no compressor can shorten by much.
    pub(crate) fn noise(&mut self, characters: usize, out: &mut String) {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ab";
        for _ in 0..characters {
            let digit = DIGITS
                .get(self.below(DIGITS.len()))
                .copied()
                .unwrap_or(b'A');
            out.push(char::from(digit));
        }
    }

    /// One of several.
    pub(crate) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }
}
