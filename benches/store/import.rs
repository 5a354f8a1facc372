//! A folder of sessions into a store, beside SQLite rows and floors.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::Outcome;
use crate::floors;
use crate::measure::{Contestant, compete};

/// Runs the comparison with what nothing can beat.
pub(crate) fn beside_floors(folder: &Path, scratch: &Path) -> Outcome {
    let (files, title) = what(folder)?;
    let store = scratch.join("import.redb");
    let (packed, copied) = (scratch.join("all.zst"), scratch.join("all.jsonl"));
    let whole = scratch.join("whole.jsonl");
    floors::copy(&files, &whole)?;
    let mut all = vec![
        Contestant::new("scrollback import", || scrollback(folder, &store)),
        Contestant::new("floor: zstd -1 of all bytes, two threads", || {
            floors::zstd(&files, &packed, 2)
        }),
        Contestant::new("floor: zstd -1 of all bytes, one thread", || {
            floors::zstd(&files, &packed, 1)
        }),
        Contestant::new("floor: headers parsed, all cores", || {
            floors::headers(&files)
        }),
        Contestant::new("floor: copy of all bytes, fdatasync", || {
            floors::copy(&files, &copied)
        }),
    ];
    if floors::has_zstd_tool() {
        let tool = || floors::zstd_tool(&whole, &packed);
        all.push(Contestant::new(
            "floor: the tool zstd -1 -T2 on one file, fdatasync",
            tool,
        ));
    }
    compete(&title, 1, all)?;
    floors::remove(&whole)
}

/// Runs the comparison with SQLite.
pub(crate) fn beside_sqlite(folder: &Path, scratch: &Path) -> Outcome {
    let (files, title) = what(folder)?;
    let (store, rival) = (scratch.join("import.redb"), scratch.join("import.sqlite"));
    compete(
        &title,
        1,
        vec![
            Contestant::new("scrollback import", || scrollback(folder, &store)),
            Contestant::new("sqlite, a row a line, one transaction, WAL", || {
                sqlite(&files, &rival, "WAL")
            }),
            Contestant::new("sqlite, the same, rollback journal", || {
                sqlite(&files, &rival, "DELETE")
            }),
        ],
    )
}

/// The files, and what is to be done with them.
fn what(folder: &Path) -> Outcome<(Vec<PathBuf>, String)> {
    let files = files_of(folder)?;
    let length = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bytes: u64 = files.iter().map(length).sum();
    let title = format!("import of {} files, {bytes} bytes", files.len());
    Ok((files, title))
}

fn scrollback(folder: &Path, path: &Path) -> Outcome<Duration> {
    floors::remove(path)?;
    let start = Instant::now();
    let store = RedbStore::open(path, Options::default())?;
    import(
        &store,
        &[folder.to_owned()],
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )?;
    drop(store);
    Ok(start.elapsed())
}

fn sqlite(files: &[PathBuf], path: &Path, journal: &str) -> Outcome<Duration> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        floors::remove(Path::new(&name))?;
    }
    let start = Instant::now();
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", journal)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE record (session INTEGER, sequence INTEGER, line BLOB,
         PRIMARY KEY (session, sequence)) WITHOUT ROWID",
    )?;
    let txn = connection.transaction()?;
    for (session, file) in files.iter().enumerate() {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(file)?);
        let mut line = Vec::new();
        let mut sequence = 0_i64;
        while reader.read_until(b'\n', &mut line)? > 0 {
            txn.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?
                .execute((i64::try_from(session)?, sequence, &line))?;
            line.clear();
            sequence += 1;
        }
    }
    txn.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(start.elapsed())
}

/// Every `.jsonl` file below a folder.
fn files_of(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|e| e == "jsonl") {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
