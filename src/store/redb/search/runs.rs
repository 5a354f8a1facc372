//! The runs of the index as they are read whole: for merging, for checking, for their sizes.

use std::collections::BTreeMap;

use redb::ReadableTable as _;

use crate::codec::search_rows::{Document, RunRow};
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{SEARCH_DOCUMENTS, SEARCH_GRAMS, SEARCH_RUNS};
use crate::store::redb::tables::search;
use crate::store::redb::tables::snapshot::Snapshot;

const ACTION: &str = "read the index of messages";

/// The rows of all runs; none in a store of a format without an index.
pub(crate) fn all(snapshot: &Snapshot<'_>) -> Result<BTreeMap<u32, RunRow>> {
    let table = match snapshot.txn().open_table(SEARCH_RUNS) {
        Err(error) if search::is_missing(&error) => return Ok(BTreeMap::new()),
        opened => opened.map_err(storage(ACTION))?,
    };
    let mut runs = BTreeMap::new();
    for entry in table.iter().map_err(storage(ACTION))? {
        let (run, value) = entry.map_err(storage(ACTION))?;
        runs.insert(run.value(), search::run(run.value(), value.value())?);
    }
    Ok(runs)
}

/// Bytes of the rows of all runs.
pub(crate) fn bytes(snapshot: &Snapshot<'_>) -> Result<u64> {
    Ok(all(snapshot)?.values().map(|run| run.bytes).sum())
}

/// The documents of a run.
pub(crate) fn documents(snapshot: &Snapshot<'_>, run: u32, row: &RunRow) -> Result<Vec<Document>> {
    let table = snapshot.txn().open_table(SEARCH_DOCUMENTS);
    let table = table.map_err(storage(ACTION))?;
    let mut all = Vec::new();
    for entry in within(&table, (run, 0)..=(run, u32::MAX), ACTION)? {
        let (key, value) = entry?;
        all.extend(search::documents(key.value(), value.value())?);
    }
    // Lists name documents by their places: with one missing, all behind it would be others.
    if all.len() as u64 == u64::from(row.documents) {
        return Ok(all);
    }
    let detail = format!("{} documents, expected {}", all.len(), row.documents);
    Err(search::corrupt("search_documents", run, &detail))
}

/// Gives the lists of the buckets from one to before another of a run of so many documents.
pub(crate) fn each_lists(
    snapshot: &Snapshot<'_>,
    (run, documents): (u32, u32),
    from: u32,
    to: u32,
    give: &mut dyn FnMut(u32, Vec<u32>),
) -> Result<()> {
    let table = snapshot.txn().open_table(SEARCH_GRAMS);
    let table = table.map_err(storage(ACTION))?;
    // The row that holds the first bucket may begin before it.
    let start = within(&table, (run, 0)..=(run, from), ACTION)?.next_back();
    let start = start.transpose()?.map_or(0, |(key, _)| key.value().1);
    let mut reached = start;
    for entry in within(&table, (run, start)..(run, to), ACTION)? {
        let (key, value) = entry?;
        let key = key.value();
        let lists = search::lists(key, documents, value.value())?;
        // A row is missing: the error below says from where on.
        if key.1 != reached {
            break;
        }
        reached = lists.end;
        let all = lists.all();
        let all = all.map_err(|error| search::corrupt_lists(key, &error))?;
        for (bucket, list) in all {
            if (from..to).contains(&bucket) {
                give(bucket, list);
            }
        }
    }
    if reached >= to {
        return Ok(());
    }
    let detail = format!("nothing is there from bucket {reached} on");
    Err(search::corrupt("search_grams", run, &detail))
}
