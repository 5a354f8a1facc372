//! Sessions by the start of an id, agent by agent.

use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::schema::SESSION_KEYS;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::select;

/// Sorts behind every name of an agent.
const LAST_AGENT: &str = "\u{10ffff}";

impl Snapshot<'_> {
    /// Sessions that a text may mean, behind one of them.
    pub(crate) fn find(
        &self,
        text: &str,
        after: Option<&SessionKey>,
        limit: usize,
    ) -> Result<Vec<SessionKey>> {
        let table = self
            .txn()
            .open_table(SESSION_KEYS)
            .map_err(storage("look sessions up"))?;
        let mut keys = Vec::new();
        let mut collect = |agent: &str, prefix: &str| -> Result<()> {
            // One more than asked for, of each agent: enough to tell one from several, and an id
            // that is equal comes first of those that start with it.
            let first = after.map_or(prefix, |after| prefix.max(after.id()));
            let rows = within(&table, (agent, first).., "look sessions up")?;
            let mut kept = 0;
            for entry in rows {
                let (key, number) = entry?;
                let ((found, id), number) = (key.value(), number.value());
                self.counts().indexes(1);
                if found != agent || !id.starts_with(prefix) {
                    break;
                }
                // Another content of an id is found by its whole name alone.
                let is_older = numbered(id).is_some()
                    && id != prefix
                    && self.row(number)?.is_some_and(|row| !row.is_listed());
                let key = SessionKey::new(found, id)?;
                if !is_older && select::is_behind(&key, after) {
                    keys.push(key);
                    kept += 1;
                }
                if kept > limit {
                    break;
                }
            }
            // Of two that fit only one may have been found: the other's page counts too.
            let last = format!("{prefix}{}", char::MAX);
            self.check(SESSION_KEYS, &(agent, first), &(agent, last.as_str()))
        };
        // From agent to agent: each one's range is looked at on its own.
        let mut agent = String::new();
        let mut agents = Vec::new();
        loop {
            let next = {
                let mut rows = within(&table, (agent.as_str(), "").., "look sessions up")?;
                let next = match rows.next() {
                    Some(entry) => Some(entry?.0.value().0.to_owned()),
                    None => None,
                };
                let last = next.as_deref().unwrap_or(LAST_AGENT);
                self.check(SESSION_KEYS, &(agent.as_str(), ""), &(last, ""))?;
                match next {
                    Some(next) => next,
                    None => break,
                }
            };
            self.counts().indexes(1);
            collect(&next, text)?;
            // The next possible agent name: `\0` sorts before every byte of a name.
            agent = next.clone() + "\0";
            agents.push(next);
        }
        if let Some((agent, prefix)) = select::agent_and_prefix(text) {
            collect(agent, prefix)?;
        }
        keys.sort_by(select::in_order);
        keys.dedup();
        let mut found = select::find_in(keys.into_iter(), text, after, limit);
        // Behind one that was found by its id no other is found by another name.
        if !found.is_empty() || after.is_some_and(|after| select::is_named(after, text)) {
            return Ok(found);
        }
        // The newest content may be called by its number too.
        for agent in &agents {
            let id = select::agent_and_prefix(text)
                .filter(|(named, _)| named == agent)
                .map_or(text, |(_, id)| id);
            if numbered(id).is_some()
                && let Ok(key) = SessionKey::new(agent.as_str(), id)
                && let Some((_, row)) = self.session(&key)?
            {
                found.push(SessionKey::new(row.agent, row.id)?);
            }
        }
        if !found.is_empty() {
            return Ok(select::distinct(found.into_iter(), after, limit));
        }
        let mut claimed = Vec::new();
        for alias in select::aliases(agents.iter().map(String::as_str), text) {
            claimed.extend(properties::by_alias(self, &alias)?);
        }
        Ok(select::distinct(claimed.into_iter(), after, limit))
    }
}
