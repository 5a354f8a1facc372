//! `scrollback fork`: a copy of a session, to go on from another place.

use serde::Serialize;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::sizes;
use scrollback::{SessionKey, StoreExt as _};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback fork 0199c1f2
  scrollback fork 0199c1f2 --through 41 --id second-try

The new session has the old one as its parent. Sequence numbers are the field `sequence` of
`scrollback show ID --json`.";

/// What to copy.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, the start of it, or another name
    #[arg(value_name = "ID")]
    id: String,
    /// The last record to copy: its sequence number [default: the session's last]
    #[arg(long, value_name = "N")]
    through: Option<u64>,
    /// The id of the new session [default: a new UUID]
    #[arg(long = "id", value_name = "NEW")]
    new_id: Option<String>,
}

/// What was made, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    id: &'a str,
    agent: &'a str,
    parent: &'a str,
    messages: u64,
    records: u64,
}

/// Forks a session.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    let key = store.resolve(&args.id)?;
    let new_id = args.new_id.clone().unwrap_or_else(|| tool.new_id());
    let new_key = SessionKey::new(key.agent(), new_id)?;
    let made = store.fork(&key, &new_key, args.through)?;
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            id: new_key.id(),
            agent: new_key.agent(),
            parent: key.id(),
            messages: made.message_count,
            records: made.record_count,
        })?;
        return Ok(Ending::Done);
    }
    let line = format!(
        "{new_key}: {}, {}, from {key}",
        sizes::counted(made.message_count, "message"),
        sizes::counted(made.record_count, "record"),
    );
    let line = tool.out.field(&line).into_owned();
    tool.out.line(&line)?;
    Ok(Ending::Done)
}
