//! Sessions as rows: what `list`, `import` and `cleanup` print.

use std::path::Path;

use scrollback::chrono::{DateTime, Utc};

use super::open::Tool;
use super::output::Output;
use super::table::{Align, GivesWay, Table, keep_end};
use super::{sizes, times};
use scrollback::{ListQuery, Result, Store, Summary};

/// Sessions that are asked for at a time.
const PAGE: usize = 1000;
/// Fewest characters of an id that are shown on a terminal.
const ID_MIN: usize = 8;
/// What part of the terminal a project may take.
const PROJECT_SHARE: usize = 6;
/// Most characters of an id that are shown on a terminal.
const ID_MAX: usize = 12;
/// Columns of a terminal that has no room for words behind a title.
const NARROW: usize = 80;
/// Fewest columns of a project that tell anything.
const PROJECT_MIN: usize = 8;
/// Fewest columns that a title gets before other columns give way.
const TITLE_MIN: usize = 24;
/// Which columns give way: size, project, agent, messages.
const ORDER: [GivesWay; 4] = [
    GivesWay::whole(5),
    GivesWay::down_to(PROJECT_MIN, 2),
    GivesWay::whole(1),
    GivesWay::whole(4),
];

/// Visits at most `limit` of the sessions that `keep` holds for, a page at a time; whether there are more.
pub(crate) fn each_page(
    store: &dyn Store,
    mut query: ListQuery,
    limit: usize,
    keep: &mut dyn FnMut(&Summary) -> Result<bool>,
    visit: &mut dyn FnMut(&[Summary]) -> Result<()>,
) -> Result<bool> {
    let mut left = limit;
    loop {
        // One more than wanted, to know whether there is one.
        query.limit = left.saturating_add(1).min(PAGE);
        let page = store.list(&query)?;
        let mut sessions = Vec::with_capacity(page.sessions.len());
        for summary in page.sessions {
            if keep(&summary)? {
                sessions.push(summary);
            }
        }
        let has_more = sessions.len() > left;
        sessions.truncate(left);
        if !sessions.is_empty() {
            visit(&sessions)?;
        }
        left -= sessions.len();
        query.after = page.next;
        if has_more || query.after.is_none() {
            return Ok(has_more);
        }
    }
}

/// Prints sessions as aligned columns that fit the terminal.
pub(crate) fn print_table(sessions: &[Summary], tool: &mut Tool) -> Result<()> {
    let rows: Vec<(usize, Summary)> = sessions.iter().map(|one| (0, one.clone())).collect();
    print_tree(&rows, tool)
}

/// The same of sessions with their depth below the ones that started them.
pub(crate) fn print_tree(sessions: &[(usize, Summary)], tool: &mut Tool) -> Result<()> {
    let (now, home) = (tool.now(), tool.home().map(Path::to_owned));
    table(sessions, &tool.out, home.as_deref(), now).print(&mut tool.out)
}

pub(crate) fn table(
    sessions: &[(usize, Summary)],
    out: &Output,
    home: Option<&Path>,
    now: DateTime<Utc>,
) -> Table {
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("AGENT", Align::Left),
        ("PROJECT", Align::Left),
        ("UPDATED", Align::Left),
        ("MESSAGES", Align::Right),
        ("SIZE", Align::Right),
        ("TITLE", Align::Left),
    ])
    .giving_way(&ORDER, TITLE_MIN);
    // Only for people: a program that reads the list gets whole ids.
    let id_length = out.columns().map(|_| distinct_length(sessions));
    for (depth, summary) in sessions {
        let id: String = match id_length {
            Some(length) => summary.key.id().chars().take(length).collect(),
            None => summary.key.id().to_owned(),
        };
        let project = summary.project.as_deref().unwrap_or("-");
        let project = match out.columns() {
            Some(columns) => keep_end(
                &out.field(&below_home(project, home)),
                (columns / PROJECT_SHARE).max(PROJECT_MIN),
            ),
            None => project.to_owned(),
        };
        let row = vec![
            out.field(&id).into_owned(),
            summary.key.agent().to_owned(),
            project,
            times::relative(summary.updated_at, now),
            sizes::count(summary.message_count),
            sizes::bytes(summary.bytes),
            format!(
                "{}{}{}",
                branch(*depth),
                marks(summary),
                out.field(&summary.title)
            ),
        ];
        let is_narrow = out.columns().is_some_and(|columns| columns < NARROW);
        table.push_with_tail(row, subagents(summary, is_narrow));
    }
    table
}

/// What stands before the title of a session that its users marked.
fn marks(summary: &Summary) -> &'static str {
    match (summary.pinned, summary.archived) {
        (true, true) => "[pinned, archived] ",
        (true, false) => "[pinned] ",
        (false, true) => "[archived] ",
        (false, false) => "",
    }
}

