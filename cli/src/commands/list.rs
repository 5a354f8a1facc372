//! `scrollback list`: sessions, newest first. Reads summary rows and nothing else.

use std::path::{Path, PathBuf};

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::session_list;
use crate::sizes;
use crate::subagents::{self, Parents};
use crate::times::TimeArgument;
use scrollback::{Cursor, Error, Ingest, KnownAgent, ListQuery, Result, StoreExt as _, Summary};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback list
  scrollback list --agent codex --since 7d
  scrollback list --project . --title \"retry loop\"
  scrollback list --pinned
  scrollback list --parent 0199
  scrollback list --subagents
  scrollback list --json --limit 1000 | jq -r .id

T is an age (90m, 12h, 30d, 2w, 1y), a date (2026-01-01, midnight UTC) or a time
(2026-01-01T12:00:00Z).";

/// What to list.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Sessions of this agent only
    #[arg(long, value_name = "A")]
    agent: Option<String>,
    /// Sessions of this project, its subfolders and its git worktrees only: a whole path, names in
    /// it, or `.` for this folder
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
    /// Sub-agents too, each under the session that started it
    #[arg(long)]
    subagents: bool,
    /// Archived sessions and sub-agents too
    #[arg(long, conflicts_with = "subagents")]
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
    let mut query = ListQuery::default();
    query.agent = args.agent.as_deref().map(canonical);
    query.folders = match &args.project {
        Some(project) => folders_of(project)?,
        None => Vec::new(),
    };
    query.since = args.since.map(|time| time.resolve(now));
    query.before = args.before.map(|time| time.resolve(now));
    query.title.clone_from(&args.title);
    query.pinned = args.pinned.then_some(true);
    query.archived = args.archived.then_some(true);
    query.after = args.after;
    let store = tool.open_to_read()?;
    if let Some(parent) = &args.parent {
        children_of(&*store, parent, &mut query)?;
    }
    let mut sieve = Sieve {
        archived: args.archived || args.all,
        subagents: args.all || args.parent.is_some(),
        parents: Parents::of(&*store),
        left_out: LeftOut::default(),
    };
    let is_json = tool.out.is_json();
    let (mut shown, mut last) = (Vec::new(), None);
    let mut keep = |summary: &Summary| sieve.keeps(summary);
    let walked = session_list::each_page(&*store, query, args.limit, &mut keep, &mut |sessions| {
        for summary in sessions {
            last = Some(Cursor::of(summary));
            let mut rows = vec![(0, summary.clone())];
            if args.subagents {
                rows.extend(subagents::below(&*store, summary)?);
            }
            if is_json {
                let mut rows = rows.iter();
                rows.try_for_each(|(_, summary)| tool.out.json_line(summary))?;
            } else {
                shown.extend(rows);
            }
        }
        Ok(())
    })?;
    let left_out = sieve.left_out;
    if let (None, Some(agent)) = (last, &args.agent) {
        // Sessions of agents without a format are listed too: only where there are none is it an error.
        KnownAgent::named(agent)?;
    }
    match last {
        _ if is_json => {}
        None if !walked.more => tool.out.notice("no session fits"),
        None => {}
        Some(last) => {
            session_list::print_tree(&shown, tool)?;
            if walked.more {
                let number = sizes::count(shown.len() as u64);
                tool.out.notice(&format!(
                    "the newest {number} are shown; go on with `--after {last}`, or ask for more \
                     with `--limit N`"
                ));
            }
        }
    }
    left_out.tell(args, tool);
    Ok(Ending::Done)
}

/// What of the sessions is listed.
struct Sieve<'s> {
    /// Archived ones too.
    archived: bool,
    /// Sub-agents too, in rows of their own.
    subagents: bool,
    parents: Parents<'s>,
    left_out: LeftOut,
}

/// What is left out on the way through a list.
#[derive(Clone, Copy, Debug, Default)]
struct LeftOut {
    archived: u64,
    subagents: u64,
}

