//! A look at a line before it is parsed: what a message must say stands in its line as it is, unless the line
//! escapes characters by their numbers.
//!
//! Only for lines whose messages say strings of the line as they stand ([`Dialect::says_strings`]).
//!
//! [`Dialect::says_strings`]: crate::agents::Dialect::says_strings

use memchr::memmem::{self, Finder};

use super::asked::{Asked, Of};
use super::fold::fold_into;
use super::term::Term;

/// By alternatives of a pattern: texts that are all in the line of a message that fits.
#[derive(Clone, Debug)]
pub(crate) struct Needles(Vec<Vec<Finder<'static>>>);

impl Needles {
    /// Those of a pattern's alternatives. `None` if one of them has none.
    pub(super) fn of(alternatives: &[Vec<Asked>]) -> Option<Self> {
        let each = alternatives.iter().map(|asked| {
            let needles: Vec<_> = asked.iter().filter_map(needle).collect();
            (!needles.is_empty()).then_some(needles)
        });
        let all: Vec<_> = each.collect::<Option<_>>()?;
        (!all.is_empty()).then_some(Self(all))
    }

    /// Whether a message of this line may fit. What is folded for it is kept in `folded`.
    pub(crate) fn may_be_in(&self, line: &[u8], folded: &mut String) -> bool {
        // A reader may make other characters of what is not UTF-8.
        let Ok(line) = std::str::from_utf8(line) else {
            return true;
        };
        if memmem::find(line.as_bytes(), b"\\u").is_some() {
            return true;
        }
        folded.clear();
        fold_into(line, folded);
        let folded = folded.as_bytes();
        let is_in = |needle: &Finder<'_>| needle.find(folded).is_some();
        self.0.iter().any(|all| all.iter().all(is_in))
    }
}

/// The longest part of a term that JSON writes as it is.
fn needle(asked: &Asked) -> Option<Finder<'static>> {
    // A line that fits need not hold its session's title, nor what it must not say.
    if asked.is_negated || asked.of == Of::Title {
        return None;
    }
    let words: Vec<&str> = match &asked.term {
        Term::Word(needle) => vec![needle.text()],
        Term::Phrase(phrase) => phrase.words().collect(),
        #[cfg(feature = "regex")]
        Term::Regex(_) => Vec::new(),
    };
    let parts = words
        .into_iter()
        .flat_map(|word| word.split(is_written_otherwise));
    let longest = parts.max_by_key(|part| part.len());
    let longest = longest.filter(|part| !part.is_empty())?;
    Some(Finder::new(longest.as_bytes()).into_owned())
}

/// Whether JSON may write a character otherwise, or a reader may put it between two texts.
fn is_written_otherwise(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\' | '/' | ':' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;

    #[track_caller]
    fn check(query: &str, line: &str, expected: bool) {
        let pattern = Pattern::parse(query).unwrap();
        let needles = pattern.needles().unwrap();
        let is_in = needles.may_be_in(line.as_bytes(), &mut String::new());
        assert_eq!(is_in, expected, "{query} in {line}");
    }

    #[test]
    fn a_line_without_what_is_asked_is_ruled_out() {
        check("Epoch", r#"{"content":"QuorumEPOCH"}"#, true);
        check("epoch", r#"{"content":"quorum"}"#, false);
        check("epoch quorum", r#"{"content":"quorum"}"#, false);
        check("epoch OR quorum", r#"{"content":"quorum"}"#, true);
        check("\"an epoch\"", r#"{"content":"an\nepoch"}"#, true);
        check("src/main.rs", r#"{"content":"src\/main.rs"}"#, true);
        check("src/main.rs", r#"{"content":"src\/other.rs"}"#, false);
        check("command:ls", r#"{"input":{"command":"ls"}}"#, true);
        check("kelvin", "{\"content\":\"\u{212a}elvin\"}", true);
        check("été", r#"{"content":"\u00e9t\u00e9"}"#, true);
        check("epoch", r#"{"content":"\u00e9"}"#, true);
        check("NOT x epoch", r#"{"content":"epoch x"}"#, true);
    }

    #[test]
    fn a_pattern_that_says_nothing_of_lines_has_none() {
        for query in ["", "\\", "NOT x", "title:x", "a OR title:x", "::"] {
            assert!(
                Pattern::parse(query).unwrap().needles().is_none(),
                "{query}"
            );
        }
    }
}
