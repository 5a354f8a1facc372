//! Families: sessions that other sessions started, over lists by parent.

use std::collections::{HashSet, VecDeque};

use super::{ListQuery, SessionPage, Store};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::session::Summary;

/// Sessions that are asked for at once.
const PAGE: usize = 1000;

/// The children of a session, newest first.
pub(super) fn children(store: &(impl Store + ?Sized), key: &SessionKey) -> Result<Vec<Summary>> {
    let mut children = Vec::new();
    let mut query = ListQuery {
        agent: Some(key.agent().to_owned()),
        parent: Some(key.id().to_owned()),
        limit: PAGE,
        ..ListQuery::default()
    };
    loop {
        let SessionPage { sessions, next } = store.list(&query)?;
        children.extend(sessions);
        if next.is_none() {
            return Ok(children);
        }
        query.after = next;
    }
}

/// All below a session, each once.
pub(super) fn descendants(
    store: &(impl Store + ?Sized),
    key: &SessionKey,
    spared: &dyn Fn(&Summary) -> bool,
) -> Result<Vec<Summary>> {
    let mut seen = HashSet::from([key.clone()]);
    let mut found = Vec::new();
    let mut open = VecDeque::from([key.clone()]);
    while let Some(parent) = open.pop_front() {
        for child in children(store, &parent)? {
            if !spared(&child) && seen.insert(child.key.clone()) {
                open.push_back(child.key.clone());
                found.push(child);
            }
        }
    }
    Ok(found)
}
