//! `scrollback truncate`: moves the mark of a session.

use serde::Serialize;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::sizes;
use scrollback::StoreExt as _;
use scrollback::report::Truncated;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback truncate 0199c1f2 --keep 20
  scrollback truncate telegram:123456 --keep 0

Nothing is removed: `show --hidden` still shows everything, a larger N shows more again, and
`scrollback compact` removes what is hidden.";

/// What to hide.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, or the start of it
    #[arg(value_name = "ID")]
    id: String,
    /// How many messages stay visible
    #[arg(long, value_name = "N")]
    keep: u64,
}

/// What was hidden, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    id: &'a str,
    agent: &'a str,
    #[serde(flatten)]
    done: Truncated,
}

/// Truncates a session.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    let key = store.resolve(&args.id)?;
    let done = store.truncate(&key, args.keep)?;
    if tool.out.is_json() {
        let (id, agent) = (key.id(), key.agent());
        tool.out.json_line(&Report { id, agent, done })?;
        return Ok(Ending::Done);
    }
    let line = format!(
        "{key}: {} visible, {} hidden",
        sizes::counted(done.visible, "message"),
        sizes::count(done.hidden)
    );
    let line = tool.out.field(&line).into_owned();
    tool.out.line(&line)?;
    Ok(Ending::Done)
}
