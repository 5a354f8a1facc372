//! Makes an input of other inputs: always the same one of the same seed.
//!
//! Bytes alone rarely get past a JSON parser, so half of the steps know JSON: they put fields of
//! the dialects into objects, exchange values, cut, double and nest.

use super::words::{FIELDS, ODD, VALUES};

/// Numbers that look random, and are the same for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }
}

/// Changes `data` in a few steps; `other` is another input to splice with. At most `bytes_max`
/// bytes are left of it.
pub fn mutate(data: &mut Vec<u8>, other: &[u8], seed: u64, bytes_max: usize) {
    let mut dice = Dice::new(seed);
    for _ in 0..=dice.below(4) {
        step(data, other, &mut dice);
        data.truncate(bytes_max);
    }
}

fn step(data: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(data.len() + 1);
    match dice.below(18) {
        0 => data.truncate(at),
        1 => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        2 => {
            let end = at + dice.below((data.len() - at).min(64) + 1);
            data.drain(at..end);
        }
        3 => {
            let end = at + dice.below((data.len() - at).min(400) + 1);
            let piece = data[at..end].to_vec();
            let times = 1 + dice.below(3);
            insert(data, at, &piece.repeat(times));
        }
        4 => {
            let from = dice.below(other.len() + 1);
            let end = from + dice.below(other.len() - from + 1);
            insert(data, at, &other[from..end]);
        }
        5 => {
            let from = dice.below(other.len() + 1);
            data.truncate(at);
            data.extend_from_slice(&other[from..]);
        }
        6 | 7 => insert(data, at, ODD[dice.below(ODD.len())]),
        // More often than the rest: fields that agents know lead deeper than odd bytes.
        8..=11 => {
            let place = near(data, at, b"{,");
            let field = field(dice);
            let after = data
                .get(place.wrapping_sub(1))
                .is_some_and(|byte| b"{,".contains(byte));
            let text = if after { format!("{field},") } else { field };
            insert(data, place, text.as_bytes());
        }
        12 | 13 => exchange_value(data, at, dice),
        14 => nest(data, at, dice),
        15 => lines(data, dice),
        16 => {
            let field = FIELDS[dice.below(FIELDS.len())];
            exchange_key(data, at, field);
        }
        _ => {
            let number = dice.next();
            if let Some(byte) = data.get_mut(at) {
                *byte = number.to_le_bytes()[0];
            }
        }
    }
}

fn insert(data: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let at = at.min(data.len());
    data.splice(at..at, piece.iter().copied());
}

fn field(dice: &mut Dice) -> String {
    let (name, value) = (
        FIELDS[dice.below(FIELDS.len())],
        VALUES[dice.below(VALUES.len())],
    );
    format!("\"{name}\":{value}")
}

/// The place behind the next of `letters` from `at`, or `at`.
fn near(data: &[u8], at: usize, letters: &[u8]) -> usize {
    let found = data[at..].iter().position(|byte| letters.contains(byte));
    found.map_or(at, |found| at + found + 1)
}

/// Puts another value behind the next colon.
fn exchange_value(data: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    let from = near(data, at, b":");
    let length = data[from..].iter().position(|byte| b",}]".contains(byte));
    let end = from + length.unwrap_or(0);
    let value = VALUES[dice.below(VALUES.len())];
    data.splice(from..end, value.bytes());
}

/// Puts another name between the next two quotes.
fn exchange_key(data: &mut Vec<u8>, at: usize, name: &str) {
    let from = near(data, at, b"\"");
    let length = data[from..].iter().position(|byte| *byte == b'"');
    let end = from + length.unwrap_or(0);
    data.splice(from..end, name.bytes());
}

/// Puts brackets around a piece, many at times.
fn nest(data: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    let from = near(data, at, b":[");
    let end = from + dice.below((data.len() - from).min(64) + 1);
    // Around the depths at which readers stop: 8 levels of notes, and 128 of `serde_json`.
    let depth = [1, 2, 9, 130, 1000][dice.below(5)];
    let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("{\"content\":[", "]}")][dice.below(3)];
    insert(data, end, close.repeat(depth).as_bytes());
    insert(data, from, open.repeat(depth).as_bytes());
}

/// Doubles, drops or exchanges whole lines.
fn lines(data: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> = data
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(3) {
        0 => lines.swap(one, other),
        1 => lines.insert(one, lines[other].clone()),
        _ => drop(lines.remove(one)),
    }
    *data = lines.concat();
}
