//! Text from a session as Markdown that stays in its place.
//!
//! What people and models say is Markdown, so paragraphs, lists, emphasis, tables and code stay what
//! they are. What could take the reader somewhere, load something, or look like a part of the
//! transcript itself is made plain text: HTML, links, images, headings, rules. Nothing is parsed as
//! a whole: each line is read by itself, and where a reader of Markdown may see it otherwise, it
//! sees plain text.
//!
//! - Fences of code are written anew, at the start of a line, longer than any in the code, and each
//!   is closed. A fence within a list or a quotation is taken for one of its own.
//! - Code within a line stays if it ends on that line and cannot be cut by a table (`|`); any other
//!   backtick is escaped.
//! - `<` becomes `&lt;`, since readers differ in what a backslash does to it; `[`, `$` (formulas, in
//!   which a backtick is none), the `#` of a heading, and the marks of rules, underlined headings
//!   and fences get a backslash.

use std::io::{self, Write};

/// Longest word for the language of a fence, in bytes.
const LANGUAGE_BYTES_MAX: usize = 32;

/// Writes text of any number of lines.
pub(super) fn write_text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut lines = lines_of(text);
    while let Some(line) = lines.next() {
        let Some(fence) = Fence::opened_by(line) else {
            writeln!(out, "{}", prose(line))?;
            continue;
        };
        let code: Vec<&str> = lines
            .by_ref()
            // To the end of the text where nothing closes it, as a reader of Markdown takes it.
            .take_while(|line| !fence.is_closed_by(line))
            .map(|line| fence.unindented(line))
            .collect();
        let run = code.iter().map(|line| longest_run_of_backticks(line)).max();
        let ticks = fence_for(run.unwrap_or(0));
        writeln!(out, "{ticks}{}", fence.language)?;
        code.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "{ticks}")?;
    }
    Ok(())
}

/// Text of one line, to stand in a line among others.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in prose(text).chars() {
        if matches!(letter, '*' | '~') {
            line.push('\\');
        }
        line.push(letter);
    }
    line
}

/// The fence around code in which no run of backticks is longer than `run`.
pub(super) fn fence_for(run: usize) -> String {
    "`".repeat(run.saturating_add(1).max(3))
}

/// The length of the longest run of backticks.
pub(super) fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Lines as Markdown has them: they end with a line feed, a carriage return, or both.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r')
    })
}

/// The start of a block of code.
struct Fence<'t> {
    mark: char,
    length: usize,
    indent: usize,
    language: &'t str,
}

