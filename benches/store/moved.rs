//! A folder that was renamed, with all that was imported from it: each file is read and known by its lines.
//! Beside the least that this takes: all files read, and each hashed, line by line, as the chains of
//! sessions are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::generate::{self, Agent, Plan};
use crate::many::copy;
use crate::measure::{Contestant, compete, say};
use crate::{Outcome, floors};

/// Files in the folder.
const FILES: usize = 10_000;

/// Runs the comparison: files of 4 KB, and of 40 KB, more or less.
pub(crate) fn run(scratch: &Path) -> Outcome {
    for bytes in [40_000_000, 400_000_000] {
        of(&scratch.join(format!("moved-{bytes}")), bytes)?;
    }
    Ok(())
}

fn of(scratch: &Path, bytes: u64) -> Outcome {
    let first = scratch.join("first");
    let plan = Plan {
        agent: Agent::ClaudeCode,
        files: FILES,
        bytes,
        seed: 3,
    };
    let made = generate::folder(&first, plan)?;
    let filled = scratch.join("filled.redb");
    let store = RedbStore::open(&filled, Options::default())?;
    let report = imported(&store, &first)?.0;
    drop(store);
    let moved = scratch.join("moved");
    fs::rename(&first, &moved)?;
    let files = files_of(&moved)?;
    let path = scratch.join("store.redb");
    compete(
        &format!(
            "\nimport of a moved folder, {} files, {} bytes",
            report.files, made.bytes
        ),
        1,
        vec![
            Contestant::new("moved", || {
                let store = RedbStore::open(&path, Options::default())?;
                let (report, time) = imported(&store, &moved)?;
                if report.records > 0 || report.sessions > 0 || report.files != files.len() as u64 {
                    return Err(format!("not what was expected: {report:?}").into());
                }
                Ok(time)
            })
            .prepared(|| copy(&filled, &path)),
            Contestant::new("floor: read and hashed, all cores", || {
                floors::hashed(&files)
            }),
            Contestant::new("floor: read, all cores", || floors::read(&files)),
        ],
    )?;
    say(&format!("  {} lines", made.lines))?;
    Ok(fs::remove_dir_all(scratch)?)
}

fn imported(
    store: &RedbStore,
    folder: &Path,
) -> Outcome<(scrollback::report::ImportReport, Duration)> {
    let (from, options) = ([folder.to_owned()], ImportOptions::default());
    let start = Instant::now();
    let report = import(store, &from, &options, &mut scrollback::unwatched)?;
    Ok((report, start.elapsed()))
}

fn files_of(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() && entry.metadata()?.len() > 0 {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
