//! The store in memory: the reference for what the calls mean, and the model in property tests.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;

use super::addition::{self, Added, Addition, Outcome};
use super::course::{Course, copied};
use super::properties::{self, Claims};
use super::query::{
    Appended, Compacted, Cursor, Expect, ListQuery, NewRecord, Reclaimed, RecordPage, Removed,
    ScanQuery, SessionPage, Truncated,
};
use super::sessions::{self, Primitives};
use super::{Stamps, Store, StoreId, fold, select, view};
use crate::agents;
use crate::codec::session_row::{Batch, SessionRow};
use crate::model::error::{Error, Result};
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::links::id_hash;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::record::{Record, RecordFlags, RecordKind};
use crate::model::session::{Session, Summary};

/// A store in memory. Nothing of it outlives the process.
///
/// ```
/// use scrollback::{ListQuery, MemoryStore, Session, Store};
///
/// let store = MemoryStore::default();
/// store.save(&mut Session::native("chat-1")?)?;
/// assert_eq!(store.list(&ListQuery::default())?.sessions.len(), 1);
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    stamps: Stamps,
    held: RwLock<Held>,
    id: OnceLock<Uuid>,
}

#[derive(Debug, Default)]
struct Held {
    sessions: BTreeMap<SessionKey, HeldSession>,
    /// Who claims another name, in line: the first has it.
    claims: BTreeMap<SessionKey, Vec<SessionKey>>,
    next_number: u64,
}

#[derive(Debug)]
struct HeldSession {
    number: u64,
    row: SessionRow,
    records: BTreeMap<u64, Record>,
    course: Course,
    /// Batches that the row has no room for, each with the time when it left.
    older: BTreeMap<u128, (Batch, i64)>,
    properties: Properties,
}

impl MemoryStore {
    /// An empty store with a clock and ids of the caller's.
    pub fn new(stamps: Stamps) -> Self {
        Self {
            stamps,
            held: RwLock::default(),
            id: OnceLock::new(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn get(&self, key: &SessionKey) -> Result<&HeldSession> {
        self.sessions.get(key).ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }

    fn get_mut(&mut self, key: &SessionKey) -> Result<&mut HeldSession> {
        self.sessions.get_mut(key).ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })
    }
}

impl Held {
    /// The sessions that a text means: by their ids, or else by another name.
    fn find(&self, text: &str, limit: usize) -> Vec<SessionKey> {
        let found = select::find_in(self.sessions.keys().cloned(), text, limit);
        if !found.is_empty() {
            return found;
        }
        let mut agents: Vec<&str> = self.sessions.keys().map(SessionKey::agent).collect();
        agents.dedup();
        let aliases = select::aliases(agents.into_iter(), text);
        let claimed = aliases.iter().filter_map(|alias| self.claims.get(alias));
        select::distinct(claimed.filter_map(|line| line.first().cloned()), limit)
    }

    /// Changes the properties of a session, and whom its aliases lead to.
    fn change_properties(
        &mut self,
        key: &SessionKey,
        change: &PropertiesChange,
    ) -> Result<Properties> {
        let old = self.get(key)?.properties.clone();
        let new = properties::changed(&old, change, key.id(), Claims::Exclusive)?;
        for alias in new
            .aliases
            .iter()
            .filter(|alias| !old.aliases.contains(alias))
        {
            let claimed = SessionKey::new(key.agent(), alias.as_str())?;
            if let Some(by) = self.claims.get(&claimed).and_then(|claims| claims.first()) {
                return Err(Error::AliasTaken {
                    alias: alias.clone(),
                    by: by.clone(),
                });
            }
        }
        self.release(key, &old.aliases, &new.aliases)?;
        for alias in &new.aliases {
            let alias = SessionKey::new(key.agent(), alias.as_str())?;
            let claims = self.claims.entry(alias).or_default();
            if !claims.contains(key) {
                claims.push(key.clone());
            }
        }
        let session = self.get_mut(key)?;
        session.row.given = properties::given(&new);
        session.row.archived_by_agent =
            properties::stays_archived(session.row.archived_by_agent, change);
        session.properties = new.clone();
        Ok(new)
    }

