//! `scrollback rename`: gives a session a title, beside its lines.

use serde::Serialize;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use scrollback::StoreExt as _;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback rename 0199c1f2 \"The port of the API\"
  scrollback rename 0199c1f2 --clear

The title is kept beside the session's lines: no line changes, and an export does not have it.";

/// What to rename.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, the start of it, or another name
    #[arg(value_name = "ID")]
    id: String,
    /// The title
    #[arg(value_name = "TITLE", required_unless_present = "clear")]
    title: Option<String>,
    /// Go back to the title that the lines give
    #[arg(long, conflicts_with = "title")]
    clear: bool,
}

/// How the session is called now, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    id: &'a str,
    agent: &'a str,
    title: &'a str,
}

/// Renames a session.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    let key = store.resolve(&args.id)?;
    store.rename(&key, args.title.as_deref().unwrap_or_default())?;
    let title = store.summary(&key)?.title;
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            id: key.id(),
            agent: key.agent(),
            title: &title,
        })?;
        return Ok(Ending::Done);
    }
    let title = if title.is_empty() {
        "(no title)"
    } else {
        &title
    };
    let line = format!("{key}: {title}");
    let line = tool.out.field(&line).into_owned();
    tool.out.line(&line)?;
    Ok(Ending::Done)
}
