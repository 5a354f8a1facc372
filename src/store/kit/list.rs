//! Lists and names over the rows of an engine, and the clean-up that goes by them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use super::draft::Draft;
use super::engine::{Children, Engine};
use super::row::{NameQuery, RowQuery, corrupt};
use super::writing;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::model::session::Summary;
use crate::store::families::Calls;
use crate::store::query::{Cursor, ListQuery, Removed, SessionPage};
use crate::store::{Cleaned, CleanupQuery, addition, cleanup, select};

/// Most rows that are asked for at once.
const ROWS: usize = 1000;

/// Sessions that a clean-up deletes in one commit.
const DELETED: usize = 1000;

/// A page of a list.
pub(crate) fn list(engine: &dyn Engine, query: &ListQuery) -> Result<SessionPage> {
    let length = select::page_length(query);
    let (mut found, mut next) = (Vec::new(), None);
    let mut rows = RowQuery {
        after: query.after.map(|after| (after.updated_us, after.number)),
        since_us: query.since.map(|since| since.timestamp_micros()),
        before_us: query.before.map(|before| before.timestamp_micros()),
        agent: query.agent.clone(),
        // An engine knows whole paths. The end of one is looked for in every row below.
        project: select::project_of(query).map(str::to_owned),
        parent: query.parent.clone(),
        pinned: query.pinned,
        archived: query.archived,
        ..RowQuery::of(length.saturating_add(1).min(ROWS))
    };
    'pages: loop {
        let stored = engine.list(&rows)?;
        for row in &stored {
            let decoded = row.decode()?;
            rows.after = Some((decoded.updated_us, row.number()));
            if !select::selects(query, &decoded) {
                continue;
            }
            // Known only at the next one: a full page may be the last one.
            if found.len() == length {
                next = found
                    .last()
                    .map(|(number, row): &(u64, SessionRow)| Cursor {
                        updated_us: row.updated_us,
                        number: *number,
                    });
                break 'pages;
            }
            found.push((row.number(), decoded));
        }
        if stored.len() < rows.limit {
            break;
        }
    }
    let sessions = with_children(engine, found)?;
    Ok(SessionPage { sessions, next })
}

/// The summaries of rows, with the numbers of their sub-agents.
pub(crate) fn with_children(
    engine: &dyn Engine,
    rows: Vec<(u64, SessionRow)>,
) -> Result<Vec<Summary>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut summaries = Vec::with_capacity(rows.len());
    for (number, row) in rows {
        let summary = row.into_summary(number);
        summaries.push(summary.map_err(|error| corrupt(number, error.0))?);
    }
    // All are asked for in one go: each question is a way to a server.
    let keys: Vec<SessionKey> = summaries.iter().map(|found| found.key.clone()).collect();
    for (summary, children) in summaries.iter_mut().zip(engine.children(&keys)?) {
        summary.subagents = children.subagents;
    }
    Ok(summaries)
}

/// Sessions that a text may mean, behind one of them.
pub(crate) fn find(
    engine: &dyn Engine,
    text: &str,
    after: Option<&SessionKey>,
    limit: usize,
) -> Result<Vec<SessionKey>> {
    let draft = Draft::over(engine);
    let mut keys = named(&draft, (text, None), text, after, limit)?;
    if let Some((agent, prefix)) = select::agent_and_prefix(text) {
        keys.extend(named(&draft, (prefix, Some(agent)), text, after, limit)?);
    }
    keys.sort_by(select::in_order);
    keys.dedup();
    let found = select::find_in(keys.into_iter(), text, after, limit);
    // Behind one that was found by its id no other is found by another name.
    if !found.is_empty() || after.is_some_and(|after| select::is_named(after, text)) {
        return Ok(found);
    }
    if let Some(newest) = newest_called(&draft, text)? {
        return Ok(select::distinct(newest.into_iter(), after, limit));
    }
    let mut claimed = draft.by_any_alias(text)?;
    if let Some((agent, alias)) = select::agent_and_prefix(text)
        && let Ok(alias) = SessionKey::new(agent, alias)
    {
        claimed.extend(draft.by_alias(&alias)?);
    }
    Ok(select::distinct(claimed.into_iter(), after, limit))
}

/// The first names that start with a prefix, behind one of them: `limit` that lists show, or all there are.
fn named(
    draft: &Draft<'_>,
    (prefix, agent): (&str, Option<&str>),
    text: &str,
    after: Option<&SessionKey>,
    limit: usize,
) -> Result<Vec<SessionKey>> {
    let mut query = NameQuery {
        after: after.cloned(),
        ..NameQuery::of(prefix, agent, limit.clamp(64, ROWS))
    };
    let mut kept = Vec::new();
    loop {
        let names = draft.engine().names(&query)?;
        let is_last = names.len() < query.limit;
        query.after = names.last().cloned();
        for key in names {
            // Older contents of ids are found by their whole names alone.
            let is_older = numbered(key.id()).is_some()
                && !select::is_whole(&key, text)
                && matches!(draft.session(&key)?, Some((_, row)) if !row.is_listed());
            if !is_older {
                kept.push(key);
            }
        }
        if is_last || kept.len() >= limit {
            return Ok(kept);
        }
    }
}

