//! `scrollback scrub`: removes databases of agents that earlier versions kept, and every byte of what was
//! deleted before.

use serde::Serialize;

use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use scrollback::report::Scrubbed;
use scrollback::{Error, RedbStore, Result};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback scrub --dry-run
  scrollback scrub

The store's file is written anew, so that nothing is left in it of what was deleted. Nobody else
may have the store open meanwhile. Backups and copies keep what they have; the sessions that
were read from the databases stay.";

/// What is said until a scrub that was begun has ended.
pub(super) const SCRUB_DUE: &str = "a scrub was begun and has not ended, so bytes that are to be gone may \
                                    still be in the store's file; `scrollback scrub` ends it";

/// How to scrub.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Tell what would be removed; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was removed, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    dry_run: bool,
    #[serde(flatten)]
    done: &'a Scrubbed,
}

/// Scrubs the store, or tells what that would do.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let dry_run = args.dry_run;
    let done = if dry_run {
        tool.check_there()?;
        RedbStore::rehearse_scrub(tool.store_path(), tool.options())?
    } else {
        scrub(tool)?
    };
    if tool.out.is_json() {
        let done = &done;
        tool.out.json_line(&Report { dry_run, done })?;
    } else {
        print(&done, dry_run, tool)?;
    }
    Ok(Ending::Done)
}

/// Rewrites the store's file, which nobody may have open.
pub(super) fn scrub(tool: &mut Tool) -> std::result::Result<Scrubbed, Failure> {
    tool.check_there()?;
    tool.close();
    let mut bar = Bar::new(&tool.out);
    let (path, options) = (tool.store_path(), tool.options());
    let done = RedbStore::scrub(path, options, &mut |progress| bar.show(progress));
    bar.finish();
    done.map_err(|error| {
        let hint = matches!(error, Error::Locked { .. } | Error::Busy { .. }).then(|| {
            "the file is written anew, so nobody else may have the store open: close what uses it, and \
             run `scrollback scrub`"
                .to_owned()
        });
        Failure::Error { error, hint }
    })
}

fn print(done: &Scrubbed, dry_run: bool, tool: &mut Tool) -> Result<()> {
    let (removed, nothing) = if dry_run {
        ("would remove", "no database is kept; nothing was changed")
    } else {
        ("removed", "no database was kept")
    };
    for file in &done.files {
        let line = format!(
            "{removed} `{}` of {}, {}",
            file.name,
            file.agent,
            sizes::bytes(file.bytes)
        );
        let line = tool.out.field(&line).into_owned();
        tool.out.line(&line)?;
    }
    if done.files.is_empty() {
        tool.out.line(nothing)?;
    }
    if !dry_run {
        tool.out.line(&rewritten(done))?;
    }
    print_beside(done, tool);
    Ok(())
}

/// What became of the file, in words.
pub(super) fn rewritten(done: &Scrubbed) -> String {
    format!(
        "the file was written anew: {} before, {} now",
        sizes::bytes(done.bytes_before),
        sizes::bytes(done.bytes_after)
    )
}

/// Tells of files beside the store that were not looked into.
pub(super) fn print_beside(done: &Scrubbed, tool: &mut Tool) {
    for path in &done.beside {
        tool.out.notice(&format!(
            "note: `{}` is a copy that is being made, or that was stopped; it was not looked into",
            path.display()
        ));
    }
}
