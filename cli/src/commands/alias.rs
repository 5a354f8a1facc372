//! `scrollback alias`: other names of a session.

use serde::Serialize;

use crate::escape;
use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use scrollback::{PropertiesChange, StoreExt as _};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback alias 0199c1f2 port-hunt
  scrollback alias port-hunt
  scrollback alias 0199c1f2 port-hunt --remove

Another name stands for a session wherever an ID does, if no id fits. Within an agent no two
sessions have the same.";

/// Which names to give or take.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, the start of it, or another name
    #[arg(value_name = "ID")]
    id: String,
    /// Names to add; without any the session's names are printed
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Take the names away instead
    #[arg(long, requires = "names")]
    remove: bool,
}

/// The names of a session, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    id: &'a str,
    agent: &'a str,
    aliases: &'a [String],
}

/// Changes and prints the names of a session.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if !args.remove {
        for name in &args.names {
            check(name)?;
        }
    }
    let store = if args.names.is_empty() {
        tool.open_to_read()?
    } else {
        tool.open_to_change()?
    };
    let key = store.resolve(&args.id)?;
    let mut aliases = store.properties(&key)?.aliases;
    if !args.names.is_empty() {
        if args.remove {
            aliases.retain(|alias| !args.names.contains(alias));
        } else {
            aliases.extend_from_slice(&args.names);
        }
        let change = PropertiesChange::default().with_aliases(aliases);
        aliases = store.update_properties(&key, &change)?.aliases;
    }
    if tool.out.is_json() {
        tool.out.json_line(&Report {
            id: key.id(),
            agent: key.agent(),
            aliases: &aliases,
        })?;
        return Ok(Ending::Done);
    }
    for alias in &aliases {
        // Programs can give a session a name with line feeds; each stays one line, on a pipe too.
        tool.out.line(&escape::field(alias))?;
    }
    if aliases.is_empty() {
        tool.out.notice("no other name");
    }
    Ok(Ending::Done)
}

/// Refuses names that nobody could type or tell apart.
fn check(name: &str) -> Result<(), Failure> {
    let reason = if name.is_empty() {
        "a name is not empty"
    } else if name.chars().any(char::is_control) {
        "a name has no control characters, such as line feeds"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(reason.to_owned()))
}
