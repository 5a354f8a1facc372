//! A table of Markdown as rows: columns as wide as they have to be, and narrower where there is no room.

use super::words::{Row, Span, broken, width};
use crate::output::Style;

/// What stands between two columns.
const BETWEEN: &str = " │ ";
/// Columns that a cell gets at least.
const CELL_MIN: usize = 8;

/// Lays cells out in at most so many columns. The first line is the head.
pub(super) fn laid_out(lines: &[Vec<Row>], columns: usize) -> Vec<Row> {
    let count = lines.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![1; count];
    for line in lines {
        for (wide, cell) in widths.iter_mut().zip(line) {
            *wide = (*wide).max(width(cell));
        }
    }
    let between = 3 * count.saturating_sub(1);
    if !fit(&mut widths, columns.saturating_sub(between)) {
        return listed(lines, columns);
    }
    let mut rows = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let empty = Row::new();
        let cells = (0..count).map(|at| line.get(at).unwrap_or(&empty));
        let cells: Vec<Vec<Row>> = cells
            .zip(&widths)
            .map(|(cell, wide)| broken(cell, *wide))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1);
        for part in 0..height {
            rows.push(joined(&cells, &widths, part));
        }
        if at == 0 {
            let rule: Vec<String> = widths.iter().map(|wide| "─".repeat(*wide)).collect();
            rows.push(vec![Span::new(Style::Dim, rule.join("─┼─"))]);
        }
    }
    rows
}

/// Takes columns from the widest cells until all fit; whether they do.
fn fit(widths: &mut [usize], room: usize) -> bool {
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max().filter(|widest| **widest > CELL_MIN) {
            Some(widest) => *widest -= 1,
            None => return false,
        }
    }
    true
}

fn joined(cells: &[Vec<Row>], widths: &[usize], part: usize) -> Row {
    let mut row = Row::new();
    for (at, (cell, wide)) in cells.iter().zip(widths).enumerate() {
        if at > 0 {
            row.push(Span::new(Style::Dim, BETWEEN));
        }
        let spans = cell.get(part).cloned().unwrap_or_default();
        let pad = wide.saturating_sub(width(&spans));
        row.extend(spans);
        if at + 1 < cells.len() {
            row.push(Span::new(Style::Plain, " ".repeat(pad)));
        }
    }
    row
}

/// Cell by cell, under the names of the columns: where the terminal is too narrow for columns.
fn listed(lines: &[Vec<Row>], columns: usize) -> Vec<Row> {
    let mut lines = lines.iter();
    let head = lines.next().cloned().unwrap_or_default();
    let mut rows = Vec::new();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            let mut spans = head.get(at).cloned().unwrap_or_default();
            spans.push(Span::new(Style::Dim, ": "));
            spans.extend(cell.iter().cloned());
            rows.extend(broken(&spans, columns));
        }
        rows.push(Row::new());
    }
    rows.pop();
    rows
}