/// What stands before the title of a session that stands under the one that started it.
fn branch(depth: usize) -> String {
    match depth {
        0 => String::new(),
        _ => format!("{}└ ", "  ".repeat(depth - 1)),
    }
}

/// What stands behind the title of a session that has started others.
fn subagents(summary: &Summary, is_narrow: bool) -> String {
    if summary.subagents == 0 {
        return String::new();
    }
    if is_narrow {
        return format!(" +{}", sizes::count(summary.subagents));
    }
    format!(" +{}", sizes::counted(summary.subagents, "sub-agent"))
}

/// How many characters tell the ids of these sessions apart.
fn distinct_length(sessions: &[(usize, Summary)]) -> usize {
    // A sub-agent that is called after its parent stands under it, and need not be told from it by this.
    let is_own = |one: &Summary| {
        let parent = one.parent.as_deref().filter(|_| one.subagent);
        parent.is_none_or(|parent| !one.key.id().starts_with(parent))
    };
    let own = sessions.iter().filter(|(_, one)| is_own(one));
    let mut ids: Vec<&str> = own.map(|(_, one)| one.key.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    let common = |(one, other): (&&str, &&str)| {
        one.chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let longest = ids
        .iter()
        .zip(ids.iter().skip(1))
        .map(common)
        .max()
        .unwrap_or(0);
    (longest + 1).clamp(ID_MIN, ID_MAX)
}

/// A path with `~` for the home folder.
pub(crate) fn below_home(path: &str, home: Option<&Path>) -> String {
    let below = home.and_then(Path::to_str).filter(|home| home.len() > 1);
    match below.and_then(|home| path.strip_prefix(home)) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::output::tests::captured;
    use super::*;
    use scrollback::SessionKey;

    /// A summary of one's choice, at 2026-06-01 12:00.
    pub(crate) fn summary(id: &str, title: &str) -> Summary {
        let time = DateTime::parse_from_rfc3339("2026-06-01T12:00:00Z")
            .unwrap()
            .to_utc();
        let mut summary = Summary::new(SessionKey::new("codex", id).unwrap(), 7, time);
        summary.project = Some("/home/ann/work/scrollback".into());
        summary.title = title.into();
        summary.message_count = 12;
        summary.record_count = 40;
        summary.bytes = 123_456;
        summary.next_sequence = 40;
        summary
    }

    fn printed(terminal: bool, sessions: &[Summary]) -> String {
        let (mut out, stdout, _) = captured(terminal, false);
        let now = sessions[0].updated_at + scrollback::chrono::TimeDelta::minutes(5);
        let rows: Vec<_> = sessions.iter().map(|one| (0, one.clone())).collect();
        table(&rows, &out, Some(Path::new("/home/ann")), now)
            .print(&mut out)
            .unwrap();
        out.flush().unwrap();
        stdout.text()
    }

    #[test]
    fn a_terminal_gets_rows_that_fit() {
        let long = summary("0199aaaa-bbbb-cccc-dddd-eeeeeeeeeeee", &"title ".repeat(30));
        let evil = summary("0199aabb", "a\x1b]52;c;x\x07");
        let text = printed(true, &[long, evil]);
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "ID        AGENT  PROJECT       UPDATED        MESSAGES  TITLE",
                "0199aaaa  codex  …/scrollback  5 minutes ago        12  title title title title…",
                "0199aabb  codex  …/scrollback  5 minutes ago        12  a\\x1b]52;c;x\\x07",
            ]
        );
    }

    #[test]
    fn a_pipe_gets_everything_as_it_is() {
        let id = "0199aaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
        let title = "title ".repeat(30) + "\x1b[1m";
        let text = printed(false, &[summary(id, &title)]);
        assert!(text.contains(id) && text.contains(&title), "{text}");
        assert!(text.contains("/home/ann/work/scrollback"), "{text}");
    }

    #[test]
    fn ids_are_shown_as_far_as_they_differ() {
        let of = |ids: &[&str]| {
            distinct_length(
                &ids.iter()
                    .map(|id| (0, summary(id, "")))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&["a"]), 8);
        assert_eq!(of(&["aaaaaaaaa1", "aaaaaaaaa2", "b"]), 10);
        assert_eq!(of(&["same", "same"]), 8);
        // Sub-agents are called after their parents: they would push all else off the terminal.
        let long = "a".repeat(100);
        assert_eq!(of(&[&format!("{long}1"), &format!("{long}2")]), ID_MAX);
        assert_eq!(of(&[&long, &format!("{long}/agent-1")]), ID_MAX);
    }

    #[test]
    fn the_home_folder_is_a_tilde() {
        let home = Some(Path::new("/home/ann"));
        assert_eq!(below_home("/home/ann/x", home), "~/x");
        assert_eq!(below_home("/home/ann", home), "~");
        assert_eq!(below_home("/home/anna/x", home), "/home/anna/x");
        assert_eq!(below_home("/x", None), "/x");
    }
}
