//! The query language: words, `"phrases"`, `NOT`, `OR`, `title:`, `re:`.
//!
//! - What stands between two `OR` belongs together: all of it is to be in one message.
//! - A quote begins a phrase only where a word would begin; within a word it is a character like others.

use super::asked::{Asked, Of};
use super::term::Term;
use crate::model::error::{Error, Result};

/// The alternatives of a query, each a list of what is asked for.
pub(super) fn parse(query: &str) -> Result<Vec<Vec<Asked>>> {
    let invalid = |reason: &str| Error::InvalidQuery {
        query: query.to_owned(),
        reason: reason.to_owned(),
    };
    let mut alternatives = Vec::new();
    let mut current: Vec<Asked> = Vec::new();
    let mut is_negated = false;
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        if let Some(behind) = keyword(rest, "OR") {
            if current.is_empty() || is_negated {
                return Err(invalid("`OR` needs something on both sides"));
            }
            alternatives.push(std::mem::take(&mut current));
            rest = behind;
            if rest.is_empty() {
                return Err(invalid("`OR` needs something on both sides"));
            }
            continue;
        }
        if let Some(behind) = keyword(rest, "NOT") {
            if is_negated || behind.is_empty() {
                return Err(invalid("`NOT` needs a word behind it"));
            }
            is_negated = true;
            rest = behind;
            continue;
        }
        let (of, word) = match rest.strip_prefix("title:") {
            Some(behind) => (Of::Title, behind),
            None => (Of::Message, rest),
        };
        let (term, behind) = term(word).map_err(|reason| match reason {
            Unreadable::Quote => invalid("a quote is not closed"),
            Unreadable::Nothing => {
                invalid("there is nothing between the quotes, or behind `title:` or `re:`")
            }
            Unreadable::Regex(error) => error,
        })?;
        current.push(Asked {
            of,
            // `NOT` is of the next term alone.
            is_negated: std::mem::take(&mut is_negated),
            term,
        });
        rest = behind.trim_start();
    }
    if is_negated {
        return Err(invalid("`NOT` needs a word behind it"));
    }
    if !current.is_empty() {
        alternatives.push(current);
    }
    Ok(alternatives)
}

/// What stands behind a keyword, if it is one: a word of its own.
fn keyword<'q>(rest: &'q str, word: &str) -> Option<&'q str> {
    let behind = rest.strip_prefix(word)?;
    let next = behind.trim_start();
    (behind.is_empty() || next.len() < behind.len()).then_some(next)
}

/// Why a term cannot be read.
enum Unreadable {
    Quote,
    Nothing,
    Regex(Error),
}

/// The term at the start of a text, and what stands behind it.
fn term(text: &str) -> Result<(Term, &str), Unreadable> {
    if let Some(pattern) = text.strip_prefix("re:") {
        let (pattern, behind) = match pattern.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(Unreadable::Quote)?,
            None => split_word(pattern),
        };
        if pattern.is_empty() {
            return Err(Unreadable::Nothing);
        }
        let term = Term::regex(pattern).map_err(Unreadable::Regex)?;
        return Ok((term, behind));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let (phrase, behind) = quoted.split_once('"').ok_or(Unreadable::Quote)?;
        let term = Term::phrase(phrase).ok_or(Unreadable::Nothing)?;
        return Ok((term, behind));
    }
    let (word, behind) = split_word(text);
    let term = Term::word(word).ok_or(Unreadable::Nothing)?;
    Ok((term, behind))
}

fn split_word(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query in a form that shows how it was read.
    fn read(query: &str) -> String {
        let shown = |asked: &Asked| {
            let not = if asked.is_negated { "!" } else { "" };
            let of = if asked.of == Of::Title { "t:" } else { "" };
            let term = match &asked.term {
                Term::Word(needle) => needle.text().to_owned(),
                Term::Phrase(phrase) => {
                    format!("<{}>", phrase.words().collect::<Vec<_>>().join("_"))
                }
                #[cfg(feature = "regex")]
                Term::Regex(regex) => format!("/{regex}/"),
            };
            format!("{not}{of}{term}")
        };
        match parse(query) {
            Err(error) => error.to_string(),
            Ok(alternatives) => {
                let all = alternatives.iter();
                let all = all.map(|one| one.iter().map(shown).collect::<Vec<_>>().join(" "));
                all.collect::<Vec<_>>().join(" | ")
            }
        }
    }

    #[test]
    fn a_query_is_words_phrases_and_what_goes_with_them() {
        for (query, expected) in [
            ("", ""),
            ("  Foo  BAR ", "foo bar"),
            ("\"a  Phrase\" x", "<a_phrase> x"),
            ("a b OR NOT c", "a b | !c"),
            ("NOT \"x y\"", "!<x_y>"),
            ("title:Retry loop", "t:retry loop"),
            ("title:\"the loop\"", "t:<the_loop>"),
            ("NOT title:x", "!t:x"),
            ("println!(\"hi\")", "println!(\"hi\")"),
            ("ORDER NOTE or not", "order note or not"),
            ("\"OR\" \"NOT\"", "<or> <not>"),
            ("a\"b c", "a\"b c"),
            ("\"a\"b", "<a> b"),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (query, reason) in [
            ("\"open", "not closed"),
            ("a OR", "both sides"),
            ("OR a", "both sides"),
            ("a OR OR b", "both sides"),
            ("NOT OR a", "both sides"),
            ("NOT", "behind it"),
            ("a NOT", "behind it"),
            ("NOT NOT a", "behind it"),
            ("\"\"", "nothing between"),
            ("title:", "nothing between"),
            ("re:", "nothing between"),
        ] {
            assert!(read(query).contains(reason), "{query}: {}", read(query));
        }
    }

    #[cfg(feature = "regex")]
    #[test]
    fn a_regular_expression_ends_at_a_blank_or_at_its_quote() {
        assert_eq!(read("re:a.b c"), "/a.b/ c");
        assert_eq!(read("re:\"a .b\" NOT re:^c"), "/a .b/ !/^c/");
        assert_eq!(read("title:re:x+"), "t:/x+/");
        assert!(read("re:(").contains("unclosed group"));
    }
}
