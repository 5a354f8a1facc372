//! `scrollback backup`: a copy of the store, as it is at one moment.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use scrollback::report::{BackedUp, StoreCounts};
use scrollback::{Error, Existing};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback backup sessions-2026-06-01.redb
  scrollback backup --force /mnt/disk/sessions.redb

Others may read and write meanwhile. The copy is a store of its own, verified before it gets its
name: FILE is there whole, or as it was. `scrollback restore FILE` brings it back.";

/// Where the copy goes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to make, in a folder that is there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Put it in place of a file of that name
    #[arg(long)]
    force: bool,
}

/// What was copied, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    #[serde(flatten)]
    made: BackedUp,
}

/// Makes a backup.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    check_named(&args.file)?;
    let store = tool.open_file_to_read("be backed up so")?;
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let mut bar = Bar::new(&tool.out);
    let made = store.backup(&args.file, existing, &mut |progress| bar.show(progress));
    bar.finish();
    let made = made.map_err(|error| {
        let hint = match &error {
            Error::FileExists { .. } => {
                Some("name another file, or put the backup in its place with `--force`".to_owned())
            }
            _ => None,
        };
        Failure::Error { error, hint }
    })?;
    let file = args.file.display().to_string();
    if tool.out.is_json() {
        tool.out.json_line(&Report { file, made })?;
        return Ok(Ending::Done);
    }
    let line = format!(
        "backed up {} to {file} ({})",
        told(&made.counts),
        sizes::bytes(made.file_bytes)
    );
    let line = tool.out.field(&line).into_owned();
    tool.out.line(&line)?;
    Ok(Ending::Done)
}

/// A backup is a database: no stream can be one.
pub(super) fn check_named(file: &Path) -> Result<(), Failure> {
    if file == Path::new("-") {
        let text = "`-` is no file: a backup cannot be a stream (a file of that name is `./-`)";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(())
}

/// How much a store holds, in words.
pub(super) fn told(counts: &StoreCounts) -> String {
    format!(
        "{}, {}, {}, {}",
        sizes::counted(counts.sessions, "session"),
        sizes::counted(counts.records, "record"),
        sizes::bytes(counts.bytes),
        sizes::counted(counts.attachments, "attachment"),
    )
}
