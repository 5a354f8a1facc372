//! What is asked for: alternatives. All that one of them asks for has to hold for one message.

use std::str::FromStr;

use super::asked::{Asked, Of};
use super::fold::folded;
use super::language;
use super::needles::Needles;
use super::pieces::Pieces;
use super::plan::Plan;
use super::term::{Looked, Term};
use crate::model::error::{Error, Result};

/// What messages are searched for, in the query language (`docs/search.md`).
///
/// - A word is a part of what a message says, whatever the case of its letters; several are to be in
///   one message, in any order.
/// - `"A phrase"` begins and ends where words do, with any white space between its words.
/// - `NOT word`; `one OR other`; `title:word` is looked for in the session's title; `re:PATTERN` is a
///   regular expression (with the feature `regex`).
///
/// ```
/// use scrollback::{Message, Pattern, Role};
///
/// let pattern: Pattern = "retry \"port 8080\" NOT draft".parse()?;
/// let said = Message::text(Role::User, "Retry on port\n8080, please");
/// assert!(pattern.is_in(&said, ""));
/// assert!("re:[".parse::<Pattern>().is_err());
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    alternatives: Vec<Vec<Asked>>,
}

impl Pattern {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`].
    pub fn parse(query: &str) -> Result<Self> {
        let alternatives = language::parse(query)?;
        Ok(Self { alternatives })
    }

    /// One regular expression, whatever blanks and quotes are in it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`], also in a build without the feature `regex`.
    pub fn of_regex(pattern: &str) -> Result<Self> {
        let asked = Asked {
            of: Of::Message,
            is_negated: false,
            term: Term::regex(pattern)?,
        };
        Ok(Self {
            alternatives: vec![vec![asked]],
        })
    }

    /// Whether nothing is asked for: every message fits.
    pub fn is_empty(&self) -> bool {
        self.alternatives.is_empty()
    }

    /// Whether only titles are asked for, so that all messages of a session fit, or none.
    pub fn is_of_titles(&self) -> bool {
        let mut all = self.alternatives.iter().flatten();
        !self.is_empty() && all.all(|asked| asked.of == Of::Title)
    }

    /// Whether an index cannot tell where something may fit, so that a search reads all messages: of words
    /// of one or two bytes, or of signs alone, and of regular expressions that need no text of three bytes.
    pub fn is_anywhere(&self) -> bool {
        self.plan() == Plan::Any
    }

    /// Whether a message fits, in a session of this title.
    pub fn is_in(&self, message: &crate::model::message::Message, title: &str) -> bool {
        let pieces = super::pieces::pieces(message, &mut |_| true);
        self.fits(&pieces, &folded(title), title)
    }

    /// What is in the line of each message that fits, where that is told without parsing.
    pub(crate) fn needles(&self) -> Option<Needles> {
        Needles::of(&self.alternatives)
    }

    /// The part of it that an index can answer.
    pub(crate) fn plan(&self) -> Plan {
        Plan::of(&self.alternatives)
    }

    /// Whether some message of a session of this title may fit.
    pub(crate) fn may_be_under(&self, title: &str) -> bool {
        if self.is_empty() {
            return true;
        }
        let folded = folded(title);
        let title = Looked {
            text: title,
            folded: &folded,
        };
        let fits =
            |asked: &Asked| asked.of == Of::Message || asked.term.is_in(title) != asked.is_negated;
        self.alternatives.iter().any(|one| one.iter().all(fits))
    }

    /// Whether the pieces of a message fit, under a title.
    pub(crate) fn fits(&self, pieces: &Pieces<'_>, folded_title: &str, title: &str) -> bool {
        let title = Looked {
            text: title,
            folded: folded_title,
        };
        let fits = |asked: &Asked| {
            let is_there = match asked.of {
                Of::Title => asked.term.is_in(title),
                Of::Message => pieces.looked().any(|piece| asked.term.is_in(piece)),
            };
            is_there != asked.is_negated
        };
        self.is_empty() || self.alternatives.iter().any(|one| one.iter().all(fits))
    }

    /// What is to be marked in a message that fits.
    pub(crate) fn marked(&self) -> impl Iterator<Item = &Term> + Clone {
        let all = self.alternatives.iter().flatten();
        all.filter(|asked| asked.of == Of::Message && !asked.is_negated)
            .map(|asked| &asked.term)
    }

    /// The same of a title.
    pub(crate) fn marked_in_title(&self) -> impl Iterator<Item = &Term> + Clone {
        let all = self.alternatives.iter().flatten();
        all.filter(|asked| !asked.is_negated)
            .map(|asked| &asked.term)
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(query: &str) -> Result<Self> {
        Self::parse(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Message, Role};

    #[test]
    fn a_message_fits_where_all_of_an_alternative_holds() {
        let message = Message::text(Role::User, "The retry loop waits on port 8080");
        for (query, title, expected) in [
            ("", "", true),
            ("retry PORT", "", true),
            ("retry missing", "", false),
            ("missing OR waits", "", true),
            ("retry NOT loop", "", false),
            ("NOT missing", "", true),
            ("title:shop retry", "The Shop", true),
            ("title:shop retry", "", false),
            ("\"retry loop\"", "", true),
            ("\"retry loo\"", "", false),
        ] {
            let pattern = Pattern::parse(query).unwrap();
            assert_eq!(pattern.is_in(&message, title), expected, "{query}");
            assert!(!expected || pattern.may_be_under(title));
        }
        assert!(!Pattern::parse("a title:x").unwrap().may_be_under("y"));
        assert!(
            Pattern::parse("title:x OR NOT title:y")
                .unwrap()
                .is_of_titles()
        );
    }
}
