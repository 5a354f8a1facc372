//! Aligned columns, measured by what a terminal shows.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::output::{Output, Style};
use scrollback::Result;

/// Spaces between two columns.
pub(crate) const GAP: usize = 2;

/// To which side a column's cells are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells that are printed as aligned columns. Cells are printed as they are: text from
/// sessions goes through [`Output::field`] first.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a head.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Prints the head, if any column has one, and the rows.
    pub(crate) fn print(&self, out: &mut Output) -> Result<()> {
        for (index, line) in self.lines().enumerate() {
            let style = if index == 0 && self.has_head() {
                Style::Dim
            } else {
                Style::Plain
            };
            let line = out.paint(style, &line).into_owned();
            out.line(&line)?;
        }
        Ok(())
    }

    fn has_head(&self) -> bool {
        self.columns.iter().any(|(name, _)| !name.is_empty())
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let head: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let rows = self
            .has_head()
            .then_some(head)
            .into_iter()
            .chain(self.rows.iter().cloned());
        let rows: Vec<Vec<String>> = rows.collect();
        let mut widths = vec![0; self.columns.len()];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        rows.into_iter()
            .map(move |row| join(&row, &widths, &self.columns))
    }
}

fn join(row: &[String], widths: &[usize], columns: &[(&str, Align)]) -> String {
    let mut line = String::new();
    for ((cell, width), (_, align)) in row.iter().zip(widths).zip(columns) {
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        match align {
            Align::Left => line.extend([cell.as_str(), &pad]),
            Align::Right => line.extend([pad.as_str(), cell]),
        }
        line.push_str(&" ".repeat(GAP));
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

/// The start of `text` within `columns` columns; what is cut is shown by `…`.
pub(crate) fn keep_start(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = take_columns(text.chars(), columns.saturating_sub(1));
    kept.push('…');
    kept
}

/// The end of `text` within `columns` columns; what is cut is shown by `…`.
pub(crate) fn keep_end(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let kept = take_columns(text.chars().rev(), columns.saturating_sub(1));
    std::iter::once('…').chain(kept.chars().rev()).collect()
}

fn take_columns(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    characters
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_display_width() {
        let mut table = Table::new(&[
            ("NAME", Align::Left),
            ("N", Align::Right),
            ("T", Align::Left),
        ]);
        table.push(vec!["資料".into(), "1".into(), "x".into()]);
        table.push(vec!["a".into(), "1,000".into(), String::new()]);
        let lines: Vec<String> = table.lines().collect();
        assert_eq!(lines, ["NAME      N  T", "資料      1  x", "a     1,000"]);
    }

    #[test]
    fn a_cut_text_fits_and_says_so() {
        assert_eq!(keep_start("short", 5), "short");
        assert_eq!(keep_start("longer", 5), "long…");
        assert_eq!(keep_start("資料資料", 5), "資料…");
        assert_eq!(keep_start("資料資料", 4), "資…");
        assert_eq!(keep_end("/home/a/project", 8), "…project");
        assert_eq!(keep_end("資料資料", 4), "…料");
    }
}
