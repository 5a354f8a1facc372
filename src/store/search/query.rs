//! What can be searched for, and places in what was found.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::model::key::SessionKey;
use crate::model::message::Role;
use crate::model::with::with_methods;
use crate::search::Pattern;
use crate::store::query::{Cursor, CursorError};

/// In which order hits are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sort {
    /// The session first that was updated last; in each the last message first.
    #[default]
    Newest,
    /// The best of the newest [`SEARCH_BEST_OF`](crate::limits::SEARCH_BEST_OF) first, by how often and how
    /// exactly each says what was asked for. There is one page of them.
    Best,
}

/// Which messages to search for. Filters hold together; of those that are lists, one entry has to fit.
///
/// ```
/// use scrollback::{Role, SearchQuery};
///
/// let query = SearchQuery::new("retry \"port 8080\"".parse()?)
///     .with_agents(["codex"])
///     .with_roles([Role::User, Role::Assistant])
///     .with_limit(20);
/// assert!(query.after.is_none());
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a filter of its own")]
pub struct SearchQuery {
    /// What a message has to say. Empty: anything.
    pub pattern: Pattern,
    /// Sessions of these agents only. Empty: of all.
    pub agents: Vec<String>,
    /// Sessions of these folders only, and of any below them, as in
    /// [`ListQuery::folders`](crate::ListQuery::folders).
    pub folders: Vec<String>,
    /// These sessions only. Empty: all.
    pub sessions: Vec<SessionKey>,
    /// Messages of these roles only. Empty: of all.
    pub roles: Vec<Role>,
    /// Only in calls of tools of these names, whatever the case, and in what they answered. Empty: in all
    /// that is said.
    pub tools: Vec<String>,
    /// Messages of this time or later: the one of the line, else of the message, else of the session.
    pub since: Option<DateTime<Utc>>,
    /// Messages strictly before this time.
    pub before: Option<DateTime<Utc>>,
    /// Leaves out sub-agents: their sessions, and their messages among the lines of those that started them.
    pub no_subagents: bool,
    /// Leaves out what the agent put in and nobody wrote.
    pub no_injected: bool,
    /// Leaves out what was taken back, or is on a branch that was left.
    pub live: bool,
    /// One hit a session: its newest message that fits, or its title.
    pub by_session: bool,
    /// In which order.
    pub sort: Sort,
    /// At most so many hits; 0 stands for 100.
    pub limit: usize,
    /// Go on after this place, as the page before gave it.
    pub after: Option<SearchCursor>,
}

impl SearchQuery {
    /// Everything that fits a pattern, newest first.
    pub fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            ..Self::default()
        }
    }
}

with_methods! { SearchQuery =>
    /// The same, of these agents only.
    with_agents(agents: impl IntoIterator<Item = impl Into<String>>)
        agents = agents.into_iter().map(Into::into).collect();

    /// The same, of these folders only, and of any below them.
    with_folders(folders: impl IntoIterator<Item = impl Into<String>>)
        folders = folders.into_iter().map(Into::into).collect();

    /// The same, in these sessions only.
    with_sessions(sessions: impl IntoIterator<Item = SessionKey>)
        sessions = sessions.into_iter().collect();

    /// The same, by these only.
    with_roles(roles: impl IntoIterator<Item = Role>) roles = roles.into_iter().collect();

    /// The same, in what these tools were given and answered only.
    with_tools(tools: impl IntoIterator<Item = impl Into<String>>)
        tools = tools.into_iter().map(Into::into).collect();

    /// The same, at this time or later.
    with_since(since: DateTime<Utc>) since = Some(since);

    /// The same, strictly before this time.
    with_before(before: DateTime<Utc>) before = Some(before);

    /// The same, without sub-agents, or with them.
    with_no_subagents(no_subagents: bool) no_subagents = no_subagents;

    /// The same, without what the agent put in, or with it.
    with_no_injected(no_injected: bool) no_injected = no_injected;

    /// The same, without what was taken back, or with it.
    with_live(live: bool) live = live;

    /// The same, with one hit a session.
    with_by_session(by_session: bool) by_session = by_session;

    /// The same, in this order.
    with_sort(sort: Sort) sort = sort;

    /// The same, with at most so many hits; 0 stands for 100.
    with_limit(limit: usize) limit = limit;

    /// The same, from behind a place.
    with_after(after: SearchCursor) after = Some(after);
}

/// A place among hits. It stays valid while sessions come, go and change; what is appended to a session
/// meanwhile stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchCursor {
    pub(crate) session: Cursor,
    pub(crate) sequence: u64,
    /// Which of the record's messages; `None` stands for the end of the session.
    pub(crate) part: Option<u32>,
}

impl fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "{}.{}.{part}", self.session, self.sequence),
            None => self.session.fmt(f),
        }
    }
}

impl FromStr for SearchCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parts: Vec<&str> = text.split('.').collect();
        let (updated, number, place) = match parts.as_slice() {
            [updated, number] => (updated, number, None),
            [updated, number, sequence, part] => (updated, number, Some((sequence, part))),
            _ => return Err(CursorError),
        };
        let session = format!("{updated}.{number}").parse()?;
        let (sequence, part) = match place {
            None => (0, None),
            Some((sequence, part)) => (
                sequence.parse().map_err(|_| CursorError)?,
                Some(part.parse().map_err(|_| CursorError)?),
            ),
        };
        Ok(Self {
            session,
            sequence,
            part,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_can_be_kept_as_text() {
        for text in ["-5.7", "17.3.12.0"] {
            let cursor: SearchCursor = text.parse().unwrap();
            assert_eq!(cursor.to_string(), text);
        }
        for text in ["", "1", "1.2.3", "1.2.3.4.5", "a.b", "1.2.x.0"] {
            assert!(text.parse::<SearchCursor>().is_err(), "{text}");
        }
    }
}
