//! Sub-agents in lists: which sessions are some whose parent is there, and those below a session.

use std::collections::{HashMap, HashSet, VecDeque};

use scrollback::chrono::{DateTime, Utc};
use scrollback::{Error, Result, SessionKey, Store, StoreExt as _, Summary};

/// Which sessions' parents are in a store, asked once each: of each whether it is archived.
pub(crate) struct Parents<'s> {
    store: &'s dyn Store,
    known: HashMap<SessionKey, Option<bool>>,
}

impl<'s> Parents<'s> {
    /// Nothing asked yet.
    pub(crate) fn of(store: &'s dyn Store) -> Self {
        Self {
            store,
            known: HashMap::new(),
        }
    }

    /// Whether a session is a sub-agent of one that is there, and in the same lists: one of the two that is
    /// put away is in none of the other's.
    pub(crate) fn has(&mut self, summary: &Summary) -> Result<bool> {
        let Some(parent) = summary.parent.as_deref().filter(|_| summary.subagent) else {
            return Ok(false);
        };
        let Ok(key) = SessionKey::new(summary.key.agent(), parent) else {
            return Ok(false);
        };
        // A list may have hundreds with one parent, whose row is read once.
        if let Some(known) = self.known.get(&key) {
            return Ok(*known == Some(summary.archived));
        }
        let archived = match self.store.summary(&key) {
            Ok(parent) => Some(parent.archived),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        self.known.insert(key, archived);
        Ok(archived == Some(summary.archived))
    }
}

/// The sub-agents of a session, each to be named where it was started: by the times that lines state.
#[derive(Debug)]
pub(crate) struct Started(VecDeque<Summary>);

impl Started {
    /// Those of a session.
    pub(crate) fn of(store: &dyn Store, summary: &Summary) -> Result<Self> {
        let mut children = match summary.subagents {
            0 => Vec::new(),
            _ => store.children(&summary.key)?,
        };
        children.retain(|child| child.subagent);
        children.sort_by_key(|child| (child.created_at, child.number));
        Ok(Self(children.into()))
    }

    /// Those that were started before a time and are not named yet; all others without one.
    pub(crate) fn before(&mut self, time: Option<DateTime<Utc>>) -> Vec<Summary> {
        let is_before = |child: &Summary| time.is_none_or(|time| child.created_at < time);
        let count = self.0.iter().take_while(|child| is_before(child)).count();
        self.0.drain(..count).collect()
    }
}

/// The sub-agents below a session, each behind the one that started it and with its depth from 1: the
/// earlier before the later.
pub(crate) fn below(store: &dyn Store, summary: &Summary) -> Result<Vec<(usize, Summary)>> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([summary.key.clone()]);
    let mut open = vec![(0, summary.clone())];
    while let Some((depth, parent)) = open.pop() {
        if parent.subagents > 0 {
            // Newest first, so that the oldest is looked at first.
            for child in store.children(&parent.key)? {
                if child.subagent && seen.insert(child.key.clone()) {
                    open.push((depth + 1, child));
                }
            }
        }
        if depth > 0 {
            found.push((depth, parent));
        }
    }
    Ok(found)
}
