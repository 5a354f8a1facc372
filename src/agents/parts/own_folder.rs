//! The folder that an agent keeps its session files in, and what follows for a file that lies there.

use std::path::Path;

use super::paths::{below, names};
use crate::agents::dialect::{Candidate, Recognition};

/// Whether a file lies in the folder `own` (one or more names).
pub(crate) fn has(own: &[&str], path: &Path) -> bool {
    below(&names(path), own).is_some()
}

/// How sure an agent with such a folder is of a file of lines; elsewhere the lines tell.
pub(crate) fn recognise(
    own: &[&str],
    candidate: &Candidate<'_>,
    has_lines: impl FnOnce(&Candidate<'_>) -> bool,
) -> Recognition {
    candidate.told_by(|| has(own, candidate.path), || has_lines(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [&str; 2] = [".stone", "sessions"];

    fn sureness(path: &str, has_lines: bool) -> Recognition {
        let candidate = Candidate::new(Path::new(path), b"");
        recognise(&OWN, &candidate, |_| has_lines)
    }

    #[test]
    fn the_folder_tells_first_and_then_the_lines() {
        let own = "/h/.stone/sessions/a.jsonl";
        assert_eq!(sureness(own, false), Recognition::PathAndLines);
        assert_eq!(sureness("/h/other/a.jsonl", true), Recognition::Lines);
        assert_eq!(sureness("/h/other/a.jsonl", false), Recognition::No);
        assert_eq!(sureness("/h/.stone/sessions/a.txt", true), Recognition::No);
    }
}
