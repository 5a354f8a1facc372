//! The digest chain of a session's lines: a line that was changed, removed, added or moved gives
//! another digest, also where every checksum was made to fit again.
//!
//! `d_0` is 32 zero bytes, and `d_n = SHA-256(d_(n-1), SHA-256(line_n))`, over the stored lines in
//! their order, terminators included. Anybody can compute it with standard tools.

use bincode::{Decode, Encode};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

/// What a chain says of the lines that it covers: all stored ones from a sequence number on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Chain {
    /// The first sequence number that it covers.
    pub from: u64,
    /// Records that it covers.
    pub records: u64,
    /// How often records of the session were removed or replaced, so that the chain was begun anew.
    pub rewrites: u64,
    /// The digest over them.
    pub digest: Digest,
}

impl Chain {
    /// A chain over nothing yet, which begins with a sequence number.
    pub(crate) fn starting_at(from: u64) -> Self {
        Self {
            from,
            records: 0,
            rewrites: 0,
            digest: [0; 32],
        }
    }

    /// Takes the next line.
    pub(crate) fn push(&mut self, line: &Digest) {
        let mut hash = Sha256::new();
        hash.update(self.digest);
        hash.update(line);
        self.digest = hash.finalize().into();
        self.records += 1;
    }

    /// Takes the record of a sequence number, if it is one of those that the chain covers.
    pub(crate) fn take(&mut self, sequence: u64, line: &Digest) {
        if sequence >= self.from {
            self.push(line);
        }
    }

    /// How what was read differs from what this chain says of it, if it does.
    pub(crate) fn differs_from(&self, read: &Self) -> Option<String> {
        let Self { from, records, .. } = *self;
        if records != read.records {
            let detail = format!(
                "{} records from {from} on, the digest chain covers {records}",
                read.records
            );
            return Some(detail);
        }
        (self.digest != read.digest).then(|| {
            format!("the {records} records from {from} on do not have the digest that they had")
        })
    }
}

/// The digest of a line as it is stored.
pub(crate) fn digest_of(line: &[u8]) -> Digest {
    Sha256::digest(line).into()
}

/// The SHA-256 of bytes.
#[cfg(feature = "html")]
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(lines: &[&[u8]]) -> Chain {
        let mut chain = Chain::starting_at(0);
        for line in lines {
            chain.push(&digest_of(line));
        }
        chain
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2);
        let digits = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
        digits
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    #[test]
    fn the_digests_are_those_of_standard_tools() {
        // (head -c 32 /dev/zero; printf 'a\n' | sha256sum | xxd -r -p) | sha256sum
        assert_eq!(over(&[b"a\n"]).digest[..], bytes(ONE));
        assert_eq!(over(&[b"a\n", b""]).digest[..], bytes(TWO));
    }

    const ONE: &str = "fd75100221f44b0d0661668ce95d2c2f4c784d6de266537f5648da488a195f41";
    const TWO: &str = "9601467ac3c592bf968e325b417de840099d3aec40d1067d2cc7196b59e80a7a";

    #[test]
    fn every_change_of_the_lines_is_a_difference() {
        let chain = over(&[b"a\n", b"b\n"]);
        assert_eq!(chain.differs_from(&over(&[b"a\n", b"b\n"])), None);
        for other in [
            over(&[b"b\n", b"a\n"]),
            over(&[b"a\n", b"c\n"]),
            over(&[b"a\nb\n", b""]),
            over(&[b"a\n"]),
            over(&[b"a\n", b"b\n", b""]),
        ] {
            assert!(chain.differs_from(&other).is_some());
        }
    }

    #[test]
    fn what_stands_before_the_start_is_not_covered() {
        let mut chain = Chain::starting_at(2);
        for sequence in 0..4 {
            chain.take(sequence, &digest_of(b"a\n"));
        }
        assert_eq!((chain.from, chain.records), (2, 2));
        assert_eq!(chain.digest, over(&[b"a\n", b"a\n"]).digest);
    }
}
