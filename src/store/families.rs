//! Families: sessions that other sessions started, over lists by parent.

use std::collections::{HashSet, VecDeque};

use super::query::{ListQuery, Removed, SessionPage};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::session::Summary;

/// Sessions that are asked for at once.
const PAGE: usize = 1000;

/// The calls of a store that families and clean-ups go by: every store has them. A trait of its own,
/// so that the store's trait may stand on what is made of them.
pub(crate) trait Calls {
    /// A page of sessions.
    fn page(&self, query: &ListQuery) -> Result<SessionPage>;

    /// A session.
    fn session(&self, key: &SessionKey) -> Result<Summary>;

    /// Deletes a session; with a sequence number only if its next record would get that one.
    fn remove(&self, key: &SessionKey, next_sequence: Option<u64>) -> Result<Removed>;
}

/// The children of a session, newest first.
pub(super) fn children(store: &(impl Calls + ?Sized), key: &SessionKey) -> Result<Vec<Summary>> {
    let mut children = Vec::new();
    let mut query = ListQuery {
        agent: Some(key.agent().to_owned()),
        parent: Some(key.id().to_owned()),
        limit: PAGE,
        ..ListQuery::default()
    };
    loop {
        let SessionPage { sessions, next } = store.page(&query)?;
        children.extend(sessions);
        if next.is_none() {
            return Ok(children);
        }
        query.after = next;
    }
}

/// All sub-agents below a session, each once. A fork is no part of what it came from.
pub(super) fn descendants(
    store: &(impl Calls + ?Sized),
    key: &SessionKey,
    spared: &dyn Fn(&Summary) -> bool,
) -> Result<Vec<Summary>> {
    let mut seen = HashSet::from([key.clone()]);
    let mut found = Vec::new();
    let mut open = VecDeque::from([key.clone()]);
    while let Some(parent) = open.pop_front() {
        for child in children(store, &parent)? {
            // Sessions may name each other as their parents: each is gone through once.
            if child.subagent && !spared(&child) && seen.insert(child.key.clone()) {
                open.push_back(child.key.clone());
                found.push(child);
            }
        }
    }
    Ok(found)
}
