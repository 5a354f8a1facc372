//! Whether a file begins with lines that a mark of a deleted session remembers.

use std::io::{self, Read};

use super::identity::COMMON_LINES;
use super::identity::shape::{digest_of_first, mark_of};
use crate::agents::habits::{Habits, LineRole};
use crate::codec::chain::{Chain, digest_of};
use crate::codec::deleted_row::{DeletedSource, start_of};
use crate::jsonl::LineReader;

/// Which of the marks mean a file by its first lines. It is read as far as they go.
pub(super) fn begins_with(
    mut lines: LineReader<impl Read>,
    habits: Habits,
    wanted: &[(usize, DeletedSource)],
) -> io::Result<Vec<usize>> {
    let counts = wanted.iter().filter_map(|(_, source)| source.lines());
    // One content is remembered by as many lines as tell it from the others, an id that is not
    // unique by its first lines: both are met on the way.
    let most = counts.map(|(count, _)| count).max().unwrap_or(0);
    let most = most.max(COMMON_LINES as u64);
    let (mut chain, mut first, mut found) = (Chain::starting_at(0), Vec::new(), Vec::new());
    while let Some(line) = lines.next_line()? {
        let role = habits.role.filter(|_| !line.continues && !line.continued);
        let is_frame = role.is_some_and(|role| role(line.bytes) == LineRole::Frame);
        let is_open = !line.terminated && !line.continues;
        // As in a file's order: a header is written anew by its agent, and an open line may still
        // grow.
        if is_frame || is_open {
            continue;
        }
        let digest = digest_of(line.bytes);
        chain.push(&digest);
        let here = (chain.records, start_of(&chain.digest));
        let met = |source: &DeletedSource| source.lines() == Some(here);
        found.extend(
            wanted
                .iter()
                .filter(|(_, source)| met(source))
                .map(|(at, _)| *at),
        );
        if first.len() < COMMON_LINES {
            first.push(mark_of(&digest));
            if first.len() == COMMON_LINES {
                let met = DeletedSource::of_first(&digest_of_first(&first));
                found.extend(
                    wanted
                        .iter()
                        .filter(|(_, source)| *source == met)
                        .map(|(at, _)| *at),
                );
            }
        }
        if chain.records >= most {
            break;
        }
    }
    Ok(found)
}
