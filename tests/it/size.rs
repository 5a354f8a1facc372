//! The size of a store does not creep: fixed sessions stay below a bound of their bytes, and what
//! lies on disk near to what is stored.

use std::fs;
use std::path::Path;

use redb::{ReadOnlyDatabase, ReadableDatabase as _, ReadableTableMetadata as _};
use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::generate::{self, Agent, Plan};
use crate::harness::Home;

/// What an import made of generated sessions.
struct Made {
    /// Bytes of the lines.
    lines: u64,
    /// Bytes of keys and values.
    stored: u64,
    /// Bytes on disk.
    disk: u64,
}

impl Made {
    /// Per mille of the lines that are on disk.
    fn share(&self) -> u64 {
        self.disk * 1_000 / self.lines
    }

    /// Per mille of what is stored that is on disk.
    fn waste(&self) -> u64 {
        self.disk * 1_000 / self.stored
    }
}

/// Imports so many generated sessions of both agents, and closes the store.
fn made(files: usize, bytes: u64) -> Made {
    let home = Home::new();
    let mut lines = 0;
    for (seed, agent) in [(11, Agent::ClaudeCode), (12, Agent::Codex)] {
        let plan = Plan {
            agent,
            files: files / 2,
            bytes: bytes / 2,
            seed,
        };
        lines += generate::folder(&home.path().join("sessions"), plan)
            .unwrap()
            .bytes;
    }
    let path = home.store_path();
    let store = RedbStore::open(&path, Options::default()).unwrap();
    let folder = home.path().join("sessions");
    import(
        &store,
        &[folder],
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    drop(store);
    let store = RedbStore::open_read_only(&path, Options::default()).unwrap();
    let disk = store.stats().unwrap().disk_bytes;
    assert!(disk <= fs::metadata(&path).unwrap().len());
    drop(store);
    Made {
        lines,
        stored: stored(&path),
        disk,
    }
}

/// Bytes of keys and values in all tables.
fn stored(path: &Path) -> u64 {
    let database = ReadOnlyDatabase::open(path).unwrap();
    let txn = database.begin_read().unwrap();
    let tables = txn.list_tables().unwrap();
    tables
        .map(|table| txn.open_untyped_table(table).unwrap().stats().unwrap())
        .map(|stats| stats.stored_bytes())
        .sum()
}

#[test]
fn sessions_take_a_fifth_of_their_bytes_and_pages_are_full() {
    let made = made(16, 12_000_000);
    assert!(made.share() < 240, "{} of 1,000", made.share());
    assert!(made.waste() < 1_100, "{} of 1,000", made.waste());
}

#[test]
fn small_sessions_share_pages() {
    let made = made(300, 2_400_000);
    assert!(made.share() < 500, "{} of 1,000", made.share());
    assert!(made.waste() < 1_250, "{} of 1,000", made.waste());
}