    /// Takes a session out of the line for each of its aliases that it does not keep.
    fn release(&mut self, key: &SessionKey, aliases: &[String], kept: &[String]) -> Result<()> {
        for alias in aliases.iter().filter(|alias| !kept.contains(alias)) {
            let alias = SessionKey::new(key.agent(), alias.as_str())?;
            let line = self.claims.remove(&alias).unwrap_or_default();
            let rest: Vec<SessionKey> = line.into_iter().filter(|other| other != key).collect();
            if !rest.is_empty() {
                self.claims.insert(alias, rest);
            }
        }
        Ok(())
    }

    /// Removes a session with all that belongs to it.
    fn remove(&mut self, key: &SessionKey) -> Result<Removed> {
        let removed = self.sessions.remove(key);
        let session = removed.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })?;
        self.release(key, &session.properties.aliases, &[])?;
        Ok(Removed {
            sessions: 1,
            records: session.row.records,
            bytes: session.row.bytes,
        })
    }
}

impl Held {
    /// A session's summary, with the number of its sub-agents.
    fn summary(&self, session: &HeldSession) -> Result<Summary> {
        let is_child = |other: &&HeldSession| {
            let parent = other.row.shown_parent();
            other.row.shown_subagent()
                && other.row.agent == session.row.agent
                && parent == Some(session.row.id.as_str())
        };
        let subagents = self.sessions.values().filter(is_child).count() as u64;
        Ok(Summary {
            subagents,
            ..session.summary()?
        })
    }
}

impl HeldSession {
    fn summary(&self) -> Result<Summary> {
        self.row
            .clone()
            .into_summary(self.number)
            .map_err(|error| Error::Corrupt {
                table: "sessions",
                key: self.number.to_string(),
                detail: error.to_string(),
            })
    }
}

impl Primitives for MemoryStore {
    fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>> {
        Ok(self
            .read()
            .sessions
            .get(key)
            .map(|session| session.row.clone()))
    }

    fn add(&self, addition: Addition) -> Result<Appended> {
        let key = &addition.key;
        let mut held = self.write();
        let there = held.sessions.get(key).map(|session| &session.row);
        let older = held
            .sessions
            .get(key)
            .and_then(|session| session.older.get(&addition.batch_id?.as_u128()))
            .map(|(batch, _)| *batch);
        let Added {
            row,
            made,
            course,
            appended,
            left,
            now_us,
        } = match addition::add_to(there, &addition, older, &self.stamps, || {
            let there = held.sessions.get(key);
            Ok(there.map_or_else(Course::default, |session| session.course.clone()))
        })? {
            Outcome::Replayed(appended) => return Ok(appended),
            Outcome::Added(added) => *added,
        };
        let made = made.into_iter().map(|record| (record.sequence, record));
        if let Some(session) = held.sessions.get_mut(key) {
            session.row = row;
            session.course.apply(&course);
            session.records.extend(made);
            if let Some(left) = left {
                let older = &mut session.older;
                older.retain(|_, (_, since_us)| !addition::is_forgotten(*since_us, now_us));
                older.insert(left.id, (left, now_us));
            }
        } else {
            held.next_number += 1;
            let mut begun = Course::default();
            begun.apply(&course);
            let session = HeldSession {
                number: held.next_number,
                row,
                records: made.collect(),
                course: begun,
                older: BTreeMap::new(),
                properties: Properties::default(),
            };
            held.sessions.insert(key.clone(), session);
        }
        Ok(appended)
    }

    fn set_mark(
        &self,
        key: &SessionKey,
        seen: &SessionRow,
        mark: u64,
        hidden: u64,
    ) -> Result<bool> {
        let mut held = self.write();
        let row = &mut held.get_mut(key)?.row;
        let as_seen = sessions::same_records(row, seen);
        if as_seen {
            (row.mark, row.hidden) = (mark, hidden);
        }
        Ok(as_seen)
    }
}

impl Store for MemoryStore {
    sessions::calls_over_primitives!();

    fn summary(&self, key: &SessionKey) -> Result<Summary> {
        let held = self.read();
        held.summary(held.get(key)?)
    }

    fn list(&self, query: &ListQuery) -> Result<SessionPage> {
        let held = self.read();
        let mut newest_first: Vec<&HeldSession> = held.sessions.values().collect();
        newest_first.sort_by_key(|session| (session.row.updated_us, session.number));
        let mut page = SessionPage::default();
        for session in newest_first.into_iter().rev() {
            let cursor = Cursor {
                updated_us: session.row.updated_us,
                number: session.number,
            };
            if query.after.is_some_and(|after| cursor >= after)
                || !select::selects(query, &session.row)
            {
                continue;
            }
            if page.sessions.len() == select::page_length(query) {
                page.next = page.sessions.last().map(Cursor::of);
                break;
            }
            page.sessions.push(held.summary(session)?);
        }
        Ok(page)
    }

    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>> {
        Ok(self.read().find(prefix, limit))
    }

