//! `scrollback pin`, `unpin`, `archive` and `unarchive`: marks that people give to sessions.

use serde::Serialize;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::resolve;
use scrollback::StoreExt as _;

/// Examples of `pin`.
pub(super) const PIN: &str = "\
EXAMPLES
  scrollback pin 0199c1f2
  scrollback pin 0199c1f2 codex:0199c1f3

What a session started (its sub-agents) is pinned with it. `list --pinned` lists what is pinned, and
`cleanup` leaves it alone.";

/// Examples of `unpin`.
pub(super) const UNPIN: &str = "\
EXAMPLES
  scrollback unpin 0199c1f2";

/// Examples of `archive`.
pub(super) const ARCHIVE: &str = "\
EXAMPLES
  scrollback archive 0199c1f2
  scrollback archive 0199c1f2 codex:0199c1f3

What a session started (its sub-agents) is put away with it.
Nothing is removed: `list` leaves archived sessions out, `list --archived` lists them, and all
other commands take them like any other.";

/// Examples of `unarchive`.
pub(super) const UNARCHIVE: &str = "\
EXAMPLES
  scrollback unarchive 0199c1f2";

/// What to mark.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sessions: their ids, the starts of them, or other names
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

/// What is done to the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// They are to stay at hand, or no longer.
    Pinned(bool),
    /// They are put away, or taken out again.
    Archived(bool),
}

impl Mark {
    fn told(self) -> &'static str {
        match self {
            Self::Pinned(true) => "pinned",
            Self::Pinned(false) => "no longer pinned",
            Self::Archived(true) => "archived",
            Self::Archived(false) => "no longer archived",
        }
    }
}

/// The marks of one session now, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    id: &'a str,
    agent: &'a str,
    pinned: bool,
    archived: bool,
}

/// Marks sessions; none if one of the ids is unknown or ambiguous.
pub(crate) fn run(args: &Args, mark: Mark, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    for key in resolve::families(&*store, &args.ids)? {
        match mark {
            Mark::Pinned(pinned) => store.pin(&key, pinned)?,
            Mark::Archived(archived) => store.archive(&key, archived)?,
        }
        if tool.out.is_json() {
            let summary = store.summary(&key)?;
            tool.out.json_line(&Report {
                id: key.id(),
                agent: key.agent(),
                pinned: summary.pinned,
                archived: summary.archived,
            })?;
        } else {
            let line = format!("{key}: {}", mark.told());
            let line = tool.out.field(&line).into_owned();
            tool.out.line(&line)?;
        }
    }
    Ok(Ending::Done)
}
