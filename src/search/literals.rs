//! What every match of a regular expression must hold, as text.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::fold::{fold, folded};

/// Texts, folded, each of which is in every match; perhaps none.
pub(super) fn required(pattern: &str) -> Vec<String> {
    let parser = regex_syntax::ParserBuilder::new()
        .multi_line(true)
        .build()
        .parse(pattern);
    let mut literals = Literals::default();
    if let Ok(hir) = parser {
        literals.take(&hir);
        literals.end();
    }
    literals.all
}

/// Texts, and the one that is being put together.
#[derive(Default)]
struct Literals {
    all: Vec<String>,
    current: String,
}

impl Literals {
    fn end(&mut self) {
        if !self.current.is_empty() {
            self.all.push(std::mem::take(&mut self.current));
        }
    }

    /// Takes what comes next in every match.
    fn take(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.current.push_str(&folded(text)),
                Err(_) => self.end(),
            },
            HirKind::Class(class) => match one_letter(class) {
                Some(letter) => self.current.push(letter),
                None => self.end(),
            },
            // The parser bounds how deep these lie in each other.
            HirKind::Capture(capture) => self.take(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.take(part)),
            // How often it stands there is open, so that nothing beside it is sure to touch it.
            HirKind::Repetition(repetition) => {
                self.end();
                if repetition.min > 0 {
                    self.take(&repetition.sub);
                    self.end();
                }
            }
            // Nothing stands there: what is around it is together.
            HirKind::Look(_) | HirKind::Empty => {}
            HirKind::Alternation(_) => self.end(),
        }
    }
}

/// The letter that all characters of a class fold to: those of a letter whose case does not count.
fn one_letter(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let mut all = class.iter().flat_map(|range| range.start()..=range.end());
    let first = fold(all.next()?);
    all.all(|c| fold(c) == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_match_holds_is_found() {
        for (pattern, expected) in [
            ("Error", &["error"][..]),
            ("fn \\w+_index$", &["fn ", "_index"]),
            ("(?i)Quorum", &["quorum"]),
            ("a(b|c)d", &["a", "d"]),
            ("(ab){2,3}c", &["ab", "c"]),
            ("(ab)?c", &["c"]),
            ("^a\\bb", &["ab"]),
            (".*", &[]),
            ("(", &[]),
        ] {
            assert_eq!(required(pattern), expected, "{pattern}");
        }
    }
}
