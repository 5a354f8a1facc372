//! The sessions that recorders made, and those that were imported from jcode.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::agents::jcode::{AGENT, Entry, EntryKind, leader_of};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::APPEND_RECORDS_MAX;
use crate::model::properties::PropertiesChange;
use crate::model::record::{Record, RecordFlags, RecordKind};
use crate::model::session::Summary;
use crate::store::{
    Expect, ListQuery, NewRecord, Removed, ScanQuery, Stamps, Store, StoreExt as _,
};

/// Lists, loads and deletes sessions in jcode's format.
///
/// ```
/// use std::sync::Arc;
/// use scrollback::MemoryStore;
/// use scrollback::jcode::{EntryKind, Recorder, Recordings};
///
/// let store = Arc::new(MemoryStore::default());
/// let recorder = Recorder::new(store.clone(), "/shop", "zhipu", "glm-5.2");
/// recorder.record_mode_change("planning")?;
/// let entries = Recordings::new(store).load_entries(&recorder.uuid())?;
/// assert_eq!(entries[1].kind, EntryKind::ModeChange { mode: "planning".into() });
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone)]
pub struct Recordings {
    store: Arc<dyn Store>,
    stamps: Stamps,
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings").finish_non_exhaustive()
    }
}

impl Recordings {
    /// The sessions of a store. New ids are random (uuid version 4).
    pub fn new(store: Arc<dyn Store>) -> Self {
        let stamps = Stamps::default().with_ids(Uuid::new_v4);
        Self { store, stamps }
    }

    /// The same, with the ids of these stamps.
    #[must_use]
    pub fn with_stamps(self, stamps: Stamps) -> Self {
        Self { stamps, ..self }
    }

    /// The sessions of a project, newest last; teammates are not among them. The text of the
    /// project is compared as it is, separators at its end aside. Reads no record.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](Error::Corrupt).
    pub fn list_sessions(&self, project: &str) -> Result<Vec<Summary>> {
        let wanted = without_separators(project);
        let mut sessions = self.summaries(ListQuery {
            // Without a leading `/` the store would look for the end of a path.
            project: wanted.starts_with('/').then(|| wanted.to_owned()),
            ..ListQuery::default()
        })?;
        sessions.retain(|summary| {
            leader_of(summary.key.id()).is_none()
                && without_separators(summary.project.as_deref().unwrap_or_default()) == wanted
        });
        Ok(sessions)
    }

    /// All sessions by their projects, newest last; teammates are not among them.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](Error::Corrupt).
    pub fn list_all(&self) -> Result<BTreeMap<String, Vec<Summary>>> {
        let mut all: BTreeMap<String, Vec<Summary>> = BTreeMap::new();
        for summary in self.summaries(ListQuery::default())? {
            if leader_of(summary.key.id()).is_none() {
                let project = summary.project.clone().unwrap_or_default();
                all.entry(project).or_default().push(summary);
            }
        }
        Ok(all)
    }

    /// The transcripts of a session's teammates, newest last. Looks at all of jcode's sessions.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](Error::Corrupt).
    pub fn teammates(&self, leader: &str) -> Result<Vec<Summary>> {
        let mut sessions = self.summaries(ListQuery::default())?;
        sessions.retain(|summary| leader_of(summary.key.id()) == Some(leader));
        Ok(sessions)
    }

    /// The header of a session, which names its provider; `None` if its first line is none. Reads
    /// one record.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Error::NotFound), or [`Corrupt`](Error::Corrupt).
    pub fn header(&self, id: &str) -> Result<Option<Entry>> {
        let first = ScanQuery {
            records_max: 1,
            ..ScanQuery::default()
        };
        let page = self.store.scan(&key_of(id)?, &first)?;
        let entries = page
            .records
            .first()
            .map(|first| Entry::read_line(&first.line));
        Ok(entries.unwrap_or_default().into_iter().find(is_header))
    }

    /// The entries of a session, a teammate's (`leader/agent`) too: all that are visible, and the
    /// header. Entries of unknown types are among them, and those that could be recovered from
    /// damaged lines; what could not be read is left out, and counted in
    /// [`Summary::malformed_count`].
    ///
    /// # Errors
    ///
    /// [`NotFound`](Error::NotFound), or [`Corrupt`](Error::Corrupt).
    pub fn load_entries(&self, id: &str) -> Result<Vec<Entry>> {
        let key = key_of(id)?;
        let mark = self.store.summary(&key)?.mark;
        let mut entries = Vec::new();
        let mut continued = false;
        for record in self.store.records(&key, ScanQuery::default()) {
            let record = record?;
            let is_piece = continued || continues(&record);
            continued = continues(&record);
            let is_visible = record.sequence >= mark || record.header.kind == RecordKind::Meta;
            if is_visible && !is_piece {
                entries.extend(Entry::read_line(&record.line));
            }
        }
        Ok(entries)
    }

