//! The same folder imported again: nothing has changed, or one line was appended to one file; beside
//! a look at the size and time of each file, which is the least that finds that out.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scrollback::report::ImportReport;
use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::Outcome;
use crate::generate::{self, Agent, Plan};
use crate::measure::{Contestant, compete, say};

/// Files in the folder.
const FILES: usize = 10_000;

/// Bytes in them.
const BYTES: u64 = 40_000_000;

/// Runs the comparison.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let folder = scratch.join("again");
    let made = generate::folder(
        &folder,
        Plan {
            agent: Agent::ClaudeCode,
            files: FILES,
            bytes: BYTES,
            seed: 3,
        },
    )?;
    say(&format!(
        "\ngenerated {} files, {} bytes",
        made.files, made.bytes
    ))?;
    let store = RedbStore::open(scratch.join("again.redb"), Options::default())?;
    let first = once(&store, &folder)?;
    let files = files_of(&folder)?;
    let grown = files.get(FILES / 2).ok_or("no files")?;
    let line = last_line(grown)?;
    let mut commits = 0;
    compete(
        &format!("import of {} files again", first.files),
        1,
        vec![
            Contestant::new("nothing has changed", || {
                let (report, time) = timed(&store, &folder)?;
                expect(&report, 0)?;
                Ok(time)
            }),
            Contestant::new("one line was appended to one file", || {
                let before = store.commits();
                File::options().append(true).open(grown)?.write_all(&line)?;
                let (report, time) = timed(&store, &folder)?;
                expect(&report, 1)?;
                commits = store.commits() - before;
                Ok(time)
            }),
            Contestant::new("floor: metadata of each file", || {
                let start = Instant::now();
                for file in &files {
                    fs::metadata(file)?;
                }
                Ok(start.elapsed())
            }),
            Contestant::new("the folder walked, metadata of each file", || {
                let start = Instant::now();
                files_of(&folder)?;
                Ok(start.elapsed())
            }),
        ],
    )?;
    say(&format!("  commits for the appended line: {commits}"))
}

fn once(store: &RedbStore, folder: &Path) -> Outcome<ImportReport> {
    let options = ImportOptions::default();
    Ok(import(
        store,
        &[folder.to_owned()],
        &options,
        &mut scrollback::unwatched,
    )?)
}

fn timed(store: &RedbStore, folder: &Path) -> Outcome<(ImportReport, Duration)> {
    let start = Instant::now();
    let report = once(store, folder)?;
    Ok((report, start.elapsed()))
}

fn expect(report: &ImportReport, records: u64) -> Outcome {
    if report.records == records && report.files == report.unchanged + records {
        Ok(())
    } else {
        Err(format!("not what was expected: {report:?}").into())
    }
}

fn last_line(path: &Path) -> Outcome<Vec<u8>> {
    let bytes = fs::read(path)?;
    let before = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    Ok(bytes.get(start..).unwrap_or_default().to_vec())
}

fn files_of(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() && entry.metadata()?.len() > 0 {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
