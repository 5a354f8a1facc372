//! How well a message says what was asked for.
//!
//! Not a frequency over the store: that would rest on what else is stored, and an order that changes with
//! every import is none. A message that has more of the terms, nearer to words, and is short, comes first.

use crate::model::message::Role;
use crate::search::{Pattern, Pieces};

/// Matches of one term that count.
const COUNTED_MAX: usize = 8;

/// The score of a message, of whose session the title is given.
pub(super) fn score(pattern: &Pattern, pieces: &Pieces<'_>, role: Role, title: &str) -> u64 {
    let mut score = 0;
    let mut length = 0_u64;
    for piece in pieces.looked() {
        length += piece.text.len() as u64;
    }
    for term in pattern.marked() {
        let (mut found, mut bounded) = (0, 0);
        for piece in pieces.looked() {
            let places = term.all_in(piece);
            let is_bounded = |place: &&std::ops::Range<usize>| {
                let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                let before = piece
                    .text
                    .get(..place.start)
                    .and_then(|text| text.chars().next_back());
                let after = piece
                    .text
                    .get(place.end..)
                    .and_then(|text| text.chars().next());
                !is_letter(before) && !is_letter(after)
            };
            bounded += places.iter().filter(is_bounded).count();
            found += places.len();
        }
        if found > 0 {
            score +=
                100 + 10 * found.min(COUNTED_MAX) as u64 + 15 * bounded.min(COUNTED_MAX) as u64;
        }
        if !Pieces::of(title).looked().any(|title| term.is_in(title)) {
            continue;
        }
        score += 60;
    }
    // Somebody's own words before what a tool printed.
    score += match role {
        Role::User => 60,
        Role::Assistant => 40,
        _ => 0,
    };
    // A message that is ten times as long says it a tenth as much.
    score * 16 / (16 + u64::from((length / 256 + 1).ilog2()))
}
