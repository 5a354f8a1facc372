//! `scrollback compact`: removes for good what truncation hid, in the store or in a folder of
//! JSONL files.

use std::path::{Path, PathBuf};

use clap::ArgGroup;
use serde::Serialize;

use super::import::print_problems;
use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::{resolve, session_list, sizes};
use scrollback::report::{Compacted, Reclaimed};
use scrollback::{Error, Ingest, ListQuery, Result, SessionKey, compact_archived, compact_folder};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback compact 0199c1f2
  scrollback compact --all --archive removed
  scrollback compact --jsonl ~/.picoclaw/sessions --archive removed

Sessions that were never truncated lose nothing. With `--archive` the lines are appended to
DIR/<agent>/<id>.jsonl, and on disk, before they are removed. After a run that was interrupted,
the same command does the rest; no line is archived twice.";

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
struct Report<'a> {
    sessions: u64,
    gone: u64,
    #[serde(flatten)]
    removed: &'a Compacted,
    #[serde(flatten)]
    space: &'a Reclaimed,
}

/// Compacts sessions, or a folder.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if let Some(folder) = &args.jsonl {
        return run_folder(folder, args.archive.as_deref(), tool);
    }
    let store = tool.open_to_change()?;
    let mut removed = Compacted::default();
    let (mut sessions, mut gone) = (0, 0);
    for (key, mark) in marks(&*store, args)? {
        let one = match compact(&*store, &key, mark, args.archive.as_deref()) {
            // Whoever says `--all` means those that are there.
            Err(Error::NotFound { .. }) if args.all => {
                gone += 1;
                continue;
            }
            one => one?,
        };
        sessions += u64::from(one.records > 0);
        removed += one;
    }
    let space = store.reclaim()?;
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            sessions,
            gone,
            removed: &removed,
            space: &space,
        })?;
    } else {
        print(sessions, &removed, &space, tool)?;
        if gone > 0 {
            let gone = sizes::counted(gone, "session");
            tool.out
                .notice(&format!("deleted meanwhile, by others: {gone}"));
        }
    }
    Ok(Ending::Done)
}

/// The sessions to compact, each with the mark that it has now: what is hidden later stays.
fn marks(store: &dyn Ingest, args: &Args) -> Result<Vec<(SessionKey, u64)>> {
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
        &mut |_| Ok(true),
        &mut |sessions| {
            // Where nothing is hidden nothing would go.
            let truncated = sessions.iter().filter(|summary| summary.mark > 0);
            marks.extend(truncated.map(|summary| (summary.key.clone(), summary.mark)));
            Ok(())
        },
    )?;
    Ok(marks)
}

fn compact(
    store: &dyn Ingest,
    key: &SessionKey,
    mark: u64,
    archive: Option<&Path>,
) -> Result<Compacted> {
    match archive {
        Some(folder) => compact_archived(store, key, Some(mark), folder),
        None => store.compact(key, Some(mark), None),
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
    if tool.out.is_json() {
        tool.out.json_line(&report)?;
    } else {
        tool.out.line(&format!(
            "rewrote {} of {}: removed {}, {}",
            sizes::count(report.rewritten),
            sizes::counted(report.files, "file"),
            sizes::counted(report.records, "record"),
            sizes::bytes(report.bytes),
        ))?;
        print_problems(&report.problems, 0, tool)?;
    }
    Ok(if report.problems.is_empty() {
        Ending::Done
    } else {
        Ending::Partly
    })
}
