//! The line of a message in which a match stands, cut to what is read at a glance.

use serde::Serialize;

use super::fold::folded;
use super::pieces::Pieces;
use super::term::{Looked, Term};

/// Characters that are shown before the first match.
const BEFORE: usize = 60;
/// Characters that are shown from the first match on.
const BEHIND: usize = 140;

/// A line of a message, or a part of it, with what was found in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snippet {
    /// The text: one line, in which a cut is marked by `…` and a tab is a blank.
    pub text: String,
    /// Where in its bytes the matches stand: start and end of each, in order, none within another.
    pub matches: Vec<(usize, usize)>,
}

/// The snippet of a message for the terms that were looked for: around the first place at which one of
/// them stands, or else the message's first line.
pub(crate) fn snippet<'p>(
    pieces: &Pieces<'_>,
    terms: impl Iterator<Item = &'p Term> + Clone,
) -> Snippet {
    let mut first_line = None;
    for piece in pieces.looked() {
        let found = terms.clone().filter_map(|term| term.first_in(piece));
        if let Some(place) = found.min_by_key(|place| (place.start, place.end)) {
            return around(piece.text, place.start, place.end, terms);
        }
        first_line = first_line.or(Some(piece.text.trim_start()));
    }
    around(first_line.unwrap_or_default(), 0, 0, terms)
}

/// The snippet around a match.
fn around<'p>(
    text: &str,
    start: usize,
    end: usize,
    terms: impl Iterator<Item = &'p Term>,
) -> Snippet {
    let before = text.get(..start).unwrap_or_default();
    let line = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let from = before.get(line..).unwrap_or_default();
    let cut = from.char_indices().rev().nth(BEFORE.saturating_sub(1));
    let from = line + cut.map_or(0, |(at, _)| at);
    // A match may go over several lines: the last of them is shown to its end.
    let behind = text.get(end..).unwrap_or_default();
    let line_end = end + behind.find(['\n', '\r']).unwrap_or(behind.len());
    let rest = text.get(start..line_end).unwrap_or_default();
    let to = start
        + rest
            .char_indices()
            .nth(BEHIND)
            .map_or(rest.len(), |(at, _)| at);
    let shown = text.get(from..to).unwrap_or_default();
    let one_line = shown.replace(['\n', '\r', '\t'], " ");
    let folded = folded(&one_line);
    let looked = Looked {
        text: &one_line,
        folded: &folded,
    };
    let mut places: Vec<(usize, usize)> = terms
        .flat_map(|term| term.all_in(looked))
        .map(|place| (place.start, place.end))
        .collect();
    // The match itself: without what stood around it, it may not be found again.
    places.push((start - from, end.min(to) - from));
    let lead = if from > line { "…" } else { "" };
    let tail = if to < line_end { "…" } else { "" };
    Snippet {
        text: format!("{lead}{one_line}{tail}"),
        matches: merged(places, lead.len()),
    }
}

/// Places in their order, those that overlap as one; empty ones are none.
fn merged(mut places: Vec<(usize, usize)>, offset: usize) -> Vec<(usize, usize)> {
    places.retain(|(start, end)| start < end);
    places.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in places {
        let (start, end) = (start + offset, end + offset);
        match merged.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;

    fn of(text: &str, query: &str) -> (String, Vec<String>) {
        let pattern = Pattern::parse(query).unwrap();
        let terms: Vec<Term> = pattern.marked().cloned().collect();
        let found = snippet(&Pieces::of(text), terms.iter());
        let marked = found.matches.iter();
        let marked = marked.map(|(start, end)| found.text.get(*start..*end).unwrap().to_owned());
        (found.text.clone(), marked.collect())
    }

    #[test]
    fn a_snippet_is_the_line_of_the_first_match_with_all_matches_marked() {
        let text = "one\n\ttwo Three two-three\r\nfour";
        assert_eq!(
            of(text, "two three"),
            (
                " two Three two-three".to_owned(),
                ["two", "Three", "two", "three"].map(str::to_owned).to_vec()
            )
        );
        assert_eq!(of(text, "\"one two\"").0, "one  two Three two-three");
        assert_eq!(of(text, "NOT x"), ("one".to_owned(), Vec::new()));
        assert_eq!(of("", "x"), (String::new(), Vec::new()));
        assert_eq!(of("aba", "ab ba").1, ["aba"]);
    }

    #[test]
    fn a_long_line_is_cut_at_characters_and_the_match_is_in_it() {
        let text = format!("{} hit {}", "é".repeat(500), "資".repeat(500));
        let (shown, marked) = of(&text, "HIT");
        assert_eq!(marked, ["hit"]);
        assert!(shown.starts_with("…é") && shown.ends_with("資…"), "{shown}");
        assert_eq!(shown.chars().count(), 2 + BEFORE + BEHIND);
        let long = "x".repeat(1000);
        let (shown, marked) = of(&long, &long);
        assert_eq!((shown.chars().count(), marked.len()), (BEHIND + 1, 1));
    }
}
