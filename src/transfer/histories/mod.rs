//! Rewrites a folder of truncated JSONL histories in place: what truncation only hid is removed.

mod history;
mod journal;
mod refusal;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use self::history::{History, LOCK_SUFFIX};
use self::journal::{Resting, Rewrite, Rewritten};
use self::refusal::{Refusal, refusal};
use super::archive::make_folder;
use super::files::atomic::io_error;
use super::files::lock::Lock;
use super::progress::Meter;
use super::report::ImportProblem;
use crate::model::error::Result;
use crate::store::Watcher;

/// What a rewrite of a folder did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FolderCompactReport {
    /// Histories that were found.
    pub files: u64,
    /// Of those, rewritten.
    pub rewritten: u64,
    /// Lines removed.
    pub records: u64,
    /// Bytes removed.
    pub bytes: u64,
    /// Histories that were left alone, and why.
    pub problems: Vec<ImportProblem>,
}

/// Removes the hidden lines of the truncated JSONL histories in a folder, in place.
///
/// A history is `NAME.jsonl` beside `NAME.meta.json`, whose `skip` says how many lines at the start
/// are hidden (picoclaw's layout). Those lines go; the others stay byte for byte. In the meta file
/// `skip` becomes 0 and `count` the number of lines; nothing else in it changes. Lines are counted
/// as their agent counts them: a line of spaces counts, a zero-length one does not. Folders within
/// are not looked into. The agent should not be running: a history that it writes to meanwhile is
/// left alone if that is seen in time.
///
/// With `archive`, the removed lines are first appended to `archive/NAME.jsonl`, of which
/// `archive/NAME.note` says whose they are; where that is another folder's, to `archive/NAME~2.jsonl`,
/// and so on. After a crash in the middle of that, the same archive has to be named again.
///
/// Two calls at once, in this process or another, do not harm each other: one at a time has a
/// history, by a lock that ends with its process (`NAME.compact-lock`, there as long as somebody
/// works), and for the other it is a problem in the report, with the process that has it. On a file
/// system without locks nothing is rewritten. Machines that share a folder over a network are not
/// supported, and the agent's own program knows nothing of the lock.
///
/// # Durability
///
/// Each history is rewritten by itself. A crash at any moment neither brings removed lines back
/// nor loses live ones: what it left is put right by the next call for the folder.
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if the folder cannot be read or the archive's folder cannot be
/// made; [`Error::Cancelled`](crate::Error::Cancelled): histories that were rewritten before stay so,
/// the others are as they were. What is wrong with a single history is a problem in the report, and it is left alone.
pub fn compact_folder(
    folder: &Path,
    archive: Option<&Path>,
    progress: &mut Watcher<'_>,
) -> Result<FolderCompactReport> {
    let failed = || io_error("read the folder", folder);
    let mut histories = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        // In the order of their names, so that two runs over a folder do the same.
        histories.extend(History::of(&entry.map_err(failed())?.path()));
    }
    if let Some(archive) = archive {
        make_folder(archive)?;
    }
    let mut meter = Meter::new(progress);
    meter.begin(histories.len() as u64, 0);
    let mut report = FolderCompactReport::default();
    for history in &histories {
        meter.go_on()?;
        match compact_history(history, archive) {
            Ok(Outcome::Other) => {}
            Ok(Outcome::NothingHidden) => report.files += 1,
            Ok(Outcome::Rewritten(rewritten)) => {
                report.files += 1;
                report.rewritten += 1;
                report.records += rewritten.lines;
                report.bytes += rewritten.bytes;
            }
            Err(reason) => {
                report.files += 1;
                let path = history.lines();
                report.problems.push(ImportProblem {
                    path,
                    line: None,
                    offset: None,
                    reason,
                });
            }
        }
        meter.add(1, 0);
    }
    meter.finish();
    Ok(report)
}

/// What became of a history.
enum Outcome {
    /// It is none: the meta file is of another kind.
    Other,
    /// There was nothing to remove.
    NothingHidden,
    /// It was rewritten.
    Rewritten(Rewritten),
}

fn compact_history(history: &History, archive: Option<&Path>) -> Result<Outcome, Refusal> {
    match journal::at_rest(history) {
        Some(Resting::Other) => return Ok(Outcome::Other),
        Some(Resting::NothingHidden) => return Ok(Outcome::NothingHidden),
        None => {}
    }
    // After the look: most histories of a folder have nothing to remove, and need no lock.
    let _lock =
        Lock::take(&history.with(LOCK_SUFFIX), "this history", Duration::ZERO).map_err(refusal)?;
    // Before anything is counted: what a crash has left is a history that is half rewritten.
    journal::recover(history, archive)?;
    Ok(match journal::hidden_lines(history)? {
        None => Outcome::Other,
        Some(0) => Outcome::NothingHidden,
        Some(skip) => Outcome::Rewritten(Rewrite::begin(history, skip)?.run(archive)?),
    })
}
