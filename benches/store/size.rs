//! Where the bytes of a store go after an import and a close, beside zstd over the same bytes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase as _, ReadableTableMetadata as _, TableHandle as _};
use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::Outcome;
use crate::measure::{say, sizes};

/// Runs the comparison.
pub(crate) fn run(folder: &Path, scratch: &Path) -> Outcome {
    let files = files_of(folder)?;
    let bytes: u64 = files
        .iter()
        .map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len()))
        .sum();
    let store = scratch.join("size.redb");
    if store.exists() {
        fs::remove_file(&store)?;
    }
    let report = import(
        &RedbStore::open(&store, Options::default())?,
        &[folder.to_owned()],
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )?;
    let account = account(&store, scratch)?;
    sizes(
        &format!(
            "size after an import of {} of {} files and a close",
            report.files,
            files.len()
        ),
        &[
            ("the files", bytes),
            ("zstd -1 of all bytes in one file", packed(&files)?),
            ("stored: keys and values of all tables", account.stored),
            ("pages of all tables", account.pages),
            ("pages in use, the engine's own with them", account.used),
            ("blocks on disk", on_disk(&fs::metadata(&store)?)),
            ("length of the file", fs::metadata(&store)?.len()),
        ],
    )
}

/// What a store's file holds.
#[derive(Debug, Default)]
struct Account {
    /// Keys and values.
    stored: u64,
    /// Bytes of the pages of the store's tables.
    pages: u64,
    /// Bytes of all pages that are not free.
    used: u64,
}

/// Adds a store's pages up, and prints them by table. Works on a copy: the engine counts its pages
/// in a transaction that writes.
fn account(store: &Path, scratch: &Path) -> Outcome<Account> {
    let copy = scratch.join("account.redb");
    fs::copy(store, &copy)?;
    let database = Database::open(&copy)?;
    let txn = database.begin_read()?;
    let mut account = Account::default();
    say(&format!(
        "\n{:<18}{:>9} {:>11} {:>11} {:>11} {:>7} {:>6} {:>6}",
        "table", "rows", "stored", "metadata", "unused", "leaves", "inner", "height"
    ))?;
    for handle in txn.list_tables()? {
        let name = handle.name().to_owned();
        let table = txn.open_untyped_table(handle)?;
        let stats = table.stats()?;
        let stored = stats.stored_bytes();
        account.stored += stored;
        account.pages += stored + stats.metadata_bytes() + stats.fragmented_bytes();
        say(&format!(
            "{name:<18}{:>9} {stored:>11} {:>11} {:>11} {:>7} {:>6} {:>6}",
            table.len()?,
            stats.metadata_bytes(),
            stats.fragmented_bytes(),
            stats.leaf_pages(),
            stats.branch_pages(),
            stats.tree_height(),
        ))?;
    }
    drop(txn);
    let stats = database.begin_write()?.stats()?;
    account.used = stats.allocated_pages() * u64::try_from(stats.page_size())?;
    drop(database);
    fs::remove_file(copy)?;
    Ok(account)
}

/// Bytes that a file takes on disk.
#[cfg(unix)]
fn on_disk(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

/// Bytes that a file takes on disk.
#[cfg(not(unix))]
fn on_disk(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

/// Bytes that all files take in one stream of zstd.
fn packed(files: &[PathBuf]) -> Outcome<u64> {
    let mut encoder = zstd::Encoder::new(Counted(0), 1)?;
    for file in files {
        std::io::copy(&mut File::open(file)?, &mut encoder)?;
    }
    Ok(encoder.finish()?.0)
}

/// Counts what is written, and forgets it.
struct Counted(u64);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every file below a folder.
fn files_of(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
