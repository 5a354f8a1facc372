//! Lists of folders and all below them, newest first: the index of projects has them by path, so the
//! projects below a folder are found one after the other, and their sessions are merged by time.

use std::collections::{BTreeSet, BinaryHeap};

use redb::ReadOnlyTable;

use crate::model::error::Result;
use crate::model::text::without_trailing_separators;
use crate::store::query::{Cursor, ListQuery};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::BY_PROJECT;
use crate::store::redb::tables::snapshot::Snapshot;

/// What errors say was being done.
const ACTION: &str = "list the sessions of a folder";

/// The index of projects.
type Index = ReadOnlyTable<(&'static str, i64, u64), ()>;

/// Gives the places of the sessions in a query's folders and below them, newest first, until enough
/// are taken.
pub(super) fn walk(
    snapshot: &Snapshot<'_>,
    query: &ListQuery,
    (from, to): (Cursor, Cursor),
    take: &mut dyn FnMut(Cursor) -> Result<bool>,
) -> Result<()> {
    let index = snapshot
        .txn()
        .open_table(BY_PROJECT)
        .map_err(storage(ACTION))?;
    let projects = projects(snapshot, &index, query)?;
    let mut walks = Vec::with_capacity(projects.len());
    let mut next = BinaryHeap::new();
    for project in &projects {
        let first = (project.as_str(), from.updated_us, from.number);
        let last = (project.as_str(), to.updated_us, to.number);
        snapshot.check(BY_PROJECT, &first, &last)?;
        let mut walk = within(&index, first..=last, ACTION)?.rev();
        if let Some(entry) = walk.next() {
            let key = entry?.0;
            next.push((key.value().1, key.value().2, walks.len()));
            walks.push(walk);
        }
    }
    // Merged and not sorted: a page reads few rows more than it shows, however many there are.
    while let Some((updated_us, number, at)) = next.pop() {
        if !take(Cursor { updated_us, number })? {
            break;
        }
        if let Some(entry) = walks.get_mut(at).and_then(Iterator::next) {
            let key = entry?.0;
            next.push((key.value().1, key.value().2, at));
        }
    }
    Ok(())
}

/// The projects in a query's folders and below them: a search for each.
fn projects(snapshot: &Snapshot<'_>, index: &Index, query: &ListQuery) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for folder in &query.folders {
        let folder = without_trailing_separators(folder);
        found.insert(folder.to_owned());
        // Everything that begins with the folder and a separator: `0` comes behind `/`.
        let above = folder.strip_suffix('/').unwrap_or(folder);
        let (below, end) = (format!("{above}/"), format!("{above}0"));
        let mut last = (below.clone(), i64::MIN, 0);
        loop {
            let range = (last.0.as_str(), last.1, last.2)..(end.as_str(), i64::MIN, 0);
            let Some(entry) = within(index, range, ACTION)?.next() else {
                break;
            };
            snapshot.counts().indexes(1);
            let project = entry?.0.value().0.to_owned();
            // No session has this number: the next project begins behind it.
            last = (project.clone(), i64::MAX, u64::MAX);
            found.insert(project);
        }
        let first = (below.as_str(), i64::MIN, 0);
        snapshot.check(BY_PROJECT, &first, &(end.as_str(), i64::MIN, 0))?;
    }
    Ok(found)
}
