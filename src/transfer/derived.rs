//! Records that are made from a document or a row of a database: which of them are new, and how
//! they become a part of a session.

#[cfg(feature = "opencode")]
use xxhash_rust::xxh3::Xxh3;

use super::resume::Counts;
use super::worker::Added;
use crate::dialect::DocumentLines;
use crate::jsonl::LineReader;
use crate::store::{SessionBuilder, SessionChunk};

/// Lines that were made into a part of a session.
pub(super) struct Derived {
    /// The part.
    pub chunk: SessionChunk,
    /// What it adds.
    pub added: Added,
    /// What is wrong with its lines.
    pub problems: Vec<String>,
}

/// Makes lines into a part of a session.
pub(super) fn build<'l>(
    mut builder: SessionBuilder,
    lines: impl Iterator<Item = &'l [u8]>,
    project: Option<&str>,
) -> Derived {
    let (before, malformed) = (Counts::of(&builder), builder.row().malformed);
    let mut problems = Vec::new();
    for line in lines {
        // What a dialect gives as one line is cut again: a record never holds more than one.
        let mut reader = LineReader::new(line);
        while let Ok(Some(line)) = reader.next_line() {
            problems.extend(builder.push(&line));
        }
    }
    if let Some(project) = project {
        builder.offer_project(project);
    }
    let now = Counts::of(&builder);
    let added = Added {
        records: now.records.saturating_sub(before.records),
        messages: now.messages.saturating_sub(before.messages),
        bytes: now.bytes.saturating_sub(before.bytes),
        malformed: builder.row().malformed.saturating_sub(malformed),
    };
    Derived {
        chunk: builder.take_chunk(),
        added,
        problems,
    }
}

/// All lines of a content, its trailer the last.
#[cfg(feature = "opencode")]
pub(super) fn all(content: &DocumentLines) -> impl Iterator<Item = &[u8]> {
    content
        .lines
        .iter()
        .chain(&content.trailer)
        .map(Vec::as_slice)
}

/// The lines that a content adds to an earlier one; `None` if it does not go on from that.
pub(super) fn added_to<'n>(
    old: &DocumentLines,
    new: &'n DocumentLines,
) -> Option<impl Iterator<Item = &'n [u8]> + use<'n>> {
    let rest = new.lines.strip_prefix(old.lines.as_slice())?;
    let trailer = new.trailer.as_ref().filter(|_| new.trailer != old.trailer);
    Some(rest.iter().chain(trailer).map(Vec::as_slice))
}

/// The hash of lines, one after the other.
#[cfg(feature = "opencode")]
pub(super) fn hash_of(lines: &[Vec<u8>]) -> u128 {
    let mut hasher = Xxh3::new();
    for line in lines {
        // Without its length, a line could begin where another one ends.
        hasher.update(&(line.len() as u64).to_le_bytes());
        hasher.update(line);
    }
    hasher.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(lines: &[&str], trailer: Option<&str>) -> DocumentLines {
        DocumentLines {
            lines: lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
            trailer: trailer.map(|line| line.as_bytes().to_vec()),
        }
    }

    #[test]
    fn only_what_is_new_is_added_and_the_trailer_if_it_changed() {
        let old = content(&["a\n", "b\n"], Some("t1\n"));
        let added = |new: &DocumentLines| {
            added_to(&old, new).map(|lines| lines.map(<[u8]>::to_vec).collect::<Vec<_>>().concat())
        };
        let same = content(&["a\n", "b\n"], Some("t1\n"));
        assert_eq!(added(&same), Some(Vec::new()));
        let grown = content(&["a\n", "b\n", "c\n"], Some("t1\n"));
        assert_eq!(added(&grown), Some(b"c\n".to_vec()));
        let later = content(&["a\n", "b\n", "c\n"], Some("t2\n"));
        assert_eq!(added(&later), Some(b"c\nt2\n".to_vec()));
        assert_eq!(added(&content(&["a\n"], Some("t2\n"))), None);
        assert_eq!(added(&content(&["a\n", "x\n", "c\n"], None)), None);
    }

    #[cfg(feature = "opencode")]
    #[test]
    fn lines_have_another_hash_where_they_are_cut_elsewhere() {
        let lines = |text: &[&str]| content(text, None).lines;
        assert_ne!(hash_of(&lines(&["ab", "c"])), hash_of(&lines(&["a", "bc"])));
    }
}
