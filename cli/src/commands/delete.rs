//! `scrollback delete`: removes sessions by name.

use std::collections::HashSet;
use std::io::IsTerminal as _;

use super::scrub;
use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::{resolve, sizes};
use scrollback::report::{Cleaned, Removed};
use scrollback::{Error, Result, StoreExt as _, Summary};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback delete 0199c1f2
  scrollback delete --yes 0199c1f2 codex:0199c1f3
  scrollback delete --scrub 0199c1f2

What a session started (its sub-agents, all generations) goes with it, but for what is pinned.
If one of the ids is unknown or ambiguous, nothing is deleted. On a terminal it asks first.
`scrollback export` keeps a copy; what is deleted is not imported again (`scrollback deleted`).";

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The sessions: their ids, or the starts of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Write the store's file anew afterwards, so that no byte of them is left in it: as `scrub` does,
    /// while nobody else has the store open
    #[arg(long)]
    scrub: bool,
}

/// Deletes sessions.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_change()?;
    let mut keys = Vec::new();
    let (mut going, mut along) = (Vec::new(), HashSet::new());
    for key in resolve::sessions(&*store, &args.ids)? {
        // Named, and going with its parent already.
        if along.contains(&key) {
            continue;
        }
        going.push(store.summary(&key)?);
        // Pinned children stay, as the deletion itself leaves them.
        for child in store.descendants(&key, &|child| child.pinned)? {
            along.insert(child.key.clone());
            going.push(child);
        }
        keys.push(key);
    }
    let asks = !args.yes && tool.out.is_terminal() && std::io::stdin().is_terminal();
    if asks && !is_confirmed(&about(&going), tool)? {
        tool.out.notice("nothing was deleted");
        return Ok(Ending::Partly);
    }
    // Before the first is removed: a kill in between leaves a store that says what is still in it.
    if args.scrub {
        tool.open_file_to_change("be scrubbed")?.note_scrub()?;
    }
    let mut cleaned = Cleaned::default();
    for key in &keys {
        let more = store.delete_family(key)?;
        cleaned.removed += more.removed;
        cleaned.sub_agents += more.sub_agents;
    }
    // A scrub needs the store alone, this process's own handle included.
    drop(store);
    if tool.out.is_json() {
        tool.out.json_line(&cleaned)?;
    } else {
        tool.out.line(&format!("deleted {}", told(&cleaned)))?;
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

/// What a deletion of these sessions would remove.
fn about(going: &[Summary]) -> Cleaned {
    let mut about = Cleaned::default();
    let mut seen = HashSet::new();
    for session in going.iter().filter(|session| seen.insert(session.number)) {
        let mut removed = Removed::default();
        removed.sessions = 1;
        removed.records = session.record_count;
        removed.bytes = session.bytes;
        about.removed += removed;
        about.sub_agents += u64::from(session.subagent);
    }
    about
}

/// Asks the person at the terminal.
fn is_confirmed(about: &Cleaned, tool: &mut Tool) -> Result<bool> {
    let question = format!("delete {}? [y/N]", told(about));
    tool.out.line(&question)?;
    tool.out.flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|source| Error::Io {
            action: "read the answer from",
            path: "standard input".into(),
            source,
        })?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// How much was removed, in words.
pub(super) fn told(cleaned: &Cleaned) -> String {
    let removed = &cleaned.removed;
    let along = match cleaned.sub_agents {
        0 => String::new(),
        1 => " (1 of them a sub-agent)".to_owned(),
        number => format!(" ({} of them sub-agents)", sizes::count(number)),
    };
    format!(
        "{}{along} with {}, {}",
        sizes::counted(removed.sessions, "session"),
        sizes::counted(removed.records, "record"),
        sizes::bytes(removed.bytes)
    )
}

#[cfg(test)]
mod tests {
    use scrollback::SessionKey;
    use scrollback::chrono::DateTime;

    use super::*;

    #[test]
    fn a_fork_is_no_sub_agent_and_a_session_that_is_named_twice_is_one() {
        let session = |id: &str, number| {
            let key = SessionKey::native(id).unwrap();
            let mut session = Summary::new(key, number, DateTime::UNIX_EPOCH);
            session.parent = Some("one".to_owned());
            session
        };
        let (fork, mut agent) = (session("fork", 1), session("agent", 2));
        agent.subagent = true;
        let about = about(&[fork.clone(), agent, fork]);
        assert_eq!((about.removed.sessions, about.sub_agents), (2, 1));
    }
}
