//! The part of a pattern that an index can answer: buckets that a text must have to fit.

use super::asked::{Asked, Of};
use super::grams;
use super::term::Term;

/// What a text must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing is known: any text may fit.
    Any,
    /// All buckets of one of these.
    Buckets(Vec<Vec<u32>>),
}

impl Plan {
    /// That of a pattern's alternatives.
    pub(super) fn of(asked: &[Vec<Asked>]) -> Self {
        let mut alternatives = Vec::new();
        for asked in asked {
            let mut buckets: Vec<u32> = asked.iter().flat_map(buckets_of).collect();
            buckets.sort_unstable();
            buckets.dedup();
            // An alternative that nothing is known of may be met by any text.
            if buckets.is_empty() {
                return Self::Any;
            }
            alternatives.push(buckets);
        }
        if alternatives.is_empty() {
            return Self::Any;
        }
        Self::Buckets(alternatives)
    }
}

fn buckets_of(asked: &Asked) -> Vec<u32> {
    // No document has titles, and what must not be there tells of none.
    if asked.is_negated || asked.of == Of::Title {
        return Vec::new();
    }
    match &asked.term {
        Term::Word(needle) => grams::of_part(needle.text(), false),
        Term::Phrase(phrase) => {
            let words: Vec<&str> = phrase.words().collect();
            grams::of_part(&words.join(" "), true)
        }
        #[cfg(feature = "regex")]
        Term::Regex(regex) => {
            let literals = super::literals::required(regex.as_str());
            let each = literals.iter();
            each.flat_map(|literal| grams::of_part(literal, false))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;

    fn is_any(query: &str) -> bool {
        Pattern::parse(query).unwrap().plan() == Plan::Any
    }

    #[test]
    fn what_has_no_piece_of_three_bytes_can_be_anywhere() {
        for (query, expected) in [
            ("word", false),
            ("ab", true),
            ("錯", false),
            ("->", true),
            ("NOT word", true),
            ("title:word", true),
            ("word OR ab", true),
            ("word ab", false),
            ("\"ab\"", false),
            ("word OR other", false),
        ] {
            assert_eq!(is_any(query), expected, "{query}");
        }
    }

    #[cfg(feature = "regex")]
    #[test]
    fn a_regular_expression_is_looked_up_by_what_it_must_hold() {
        for (query, expected) in [
            ("re:fn\\s+\\w+_index", false),
            ("re:\\w+", true),
            ("re:(?i)error", false),
            ("re:(error|warning)", true),
            ("re:a(bcd)+", false),
            ("re:(bcd)*", true),
        ] {
            assert_eq!(is_any(query), expected, "{query}");
        }
    }
}
