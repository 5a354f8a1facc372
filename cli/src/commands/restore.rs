//! `scrollback restore`: a backup as a store, or in place of what a store holds.

use std::path::PathBuf;

use serde::Serialize;

use super::backup::{check_named, told};
use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use scrollback::report::Restored;
use scrollback::{Error, RedbStore, Result, Watcher};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback restore sessions-2026-06-01.redb --dry-run
  scrollback --store new.redb restore sessions-2026-06-01.redb
  scrollback restore --replace sessions-2026-06-01.redb

FILE is verified first, and never changed. With `--replace` all that the store holds goes, and
the backup's content comes in its place, in one step: others who use the store may go on.";

/// What to restore, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A backup, or any store that nobody writes to
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Put the backup in place of all that the store holds
    #[arg(long)]
    replace: bool,
    /// Verify the backup, and tell what it and the store hold; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was restored, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    dry_run: bool,
    #[serde(flatten)]
    done: Restored,
}

/// Restores a backup, or tells what that would do.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    tool.check_file("be restored into")?;
    check_named(&args.file)?;
    let mut bar = Bar::new(&tool.out);
    let mut progress = |progress| bar.show(progress);
    let done = if args.dry_run {
        let (path, options) = (tool.store_path(), tool.options());
        RedbStore::rehearse_restore(path, &args.file, options, &mut progress).map_err(explained)
    } else {
        restore(args, tool, &mut progress)
    };
    bar.finish();
    let done = done?;
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            file: args.file.display().to_string(),
            dry_run: args.dry_run,
            done,
        })?;
    } else {
        print(args, &done, tool)?;
    }
    Ok(Ending::Done)
}

fn restore(
    args: &Args,
    tool: &mut Tool,
    progress: &mut Watcher<'_>,
) -> std::result::Result<Restored, Failure> {
    if args.replace && tool.store_path().exists() {
        let store =
            tool.open_file_to_change("be restored into")
                .map_err(|failure| match failure {
                    Failure::Error { error, .. } => explained(error),
                    failure @ Failure::Usage(_) => failure,
                })?;
        return store.replace_with(&args.file, progress).map_err(explained);
    }
    RedbStore::restore(tool.store_path(), &args.file, tool.options(), progress).map_err(explained)
}

/// An error, with what to do about it here.
fn explained(error: Error) -> Failure {
    let hint = match &error {
        Error::FileExists { .. } => Some(
            "`--dry-run` tells what it and the backup hold; `--replace` puts the backup in its \
             place",
        ),
        Error::NotAStore { .. } => Some("name a file that `scrollback backup` has made"),
        Error::Corrupt { .. } => Some(
            "the store is too damaged to be emptied: when nobody uses it, move its file away and \
             restore without `--replace`",
        ),
        _ => None,
    };
    let hint = hint.map(str::to_owned);
    Failure::Error { error, hint }
}

fn print(args: &Args, done: &Restored, tool: &mut Tool) -> Result<()> {
    let store = tool.store_path().display().to_string();
    let (verb, gone) = if args.dry_run {
        ("would restore", "would be gone")
    } else {
        ("restored", "is gone")
    };
    let mut lines = vec![format!("{verb} {} to {store}", told(&done.counts))];
    if let Some(replaced) = &done.replaced {
        lines.push(format!("what it held {gone}: {}", told(replaced)));
    }
    if args.dry_run {
        lines.push("nothing was changed".to_owned());
    }
    for line in lines {
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    Ok(())
}
