//! Cutting text at a character, for every capped text of a summary row.

/// The longest start of `text` that has at most `bytes_max` bytes and ends at a character.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// `text` as a title of one line: runs of white space become one space, a longer text is cut at a
/// character and ends in `…`.
pub(crate) fn title_line(text: &str, bytes_max: usize) -> String {
    // Only what can survive the cut is looked at: a title can be cut from a message of megabytes.
    let head = cut(text.trim_start(), bytes_max.saturating_mul(8));
    let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= bytes_max {
        return line;
    }
    let mut short = cut(&line, bytes_max.saturating_sub('…'.len_utf8()))
        .trim_end()
        .to_owned();
    short.push('…');
    short
}

/// A path without separators at its end; `/` stays.
pub(crate) fn without_trailing_separators(path: &str) -> &str {
    let trimmed = path.trim_end_matches(['/', '\\']);
    if trimmed.is_empty() { path } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("資料", 4), "資");
        assert_eq!(cut("", 4), "");
    }

    #[test]
    fn a_title_is_one_line_of_bounded_length() {
        assert_eq!(title_line("  fix\n\tthe  test ", 40), "fix the test");
        assert_eq!(title_line(&"資".repeat(50), 20), "資資資資資…");
        assert!(title_line(&"word ".repeat(500), 240).len() <= 240);
    }
}
