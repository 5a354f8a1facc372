//! `scrollback delete`: removes sessions by name.

use super::scrub;
use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::{resolve, sizes};
use scrollback::Store as _;
use scrollback::report::Removed;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback delete 0199c1f2
  scrollback delete 0199c1f2 codex:0199c1f3
  scrollback delete --scrub 0199c1f2

If one of the ids is unknown or ambiguous, nothing is deleted. `scrollback export` keeps a copy.";

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The sessions: their ids, or the starts of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Write the store's file anew afterwards, so that no byte of them is left in it: as `scrub` does,
    /// while nobody else has the store open
    #[arg(long)]
    scrub: bool,
}

/// Deletes sessions.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    let mut removed = Removed::default();
    let keys = resolve::sessions(&store, &args.ids)?;
    if args.scrub {
        store.note_scrub()?;
    }
    for key in keys {
        removed += store.delete(&key)?;
    }
    drop(store);
    if tool.out.is_json() {
        tool.out.json_line(&removed)?;
    } else {
        tool.out.line(&format!("deleted {}", told(&removed)))?;
    }
    if args.scrub {
        let done = scrub::scrub(tool)?;
        if !tool.out.is_json() {
            tool.out.line(&scrub::rewritten(&done))?;
        }
        scrub::print_beside(&done, tool);
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