impl Sieve<'_> {
    fn keeps(&mut self, summary: &Summary) -> Result<bool> {
        if summary.archived && !self.archived {
            self.left_out.archived += 1;
            return Ok(false);
        }
        if !self.subagents && self.parents.has(summary)? {
            self.left_out.subagents += 1;
            return Ok(false);
        }
        Ok(true)
    }
}

impl LeftOut {
    /// Says what was left out. Sub-agents that are listed elsewhere are not.
    fn tell(self, args: &Args, tool: &mut Tool) {
        if self.archived > 0 {
            let number = sizes::counted(self.archived, "archived session");
            tool.out
                .notice(&format!("{number} left out; `--all` lists them too"));
        }
        if self.subagents > 0 && !args.subagents {
            let number = sizes::counted(self.subagents, "sub-agent");
            tool.out.notice(&format!(
                "{number} left out; `--subagents` lists them under their parents"
            ));
        }
    }
}

/// Asks for the sessions that a session started. One that is not stored may have some too, under its
/// whole id.
fn children_of(store: &dyn Ingest, parent: &str, query: &mut ListQuery) -> Result<()> {
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

/// A project as sessions state it: a path that starts with `.` is made absolute.
pub(super) fn project_path(project: &str) -> Result<String> {
    let first = folders_of(project)?.into_iter().next();
    Ok(first.unwrap_or_else(|| project.to_owned()))
}

/// The folders of a project as sessions state them, and the folders of its git worktrees, wherever these
/// lie: a path that starts with `.` is made absolute.
fn folders_of(project: &str) -> Result<Vec<String>> {
    let relative = project == "." || project.starts_with("./") || project.starts_with("..");
    let mut folders = vec![project.to_owned()];
    if relative {
        let failed = |source| Error::Io {
            action: "find",
            path: PathBuf::from(project),
            source,
        };
        let path = Path::new(project).canonicalize().map_err(failed)?;
        folders = vec![path.to_string_lossy().into_owned()];
    }
    let mut worktrees: Vec<String> = folders.iter().flat_map(|one| worktrees(one)).collect();
    folders.append(&mut worktrees);
    Ok(folders)
}

/// The folders of the git worktrees of a repository: git notes in each one's folder below
/// `.git/worktrees` where its `.git` file is. Without a repository there are none.
fn worktrees(repository: &str) -> Vec<String> {
    let noted = Path::new(repository).join(".git").join("worktrees");
    let Ok(entries) = std::fs::read_dir(noted) else {
        return Vec::new();
    };
    let folder = |entry: std::fs::DirEntry| {
        let noted = std::fs::read_to_string(entry.path().join("gitdir")).ok()?;
        let folder = Path::new(noted.trim()).parent()?.to_str()?.to_owned();
        folder.starts_with('/').then_some(folder)
    };
    let mut found: Vec<String> = entries.filter_map(|entry| folder(entry.ok()?)).collect();
    found.sort();
    found
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
        let found = folders_of(".").unwrap();
        assert_eq!(found.first().map(String::as_str), here.to_str());
        assert_eq!(folders_of("work/x").unwrap(), ["work/x"]);
        assert!(folders_of("./none-of-that-name").is_err());
    }

    #[test]
    fn a_repository_has_the_folders_of_its_worktrees() {
        let home = tempfile::tempdir().unwrap();
        let shop = home.path().join("shop");
        for (name, noted) in [
            ("b", "/w/trees/b/.git\n"),
            ("a", "/w/trees/a/.git\n"),
            ("c", "c"),
        ] {
            let folder = shop.join(".git/worktrees").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("gitdir"), noted).unwrap();
        }
        std::fs::create_dir_all(shop.join(".git/worktrees/empty")).unwrap();
        let shop = shop.to_str().unwrap();
        assert_eq!(
            folders_of(shop).unwrap(),
            [shop, "/w/trees/a", "/w/trees/b"]
        );
    }
}
