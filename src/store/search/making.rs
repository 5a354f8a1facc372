//! How callers make a search: it can get further fields.

use chrono::{DateTime, Utc};

use super::query::{SearchCursor, SearchQuery, Sort};
use crate::model::key::SessionKey;
use crate::model::message::Role;

impl SearchQuery {
    /// The same, of these agents only.
    #[must_use]
    pub fn with_agents<A: Into<String>>(mut self, agents: impl IntoIterator<Item = A>) -> Self {
        self.agents = agents.into_iter().map(Into::into).collect();
        self
    }

    /// The same, of these folders only, and of any below them.
    #[must_use]
    pub fn with_folders<F: Into<String>>(mut self, folders: impl IntoIterator<Item = F>) -> Self {
        self.folders = folders.into_iter().map(Into::into).collect();
        self
    }

    /// The same, in these sessions only.
    #[must_use]
    pub fn with_sessions(mut self, sessions: impl IntoIterator<Item = SessionKey>) -> Self {
        self.sessions = sessions.into_iter().collect();
        self
    }

    /// The same, by these only.
    #[must_use]
    pub fn with_roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// The same, in what these tools were given and answered only.
    #[must_use]
    pub fn with_tools<T: Into<String>>(mut self, tools: impl IntoIterator<Item = T>) -> Self {
        self.tools = tools.into_iter().map(Into::into).collect();
        self
    }

    /// The same, at this time or later.
    #[must_use]
    pub fn with_since(mut self, since: DateTime<Utc>) -> Self {
        self.since = Some(since);
        self
    }

    /// The same, strictly before this time.
    #[must_use]
    pub fn with_before(mut self, before: DateTime<Utc>) -> Self {
        self.before = Some(before);
        self
    }

    /// The same, without sub-agents, or with them.
    #[must_use]
    pub fn with_no_subagents(mut self, no_subagents: bool) -> Self {
        self.no_subagents = no_subagents;
        self
    }

    /// The same, without what the agent put in, or with it.
    #[must_use]
    pub fn with_no_injected(mut self, no_injected: bool) -> Self {
        self.no_injected = no_injected;
        self
    }

    /// The same, without what was taken back, or with it.
    #[must_use]
    pub fn with_live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// The same, with one hit a session.
    #[must_use]
    pub fn with_by_session(mut self, by_session: bool) -> Self {
        self.by_session = by_session;
        self
    }

    /// The same, in this order.
    #[must_use]
    pub fn with_sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// The same, with at most so many hits; 0 stands for 100.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same, from behind a place.
    #[must_use]
    pub fn with_after(mut self, after: SearchCursor) -> Self {
        self.after = Some(after);
        self
    }
}
