//! `scrollback search`: the messages that say something, or their sessions, newest first.

use std::time::{Duration, Instant};

use crate::exit::{Ending, Failure, Outcome};
use crate::hits::{self, HitRow};
use crate::open::Tool;
use crate::progress::Bar;
use crate::sizes;
use crate::times::{TimeArgument, time_help};
use scrollback::{
    Error, Ingest, KnownAgent, Pattern, Progress, Result, Role, SearchCursor, SearchPage,
    SearchQuery, Sort, StoreExt as _, report::UnreadSession,
};

use super::list::canonical;
use crate::project::folders_of;

const EXAMPLES: &str = concat!(
    "\
EXAMPLES
  scrollback search quorum epoch
  scrollback search '\"cannot be borrowed\"' --agent claude-code --since 30d
  scrollback search tokio::spawn NOT test --role assistant -C 2
  scrollback search title:deploy OR title:release --sessions
  scrollback search 're:fn \\w+_index' --project .
  scrollback search --regex 'E0[45]\\d\\d' --count
  scrollback search panic --tool Bash --json | jq -r .snippet
  scrollback search -- --no-default-features

QUERY: words, each a part of what a message says, whatever the case, and all in one message;
\"A PHRASE\" of whole words; NOT WORD; ONE OR OTHER; title:WORD; re:PATTERN. A query that starts
with `-` needs `--` before it. Searched are texts and thoughts, what tools were given, and what they
answered. `scrollback show ID` opens a session.

",
    time_help!()
);

/// How long a search takes before it says that it goes on.
const PATIENCE: Duration = Duration::from_secs(1);

/// What to search for, and where.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What a message has to say; several arguments are one query
    #[arg(value_name = "QUERY", required = true)]
    query: Vec<String>,
    /// The query is one regular expression; (?i) at its start for any case
    #[arg(long = "regex")]
    is_regular: bool,
    /// In sessions of these agents only
    #[arg(long, value_name = "A")]
    agent: Vec<String>,
    /// In sessions of this project, its subfolders and its git worktrees only: a whole path, names
    /// in it, or `.` for this folder
    #[arg(long, value_name = "P")]
    project: Vec<String>,
    /// What these said only
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Vec<Role>,
    /// What this tool was given and what it answered only
    #[arg(long, value_name = "NAME")]
    tool: Vec<String>,
    /// Messages of this time or later
    #[arg(long, value_name = "T")]
    since: Option<TimeArgument>,
    /// Messages strictly before this time
    #[arg(long, value_name = "T")]
    before: Option<TimeArgument>,
    /// In this session only: an id, or its start
    #[arg(long, value_name = "ID")]
    session: Vec<String>,
    /// Not in sub-agents
    #[arg(long)]
    no_subagents: bool,
    /// Not in what the agent put in, such as reminders
    #[arg(long)]
    no_injected: bool,
    /// Not in what was taken back
    #[arg(long)]
    live: bool,
    /// The newest first, or the best of the newest 1000
    #[arg(long, value_name = "ORDER", default_value = "newest", value_parser = sort)]
    sort: Sort,
    /// At most so many hits
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Go on after this place: the `cursor` of a hit
    #[arg(long, value_name = "CURSOR", conflicts_with = "count")]
    after: Option<SearchCursor>,
    /// Only count messages and sessions
    #[arg(long)]
    count: bool,
    /// One row a session, also where only the title fits
    #[arg(long, conflicts_with = "count")]
    sessions: bool,
    /// Show so many messages before and behind each hit, too
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0)]
    context: usize,
}

fn role(word: &str) -> Result<Role, String> {
    match Role::from_word(word) {
        Role::Other => Err("expected `user`, `assistant`, `system` or `tool`".to_owned()),
        role => Ok(role),
    }
}

fn sort(word: &str) -> Result<Sort, String> {
    match word {
        "newest" => Ok(Sort::Newest),
        "best" => Ok(Sort::Best),
        _ => Err("expected `newest` or `best`".to_owned()),
    }
}