/// The newest contents of ids that are called by their numbers; `None` if there are none.
fn newest_called(draft: &Draft<'_>, text: &str) -> Result<Option<Vec<SessionKey>>> {
    let scoped = select::agent_and_prefix(text);
    let mut found = Vec::new();
    for (agent, id) in [(None, text)]
        .into_iter()
        .chain(scoped.map(|(agent, id)| (Some(agent), id)))
    {
        let Some((plain, _)) = numbered(id) else {
            continue;
        };
        let named = draft
            .engine()
            .names(&NameQuery::of(plain, agent, 64))?
            .into_iter();
        for key in named.filter(|key| key.id() == plain) {
            let called = SessionKey::new(key.agent(), id)?;
            if let Some((_, row)) = draft.session(&called)? {
                found.push(SessionKey::new(row.agent, row.id)?);
            }
        }
    }
    Ok((!found.is_empty()).then_some(found))
}

/// What a clean-up asks: it knows beforehand which sessions of a page have children at all.
struct Pages<'e> {
    engine: &'e dyn Engine,
    children: RefCell<HashMap<SessionKey, u64>>,
}

impl Calls for Pages<'_> {
    fn page(&self, query: &ListQuery) -> Result<SessionPage> {
        if let (Some(parent), Some(agent)) = (&query.parent, &query.agent) {
            let key = SessionKey::new(agent.as_str(), parent.as_str())?;
            // Its children were counted with the page that it was on: most have none, and need no
            // question.
            if self.children.borrow().get(&key) == Some(&0) {
                return Ok(SessionPage::default());
            }
        }
        let page = list(self.engine, query)?;
        let keys: Vec<SessionKey> = page.sessions.iter().map(|s| s.key.clone()).collect();
        let counted = self.engine.children(&keys)?;
        let counted = counted.iter().map(|Children { all, .. }| *all);
        self.children
            .borrow_mut()
            .extend(keys.into_iter().zip(counted));
        Ok(page)
    }

    fn session(&self, key: &SessionKey) -> Result<Summary> {
        let (number, row) = Draft::over(self.engine).session_of(key)?;
        let summary = row.into_summary(number);
        summary.map_err(|error| corrupt(number, error.0))
    }

    fn remove(&self, key: &SessionKey, next_sequence: Option<u64>) -> Result<Removed> {
        delete_if_at(self.engine, key, next_sequence)
    }
}

/// Deletes a session; with a sequence number only if its next record would get that one.
pub(crate) fn delete_if_at(
    engine: &dyn Engine,
    key: &SessionKey,
    next: Option<u64>,
) -> Result<Removed> {
    writing::write(engine, key, &mut |draft| {
        let (number, row) = draft.session_of(key)?;
        if let Some(next) = next {
            addition::check_next(key, next, row.next)?;
        }
        draft.delete(number, &row)
    })
}

/// Cleans up, so many sessions in a commit.
pub(crate) fn clean_up(engine: &dyn Engine, query: &CleanupQuery) -> Result<Cleaned> {
    let pages = Pages {
        engine,
        children: RefCell::default(),
    };
    if query.preview {
        return cleanup::clean_up(&pages, query);
    }
    let (going, pinned_kept) = cleanup::going(&pages, query)?;
    let mut cleaned = Cleaned {
        pinned_kept,
        ..Cleaned::default()
    };
    // Children first: a call that is stopped half-way leaves none without its parent.
    let children_first: Vec<&Summary> = going.iter().rev().collect();
    for batch in children_first.chunks(DELETED) {
        delete_batch(engine, batch, &mut cleaned)?;
    }
    Ok(cleaned)
}

/// Deletes those of some sessions with which nobody has gone on meanwhile, in one commit.
fn delete_batch(engine: &dyn Engine, batch: &[&Summary], cleaned: &mut Cleaned) -> Result<()> {
    let Some(first) = batch.first() else {
        return Ok(());
    };
    let numbers: Vec<u64> = batch.iter().map(|session| session.number).collect();
    let (removed, sub_agents) = writing::write(engine, &first.key, &mut |draft| {
        let mut there = HashMap::new();
        for row in engine.rows(&numbers)? {
            there.insert(row.number(), draft.hold(&row)?);
        }
        let (mut doomed, mut sub_agents) = (BTreeMap::new(), 0);
        for session in batch {
            // Listed before this commit: what has grown, moved or got another name since is left
            // alone.
            let is_as_seen = |row: &SessionRow| {
                row.next == session.next_sequence
                    && row.id == session.key.id()
                    && row.updated_us == session.updated_at.timestamp_micros()
            };
            if let Some(row) = there.remove(&session.number).filter(is_as_seen) {
                doomed.insert(session.number, row);
                sub_agents += u64::from(session.subagent);
            }
        }
        Ok((draft.delete_all(&doomed)?, sub_agents))
    })?;
    cleaned.removed += removed;
    cleaned.sub_agents += sub_agents;
    Ok(())
}
