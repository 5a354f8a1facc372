//! The store in memory: the reference for what the calls mean, and the model in property tests.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::query::{
    Appended, Compacted, Cursor, Expect, ListQuery, NewRecord, Reclaimed, RecordPage, Removed,
    ScanQuery, SessionPage, Truncated,
};
use super::sessions::{self, Primitives};
use super::{Options, Store, lines, select};
use crate::codec::session_row::SessionRow;
use crate::dialect;
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::record::{Record, RecordKind};
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
    options: Options,
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    sessions: BTreeMap<SessionKey, HeldSession>,
    next_number: u64,
}

#[derive(Debug)]
struct HeldSession {
    number: u64,
    row: SessionRow,
    records: BTreeMap<u64, Record>,
}

impl MemoryStore {
    /// An empty store with a clock and ids of the caller's.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            held: RwLock::default(),
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

impl HeldSession {
    fn summary(&self) -> Result<Summary> {
        self.row
            .to_summary(self.number)
            .map_err(|error| Error::Corrupt {
                table: "sessions",
                key: self.number.to_string(),
                detail: error.to_string(),
            })
    }
}

impl Primitives for MemoryStore {
    fn options(&self) -> &Options {
        &self.options
    }

    fn row(&self, key: &SessionKey) -> Result<Option<SessionRow>> {
        Ok(self
            .read()
            .sessions
            .get(key)
            .map(|session| session.row.clone()))
    }

    fn append_lines(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        lines: &[Vec<u8>],
    ) -> Result<Appended> {
        let mut held = self.write();
        let there = held.sessions.get(key).map(|session| &session.row);
        if let Some(replayed) = sessions::check_append(key, there, expect, batch_id)? {
            return Ok(replayed);
        }
        let now_us = lines::now(&self.options).timestamp_micros();
        let mut row = there
            .cloned()
            .unwrap_or_else(|| SessionRow::new(key, now_us));
        let dialect = dialect::of_agent(key.agent());
        let made = lines::append_to_row(&mut row, dialect, lines, &self.options);
        let appended = sessions::note_append(&mut row, batch_id, lines.len());
        let made = made.into_iter().map(|record| (record.sequence, record));
        if let Some(session) = held.sessions.get_mut(key) {
            session.row = row;
            session.records.extend(made);
        } else {
            held.next_number += 1;
            let number = held.next_number;
            let session = HeldSession {
                number,
                row,
                records: made.collect(),
            };
            held.sessions.insert(key.clone(), session);
        }
        Ok(appended)
    }

    fn set_mark(
        &self,
        key: &SessionKey,
        expected_next: u64,
        mark: u64,
        hidden: u64,
    ) -> Result<bool> {
        let mut held = self.write();
        let row = &mut held.get_mut(key)?.row;
        let as_expected = row.next == expected_next;
        if as_expected {
            (row.mark, row.hidden) = (mark, hidden);
        }
        Ok(as_expected)
    }
}

impl Store for MemoryStore {
    fn save(&self, session: &mut Session) -> Result<()> {
        sessions::save(self, session)
    }

    fn load(&self, key: &SessionKey) -> Result<Session> {
        sessions::load(self, key)
    }

    fn summary(&self, key: &SessionKey) -> Result<Summary> {
        self.read().get(key)?.summary()
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
            page.sessions.push(session.summary()?);
        }
        Ok(page)
    }

    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>> {
        let held = self.read();
        Ok(select::find_in(
            held.sessions.keys().cloned(),
            prefix,
            limit,
        ))
    }

    fn delete(&self, key: &SessionKey) -> Result<Removed> {
        let removed = self.write().sessions.remove(key);
        let session = removed.ok_or_else(|| Error::NotFound {
            wanted: key.to_string(),
        })?;
        Ok(Removed {
            sessions: 1,
            records: session.row.records,
            bytes: session.row.bytes,
        })
    }

    fn cleanup_older_than(&self, before: DateTime<Utc>) -> Result<Removed> {
        let mut removed = Removed::default();
        self.write().sessions.retain(|_, session| {
            let goes = session.row.updated_us < before.timestamp_micros();
            if goes {
                removed.sessions += 1;
                removed.records += session.row.records;
                removed.bytes += session.row.bytes;
            }
            !goes
        });
        Ok(removed)
    }

    fn export_markdown(&self, key: &SessionKey, out: &mut dyn Write) -> Result<()> {
        sessions::export_markdown(self, key, out)
    }

    fn append(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        records: &[NewRecord],
    ) -> Result<Appended> {
        sessions::append(self, key, expect, batch_id, records)
    }

    fn ensure_meta(&self, session: &Session) -> Result<bool> {
        sessions::ensure_meta(self, session)
    }

    fn truncate(&self, key: &SessionKey, keep_last: u64) -> Result<Truncated> {
        sessions::truncate(self, key, keep_last)
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
            select::count_out(
                &mut session.row,
                &record.header,
                record.line.len(),
                &mut compacted,
            );
        }
        Ok(compacted)
    }

    fn reclaim(&self) -> Result<Reclaimed> {
        Ok(Reclaimed::default())
    }

    fn hide_before(&self, _key: &SessionKey, _sequence: u64) -> Result<Truncated> {
        Err(Error::Busy {
            reason: "stub".to_owned(),
        })
    }

    fn replace_history(&self, _key: &SessionKey, _records: &[NewRecord]) -> Result<()> {
        Err(Error::Busy {
            reason: "stub".to_owned(),
        })
    }

    fn properties(&self, _key: &SessionKey) -> Result<Properties> {
        Err(Error::Busy {
            reason: "stub".to_owned(),
        })
    }

    fn update_properties(
        &self,
        _key: &SessionKey,
        _change: &PropertiesChange,
    ) -> Result<Properties> {
        Err(Error::Busy {
            reason: "stub".to_owned(),
        })
    }

    fn by_alias(&self, _alias: &SessionKey) -> Result<Option<SessionKey>> {
        Err(Error::Busy {
            reason: "stub".to_owned(),
        })
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
