//! `scrollback list`: sessions, newest first. Reads summary rows and nothing else.

use std::cmp::Reverse;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::project::folders_of;
use crate::session_list;
use crate::sizes;
use crate::subagents::{self, Parents};
use crate::times::{TimeArgument, time_help};
use scrollback::{Cursor, Error, Ingest, KnownAgent, ListQuery, Result, StoreExt as _, Summary};

const EXAMPLES: &str = concat!(
    "\
EXAMPLES
  scrollback list
  scrollback list --agent codex --since 7d
  scrollback list --since yesterday -n 5
  scrollback list --sort size --limit 0
  scrollback list --project . --title \"retry loop\"
  scrollback list --pinned
  scrollback list --parent 0199
  scrollback list --subagents
  scrollback list --json --limit 1000 | jq -r .id

",
    time_help!()
);

/// By what a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    Updated,
    Created,
    Messages,
    Size,
    Title,
    Project,
    Agent,
}

impl Sort {
    fn sort(self, sessions: &mut [Summary]) {
        let newest = |summary: &Summary| Reverse((summary.updated_at, summary.number));
        match self {
            // As they come.
            Self::Updated => {}
            Self::Created => sessions.sort_by_key(|one| (Reverse(one.created_at), newest(one))),
            Self::Messages => sessions.sort_by_key(|one| (Reverse(one.message_count), newest(one))),
            Self::Size => sessions.sort_by_key(|one| (Reverse(one.bytes), newest(one))),
            Self::Title => {
                sessions.sort_by_cached_key(|one| (one.title.to_lowercase(), newest(one)));
            }
            Self::Project => sessions.sort_by_cached_key(|one| {
                // Those without one last.
                (one.project.is_none(), one.project.clone(), newest(one))
            }),
            Self::Agent => {
                sessions.sort_by_cached_key(|one| (one.key.agent().to_owned(), newest(one)));
            }
        }
    }
}

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
    /// Sessions in which a model with this text in its name spoke last only
    #[arg(long, value_name = "TEXT")]
    model: Option<String>,
    /// Sessions of which this is the git branch that was named last only
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The order: the newest, most or largest first, or A to Z
    #[arg(long, value_name = "BY", value_enum, default_value_t = Sort::Updated)]
    sort: Sort,
    /// At most so many sessions; 0 for all
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Go on after this place: the `cursor` of a session in a list
    #[arg(long, value_name = "CURSOR", conflicts_with = "sort")]
    after: Option<Cursor>,
}

impl Args {
    /// Whether a session is of the model and the branch that are asked for.
    fn fits(&self, summary: &Summary) -> bool {
        let model = summary.model.as_deref().unwrap_or_default().to_lowercase();
        let is_of = |wanted: &String| model.contains(&wanted.to_lowercase());
        self.model.as_ref().is_none_or(is_of)
            && (self.branch.is_none() || self.branch == summary.branch)
    }
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
    let limit = if args.limit == 0 {
        usize::MAX
    } else {
        args.limit
    };
    let is_sorted = args.sort != Sort::Updated;
    // What is sorted has to be seen whole first.
    let walked_limit = if is_sorted { usize::MAX } else { limit };
    let mut listing = Listing::of(&*store, args);
    let mut keep = |summary: &Summary| Ok(args.fits(summary) && sieve.keeps(summary)?);
    let mut all = Vec::new();
    let mut has_more =
        session_list::each_page(&*store, query, walked_limit, &mut keep, &mut |sessions| {
            if is_sorted {
                all.extend_from_slice(sessions);
                return Ok(());
            }
            listing.add(sessions, tool)
        })?;
    if is_sorted {
        args.sort.sort(&mut all);
        has_more = all.len() > limit;
        all.truncate(limit);
        listing.add(&all, tool)?;
    }
    let Listing { shown, last, .. } = listing;
    let left_out = sieve.left_out;
    if let (None, Some(agent)) = (last, &args.agent) {
        // Sessions of agents without a format are listed too: only where there are none is it an error.
        KnownAgent::named(agent)?;
    }
    match last {
        _ if tool.out.is_json() => {}
        None if !has_more => tool.out.notice("no session fits"),
        None => {}
        Some(last) => {
            tool.out.page();
            session_list::print_tree(&shown, tool)?;
            let number = sizes::count(shown.len() as u64);
            match has_more {
                false => {}
                true if is_sorted => tool.out.notice(&format!(
                    "the first {number} are shown; ask for more with `--limit N`"
                )),
                true => tool.out.notice(&format!(
                    "the newest {number} are shown; go on with `--after {last}`, or ask for more \
                     with `--limit N`"
                )),
            }
        }
    }
    left_out.tell(args, tool);
    Ok(Ending::Done)
}

/// What is listed so far.
struct Listing<'s> {
    store: &'s dyn Ingest,
    with_subagents: bool,
    shown: Vec<(usize, Summary)>,
    last: Option<Cursor>,
}

impl<'s> Listing<'s> {
    fn of(store: &'s dyn Ingest, args: &Args) -> Self {
        Self {
            store,
            with_subagents: args.subagents,
            shown: Vec::new(),
            last: None,
        }
    }

    /// Takes sessions, with their sub-agents where these are asked for: to be printed, or as JSON at once.
    fn add(&mut self, sessions: &[Summary], tool: &mut Tool) -> Result<()> {
        for summary in sessions {
            self.last = Some(Cursor::of(summary));
            let mut rows = vec![(0, summary.clone())];
            if self.with_subagents {
                rows.extend(subagents::below(self.store, summary)?);
            }
            if tool.out.is_json() {
                let mut rows = rows.iter();
                rows.try_for_each(|(_, summary)| tool.out.json_line(summary))?;
            } else {
                self.shown.extend(rows);
            }
        }
        Ok(())
    }
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

/// The name that an agent's sessions have, where somebody uses another one. Sessions of agents that
/// are not known have names too.
pub(super) fn canonical(name: &str) -> String {
    KnownAgent::named(name).map_or_else(|_| name.to_owned(), |agent| agent.name.to_owned())
}
