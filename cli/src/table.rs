//! Aligned columns, measured by what a terminal shows.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::output::{Output, Style};
use scrollback::Result;

/// Fewest columns that a text gets where nothing says what gives way.
const TEXT_MIN: usize = 8;
/// Spaces between two columns.
const GAP: usize = 2;

/// To which side a column's cells are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// How a column gives way where the terminal is too narrow: from its own width down to so many columns, and then
/// it goes. Those that are named first give way first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivesWay {
    /// Which column.
    pub column: usize,
    /// Fewest columns that make sense in it; 0 for one that goes as a whole.
    pub least: usize,
    /// Which end of its text is kept.
    pub keeps: End,
}

impl GivesWay {
    /// One that goes as a whole.
    pub(crate) const fn whole(column: usize) -> Self {
        Self::down_to(0, column)
    }

    /// One of which the end of its text is kept, so many columns of it at least.
    pub(crate) const fn down_to(least: usize, column: usize) -> Self {
        Self {
            column,
            least,
            keeps: End::Last,
        }
    }
}

/// An end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Where it starts.
    Start,
    /// Where it ends.
    Last,
}

/// Rows of cells that are printed as aligned columns. Cells are printed as they are: text from
/// sessions goes through [`Output::field`] first. No row is wider than the terminal; on a pipe nothing is cut.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
    /// What stands behind each row's last cell, and is never cut.
    tails: Vec<String>,
    gives_way: Vec<GivesWay>,
    /// Fewest columns that the last one is to have before others give way.
    rest: usize,
}

impl Table {
    /// A table with a head.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            tails: Vec::new(),
            gives_way: Vec::new(),
            rest: 0,
        }
    }

    /// The same, where the last column has what is left, and others give way until it has so many.
    pub(crate) fn giving_way(mut self, order: &[GivesWay], rest: usize) -> Self {
        self.gives_way = order.to_vec();
        self.rest = rest;
        self
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.push_with_tail(row, String::new());
    }

    /// Adds a row, with text behind its last cell that is not cut where that is.
    pub(crate) fn push_with_tail(&mut self, row: Vec<String>, tail: String) {
        self.rows.push(row);
        self.tails.push(tail);
    }

    /// Prints the head, if any column has one, and the rows.
    pub(crate) fn print(&self, out: &mut Output) -> Result<()> {
        for (index, line) in self.lines(out.columns()).into_iter().enumerate() {
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

    fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let head: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let head = self.has_head().then_some(&head);
        let none = String::new();
        let head = head.into_iter().map(|head| (head, &none));
        let rows: Vec<(&Vec<String>, &String)> =
            head.chain(self.rows.iter().zip(&self.tails)).collect();
        let mut widths = vec![0; self.columns.len()];
        for (row, tail) in &rows {
            for (at, (width, cell)) in widths.iter_mut().zip(*row).enumerate() {
                let is_last = at + 1 == self.columns.len();
                *width = (*width).max(cell.width() + if is_last { tail.width() } else { 0 });
            }
        }
        // No terminal: a program may read it, so nothing is cut.
        let Some(columns) = columns else {
            let rows = rows.into_iter();
            let line =
                |(row, tail): (&Vec<String>, &String)| join(row, &widths, &self.columns) + tail;
            return rows.map(line).collect();
        };
        let kept = self.fit(&mut widths, columns);
        let rows = rows.into_iter().map(|(row, tail)| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(at, (cell, width))| match self.keeps(at) {
                // The tail stays whole, and the cell before it gives way.
                _ if at + 1 == self.columns.len() => {
                    keep_start(cell, width.saturating_sub(tail.width())) + tail
                }
                End::Start => keep_start(cell, *width),
                End::Last => keep_end(cell, *width),
            });
            pick(&cells.collect::<Vec<_>>(), &kept)
        });
        let (widths, heads) = (pick(&widths, &kept), pick(&self.columns, &kept));
        rows.map(|row| keep_start(&join(&row, &widths, &heads), columns))
            .collect()
    }

    fn keeps(&self, column: usize) -> End {
        let rule = self.gives_way.iter().find(|rule| rule.column == column);
        rule.map_or(End::Start, |rule| rule.keeps)
    }

    /// Makes columns narrower until they fit. Returns which of them are left.
    fn fit(&self, widths: &mut [usize], columns: usize) -> Vec<usize> {
        let mut kept: Vec<usize> = (0..widths.len()).collect();
        let last = widths.len().saturating_sub(1);
        let natural = widths.last().copied().unwrap_or(0);
        let least = if self.rest == 0 {
            natural
        } else {
            natural.min(self.rest)
        };
        let needed = |widths: &[usize], kept: &[usize]| {
            let used = |at: &usize| widths.get(*at).copied().unwrap_or(0) + GAP;
            let others: usize = kept.iter().filter(|at| **at != last).map(used).sum();
            others + least
        };
        for rule in &self.gives_way {
            let over = needed(widths, &kept).saturating_sub(columns);
            if over == 0 {
                break;
            }
            let Some(width) = widths.get_mut(rule.column) else {
                continue;
            };
            if rule.least > 0 && *width > rule.least {
                *width = width.saturating_sub(over).max(rule.least);
            }
            if needed(widths, &kept) > columns {
                kept.retain(|at| *at != rule.column);
            }
        }
        // Where nothing says what gives way, texts do, the widest first.
        while self.gives_way.is_empty() && needed(widths, &kept) > columns {
            let texts = widths.iter_mut().zip(&self.columns).take(last);
            let widest = texts
                .filter(|(_, (_, align))| *align == Align::Left)
                .map(|(width, _)| width);
            match widest.max().filter(|width| **width > TEXT_MIN) {
                Some(width) => *width -= 1,
                None => break,
            }
        }
        let others = needed(widths, &kept).saturating_sub(least);
        if let Some(width) = widths.last_mut() {
            *width = columns.saturating_sub(others).min(natural);
        }
        kept
    }
}

fn pick<T: Clone>(all: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().filter_map(|at| all.get(*at).cloned()).collect()
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

/// The start of `text` within `columns` columns, cut between what people see as one sign; what is cut is
/// shown by `…`.
pub(crate) fn keep_start(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept: String = within(text.graphemes(true), columns.saturating_sub(1)).concat();
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// The end of `text` within `columns` columns, cut the same way.
pub(crate) fn keep_end(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = within(text.graphemes(true).rev(), columns.saturating_sub(1));
    if columns > 0 {
        kept.push("…");
    }
    kept.reverse();
    kept.concat()
}

fn within<'t>(signs: impl Iterator<Item = &'t str>, columns: usize) -> Vec<&'t str> {
    let mut used = 0;
    let fits = |sign: &&str| {
        used += sign.width();
        used <= columns
    };
    signs.take_while(fits).collect()
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
        let lines: Vec<String> = table.lines(None);
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
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(
            keep_start(&format!("a{family}bc"), 4),
            format!("a{family}…")
        );
        assert_eq!(keep_start(&format!("ab{family}c"), 4), "ab…");
        assert_eq!(keep_end(&format!("abc{family}"), 3), format!("…{family}"));
        assert_eq!(keep_start("ab", 0), "");
    }
}
