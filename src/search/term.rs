//! One thing that is looked for in a text: a word, a phrase, a pattern.

use std::ops::Range;

use memchr::memmem::Finder;

use super::fold::{folded, place_before_folding};
use super::words::is_within_word;
#[cfg(not(feature = "regex"))]
use crate::model::error::Error;
use crate::model::error::Result;

/// A text that is looked at, with its folded form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looked<'t> {
    /// As it is.
    pub text: &'t str,
    /// Folded.
    pub folded: &'t str,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    /// A part of the folded text, at any place of it.
    Word(Needle),
    /// Words behind each other, with white space between them, that begin and end where words do.
    Phrase(Phrase),
    /// A regular expression over the text as it is.
    #[cfg(feature = "regex")]
    Regex(regex::Regex),
}

/// A folded text to be found.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    text: String,
    finder: Finder<'static>,
}

/// Words that follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Phrase {
    first: Needle,
    rest: Vec<String>,
}

impl Needle {
    fn new(text: String) -> Self {
        let finder = Finder::new(text.as_bytes()).into_owned();
        Self { text, finder }
    }

    /// The text, folded.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn find(&self, folded: &str, from: usize) -> Option<usize> {
        let rest = folded.as_bytes().get(from..)?;
        self.finder.find(rest).map(|at| from + at)
    }
}

impl Phrase {
    /// Its words, folded.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let rest = self.rest.iter().map(String::as_str);
        std::iter::once(self.first.text()).chain(rest)
    }

    fn find(&self, folded: &str, mut from: usize) -> Option<Range<usize>> {
        loop {
            let start = self.first.find(folded, from)?;
            if let Some(end) = self.end(folded, start) {
                return Some(start..end);
            }
            let step = folded.get(start..)?.chars().next()?.len_utf8();
            from = start + step;
        }
    }

    /// Where it ends, if it starts here.
    fn end(&self, folded: &str, start: usize) -> Option<usize> {
        let before = folded.get(..start)?.chars().next_back();
        if is_within_word(before, self.first.text().chars().next()) {
            return None;
        }
        let mut end = start + self.first.text().len();
        for word in &self.rest {
            let behind = folded.get(end..)?;
            let next = behind.trim_start();
            // At least one blank between them: what touches is one word.
            if next.len() == behind.len() || !next.starts_with(word) {
                return None;
            }
            end += behind.len() - next.len() + word.len();
        }
        let last = folded.get(..end)?.chars().next_back();
        let after = folded.get(end..)?.chars().next();
        (!is_within_word(last, after)).then_some(end)
    }
}

impl Term {
    /// A word, as it was typed; `None` if it is empty.
    pub(super) fn word(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::Word(Needle::new(folded(text))))
    }

    /// The words of a phrase; `None` if there are none.
    pub(super) fn phrase(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().map(folded);
        let first = Needle::new(words.next()?);
        let rest = words.collect();
        Some(Self::Phrase(Phrase { first, rest }))
    }

    /// A regular expression, in which `^` and `$` stand for the ends of lines.
    #[cfg(feature = "regex")]
    pub(super) fn regex(pattern: &str) -> Result<Self> {
        use crate::model::error::Error;

        let regex = regex::RegexBuilder::new(pattern).multi_line(true).build();
        regex.map(Self::Regex).map_err(|error| Error::InvalidQuery {
            query: pattern.to_owned(),
            reason: error.to_string(),
        })
    }

    /// No regular expressions in a build without the feature.
    #[cfg(not(feature = "regex"))]
    pub(super) fn regex(pattern: &str) -> Result<Self> {
        Err(Error::InvalidQuery {
            query: pattern.to_owned(),
            reason: "regular expressions need the feature `regex` of the library".to_owned(),
        })
    }

    /// Whether a text has it.
    pub(crate) fn is_in(&self, looked: Looked<'_>) -> bool {
        match self {
            Self::Word(needle) => needle.find(looked.folded, 0).is_some(),
            Self::Phrase(phrase) => phrase.find(looked.folded, 0).is_some(),
            #[cfg(feature = "regex")]
            Self::Regex(regex) => regex.is_match(looked.text),
        }
    }

    /// Where a text has it first, in its bytes as they are.
    pub(crate) fn first_in(&self, looked: Looked<'_>) -> Option<Range<usize>> {
        let range = match self {
            Self::Word(needle) => {
                let start = needle.find(looked.folded, 0)?;
                start..start + needle.text.len()
            }
            Self::Phrase(phrase) => phrase.find(looked.folded, 0)?,
            #[cfg(feature = "regex")]
            Self::Regex(regex) => return regex.find(looked.text).map(|found| found.range()),
        };
        Some(before_folding(looked, &range))
    }

    /// Every place where a text has it, one behind the other.
    pub(crate) fn all_in(&self, looked: Looked<'_>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let range = match self {
                Self::Word(needle) => needle
                    .find(looked.folded, from)
                    .map(|start| start..start + needle.text.len()),
                Self::Phrase(phrase) => phrase.find(looked.folded, from),
                #[cfg(feature = "regex")]
                Self::Regex(regex) => {
                    let all = regex.find_iter(looked.text);
                    return all.map(|one| one.range()).collect();
                }
            };
            let Some(range) = range else {
                return found;
            };
            from = range.end.max(from + 1);
            found.push(before_folding(looked, &range));
        }
    }
}

