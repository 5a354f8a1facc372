//! `scrollback list`: sessions, newest first. Reads summary rows and nothing else.

use std::path::{Path, PathBuf};

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::session_list;
use crate::sizes;
use crate::times::TimeArgument;
use scrollback::{Cursor, Error, KnownAgent, ListQuery, RedbStore, Result, StoreExt as _, Summary};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback list
  scrollback list --agent codex --since 7d
  scrollback list --project . --title \"retry loop\"
  scrollback list --pinned
  scrollback list --parent 0199
  scrollback list --json --limit 1000 | jq -r .id

T is an age (90m, 12h, 30d, 2w, 1y), a date (2026-01-01, midnight UTC) or a time
(2026-01-01T12:00:00Z).";

/// What to list.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Sessions of this agent only
    #[arg(long, value_name = "A")]
    agent: Option<String>,
    /// Sessions of this project only: a whole path, its last components, or `.` for this folder
    #[arg(long, value_name = "P")]
    project: Option<String>,
    /// Sessions whose title holds this text, whatever the case
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Sessions updated at this time or later
    #[arg(long, value_name = "T")]
    since: Option<TimeArgument>,
    /// Sessions updated strictly before this time
    #[arg(long, value_name = "T")]
    before: Option<TimeArgument>,
    /// Sessions that are pinned only
    #[arg(long)]
    pinned: bool,
    /// Sessions that are archived only; without this and `--all` they are left out
    #[arg(long, conflicts_with = "all")]
    archived: bool,
    /// Sessions that this one started only: an id, or its start
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Archived sessions too
    #[arg(long)]
    all: bool,
    /// At most so many sessions
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Go on after this place: the `cursor` of a session in a list
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
}

/// Lists sessions.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let now = tool.now();
    let mut query = ListQuery {
        agent: args.agent.as_deref().map(canonical),
        project: args.project.as_deref().map(project_path).transpose()?,
        since: args.since.map(|time| time.resolve(now)),
        before: args.before.map(|time| time.resolve(now)),
        title: args.title.clone(),
        pinned: args.pinned.then_some(true),
        archived: args.archived.then_some(true),
        after: args.after,
        ..ListQuery::default()
    };
    let keep = if args.archived || args.all {
        |_: &Summary| true
    } else {
        |summary: &Summary| !summary.archived
    };
    let store = tool.open_to_read()?;
    if let Some(parent) = &args.parent {
        children_of(&store, parent, &mut query)?;
    }
    if tool.out.is_json() {
        let walked = session_list::each_page(&*store, query, args.limit, keep, &mut |sessions| {
            sessions
                .iter()
                .try_for_each(|summary| tool.out.json_line(summary))
        })?;
        tell_passed_over(walked.passed_over, tool);
        return Ok(Ending::Done);
    }
    let mut shown: Vec<Summary> = Vec::new();
    let walked = session_list::each_page(&*store, query, args.limit, keep, &mut |sessions| {
        shown.extend_from_slice(sessions);
        Ok(())
    })?;
    match shown.last().map(Cursor::of) {
        None if !walked.more => tool.out.notice("no session fits"),
        None => {}
        Some(last) => {
            session_list::print_table(&shown, tool)?;
            if walked.more {
                let number = sizes::count(shown.len() as u64);
                tool.out.notice(&format!(
                    "the newest {number} are shown; go on with `--after {last}`, or ask for more \
                     with `--limit N`"
                ));
            }
        }
    }
    tell_passed_over(walked.passed_over, tool);
    Ok(Ending::Done)
}

/// Asks for the sessions that a session started. One that is not stored may have some too, under its
/// whole id.
fn children_of(store: &RedbStore, parent: &str, query: &mut ListQuery) -> Result<()> {
    match store.resolve(parent) {
        Ok(key) => {
            query.agent.get_or_insert_with(|| key.agent().to_owned());
            query.parent = Some(key.id().to_owned());
        }
        Err(Error::NotFound { .. }) => query.parent = Some(parent.to_owned()),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Says that archived sessions were left out on the way through the list.
fn tell_passed_over(number: u64, tool: &mut Tool) {
    if number > 0 {
        let number = sizes::counted(number, "archived session");
        tool.out
            .notice(&format!("{number} left out; `--all` lists them too"));
    }
}

/// A project as sessions state it: a path that starts with `.` is made absolute.
pub(super) fn project_path(project: &str) -> Result<String> {
    let relative = project == "." || project.starts_with("./") || project.starts_with("..");
    if !relative {
        return Ok(project.to_owned());
    }
    let failed = |source| Error::Io {
        action: "find",
        path: PathBuf::from(project),
        source,
    };
    let path = Path::new(project).canonicalize().map_err(failed)?;
    Ok(path.to_string_lossy().into_owned())
}

/// The name that an agent's sessions have, where somebody uses another one. Sessions of agents that
/// are not known have names too.
pub(super) fn canonical(name: &str) -> String {
    KnownAgent::named(name).map_or_else(|_| name.to_owned(), |agent| agent.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_this_folder() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(project_path(".").unwrap(), here.to_str().unwrap());
        assert_eq!(project_path("work/x").unwrap(), "work/x");
        assert!(project_path("./none-of-that-name").is_err());
    }
}
