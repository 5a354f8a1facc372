//! Breaking lines at the width of a terminal, so that what goes on in the next row is indented too.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns that a tab takes at most.
const TAB_COLUMNS: usize = 8;

/// The pieces of a line, each at most `columns` wide: cut after a space where there is one in the
/// second half of a piece. Every character is in one of the pieces.
pub(crate) fn wrap(line: &str, columns: usize) -> Vec<&str> {
    let columns = columns.max(TAB_COLUMNS);
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(end) = piece_end(rest, columns) {
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Where the first piece ends, if the line is too wide for one.
fn piece_end(line: &str, columns: usize) -> Option<usize> {
    let mut used = 0;
    let mut after_space = None;
    for (place, sign) in line.grapheme_indices(true) {
        let width = columns_of(sign);
        // Spaces at the end of a row may hang over: they show nothing.
        if used + width > columns && sign != " " {
            return Some(after_space.unwrap_or(place));
        }
        used += width;
        if sign == " " && used > columns / 2 {
            after_space = Some(place + 1);
        }
    }
    None
}

/// Columns that one sign takes: what a person sees as one, of one character or more.
pub(crate) fn columns_of(sign: &str) -> usize {
    if sign == "\t" {
        TAB_COLUMNS
    } else {
        sign.width()
    }
}

/// `text` on one line: runs of white space become one space, and what is longer is cut at a
/// character and ends in `…`.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        line.push_str(if line.is_empty() { "" } else { " " });
        if line.len() + word.len() <= bytes_max {
            line.push_str(word);
            continue;
        }
        // Only what is shown is looked at: arguments can have megabytes.
        line.push_str(start(word, bytes_max.saturating_sub(line.len())));
        let end = start(&line, bytes_max.saturating_sub('…'.len_utf8()));
        line.truncate(end.trim_end().len());
        line.push('…');
        break;
    }
    line
}

/// The longest start of at most so many bytes that ends at a character.
fn start(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_after_a_space_if_there_is_one() {
        assert_eq!(wrap("short", 10), ["short"]);
        assert_eq!(wrap("one two three four", 10), ["one two ", "three four"]);
        assert_eq!(wrap("0123456789abcdef", 10), ["0123456789", "abcdef"]);
        assert_eq!(wrap("a 0123456789abcdef", 10), ["a 01234567", "89abcdef"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn no_piece_is_wider_than_the_terminal_and_none_is_lost() {
        use unicode_width::UnicodeWidthStr as _;
        for line in [
            "資料 ".repeat(50),
            "é".repeat(99),
            format!("{}x", " ".repeat(40)),
        ] {
            let pieces = wrap(&line, 10);
            assert_eq!(pieces.concat(), line);
            assert!(
                pieces.iter().all(|piece| piece.trim_end().width() <= 10),
                "{pieces:?}"
            );
        }
        assert_eq!(wrap("\t\tx", 16), ["\t\t", "x"]);
        // A sign of several characters stays one.
        assert_eq!(
            wrap("1234567👨\u{200d}👩\u{200d}👧", 8),
            ["1234567", "👨\u{200d}👩\u{200d}👧"]
        );
    }

    #[test]
    fn one_line_has_single_spaces_and_an_end() {
        assert_eq!(one_line("  fix\n\tthe  test ", 40), "fix the test");
        assert_eq!(one_line(&"資".repeat(50), 20), "資資資資資…");
        assert_eq!(one_line("one two three", 9), "one tw…");
        assert_eq!(one_line("one two", 7), "one two");
        assert!(one_line(&"word ".repeat(500), 240).len() <= 240);
    }
}
