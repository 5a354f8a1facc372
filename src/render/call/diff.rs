//! A change of text as lines: what goes, what comes, and a little of what stays around them.

use serde::Serialize;

/// Lines of a text on each side that are compared one by one; more are told as all gone and all new.
const COMPARED_MAX: usize = 400;
/// Lines that stay and are told around a change.
const AROUND: usize = 2;

/// A line of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "text", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DiffLine {
    /// It stays, and is told for its place.
    Kept(String),
    /// It goes.
    Removed(String),
    /// It comes.
    Added(String),
    /// Where in a file this is, or which file it is: a head of the patch.
    Place(String),
}

/// What changes between two texts.
pub(crate) fn between(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new) = (lines(old), lines(new));
    // What both have at their start and their end needs no table.
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (tail(&old, start), tail(&new, start));
    let ends = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (gone, kept_end) = old_rest.split_at(old_rest.len() - end);
    let (come, _) = new_rest.split_at(new_rest.len() - end);
    let (_, before) = old.split_at(start.saturating_sub(AROUND).min(old.len()));
    let mut told: Vec<DiffLine> = before.iter().take(start.min(AROUND)).map(kept).collect();
    if gone.len().max(come.len()) <= COMPARED_MAX {
        told.extend(compared(gone, come));
    } else {
        told.extend(
            gone.iter()
                .map(|line| DiffLine::Removed((*line).to_owned())),
        );
        told.extend(come.iter().map(|line| DiffLine::Added((*line).to_owned())));
    }
    told.extend(kept_end.iter().take(AROUND).map(kept));
    told
}

/// The lines of a patch: one with `+`, `-` and spaces before them, whatever its heads look like.
pub(crate) fn of_patch(patch: &str) -> Vec<DiffLine> {
    let told = lines(patch).into_iter().map(|line| {
        let own = |rest: &str| rest.to_owned();
        let is_head = ["+++", "---", "@@", "***", "diff ", "index "];
        if is_head.iter().any(|head| line.starts_with(head)) {
            return DiffLine::Place(own(line));
        }
        match line.split_at_checked(1) {
            Some(("+", rest)) => DiffLine::Added(own(rest)),
            Some(("-", rest)) => DiffLine::Removed(own(rest)),
            Some((" ", rest)) => DiffLine::Kept(own(rest)),
            _ => DiffLine::Kept(own(line)),
        }
    });
    told.collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn tail<'a, 't>(lines: &'a [&'t str], from: usize) -> &'a [&'t str] {
    lines.get(from..).unwrap_or_default()
}

fn kept(line: &&str) -> DiffLine {
    DiffLine::Kept((*line).to_owned())
}

/// By the longest lines in common: cells of a table, so both sides are short.
fn compared(old: &[&str], new: &[&str]) -> Vec<DiffLine> {
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    let cell = |common: &[u16], row, column| common.get(at(row, column)).copied().unwrap_or(0);
    // From the ends, so that the way through the table can be told from the start.
    for (row, a) in old.iter().enumerate().rev() {
        for (column, b) in new.iter().enumerate().rev() {
            let best = if a == b {
                cell(&common, row + 1, column + 1) + 1
            } else {
                cell(&common, row + 1, column).max(cell(&common, row, column + 1))
            };
            if let Some(cell) = common.get_mut(at(row, column)) {
                *cell = best;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut told = Vec::new();
    loop {
        match (old.get(row), new.get(column)) {
            (Some(a), Some(b)) if a == b => {
                told.push(kept(a));
                (row, column) = (row + 1, column + 1);
            }
            (Some(a), b)
                if b.is_none()
                    // Of two ways that are as good, what goes is told before what comes.
                    || cell(&common, row + 1, column) >= cell(&common, row, column + 1) =>
            {
                told.push(DiffLine::Removed((*a).to_owned()));
                row += 1;
            }
            (_, Some(b)) => {
                told.push(DiffLine::Added((*b).to_owned()));
                column += 1;
            }
            (_, None) => return told,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[DiffLine]) -> String {
        let told = lines.iter().map(|line| match line {
            DiffLine::Kept(text) => format!(" {text}\n"),
            DiffLine::Removed(text) => format!("-{text}\n"),
            DiffLine::Added(text) => format!("+{text}\n"),
            DiffLine::Place(text) => format!("@{text}\n"),
        });
        told.collect()
    }

    #[test]
    fn a_change_has_a_little_around_it() {
        for (old, new, expected) in [
            ("a\nb\nc\nd\ne\n", "a\nb\nc\nX\ne\n", " b\n c\n-d\n+X\n e\n"),
            ("one\n", "one\ntwo\n", " one\n+two\n"),
            ("one\ntwo\n", "two\n", "-one\n two\n"),
            ("", "new\n", "+new\n"),
            ("a\nb\nc\n", "x\nb\ny\n", "-a\n+x\n b\n-c\n+y\n"),
            ("same\n", "same\n", " same\n"),
            ("", "", ""),
        ] {
            assert_eq!(told(&between(old, new)), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_large_change_is_all_gone_and_all_new() {
        // The first line and the last differ, and every second one between them stays.
        let changed = |count: usize| {
            let text = |mark: &str| -> Vec<String> {
                let line = |n: usize| format!("{}{n}", if n.is_multiple_of(2) { mark } else { "" });
                (0..count).map(line).collect()
            };
            between(&text("old ").join("\n"), &text("new ").join("\n"))
        };
        let kept = |lines: &[DiffLine]| {
            let kept = lines
                .iter()
                .filter(|line| matches!(line, DiffLine::Kept(_)));
            kept.count()
        };
        let compared = changed(COMPARED_MAX - 1);
        assert_eq!(kept(&compared), COMPARED_MAX / 2 - 1);
        let large = changed(COMPARED_MAX + 1);
        assert_eq!((kept(&large), large.len()), (0, 2 * (COMPARED_MAX + 1)));
        assert!(matches!(large.first(), Some(DiffLine::Removed(_))));
        assert!(matches!(large.last(), Some(DiffLine::Added(_))));
    }

    #[test]
    fn a_patch_is_taken_line_by_line() {
        let patch = "*** Begin Patch\n@@ fn a\n-old\n+new\n same\nodd\n";
        assert_eq!(
            told(&of_patch(patch)),
            "@*** Begin Patch\n@@@ fn a\n-old\n+new\n same\n odd\n"
        );
    }
}
