//! Which records of which sessions a search has to read.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use crate::agents;
use crate::codec::search_rows::{BLOCK_DOCUMENTS, RunRow};
use crate::model::error::{Error, Result};
use crate::search::GRAM_VERSION;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{SEARCH_DOCUMENTS, SEARCH_GRAMS, SEARCH_RUNS};
use crate::store::redb::tables::search;
use crate::store::redb::tables::snapshot::Snapshot;

const ACTION: &str = "read the index of messages";

/// By session: ranges of records, in their order, that do not meet.
pub(crate) type Candidates = BTreeMap<u64, Vec<RangeInclusive<u64>>>;

/// The records that a search for all buckets of one of these has to read. `None` where the
/// index cannot tell: in a store of a format without one, or a damaged one.
pub(crate) fn candidates(
    snapshot: &Snapshot<'_>,
    alternatives: &[Vec<u32>],
) -> Result<Option<Candidates>> {
    let table = match snapshot.txn().open_table(SEARCH_RUNS) {
        Err(error) if search::is_missing(&error) => return Ok(None),
        opened => opened.map_err(storage(ACTION))?,
    };
    if table.is_empty().map_err(storage(ACTION))? {
        return Ok(None);
    }
    match find(snapshot, &table, alternatives) {
        Ok(found) => Ok(Some(merged(found))),
        // What is damaged rules nothing out: then all is read.
        Err(Error::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn find(
    snapshot: &Snapshot<'_>,
    table: &redb::ReadOnlyTable<u32, &'static [u8]>,
    alternatives: &[Vec<u32>],
) -> Result<Candidates> {
    let mut found = Candidates::new();
    for (session, from) in snapshot.search_tails()? {
        found.insert(session, vec![from..=u64::MAX]);
    }
    for entry in table.iter().map_err(storage(ACTION))? {
        let (run, value) = entry.map_err(storage(ACTION))?;
        let run = run.value();
        let row = search::run(run, value.value())?;
        let documents = match_documents(snapshot, run, &row, alternatives)?;
        add_documents(snapshot, run, &row, &documents, &mut found)?;
    }
    // That there are no other runs is believed only of pages with the right checksums.
    snapshot.check(SEARCH_RUNS, &0, &u32::MAX)?;
    Ok(found)
}

/// Which documents of a run have all buckets of an alternative.
fn match_documents(
    snapshot: &Snapshot<'_>,
    run: u32,
    row: &RunRow,
    alternatives: &[Vec<u32>],
) -> Result<Vec<bool>> {
    let count = row.documents as usize;
    // Its buckets are made by other rules than those that are asked for: it rules nothing out.
    if row.grams != GRAM_VERSION {
        return Ok(vec![true; count]);
    }
    let table = snapshot.txn().open_table(SEARCH_GRAMS);
    let table = table.map_err(storage(ACTION))?;
    let mut any = vec![false; count];
    for buckets in alternatives {
        let mut left: Option<Vec<u32>> = None;
        for bucket in buckets {
            // A row that cannot be read, or is not there, says nothing: the others have to do.
            let Some(documents) = documents_of(&table, run, row.documents, *bucket)? else {
                continue;
            };
            left = Some(match left {
                None => documents,
                Some(left) => both(&left, &documents),
            });
            if left.as_ref().is_some_and(Vec::is_empty) {
                break;
            }
        }
        match left {
            // No list of this alternative could be read.
            None => return Ok(vec![true; count]),
            Some(left) => {
                for document in left {
                    if let Some(slot) = any.get_mut(document as usize) {
                        *slot = true;
                    }
                }
            }
        }
    }
    Ok(any)
}

/// What two ascending lists have in common.
fn both(one: &[u32], other: &[u32]) -> Vec<u32> {
    let mut other = other.iter().copied().peekable();
    let is_there = |document: &&u32| {
        while other.next_if(|next| next < *document).is_some() {}
        other.peek() == Some(*document)
    };
    one.iter().filter(is_there).copied().collect()
}

/// The documents of a bucket, if its row can be read.
fn documents_of(
    table: &redb::ReadOnlyTable<(u32, u32), &'static [u8]>,
    run: u32,
    documents: u32,
    bucket: u32,
) -> Result<Option<Vec<u32>>> {
    let read = || -> Result<Option<Vec<u32>>> {
        let Some(entry) = within(table, (run, 0)..=(run, bucket), ACTION)?.next_back() else {
            return Ok(None);
        };
        let (key, value) = entry?;
        let key = key.value();
        let lists = search::lists(key, documents, value.value())?;
        // Rows follow each other without gaps, empty buckets included: the one that holds it is
        // lost.
        if bucket >= lists.end {
            return Ok(None);
        }
        let found = lists.of(bucket);
        found
            .map(Some)
            .map_err(|error| search::corrupt_lists(key, &error))
    };
    match read() {
        Err(Error::Corrupt { .. }) => Ok(None),
        read => read,
    }
}

/// Adds the records of the documents that match, and of those that an older reader has read.
fn add_documents(
    snapshot: &Snapshot<'_>,
    run: u32,
    row: &RunRow,
    matched: &[bool],
    found: &mut Candidates,
) -> Result<()> {
    // Another version of a reader may find in a line what the one that made the document did not.
    let is_old =
        |(agent, version): &(String, u16)| agents::of_agent(agent).reader_version() != *version;
    let old: Vec<bool> = row.readers.iter().map(is_old).collect();
    let has_old = old.contains(&true);
    let table = snapshot.txn().open_table(SEARCH_DOCUMENTS);
    let table = table.map_err(storage(ACTION))?;
    for (block, matched) in (0_u32..).zip(matched.chunks(BLOCK_DOCUMENTS as usize)) {
        if !has_old && !matched.contains(&true) {
            continue;
        }
        let value = table.get((run, block)).map_err(storage(ACTION))?;
        let missing = || search::corrupt("search_documents", run, "a block is missing");
        let value = value.ok_or_else(missing)?;
        let documents = search::documents((run, block), value.value())?;
        if documents.len() != matched.len() {
            return Err(search::corrupt(
                "search_documents",
                run,
                "a block has another number of documents",
            ));
        }
        for (document, matches) in documents.into_iter().zip(matched) {
            // A reader that the run does not name may have found anything.
            let is_old = old.get(usize::from(document.reader)).copied();
            if *matches || is_old.unwrap_or(true) {
                let ranges = found.entry(document.session).or_default();
                ranges.push(document.first..=document.last);
            }
        }
    }
    Ok(())
}

/// The same, each session's ranges in order, those that meet as one.
fn merged(mut found: Candidates) -> Candidates {
    for ranges in found.values_mut() {
        if ranges.len() < 2 {
            continue;
        }
        ranges.sort_unstable_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u64>> = Vec::with_capacity(ranges.len());
        for range in std::mem::take(ranges) {
            match merged.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        *ranges = merged;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_in_common_what_both_have() {
        assert_eq!(both(&[1, 3, 5, 9], &[0, 3, 4, 9, 10]), [3, 9]);
        assert_eq!(both(&[], &[1]), [] as [u32; 0]);
    }

    #[test]
    fn ranges_that_meet_are_one() {
        let ranges = vec![7..=u64::MAX, 0..=3, 4..=4, 2..=2, 6..=6];
        let all = Candidates::from([(1, ranges)]);
        assert_eq!(merged(all)[&1], [0..=4, 6..=u64::MAX]);
    }
}
