//! `scrollback delete`: removes sessions by name.

use serde::Serialize;

use crate::cli::exit::{Ending, Outcome};
use crate::cli::open::Tool;
use crate::cli::{resolve, sizes};
use crate::store::{Removed, Store as _};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback delete 0199c1f2
  scrollback delete 0199c1f2 codex:0199c1f3

If one of the ids is unknown or ambiguous, nothing is deleted. `scrollback export` keeps a copy.";

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The sessions: their ids, or the starts of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

/// What was removed, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    sessions: u64,
    records: u64,
    bytes: u64,
}

/// Deletes sessions.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    let mut removed = Removed::default();
    for key in resolve::sessions(&store, &args.ids)? {
        let one = store.delete(&key)?;
        removed.add(one);
    }
    let Removed {
        sessions,
        records,
        bytes,
    } = removed;
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            sessions,
            records,
            bytes,
        })?;
    } else {
        tool.out.line(&format!("deleted {}", told(&removed)))?;
    }
    Ok(Ending::Done)
}

/// How much was removed, in words.
pub(super) fn told(removed: &Removed) -> String {
    format!(
        "{} with {}, {}",
        sizes::counted(removed.sessions, "session"),
        sizes::counted(removed.records, "record"),
        sizes::bytes(removed.bytes)
    )
}