    /// Deletes a session. Those of its teammates stay.
    ///
    /// # Durability
    ///
    /// As [`Store::delete`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::delete`].
    pub fn delete(&self, id: &str) -> Result<Removed> {
        self.store.delete(&key_of(id)?)
    }

    /// Deletes the sessions of a leader's teammates, and then the leader's.
    ///
    /// # Durability
    ///
    /// Each session is deleted whole or not at all; after an error some are gone, the leader's is
    /// not.
    ///
    /// # Errors
    ///
    /// Those of [`Store::delete`].
    pub fn delete_with_teammates(&self, leader: &str) -> Result<Removed> {
        let mut removed = Removed::default();
        for teammate in self.teammates(leader)? {
            removed += self.store.delete(&teammate.key)?;
        }
        removed += self.delete(leader)?;
        Ok(removed)
    }

    /// Goes back to before the `n`th message of the user, counted from 0: a new session of all
    /// that stands before it, line by line, whose parent is this one. With 0 it has the header
    /// alone. Returns the new id, for [`Recorder::set_uuid`](crate::jcode::Recorder::set_uuid).
    ///
    /// The session itself stays as it is: a store cuts nothing off.
    ///
    /// # Durability
    ///
    /// The new session is on disk when this returns `Ok`. After an error it may be, in part if it
    /// has more than [`APPEND_RECORDS_MAX`] lines.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Error::NotFound); [`Unsupported`](Error::Unsupported) if a line is so long
    /// that it is kept in pieces; those of [`Store::append`].
    pub fn truncate_at_user_message(&self, id: &str, n: usize) -> Result<String> {
        let new_id = (self.stamps.ids)().to_string();
        let key = key_of(id)?;
        let new_key = key_of(&new_id)?;
        let mut kept = Vec::new();
        let mut messages = 0;
        for record in self.store.records(&key, ScanQuery::default()) {
            let record = record?;
            let entries = Entry::read_line(&record.line);
            let is_user = |entry: &&Entry| matches!(entry.kind, EntryKind::User { .. });
            messages += entries.iter().filter(is_user).count();
            if messages > n {
                break;
            }
            if continues(&record) {
                return Err(Error::Unsupported {
                    action: "copy a line that is kept in pieces",
                    agent: AGENT.to_owned(),
                });
            }
            match entries.into_iter().next() {
                // The header names the session: with the old name the copy would be read as the
                // session that it came from.
                Some(header) if is_header(&header) => {
                    kept.push(NewRecord::line(renamed(header, &new_id).line()));
                }
                _ if n == 0 => {}
                _ => kept.push(NewRecord::line(record.line)),
            }
        }
        for chunk in kept.chunks(APPEND_RECORDS_MAX) {
            self.store.append(&new_key, Expect::Any, None, chunk)?;
        }
        // The header has no place for a parent.
        let change = PropertiesChange {
            parent: Some(Some(id.to_owned())),
            ..PropertiesChange::default()
        };
        self.store.update_properties(&new_key, &change)?;
        Ok(new_id)
    }

    /// Every session of a query in the order in which they were started.
    fn summaries(&self, query: ListQuery) -> Result<Vec<Summary>> {
        let mut query = ListQuery {
            agent: Some(AGENT.to_owned()),
            limit: 1000,
            ..query
        };
        let mut all = Vec::new();
        loop {
            let page = self.store.list(&query)?;
            all.extend(page.sessions);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        // Lists are in the order of the last change.
        all.sort_by_key(|summary| (summary.created_at, summary.number));
        Ok(all)
    }
}

fn key_of(id: &str) -> Result<SessionKey> {
    SessionKey::new(AGENT, id)
}

fn continues(record: &Record) -> bool {
    record.header.flags.contains(RecordFlags::CONTINUES)
}

fn is_header(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::SessionStart { .. })
}

/// A header under another id.
fn renamed(mut header: Entry, id: &str) -> Entry {
    if let EntryKind::SessionStart { uuid, .. } = &mut header.kind {
        id.clone_into(uuid);
    }
    header
}

/// A project without separators at its end, as the store keeps it; `/` stays.
fn without_separators(project: &str) -> &str {
    let trimmed = project.trim_end_matches(['/', '\\']);
    if trimmed.is_empty() { project } else { trimmed }
}