    fn delete(&self, key: &SessionKey) -> Result<Removed> {
        self.write().remove(key)
    }

    fn delete_unchanged(&self, key: &SessionKey, next_sequence: u64) -> Result<Removed> {
        let mut held = self.write();
        addition::check_next(key, next_sequence, held.get(key)?.row.next)?;
        held.remove(key)
    }

    fn compact(
        &self,
        key: &SessionKey,
        through: Option<u64>,
        archive: Option<&mut dyn Write>,
    ) -> Result<Compacted> {
        let mut held = self.write();
        let session = held.get_mut(key)?;
        let end = through.map_or(session.row.mark, |through| through.min(session.row.mark));
        let going: Vec<u64> = session
            .records
            .range(..end)
            .filter(|(_, record)| record.header.kind != RecordKind::Meta)
            .map(|(sequence, _)| *sequence)
            .collect();
        if let Some(archive) = archive {
            let lines = going
                .iter()
                .filter_map(|sequence| session.records.get(sequence));
            for record in lines {
                archive
                    .write_all(&record.line)
                    .map_err(|source| Error::Output { source })?;
            }
            archive.flush().map_err(|source| Error::Output { source })?;
        }
        let mut compacted = Compacted::default();
        for record in going
            .iter()
            .filter_map(|sequence| session.records.remove(sequence))
        {
            let hidden = session.course.hidden_of(record.sequence);
            fold::count_out(
                &mut session.row,
                &record.header,
                record.header.messages.saturating_sub(hidden),
                record.line.len(),
                &mut compacted,
            );
        }
        let last = session.records.values().next_back();
        session.row.unterminated =
            last.is_some_and(|last| last.header.flags.contains(RecordFlags::UNTERMINATED));
        Ok(compacted)
    }

    fn reclaim(&self) -> Result<Reclaimed> {
        Ok(Reclaimed::default())
    }

    fn properties(&self, key: &SessionKey) -> Result<Properties> {
        Ok(self.read().get(key)?.properties.clone())
    }

    fn update_properties(&self, key: &SessionKey, change: &PropertiesChange) -> Result<Properties> {
        self.write().change_properties(key, change)
    }

    fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>> {
        let held = self.read();
        let claims = held.claims.get(alias);
        Ok(claims.and_then(|claims| claims.first().cloned()))
    }

    fn id(&self) -> Result<Option<StoreId>> {
        let id = *self.id.get_or_init(|| (self.stamps.ids)());
        Ok(Some(StoreId { id, file: None }))
    }

    fn exceptions(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>> {
        let held = self.read();
        let session = held.get(key)?;
        let all = session.course.exceptions();
        let is_of = |exception: &&Exception| exception.last >= first && exception.first <= last;
        let mut found: Vec<Exception> = all.filter(is_of).copied().collect();
        if let Some(parent) = session.row.shown_parent()
            && agents::of_agent(key.agent()).repeats_its_parent()
            && let Ok(parent) = SessionKey::new(key.agent(), parent)
            && let Some(parent) = held.sessions.get(&parent).filter(|_| parent != *key)
        {
            found.extend(copied(&session.course, &parent.course, (first, last)));
        }
        Ok(found)
    }

    fn find_message(&self, key: &SessionKey, id: &str) -> Result<Option<u64>> {
        let place = self.read().get(key)?.course.place_of(id_hash(id));
        match place {
            Some(sequence) if view::is_there(self, key, (id, sequence))? => Ok(Some(sequence)),
            _ => view::find_message(self, key, id),
        }
    }

    fn scan(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage> {
        let held = self.read();
        let records = &held.get(key)?.records;
        let mut page = select::PageFiller::new(query);
        if query.direction.is_forward() {
            for record in records
                .range(query.from.unwrap_or(0)..)
                .map(|(_, record)| record)
            {
                if !page.take(record.sequence, || record.clone()) {
                    break;
                }
            }
        } else {
            for record in records
                .range(..=query.from.unwrap_or(u64::MAX))
                .rev()
                .map(|(_, r)| r)
            {
                if !page.take(record.sequence, || record.clone()) {
                    break;
                }
            }
        }
        Ok(page.finish())
    }
}
