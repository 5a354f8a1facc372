//! The sheet that a transcript is written on: a margin with the numbers of records, and text beside it.
//!
//! Only the tool itself writes in the margin: everything from a session stands beside it, so that no text can
//! pass for the head of another message.

use std::borrow::Cow;

use crate::escape;
use crate::output::{Output, Style};
use crate::sizes;
use crate::table::keep_start;
use crate::wrap::wrap;
use scrollback::Result;

/// Columns of one line on a pipe, where there has to be an end.
const PIPE_COLUMNS: usize = 200;
/// Lines that are shown of what tools were given and what they answered.
const LINES_MAX: usize = 20;
/// Fewest columns that text gets, however narrow the terminal.
const TEXT_COLUMNS_MIN: usize = 16;

/// A sheet on an output.
#[derive(Debug)]
pub(crate) struct Sheet<'o> {
    out: &'o mut Output,
    margin: usize,
    /// What stands in the margin of the next line.
    number: Option<u64>,
    /// Where all of a message is to be seen, as an argument of `show`; `None` where it is shown whole.
    more_at: Option<String>,
}

impl<'o> Sheet<'o> {
    /// A sheet with a margin of so many columns.
    pub(crate) fn new(out: &'o mut Output, margin: usize) -> Self {
        Self {
            out,
            margin,
            number: None,
            more_at: None,
        }
    }

    /// The same with a number in the margin of the next line, folded: what is left out is at `more_at`.
    pub(crate) fn numbered(self, number: u64, more_at: Option<String>) -> Self {
        Self {
            number: Some(number),
            more_at,
            ..self
        }
    }

    /// The output.
    pub(crate) fn out(&mut self) -> &mut Output {
        self.out
    }

    /// Columns that text may have beside the margin and `used` others; `None` on a pipe.
    pub(crate) fn columns(&self, used: usize) -> Option<usize> {
        let columns = self.out.columns()?;
        Some(
            columns
                .saturating_sub(self.margin + used)
                .max(TEXT_COLUMNS_MIN),
        )
    }

    /// Prints a line that is ready: escaped, painted, and narrow enough.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        let width = self.margin;
        let margin = match self.number.take() {
            Some(number) => {
                let number = format!("{:<width$}", format!("#{number}"));
                self.out.paint(Style::Dim, &number).into_owned()
            }
            None if text.is_empty() => String::new(),
            None => " ".repeat(width),
        };
        self.out.line(&format!("{margin}{text}"))
    }

    /// Prints one line of a session's text, cut where there is no room.
    pub(crate) fn note(&mut self, style: Style, text: &str) -> Result<()> {
        let text = self.out.field(text);
        let text = keep_start(&text, self.columns(0).unwrap_or(PIPE_COLUMNS));
        let text = self.out.paint(style, &text).into_owned();
        self.line(&text)
    }

    /// Prints text of several lines behind a prefix, each wrapped where the terminal ends.
    pub(crate) fn text(&mut self, prefix: &str, style: Style, text: &str) -> Result<()> {
        self.lines(
            prefix,
            text.split('\n').map(|line| (style, "", line)),
            usize::MAX,
        )
        .map(|_| ())
    }

    /// Prints the first lines of a text, and says how many more there are, unless it is shown whole.
    pub(crate) fn folded(&mut self, prefix: &str, style: Style, text: &str) -> Result<()> {
        let lines = text.lines().map(|line| (style, "", line));
        self.folded_lines(prefix, lines)
    }

    /// The same of lines that each have a style and a mark of their own.
    pub(crate) fn folded_lines<'t>(
        &mut self,
        prefix: &str,
        lines: impl Iterator<Item = (Style, &'static str, &'t str)>,
    ) -> Result<()> {
        let max = match self.more_at {
            Some(_) => LINES_MAX,
            None => usize::MAX,
        };
        let more = self.lines(prefix, lines, max)?;
        match (&self.more_at, more) {
            (None, _) | (_, 0) => Ok(()),
            (Some(at), more) => {
                let more = format!("{prefix}{} more: show {at}", sizes::count(more));
                self.note(Style::Dim, &more)
            }
        }
    }

    /// Prints at most so many lines. Returns how many there are beyond.
    fn lines<'t>(
        &mut self,
        prefix: &str,
        mut lines: impl Iterator<Item = (Style, &'static str, &'t str)>,
        max: usize,
    ) -> Result<u64> {
        for (style, mark, line) in lines.by_ref().take(max) {
            let line: Cow<'_, str> = if self.out.is_terminal() {
                escape::body(line.strip_suffix('\r').unwrap_or(line))
            } else {
                line.into()
            };
            let used = prefix.chars().count() + mark.len();
            // Rows that the terminal made itself would start at its left edge.
            let pieces = match self.columns(used) {
                Some(columns) => wrap(&line, columns),
                None => vec![&*line],
            };
            let rest = " ".repeat(mark.len());
            for (at, piece) in pieces.into_iter().enumerate() {
                // Spaces at the end of a row hang over where it was broken.
                let piece = if self.out.is_terminal() {
                    piece.trim_end_matches(' ')
                } else {
                    piece
                };
                let row = format!("{}{piece}", if at == 0 { mark } else { &rest });
                let row = self.out.paint(style, &row);
                let row = match (prefix.trim_end(), &*row) {
                    ("", "") => String::new(),
                    (prefix, "") => prefix.to_owned(),
                    (_, row) => format!("{prefix}{row}"),
                };
                self.line(&row)?;
            }
        }
        Ok(lines.count() as u64)
    }
}
