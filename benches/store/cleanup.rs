//! A tenth of all sessions is deleted by age, beside SQLite, and the space of it given back.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use scrollback::{Options, RedbStore, Store as _};

use crate::Outcome;
use crate::many::{Many, copy, tenth};
use crate::measure::{Contestant, compete, sizes};
use crate::rival;

/// Runs the comparison on copies.
pub(crate) fn run(many: &Many, scratch: &Path) -> Outcome {
    let store = scratch.join("cleanup.redb");
    let rows = scratch.join("cleanup.sqlite");
    let expected = rival::delete_before(&mut copied(&many.rival, &rows)?, tenth())?;
    compete(
        &format!("cleanup of {expected} of {} sessions", many.sessions),
        1,
        vec![
            Contestant::new("scrollback", || scrollback(&store, expected))
                .prepared(|| copy(&many.store, &store)),
            Contestant::new("sqlite, DELETE, one transaction", || {
                sqlite(&rows, expected)
            })
            .prepared(|| copied(&many.rival, &rows).map(drop)),
        ],
    )?;
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let before = size(&store);
    RedbStore::open(&store, Options::default())?.reclaim()?;
    sizes(
        "bytes of the store's file",
        &[
            ("before the cleanup", size(&many.store)),
            ("after it", before),
            ("given back", size(&store)),
        ],
    )
}

fn copied(from: &Path, to: &Path) -> Outcome<rusqlite::Connection> {
    for suffix in ["-wal", "-shm"] {
        let mut name = to.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error.into());
            }
            _ => {}
        }
    }
    copy(from, to)?;
    rival::open(to)
}

fn scrollback(path: &Path, expected: usize) -> Outcome<Duration> {
    let store = RedbStore::open(path, Options::default())?;
    let start = Instant::now();
    let removed = store.cleanup_older_than(tenth())?;
    let time = start.elapsed();
    if removed.sessions != expected as u64 {
        return Err("other sessions were deleted".into());
    }
    Ok(time)
}

fn sqlite(path: &Path, expected: usize) -> Outcome<Duration> {
    let mut connection = rival::open(path)?;
    let start = Instant::now();
    let deleted = rival::delete_before(&mut connection, tenth())?;
    let time = start.elapsed();
    if deleted != expected {
        return Err("other sessions were deleted".into());
    }
    Ok(time)
}
