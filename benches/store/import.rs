//! A folder of sessions into a store, beside SQLite rows, zstd and a plain copy.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::Outcome;
use crate::measure::{Contestant, compete, say};

/// Rows that SQLite gets in one transaction: about as many bytes as an import's batch.
const ROWS_A_BATCH: usize = 8_000;

/// Runs the comparison.
pub(crate) fn run(folder: &Path, scratch: &Path) -> Outcome {
    let files = files_of(folder)?;
    let bytes: u64 = files
        .iter()
        .map(|file| fs::metadata(file).map_or(0, |m| m.len()))
        .sum();
    let (store, rival) = (scratch.join("import.redb"), scratch.join("import.sqlite"));
    let (packed, copied) = (scratch.join("all.zst"), scratch.join("all.jsonl"));
    compete(
        &format!("import of {} files, {bytes} bytes", files.len()),
        1,
        vec![
            Contestant::new("scrollback import", || scrollback(folder, &store)),
            Contestant::new("sqlite, a row a line, WAL, FULL", || sqlite(&files, &rival)),
            Contestant::new("floor: zstd -1 of all bytes, fdatasync", || {
                concatenate(&files, &packed, true)
            }),
            Contestant::new("floor: copy of all bytes, fdatasync", || {
                concatenate(&files, &copied, false)
            }),
        ],
    )?;
    again(folder, &store)
}

fn scrollback(folder: &Path, path: &Path) -> Outcome<Duration> {
    remove(path)?;
    let start = Instant::now();
    let store = RedbStore::open(path, Options::default())?;
    import(
        &store,
        &[folder.to_owned()],
        &ImportOptions::default(),
        &mut |_| {},
    )?;
    drop(store);
    Ok(start.elapsed())
}

/// A second import of the same folder reads no bodies.
fn again(folder: &Path, path: &Path) -> Outcome {
    let store = RedbStore::open(path, Options::default())?;
    let start = Instant::now();
    let report = import(
        &store,
        &[folder.to_owned()],
        &ImportOptions::default(),
        &mut |_| {},
    )?;
    say(&format!(
        "  a second import: {} ms, {} of {} files unchanged, {} records added",
        start.elapsed().as_millis(),
        report.unchanged,
        report.files,
        report.records
    ))
}

fn sqlite(files: &[PathBuf], path: &Path) -> Outcome<Duration> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        remove(Path::new(&name))?;
    }
    let start = Instant::now();
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE record (session INTEGER, sequence INTEGER, line BLOB,
         PRIMARY KEY (session, sequence)) WITHOUT ROWID",
    )?;
    let mut txn = connection.transaction()?;
    let mut rows = 0;
    for (session, file) in files.iter().enumerate() {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(file)?);
        let mut line = Vec::new();
        let mut sequence = 0_i64;
        while reader.read_until(b'\n', &mut line)? > 0 {
            txn.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?
                .execute((i64::try_from(session)?, sequence, &line))?;
            line.clear();
            sequence += 1;
            rows += 1;
            if rows % ROWS_A_BATCH == 0 {
                txn.commit()?;
                txn = connection.transaction()?;
            }
        }
    }
    txn.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(start.elapsed())
}

fn concatenate(files: &[PathBuf], path: &Path, packed: bool) -> Outcome<Duration> {
    remove(path)?;
    let start = Instant::now();
    let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let out = if packed {
        let mut encoder = zstd::Encoder::new(out, 1)?;
        copy_all(files, &mut encoder)?;
        encoder.finish()?
    } else {
        let mut out = out;
        copy_all(files, &mut out)?;
        out
    };
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .sync_data()?;
    Ok(start.elapsed())
}

fn copy_all(files: &[PathBuf], out: &mut dyn Write) -> Outcome {
    for file in files {
        std::io::copy(&mut File::open(file)?, out)?;
    }
    Ok(())
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

fn remove(path: &Path) -> Outcome {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
