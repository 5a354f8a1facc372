//! What is stored of many files at once, for planning an import: one snapshot and a walk through
//! the sources beside the paths, instead of a transaction, a search and a check of pages for each.

use redb::{ReadableTable, TableHandle};

use crate::model::error::Result;
use crate::store::ingest::{Known, Source};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::{SESSIONS, SOURCES};
use crate::store::redb::tables::snapshot::{Snapshot, row_by_number};
use crate::store::redb::tables::sources::{decode, key_of};
use crate::store::redb::upkeep::reread::is_behind;

/// Rows of other files that a walk passes before it searches for the next path instead: a search
/// costs about as much.
const PASSED_MAX: usize = 64;

/// A path, and its place among those that were asked for.
type Wanted<'p> = (&'p [u8], usize);

/// What is stored of each of these paths, in their order.
pub(crate) fn known(store: &RedbStore, paths: &[Vec<u8>]) -> Result<Vec<Option<Known>>> {
    let places = paths.iter().enumerate();
    let mut wanted: Vec<Wanted<'_>> = places
        .map(|(place, path)| (path.as_slice(), place))
        .collect();
    // In the order of the table, so that one walk comes by many of them.
    wanted.sort_unstable();
    let mut found = Vec::new();
    found.resize_with(paths.len(), || None);
    store.read(|snapshot| {
        let table = snapshot
            .txn()
            .open_table(SOURCES)
            .map_err(storage("read the sources"))?;
        let mut rest = wanted.as_slice();
        while let Some(((first, _), decided)) = rest.first().zip(walk(&table, rest, &mut found)?) {
            let (now, later) = rest.split_at(decided);
            if let Some((last, _)) = now.last() {
                // One check of pages for all that a walk has decided: only then is a path believed
                // to be new.
                snapshot.check(SOURCES, &(*first, 0), &(*last, u32::MAX))?;
            }
            rest = later;
        }
        with_keys(snapshot, found)
    })
}

/// Walks from the first path on, as long as there are others of them near. Returns how many of the
/// paths are decided, at least one; `None` if there are none.
fn walk(
    table: &(impl ReadableTable<(&'static [u8], u32), &'static [u8]> + TableHandle),
    wanted: &[Wanted<'_>],
    found: &mut [Option<Source>],
) -> Result<Option<usize>> {
    let Some(((first, _), (last, _))) = wanted.first().zip(wanted.last()) else {
        return Ok(None);
    };
    let (mut decided, mut passed) = (0, 0);
    for entry in within(table, (*first, 0)..=(*last, u32::MAX), "read the sources")? {
        let (key, value) = entry?;
        let (path, generation) = key.value();
        let is_before = |(wanted, _): &&Wanted<'_>| *wanted < path;
        let rest = wanted.get(decided..).unwrap_or_default();
        // Paths that the walk has gone past have no row.
        decided += rest.iter().take_while(is_before).count();
        match wanted.get(decided) {
            Some((wanted, place)) if *wanted == path => {
                passed = 0;
                if let Some(slot) = found.get_mut(*place) {
                    *slot = Some(decode(path, generation, value.value())?);
                }
            }
            // Not before one is decided, or the caller would ask the same again for ever.
            _ if passed == PASSED_MAX && decided > 0 => return Ok(Some(decided)),
            _ => passed += 1,
        }
    }
    Ok(Some(wanted.len()))
}

/// The same with the names of the sessions.
fn with_keys(snapshot: &Snapshot<'_>, found: Vec<Option<Source>>) -> Result<Vec<Option<Known>>> {
    let sessions = snapshot
        .txn()
        .open_table(SESSIONS)
        .map_err(storage("read a session"))?;
    let known = |source: Source| {
        let number = source.row.session;
        let row = match number {
            // A folder's file is of no session.
            0 => None,
            _ => row_by_number(&sessions, number, snapshot.counts())?,
        };
        let is_behind = row.as_ref().is_some_and(is_behind);
        let key = row.map(|row| key_of(number, &row)).transpose()?;
        Ok(Known {
            source,
            key,
            is_behind,
        })
    };
    let found = found.into_iter();
    found.map(|source| source.map(known).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::source_row::{SourceKind, SourceRow};
    use crate::model::key::SessionKey;
    use crate::store::Options;
    use crate::store::ingest::{Bulk as _, IngestStore as _};

    fn source(path: &str, generation: u32, session: u64) -> Source {
        let row = SourceRow {
            agent: "codex".to_owned(),
            kind: SourceKind::Lines,
            session,
            name: String::new(),
            relative: Vec::new(),
            size: 1,
            mtime_ns: 2,
            offset: 1,
            lines: 1,
            tail_offset: 1,
            hash: 3,
            next_sequence: 1,
            complete: true,
            revision: 0,
            inode: 0,
            changed_ns: 0,
        };
        Source {
            path: path.as_bytes().to_vec(),
            generation,
            row,
        }
    }

    #[test]
    fn the_newest_of_every_path_is_found_however_far_apart_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let mut bulk = Box::new(store.bulk().unwrap());
        let key = SessionKey::new("codex", "there").unwrap();
        let number = bulk.create(&key).unwrap();
        for at in 0..4 * PASSED_MAX {
            let path = format!("/f/{at:04}");
            bulk.write_source(&source(&path, 1, 0)).unwrap();
            bulk.write_source(&source(&path, 2, number)).unwrap();
        }
        bulk.write_source(&source("/f/0007", 3, number + 1))
            .unwrap();
        bulk.commit().unwrap();
        let asked = [
            "/f/0255", "/e", "/f/0007", "/f/0008", "/f/0100x", "/g", "/f/0100",
        ];
        let paths: Vec<Vec<u8>> = asked.iter().map(|path| path.as_bytes().to_vec()).collect();
        let sources = store.sources();
        let known = sources.known(&paths).unwrap();
        assert_eq!(known.len(), asked.len());
        for (path, known) in paths.iter().zip(&known) {
            let newest = sources.newest(path).unwrap();
            assert_eq!(known.as_ref().map(|known| &known.source), newest.as_ref());
            let session = newest.map_or(0, |newest| newest.row.session);
            let name = known.as_ref().and_then(|known| known.key.as_ref());
            assert_eq!(name, (session == number).then_some(&key));
        }
        assert_eq!(known.iter().flatten().count(), 4);
        assert!(sources.known(&[]).unwrap().is_empty());
    }
}