impl<'t> Fence<'t> {
    /// The fence that a line is.
    fn opened_by(line: &'t str) -> Option<Self> {
        let content = line.trim_start_matches([' ', '\t']);
        let mark = content.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = content.trim_start_matches(mark);
        let length = content.len() - info.len();
        // Backticks that another one follows on the line are code within it, and no fence.
        if length < 3 || (mark == '`' && info.contains('`')) {
            return None;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-#._".contains(c);
        let language = info.split_whitespace().next().unwrap_or_default();
        let is_language = language.len() <= LANGUAGE_BYTES_MAX && language.chars().all(is_plain);
        Some(Self {
            mark,
            length,
            indent: line.len() - content.len(),
            language: if is_language { language } else { "" },
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let content = line.trim_start_matches(' ');
        let rest = content.trim_start_matches(self.mark);
        line.len() - content.len() <= self.indent + 3
            && content.len() - rest.len() >= self.length
            && rest.trim().is_empty()
    }

    /// A line of the code without the spaces that its fence has too.
    fn unindented<'l>(&self, line: &'l str) -> &'l str {
        let spaces = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.get(spaces.min(self.indent)..).unwrap_or(line)
    }
}

/// A line that is not code.
fn prose(line: &str) -> String {
    let is_rule = is_rule(line);
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line;
    let mut at_start = true;
    let mut before = None;
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        let run = rest.len() - rest.trim_start_matches(letter).len();
        let taken = match letter {
            '\\' => escaped(after, &mut out),
            '`' => code(rest, run, &mut out),
            '~' if run >= 3 => {
                out.push_str(&"\\~".repeat(run));
                run
            }
            '<' => {
                out.push_str("&lt;");
                1
            }
            _ => {
                let is_mark = match letter {
                    '[' | '$' => true,
                    '#' => at_start,
                    // One backslash before each run is enough.
                    '-' | '=' | '*' | '_' | '+' => is_rule && before != Some(letter),
                    _ => false,
                };
                out.extend(is_mark.then_some('\\'));
                out.push(letter);
                letter.len_utf8()
            }
        };
        at_start &= is_marker(letter);
        before = Some(letter);
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Writes a backslash, and what it stands before if that is a mark. Returns the bytes taken.
fn escaped(after: &str, out: &mut String) -> usize {
    match after.chars().next().filter(char::is_ascii_punctuation) {
        Some('<') => out.push_str("&lt;"),
        Some(mark) => out.extend(['\\', mark]),
        None => {
            out.push('\\');
            return 1;
        }
    }
    2
}

/// Writes code, or the backticks that are the start of none. Returns the bytes taken.
fn code(rest: &str, run: usize, out: &mut String) -> usize {
    if let Some(span) = code_span(rest, run) {
        out.push_str(span);
        return span.len();
    }
    out.push_str(&"\\`".repeat(run));
    run
}

/// The code that a line's rest begins with, if `run` backticks are the start of any.
fn code_span(rest: &str, run: usize) -> Option<&str> {
    if run > 2 {
        return None;
    }
    let mut end = run;
    loop {
        end += rest.get(end..)?.find('`')?;
        let from = rest.get(end..)?;
        let closing = from.len() - from.trim_start_matches('`').len();
        end += closing;
        if closing == run {
            return rest.get(..end).filter(|span| !span.contains('|'));
        }
    }
}

/// Whether a letter can stand between the start of a line and a heading within lists and quotations.
fn is_marker(letter: char) -> bool {
    letter.is_ascii_digit() || " \t>-+*.):".contains(letter)
}

/// Whether a line is a rule, or the line under a heading, also within lists and quotations.
fn is_rule(line: &str) -> bool {
    let is_made_of = |text: &str, of: &str| text.chars().all(|c| of.contains(c));
    let has_mark = |text: &str| text.contains(['-', '=', '*', '_']);
    let mut content = line;
    // Marker by marker: lists and quotations may stand in each other.
    loop {
        if is_made_of(content, " \t>*_=+-") {
            return has_mark(content);
        }
        let shorter = content.trim_start_matches([' ', '\t', '>']);
        let digits = shorter.trim_start_matches(|c: char| c.is_ascii_digit());
        let shorter = match digits.strip_prefix(['.', ')']) {
            Some(rest) if digits.len() < shorter.len() => rest,
            _ => shorter
                .strip_prefix(['-', '+', '*', ':'])
                .unwrap_or(shorter),
        };
        if shorter.len() == content.len() {
            return false;
        }
        content = shorter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_text(&mut out, text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ordinary_markdown_stays_as_it_is() {
        for text in [
            "Plain *words* and **more**, a `Vec<u8>` and 2 - 1.\n\n- one\n- two\n  1. three\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n",
            "```rust\nfn main() { vec![<u8>::MAX]; }\n# not a heading\n```\n",
            "> quoted\n> more, 2026-04-03, -5, snake_case & ~~old~~\n",
        ] {
            assert_eq!(written(text), format!("{text}\n"));
        }
    }

    #[test]
    fn what_could_lead_away_is_plain_text() {
        for (text, expected) in [
            ("<img src=x>", "&lt;img src=x>"),
            ("\\<b>", "&lt;b>"),
            ("\\\\<b>", "\\\\&lt;b>"),
            ("![a](http://b)", "!\\[a](http://b)"),
            ("\\[a](b)", "\\[a](b)"),
            ("[a]: b", "\\[a]: b"),
            ("- # a", "- \\# a"),
            ("1. ---", "1. \\---"),
            ("===", "\\==="),
            ("- - -", "\\- \\- \\-"),
            ("`a|<b>`", "\\`a|&lt;b>\\`"),
            ("`a", "\\`a"),
            ("$1 `b$<c>`", "\\$1 `b$<c>`"),
            ("> ```", "> \\`\\`\\`"),
            ("> ~~~", "> \\~\\~\\~"),
            ("a\r# b", "a\n\\# b"),
        ] {
            assert_eq!(written(text), format!("{expected}\n"), "{text}");
        }
    }

    #[test]
    fn a_fence_is_closed_and_longer_than_what_is_in_it() {
        assert_eq!(written("~~~\n```\n~~~\nx"), "````\n```\n````\nx\n");
        assert_eq!(written("  ```sh x\n  ls\n  ```"), "```sh\nls\n```\n");
        assert_eq!(written("```<b>\n<b>"), "```\n<b>\n```\n");
        assert_eq!(written("``` a ` b"), "\\`\\`\\` a \\` b\n");
    }
}
