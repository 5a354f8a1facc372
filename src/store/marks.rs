//! Which marks a deleted session leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::agents;
use crate::codec::deleted_row::{DeletedRow, DeletedSource};
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::store::deleted::folder_of;

/// Most sources that a mark remembers beside lines, and most folders of one session that get a mark.
const SOURCES_MAX: usize = 8;

/// A file that a session was imported from.
#[derive(Debug)]
pub(crate) struct Origin {
    path: Vec<u8>,
    generation: u32,
    /// Whether the session's records came from it; others lay beside it.
    is_own: bool,
}

impl Origin {
    /// That of a row of sources, which may be damaged.
    pub(crate) fn of(path: Vec<u8>, generation: u32, row: &[u8]) -> Self {
        let row = SourceRow::decode(&path, generation, row);
        let is_own = row.is_ok_and(|row| row.kind == SourceKind::Lines || row.next_sequence > 0);
        Self {
            path,
            generation,
            is_own,
        }
    }
}

/// The folders that a session gets a mark for, with the files of it that came from there: one without a name
/// where ids are unique, or where it was never imported. `lines` are its first ones.
pub(crate) fn homes(
    agent: &str,
    mut origins: Vec<Origin>,
    lines: &[DeletedSource],
) -> BTreeMap<Vec<u8>, BTreeSet<DeletedSource>> {
    let is_unique = agents::of_agent(agent).has_unique_ids();
    // What the session is comes before what lay beside it.
    origins.sort_by_key(|origin| !origin.is_own);
    let has_own = origins.first().is_some_and(|origin| origin.is_own);
    let mut homes: BTreeMap<Vec<u8>, BTreeSet<DeletedSource>> = BTreeMap::new();
    for origin in origins.iter().take(SOURCES_MAX) {
        let home = match folder_of(&origin.path) {
            _ if is_unique => &[],
            // A file beside the session may lie in a folder of its own.
            _ if has_own && !origin.is_own => continue,
            home => home,
        };
        let mark = DeletedSource::of(&origin.path, origin.generation);
        homes.entry(home.to_vec()).or_default().insert(mark);
    }
    if homes.is_empty() {
        homes.insert(Vec::new(), BTreeSet::new());
    }
    for sources in homes.values_mut() {
        sources.extend(lines);
    }
    homes
}

/// Of the homes of an id that is not unique, the first lines by which it is known in other ones.
pub(crate) fn first_lines_of(homes: &[Vec<u8>]) -> Vec<DeletedSource> {
    let lines = homes.iter().filter_map(|home| home.strip_prefix(b"l"));
    lines.map(DeletedSource::of_first).collect()
}

/// The mark of a session that goes now, with what an earlier one remembers of its sources.
pub(crate) fn mark_of(
    sources: BTreeSet<DeletedSource>,
    now_us: i64,
    earlier: Option<DeletedRow>,
) -> DeletedRow {
    let mut mark = DeletedRow {
        deleted_us: now_us,
        sources: sources.into_iter().collect(),
    };
    for source in earlier.into_iter().flat_map(|earlier| earlier.sources) {
        let places = mark.sources.iter().filter(|source| source.is_place());
        // Counted apart: many paths leave room for the first lines, by which copies elsewhere are
        // known.
        let has_room = if source.is_place() {
            places.count() < SOURCES_MAX
        } else {
            mark.sources.len() - places.count() < SOURCES_MAX
        };
        if !mark.sources.contains(&source) && has_room {
            mark.sources.push(source);
        }
    }
    mark
}
