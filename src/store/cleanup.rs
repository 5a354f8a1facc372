//! Clean-up: what goes, what stays, and the calls that any store can do it by.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::families::{self, Calls};
use super::query::{ListQuery, Removed, SessionPage};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::session::Summary;

/// Sessions that are asked for at once.
const PAGE: usize = 1000;

/// Which sessions a clean-up deletes.
///
/// ```
/// use scrollback::chrono::{DateTime, Utc};
/// use scrollback::CleanupQuery;
///
/// let before: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
/// let mut query = CleanupQuery::older_than(before);
/// query.agent = Some("codex".to_owned());
/// query.preview = true;
/// assert!(!query.pinned_too);
/// # Ok::<(), scrollback::chrono::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CleanupQuery {
    /// Sessions updated strictly before this time.
    pub before: DateTime<Utc>,
    /// Sessions of this agent only.
    pub agent: Option<String>,
    /// Sessions of this project only, as in [`ListQuery::project`].
    pub project: Option<String>,
    /// Pinned sessions too, and what they started.
    pub pinned_too: bool,
    /// Delete nothing, and tell what would go.
    pub preview: bool,
}

impl CleanupQuery {
    /// All that were updated strictly before a time, but for what is pinned.
    pub fn older_than(before: DateTime<Utc>) -> Self {
        Self {
            before,
            agent: None,
            project: None,
            pinned_too: false,
            preview: false,
        }
    }

    /// The list of those that are old enough, pinned or not.
    pub(crate) fn listed(&self) -> ListQuery {
        ListQuery {
            agent: self.agent.clone(),
            project: self.project.clone(),
            before: Some(self.before),
            limit: PAGE,
            ..ListQuery::default()
        }
    }
}

/// What a clean-up, or the deletion of a family, deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cleaned {
    /// What is gone, or would be.
    #[serde(flatten)]
    pub removed: Removed,
    /// Of these, sessions that another session started.
    pub sub_agents: u64,
    /// Sessions that were old enough and stay, since they are pinned, or were started by one that is.
    pub pinned_kept: u64,
    /// In a preview the sessions that would go; else none.
    #[serde(skip)]
    pub listed: Vec<Summary>,
}

impl Cleaned {
    fn count(&mut self, removed: Removed, session: &Summary) {
        self.removed += removed;
        self.sub_agents += u64::from(session.subagent);
    }
}

/// Cleans up by the calls that every store has.
pub(crate) fn clean_up(store: &(impl Calls + ?Sized), query: &CleanupQuery) -> Result<Cleaned> {
    let (going, pinned_kept) = going(store, query)?;
    let mut cleaned = Cleaned {
        pinned_kept,
        ..Cleaned::default()
    };
    if query.preview {
        for session in &going {
            cleaned.count(of(session), session);
        }
        cleaned.listed = going;
        return Ok(cleaned);
    }
    // Children first: a call that is stopped half-way leaves none without its parent.
    for session in going.iter().rev() {
        match store.remove(&session.key, Some(session.next_sequence)) {
            Ok(removed) => cleaned.count(removed, session),
            // Somebody went on with it, or deleted it, meanwhile.
            Err(Error::Conflict { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(cleaned)
}

/// What the deletion of a session would remove.
fn of(session: &Summary) -> Removed {
    Removed {
        sessions: 1,
        records: session.record_count,
        bytes: session.bytes,
    }
}

/// The sessions that go, parents before children, and how many stay for the sake of a pin.
pub(crate) fn going(
    store: &(impl Calls + ?Sized),
    query: &CleanupQuery,
) -> Result<(Vec<Summary>, u64)> {
    let (mut old, mut pinned_kept) = (Vec::new(), 0);
    let mut list = query.listed();
    loop {
        let SessionPage { sessions, next } = store.page(&list)?;
        for session in sessions {
            if !query.pinned_too && is_spared(store, &session)? {
                pinned_kept += 1;
            } else {
                old.push(session);
            }
        }
        match next {
            Some(_) => list.after = next,
            None => break,
        }
    }
    let mut seen = HashSet::new();
    let mut going = Vec::new();
    for session in old {
        let key = session.key.clone();
        // A child may be old enough by itself, and counts once.
        if seen.insert(key.clone()) {
            going.push(session);
        }
        let spared = |child: &Summary| child.pinned && !query.pinned_too;
        for child in families::descendants(store, &key, &spared)? {
            if seen.insert(child.key.clone()) {
                going.push(child);
            }
        }
    }
    Ok((going, pinned_kept))
}

/// Whether a session is pinned, or comes from one that is.
fn is_spared(store: &(impl Calls + ?Sized), session: &Summary) -> Result<bool> {
    let mut seen = HashSet::new();
    let mut session = session.clone();
    loop {
        if session.pinned {
            return Ok(true);
        }
        let Some(parent) = &session.parent else {
            return Ok(false);
        };
        let Ok(key) = SessionKey::new(session.key.agent(), parent.as_str()) else {
            return Ok(false);
        };
        // Sessions that name each other as parents lead in a circle.
        if !seen.insert(key.clone()) {
            return Ok(false);
        }
        session = match store.session(&key) {
            Ok(parent) => parent,
            Err(Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
    }
}

/// Deletes a session with all that it started, but for what is pinned.
pub(super) fn delete_family(store: &(impl Calls + ?Sized), key: &SessionKey) -> Result<Cleaned> {
    let session = store.session(key)?;
    let family = families::descendants(store, key, &|child| child.pinned)?;
    let mut cleaned = Cleaned::default();
    for child in family.iter().rev() {
        match store.remove(&child.key, None) {
            Ok(removed) => cleaned.count(removed, child),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    cleaned.count(store.remove(key, None)?, &session);
    Ok(cleaned)
}