/// Searches.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let pattern = pattern(args)?;
    let store = tool.open_to_read()?;
    let query = query(args, pattern, &*store, tool)?;
    if query.pattern.is_anywhere() && !query.pattern.is_of_titles() && query.sessions.is_empty() {
        tool.out.notice(
            "nothing in the query can be looked up, so every message is read: it has no word of three \
             letters, or no text that each match holds",
        );
    }
    let mut waiting = Waiting::new(tool);
    let unread = if args.count {
        let found = store.search_counts(&query, &mut |progress| waiting.show(progress));
        waiting.finish();
        let found = found?;
        print_counts(found.messages, found.sessions, tool)?;
        found.unread
    } else {
        let found = store.search(&query, &mut |progress| waiting.show(progress));
        waiting.finish();
        let found = found?;
        if found.hits.is_empty() {
            nothing(args, tool)?;
        }
        if tool.out.is_json() {
            for hit in &found.hits {
                let context = hits::context(&*store, hit, args.context)?;
                tool.out.json_line(&HitRow::new(hit, &context))?;
            }
        } else {
            tool.out.page();
            hits::print(&*store, &found.hits, args.context, tool)?;
            if let Some(next) = found.next {
                let number = sizes::count(found.hits.len() as u64);
                let of = of_at_least(&found);
                tool.out.notice(&format!(
                    "the newest {number} are shown, of at least {of}; go on with `--after {next}`, \
                     ask for more with `--limit N`, or count them with `--count`"
                ));
            }
        }
        found.unread
    };
    Ok(tell_unread(&unread, tool))
}

fn pattern(args: &Args) -> Result<Pattern, Failure> {
    let query = args.query.join(" ");
    let pattern = if args.is_regular {
        Pattern::of_regex(&query)
    } else {
        Pattern::parse(&query)
    };
    match pattern {
        Ok(pattern) if pattern.is_empty() => {
            Err(Failure::Usage("there is nothing to search for".to_owned()))
        }
        Err(error @ Error::InvalidQuery { .. }) => Err(Failure::Usage(error.to_string())),
        other => Ok(other?),
    }
}

fn query(
    args: &Args,
    pattern: Pattern,
    store: &dyn Ingest,
    tool: &Tool,
) -> Result<SearchQuery, Failure> {
    let now = tool.now();
    let mut query = SearchQuery::new(pattern)
        .with_agents(args.agent.iter().map(|agent| canonical(agent)))
        .with_roles(args.role.iter().copied())
        .with_tools(args.tool.iter())
        .with_no_subagents(args.no_subagents)
        .with_no_injected(args.no_injected)
        .with_live(args.live)
        .with_by_session(args.sessions)
        .with_sort(args.sort)
        .with_limit(args.limit.max(1));
    query.since = args.since.map(|time| time.resolve(now));
    query.before = args.before.map(|time| time.resolve(now));
    query.after = args.after;
    for project in &args.project {
        query.folders.extend(folders_of(project)?);
    }
    for id in &args.session {
        query.sessions.push(store.resolve(id)?);
    }
    Ok(query)
}

fn print_counts(messages: u64, sessions: u64, tool: &mut Tool) -> Result<()> {
    if tool.out.is_json() {
        let counts = [("messages", messages), ("sessions", sessions)];
        return tool
            .out
            .json_line(&std::collections::BTreeMap::from(counts));
    }
    let messages = sizes::counted(messages, "message");
    let sessions = sizes::counted(sessions, "session");
    tool.out.line(&format!("{messages} in {sessions}"))
}

/// Nothing fits: where an agent is named that nobody knows, that is why.
fn nothing(args: &Args, tool: &mut Tool) -> Result<()> {
    for agent in &args.agent {
        KnownAgent::named(agent)?;
    }
    if !tool.out.is_json() {
        tool.out.notice("no message fits");
    }
    Ok(())
}

/// How much there is, as far as it is known without reading all.
fn of_at_least(page: &SearchPage) -> String {
    let hits = sizes::count(page.at_least);
    match page.sessions_max {
        Some(sessions) => format!("{hits}, in up to {}", sizes::counted(sessions, "session")),
        None => hits,
    }
}

fn tell_unread(unread: &[UnreadSession], tool: &mut Tool) -> Ending {
    for one in unread {
        let UnreadSession {
            session, detail, ..
        } = one;
        tool.out.error(&format!(
            "not all of session `{session}` can be searched: {detail}"
        ));
    }
    if unread.is_empty() {
        return Ending::Done;
    }
    tool.out.notice(
        "\nhint: run `scrollback verify --deep` for all of the damage; restore the file from a \
         backup, or save what is left with `scrollback repair --to NEW`",
    );
    Ending::Corrupt
}

/// Says that a search goes on, once it takes a while.
struct Waiting {
    since: Instant,
    bar: Option<Bar>,
    is_shown: bool,
}

impl Waiting {
    fn new(tool: &Tool) -> Self {
        Self {
            since: Instant::now(),
            bar: None,
            is_shown: tool.out.shows_progress(),
        }
    }

    fn show(&mut self, progress: Progress) -> std::ops::ControlFlow<()> {
        if self.is_shown && self.since.elapsed() >= PATIENCE {
            let bar = self.bar.get_or_insert_with(Bar::of_search);
            return bar.show(progress);
        }
        std::ops::ControlFlow::Continue(())
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}
