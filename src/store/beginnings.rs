//! The first lines by which a deleted content is known, wherever a file of it lies.
//!
//! The id alone does not tell: other contents of it stay, and may begin as this one did. So it is as many
//! lines as none of those has, and at least as many as would join two files.

use std::collections::HashMap;

use super::file_lines::Each;
use crate::agents;
use crate::agents::habits::LineRole;
use crate::codec::chain::{Chain, Digest, digest_of};
use crate::codec::deleted_row::DeletedSource;
use crate::codec::file_order::{FileOrder, Run};
use crate::model::error::Result;
use crate::model::record::RecordFlags;

/// Contents that differ only behind so many lines are known by their paths alone.
const COMPARED: usize = 65_536;

/// The fewest lines that tell a file from others, and their bytes. A shorter file is known by all of it...
const TELLING: (usize, u64) = (3, 200);

/// ... if one of its lines has as many bytes as this.
const TELLING_LINE: u64 = 40;

/// A line: its digest, and its bytes.
pub(crate) type Line = (Digest, u64);

/// The first lines of a content's file, as files are compared: without headers and an open last line, up
/// to the first that is not there any more.
pub(crate) fn first_lines(
    agent: &str,
    order: Option<&FileOrder>,
    each: &mut Each<'_>,
) -> Result<Vec<Line>> {
    let role = agents::of_agent(agent).habits().role;
    let mut lines: HashMap<u64, Option<Line>> = HashMap::new();
    each(&mut |sequence, header, line| {
        let flags = header.flags;
        let role = role.filter(|_| !flags.contains(RecordFlags::CONTINUES));
        let is_frame = role.is_some_and(|role| role(line) == LineRole::Frame);
        let is_compared = !is_frame && !flags.contains(RecordFlags::UNTERMINATED);
        let line = is_compared.then(|| (digest_of(line), line.len() as u64));
        lines.insert(sequence, line);
        lines.len() < COMPARED
    })?;
    let last = u64::MAX - 1;
    let all = [Run { first: 0, last }];
    let runs = order.map_or(&all[..], |order| order.runs.as_slice());
    let sequences = runs.iter().flat_map(|run| run.first..=run.last);
    let there = sequences.map_while(|sequence| lines.get(&sequence).copied());
    Ok(there.flatten().collect())
}

/// What a mark remembers of a content, beside which others stay; `None` where nothing tells it from them.
pub(crate) fn telling(of: &[Line], others: &[Vec<Line>]) -> Option<DeletedSource> {
    let in_common = |other: &Vec<Line>| {
        let same = of.iter().zip(other).take_while(|(one, other)| one == other);
        same.count()
    };
    let common = others.iter().map(in_common).max().unwrap_or(0);
    let (mut chain, mut bytes, mut tells) = (Chain::starting_at(0), 0, false);
    for (at, (digest, length)) in of.iter().enumerate() {
        chain.push(digest);
        bytes += length;
        tells |= *length >= TELLING_LINE;
        let is_enough = at + 1 >= TELLING.0 && bytes >= TELLING.1;
        let is_all = at + 1 == of.len() && tells;
        // One line more than any other content has in common with it.
        if at >= common && (is_enough || is_all) {
            return DeletedSource::of_lines(chain.records, &chain.digest);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, bytes: u64) -> Vec<Line> {
        let words = text.split(' ');
        words
            .map(|word| (digest_of(word.as_bytes()), bytes))
            .collect()
    }

    /// How many lines tell.
    fn told(of: &str, others: &[&str], bytes: u64) -> Option<u64> {
        let others: Vec<Vec<Line>> = others.iter().map(|other| lines(other, bytes)).collect();
        let told = telling(&lines(of, bytes), &others)?;
        let (count, digest) = told.lines()?;
        let mut chain = Chain::starting_at(0);
        for (line, _) in lines(of, bytes)
            .iter()
            .take(usize::try_from(count).unwrap())
        {
            chain.push(line);
        }
        assert_eq!(DeletedSource::of_lines(count, &chain.digest), Some(told));
        assert_eq!(digest, told.path);
        Some(count)
    }

    #[test]
    fn as_many_lines_tell_as_no_other_content_has_and_files_are_joined_by() {
        assert_eq!(told("a b c d e", &["x"], 80), Some(3));
        assert_eq!(told("a b c d e", &["a b c d x"], 80), Some(5));
        assert_eq!(told("a b c d e", &["x", "a b c x", "a"], 80), Some(4));
        assert_eq!(told("a b", &["x"], 80), Some(2));
        assert_eq!(told("a b c d e f", &["x"], 50), Some(4));
        // Nothing tells them apart, or too little.
        assert_eq!(told("a b", &["a b c"], 80), None);
        assert_eq!(told("a b", &["x"], 30), None);
    }
}