fn before_folding(looked: Looked<'_>, range: &Range<usize>) -> Range<usize> {
    if looked.text.is_ascii() {
        return range.clone();
    }
    let place = |place| place_before_folding(looked.text, place);
    place(range.start)..place(range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(term: &Term, text: &str, expected: &[&str]) {
        let folded = folded(text);
        let looked = Looked {
            text,
            folded: &folded,
        };
        let found: Vec<&str> = term
            .all_in(looked)
            .into_iter()
            .map(|at| text.get(at).unwrap())
            .collect();
        assert_eq!(found, expected, "{term:?} in {text:?}");
        assert_eq!(term.is_in(looked), !expected.is_empty());
        let first = term.first_in(looked).map(|at| text.get(at).unwrap());
        assert_eq!(first, expected.first().copied());
    }

    #[test]
    fn a_word_is_a_part_of_the_text_whatever_the_case() {
        let term = |text| Term::word(text).unwrap();
        check(&term("epoch"), "QuorumEpoch epoch", &["Epoch", "epoch"]);
        check(&term("ÉTÉ"), "l'été", &["été"]);
        check(&term("kelvin"), "é \u{212a}ELVIN", &["\u{212a}ELVIN"]);
        check(&term("誤"), "錯誤", &["誤"]);
        check(&term("aa"), "aaaa", &["aa", "aa"]);
        check(&term("x"), "", &[]);
        assert!(Term::word("").is_none());
    }

    #[test]
    fn a_phrase_has_its_ends_between_words_and_any_white_space() {
        let term = |text| Term::phrase(text).unwrap();
        check(
            &term("not found"),
            "Not\n\t found, not foundry",
            &["Not\n\t found"],
        );
        check(&term("found"), "foundry profound found", &["found"]);
        check(&term("a b"), "ab a-b a b", &["a b"]);
        check(&term("-> x"), "p-> x", &["-> x"]);
        check(&term("错误"), "一个错误处理", &["错误"]);
        check(&term("a a"), "a a a", &["a a"]);
        check(&term("the end"), "the theend the  end", &["the  end"]);
        assert!(Term::phrase(" \n").is_none());
    }

    #[cfg(feature = "regex")]
    #[test]
    fn a_regular_expression_is_over_the_lines_as_they_are() {
        check(&Term::regex("^b.$").unwrap(), "ab\nbc\nBd", &["bc"]);
        check(
            &Term::regex("(?i)^b.$").unwrap(),
            "ab\nbc\nBd",
            &["bc", "Bd"],
        );
        assert!(Term::regex("(").is_err());
    }
}
