//! Text of several styles, broken into rows: between words where that is possible, else between signs.

use unicode_width::UnicodeWidthStr as _;

use crate::output::Style;
use crate::wrap::wrap;

/// A piece of text in one style: escaped, without line feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// How it looks.
    pub style: Style,
    /// What it says.
    pub text: String,
}

/// The pieces of one row.
pub(crate) type Row = Vec<Span>;

impl Span {
    /// A piece.
    pub(crate) fn new(style: Style, text: impl Into<String>) -> Self {
        Self {
            style,
            text: text.into(),
        }
    }
}

/// Columns of a row.
pub(crate) fn width(row: &[Span]) -> usize {
    row.iter().map(|span| span.text.width()).sum()
}

/// The rows of one line of text, each at most `columns` wide (8 at least).
pub(crate) fn broken(line: &[Span], columns: usize) -> Vec<Row> {
    let columns = columns.max(8);
    let mut rows = vec![Row::new()];
    let mut used = 0;
    for (space, word) in words(line) {
        let wide = width(&word);
        if used > 0 && used + space.text.len() + wide > columns {
            rows.push(Row::new());
            used = 0;
        } else if used > 0 || rows.len() == 1 {
            // Spaces at the start of a line are meant; those before a row that goes on are not.
            used += space.text.len();
            push(&mut rows, space);
        }
        if used + wide <= columns {
            used += wide;
            for span in word {
                push(&mut rows, span);
            }
            continue;
        }
        for span in word {
            for piece in wrap(&span.text, columns) {
                if used > 0 && used + piece.width() > columns {
                    rows.push(Row::new());
                    used = 0;
                }
                used += piece.width();
                push(&mut rows, Span::new(span.style, piece));
            }
        }
    }
    rows
}

fn push(rows: &mut [Row], span: Span) {
    if let Some(row) = rows.last_mut().filter(|_| !span.text.is_empty()) {
        match row.last_mut().filter(|last| last.style == span.style) {
            Some(last) => last.text.push_str(&span.text),
            None => row.push(span),
        }
    }
}

/// The words of a line, each of one style or more, with the spaces before it.
fn words(line: &[Span]) -> Vec<(Span, Row)> {
    let mut words: Vec<(Span, Row)> = Vec::new();
    let mut is_in_word = false;
    for span in line {
        for piece in span.text.split_inclusive(' ') {
            let word = piece.trim_end_matches(' ');
            if !word.is_empty() {
                if !is_in_word && words.last().is_none_or(|(_, word)| !word.is_empty()) {
                    words.push((Span::new(Style::Plain, ""), Row::new()));
                }
                if let Some((_, row)) = words.last_mut() {
                    row.push(Span::new(span.style, word));
                }
                is_in_word = true;
            }
            let spaces = &piece.get(word.len()..).unwrap_or_default();
            if !spaces.is_empty() {
                match words.last_mut().filter(|(_, word)| word.is_empty()) {
                    Some((space, _)) => space.text.push_str(spaces),
                    None => words.push((Span::new(span.style, *spaces), Row::new())),
                }
                is_in_word = false;
            }
        }
    }
    words
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The text of rows, one a line.
    pub(crate) fn texts(rows: &[Row]) -> Vec<String> {
        let text = |row: &Row| row.iter().map(|span| span.text.as_str()).collect();
        rows.iter().map(text).collect()
    }

    #[test]
    fn rows_break_between_words_and_words_keep_their_styles() {
        let line = [
            Span::new(Style::Plain, "one "),
            Span::new(Style::Strong, "two"),
            Span::new(Style::Plain, "three four"),
        ];
        let rows = broken(&line, 12);
        assert_eq!(texts(&rows), ["one twothree", "four"]);
        assert_eq!(
            rows[0].iter().map(|span| span.style).collect::<Vec<_>>(),
            [Style::Plain, Style::Strong, Style::Plain]
        );
    }

    #[test]
    fn no_row_is_too_wide_whatever_the_words_are() {
        for text in [
            "資料 ".repeat(20),
            "0123456789abcdef".repeat(3),
            "👨\u{200d}👩\u{200d}👧".repeat(9),
            "  a  b ".repeat(9),
        ] {
            let rows = broken(&[Span::new(Style::Plain, text.clone())], 10);
            assert!(rows.iter().all(|row| width(row) <= 10), "{rows:?}");
            let without = |text: &str| text.replace(' ', "");
            assert_eq!(without(&texts(&rows).concat()), without(&text));
        }
        assert_eq!(texts(&broken(&[], 10)), [""]);
    }
}
