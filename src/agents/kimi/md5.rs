//! The hash that Kimi CLI names folders by: MD5 (RFC 1321), which is no secret's guard here.

/// How far each step turns, of the four rounds.
const TURNS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];

/// The hash of a text, in hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let bits = (bytes.len() as u64).wrapping_mul(8);
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend_from_slice(&bits.to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in bytes.chunks_exact(64) {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = bytes
                .iter()
                .rev()
                .fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        }
        let mixed = mix(state, &words);
        for (whole, part) in state.iter_mut().zip(mixed) {
            *whole = whole.wrapping_add(part);
        }
    }
    let swapped = state.map(u32::swap_bytes);
    let [a, b, c, d] = swapped;
    format!("{a:08x}{b:08x}{c:08x}{d:08x}")
}

/// Takes a block of 16 words in.
fn mix([mut a, mut b, mut c, mut d]: [u32; 4], words: &[u32; 16]) -> [u32; 4] {
    for step in 0..64_usize {
        let (chosen, word) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let sum = a
            .wrapping_add(chosen)
            .wrapping_add(sine(step))
            .wrapping_add(words.get(word % 16).copied().unwrap_or_default());
        let turns = TURNS.get(step / 16).and_then(|turns| turns.get(step % 4));
        let turned = b.wrapping_add(sum.rotate_left(turns.copied().unwrap_or_default()));
        (a, b, c, d) = (d, turned, b, c);
    }
    [a, b, c, d]
}

/// The number of a step: the whole part of the sine of it, 2³² times.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "steps are few, and the number is below 2³²"
)]
fn sine(step: usize) -> u32 {
    (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn it_is_what_the_standard_says() {
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
            ("/w/shop", "463b9ceeec4169ed9ecf158956389b4b"),
        ] {
            assert_eq!(hash(text), expected, "{text}");
        }
    }
}
