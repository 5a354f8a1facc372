//! `scrollback compact`: removes for good what truncation hid, in the store or in a folder of
//! JSONL files.

use std::path::{Path, PathBuf};

use clap::ArgGroup;
use serde::Serialize;

use super::import::{ProblemRow, print_problems};
use crate::cli::archive::ArchiveFile;
use crate::cli::exit::{Ending, Outcome};
use crate::cli::open::Tool;
use crate::cli::progress::Bar;
use crate::cli::{resolve, session_list, sizes};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{Compacted, ListQuery, Reclaimed, RedbStore, Store as _};
use crate::transfer::{FolderCompactReport, compact_folder};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback compact 0199c1f2
  scrollback compact --all --archive removed
  scrollback compact --jsonl ~/.picoclaw/sessions --archive removed

Sessions that were never truncated lose nothing. With `--archive` the lines are appended to
DIR/<agent>/<id>.jsonl, and on disk, before they are removed.";

/// What to compact.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).args(["ids", "all", "jsonl"])
)]
pub(crate) struct Args {
    /// The sessions: their ids, or the starts of them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Every session
    #[arg(long)]
    all: bool,
    /// A folder of truncated JSONL histories, to be rewritten in place; the store is not used
    #[arg(long, value_name = "DIR")]
    jsonl: Option<PathBuf>,
    /// First write what is removed to files below this folder
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
}

/// What was removed from the store, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    sessions: u64,
    records: u64,
    messages: u64,
    bytes: u64,
    disk_bytes_before: u64,
    disk_bytes_after: u64,
    refused: Option<String>,
}

/// What was removed from a folder, as JSON.
#[derive(Debug, Serialize)]
struct FolderReport<'a> {
    files: u64,
    rewritten: u64,
    records: u64,
    bytes: u64,
    problems: Vec<ProblemRow<'a>>,
}

/// Compacts sessions, or a folder.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if let Some(folder) = &args.jsonl {
        return run_folder(folder, args.archive.as_deref(), tool);
    }
    let store = tool.open_to_change()?;
    let mut removed = Compacted::default();
    let mut sessions = 0;
    for (key, mark) in marks(&store, args)? {
        let one = compact(&store, &key, mark, args.archive.as_deref())?;
        sessions += u64::from(one.records > 0);
        removed.records += one.records;
        removed.messages += one.messages;
        removed.bytes += one.bytes;
    }
    let space = store.reclaim()?;
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            sessions,
            records: removed.records,
            messages: removed.messages,
            bytes: removed.bytes,
            disk_bytes_before: space.bytes_before,
            disk_bytes_after: space.bytes_after,
            refused: space.refused,
        })?;
    } else {
        print(sessions, &removed, &space, tool)?;
    }
    Ok(Ending::Done)
}

/// The sessions to compact, each with the mark that it has now: what is hidden later stays.
fn marks(store: &RedbStore, args: &Args) -> Result<Vec<(SessionKey, u64)>> {
    if !args.all {
        let keys = resolve::sessions(store, &args.ids)?;
        return keys
            .into_iter()
            .map(|key| store.summary(&key).map(|summary| (key, summary.mark)))
            .collect();
    }
    let mut marks = Vec::new();
    session_list::each_page(
        store,
        ListQuery::default(),
        usize::MAX,
        |_| true,
        &mut |sessions| {
            let truncated = sessions.iter().filter(|summary| summary.mark > 0);
            marks.extend(truncated.map(|summary| (summary.key.clone(), summary.mark)));
            Ok(())
        },
    )?;
    Ok(marks)
}

fn compact(
    store: &RedbStore,
    key: &SessionKey,
    mark: u64,
    archive: Option<&Path>,
) -> Result<Compacted> {
    let Some(folder) = archive else {
        return store.compact(key, Some(mark), None);
    };
    let mut file = ArchiveFile::new(folder, key);
    match store.compact(key, Some(mark), Some(&mut file)) {
        Ok(removed) => file.keep().map(|()| removed),
        // They may be gone from the store: the archive is all there is.
        Err(error @ Error::CommitUnknown { .. }) => Err(error),
        Err(error) => {
            let path = file.path().to_owned();
            // The first error is the one to tell.
            drop(file.take_back());
            Err(match error {
                Error::Output { source } => Error::Io {
                    action: "write",
                    path,
                    source,
                },
                other => other,
            })
        }
    }
}

fn print(sessions: u64, removed: &Compacted, space: &Reclaimed, tool: &mut Tool) -> Result<()> {
    tool.out.line(&format!(
        "removed {}, {}, from {}",
        sizes::counted(removed.records, "record"),
        sizes::bytes(removed.bytes),
        sizes::counted(sessions, "session"),
    ))?;
    tool.out.line(&format!(
        "file: {} before, {} now",
        sizes::bytes(space.bytes_before),
        sizes::bytes(space.bytes_after)
    ))?;
    if let Some(reason) = &space.refused {
        tool.out
            .notice(&format!("the file could not be made smaller now: {reason}"));
    }
    Ok(())
}

fn run_folder(folder: &Path, archive: Option<&Path>, tool: &mut Tool) -> Outcome {
    let mut bar = Bar::new(&tool.out);
    let compacted = compact_folder(folder, archive, &mut |progress| bar.show(progress));
    bar.finish();
    let report = compacted?;
    let FolderCompactReport {
        files,
        rewritten,
        records,
        bytes,
        problems,
    } = &report;
    let (files, rewritten, records, bytes) = (*files, *rewritten, *records, *bytes);
    if tool.out.is_json() {
        let problems = problems.iter().map(ProblemRow::new).collect();
        tool.out.json_line(&FolderReport {
            files,
            rewritten,
            records,
            bytes,
            problems,
        })?;
    } else {
        tool.out.line(&format!(
            "rewrote {} of {}: removed {}, {}",
            sizes::count(rewritten),
            sizes::counted(files, "file"),
            sizes::counted(records, "record"),
            sizes::bytes(bytes),
        ))?;
        print_problems(problems, 0, tool)?;
    }
    Ok(if problems.is_empty() {
        Ending::Done
    } else {
        Ending::Partly
    })
}
