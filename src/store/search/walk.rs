//! The sessions that a search looks into, in the order of lists, some at a time.

use std::collections::VecDeque;

use super::query::SearchQuery;
use super::reads::{Guide, Reads};
use crate::model::error::{Error, Result};
use crate::model::session::Summary;
use crate::store::query::{Cursor, ListQuery};
use crate::store::select;

/// Sessions that are listed at a time.
const PAGE: usize = 256;

/// The sessions of a query, as far as they were listed.
pub(super) struct Walk<'s, R: ?Sized> {
    reads: &'s R,
    query: &'s SearchQuery,
    listed: VecDeque<Summary>,
    /// The next page; `None` behind the last one.
    next: Option<ListQuery>,
}

impl<'s, R: Reads + ?Sized> Walk<'s, R> {
    /// From the first session on, or from the one in which the page before ended.
    pub(super) fn new(reads: &'s R, guide: &dyn Guide, query: &'s SearchQuery) -> Result<Self> {
        let from = query.after.map(|after| match after.part {
            // Once more: it may have more.
            Some(_) => Cursor {
                number: after.session.number.saturating_add(1),
                ..after.session
            },
            None => after.session,
        });
        let mut walk = Self {
            reads,
            query,
            listed: VecDeque::new(),
            next: None,
        };
        // A search by sessions finds titles too, wherever they are.
        let few = if query.sessions.is_empty() && !query.by_session {
            guide.sessions()?
        } else {
            None
        };
        if let Some(few) = few {
            let is_next = |session: &Summary| from.is_none_or(|from| Cursor::of(session) < from);
            let is_in = |session: &Summary| {
                select::is_in_folders(&query.folders, session.project.as_deref())
            };
            let few = few.into_iter();
            walk.listed = few.filter(is_next).filter(is_in).collect();
        } else if query.sessions.is_empty() {
            walk.next = Some(ListQuery {
                agent: match query.agents.as_slice() {
                    [one] => Some(one.clone()),
                    _ => None,
                },
                folders: query.folders.clone(),
                limit: PAGE,
                after: from,
                ..ListQuery::default()
            });
        } else {
            walk.list_named(from)?;
        }
        Ok(walk)
    }

    /// Lists the sessions that are named.
    fn list_named(&mut self, from: Option<Cursor>) -> Result<()> {
        let mut keys = self.query.sessions.clone();
        keys.sort();
        // One that is named twice would give its hits twice.
        keys.dedup();
        let mut sessions = Vec::new();
        for key in &keys {
            let session = self.reads.session(key)?;
            if from.is_none_or(|from| Cursor::of(&session) < from) {
                sessions.push(session);
            }
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(Cursor::of(session)));
        self.listed = sessions.into();
        Ok(())
    }

    /// How many sessions there are at most, where they were not to be listed a page at a time. Asked before the
    /// first of them.
    pub(super) fn sessions_max(&self) -> Option<u64> {
        let taken = self.listed.iter().filter(|session| self.takes(session));
        self.next.is_none().then(|| taken.count() as u64)
    }

    /// The next sessions, at most so many; none at the end.
    pub(super) fn next(&mut self, sessions_max: usize) -> Result<Vec<Summary>> {
        let mut sessions = Vec::new();
        while sessions.len() < sessions_max {
            if let Some(session) = self.listed.pop_front() {
                if self.takes(&session) {
                    sessions.push(session);
                }
                continue;
            }
            let Some(mut query) = self.next.take() else {
                break;
            };
            let page = self.reads.sessions(&query)?;
            self.listed = page.sessions.into();
            if page.next.is_some() {
                query.after = page.next;
                self.next = Some(query);
            }
        }
        Ok(sessions)
    }

    fn takes(&self, session: &Summary) -> bool {
        let query = self.query;
        let agents = &query.agents;
        (agents.is_empty() || agents.iter().any(|agent| agent == session.key.agent()))
            && !(query.no_subagents && session.subagent)
            && query.pattern.may_be_under(&session.title)
    }
}

/// Whether a session is gone: deleted while it was searched, it has nothing.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. })
}
