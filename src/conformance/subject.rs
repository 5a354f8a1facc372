//! The store that a contract asks, and the sessions that it is asked about.
//!
//! Every time is fixed and lies in 2001, so that what a store calls now is later.

use chrono::{DateTime, TimeDelta, Utc};

use super::MakeStore;
use super::check::{Checked, done};
use crate::agents::{self, Agent};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::record::Record;
use crate::model::session::{Session, Summary};
use crate::store::{
    Appended, Cleaned, CleanupQuery, Compacted, Direction, Expect, ListQuery, NewRecord, Removed,
    ScanQuery, SessionPage, Store, StoreExt as _, Truncated,
};

/// A store whose every call has to succeed: each is the call of the same name, and an error is a
/// difference that ends the contract.
pub(super) struct Subject {
    /// The store, for calls that need not.
    pub(super) store: Box<dyn Store>,
}

impl Subject {
    /// A new one.
    pub(super) fn new(make: &MakeStore) -> Self {
        Self { store: make() }
    }

    pub(super) fn save(&self, session: &mut Session) -> Checked {
        done("save", self.store.save(session))
    }

    pub(super) fn load(&self, key: &SessionKey) -> Checked<Session> {
        done("load", self.store.load(key))
    }

    pub(super) fn summary(&self, key: &SessionKey) -> Checked<Summary> {
        done("summary", self.store.summary(key))
    }

    pub(super) fn list(&self, query: &ListQuery) -> Checked<SessionPage> {
        done("list", self.store.list(query))
    }

    pub(super) fn delete(&self, key: &SessionKey) -> Checked<Removed> {
        done("delete", self.store.delete(key))
    }

    pub(super) fn cleanup(&self, before: DateTime<Utc>) -> Checked<Removed> {
        done("cleanup_older_than", self.store.cleanup_older_than(before))
    }

    pub(super) fn clean(&self, query: &CleanupQuery) -> Checked<Cleaned> {
        done("cleanup", self.store.cleanup(query))
    }

    pub(super) fn append(&self, key: &SessionKey, records: &[NewRecord]) -> Checked<Appended> {
        let appended = self.store.append(key, Expect::Any, None, records);
        done("append", appended)
    }

    pub(super) fn ensure_meta(&self, session: &Session) -> Checked<bool> {
        done("ensure_meta", self.store.ensure_meta(session))
    }

    pub(super) fn truncate(&self, key: &SessionKey, keep_last: u64) -> Checked<Truncated> {
        done("truncate", self.store.truncate(key, keep_last))
    }

    pub(super) fn hide_before(&self, key: &SessionKey, sequence: u64) -> Checked<Truncated> {
        done("hide_before", self.store.hide_before(key, sequence))
    }

    pub(super) fn replace(&self, key: &SessionKey, records: &[NewRecord]) -> Checked {
        done("replace_history", self.store.replace_history(key, records))
    }

    pub(super) fn compact(&self, key: &SessionKey, through: Option<u64>) -> Checked<Compacted> {
        done("compact", self.store.compact(key, through, None))
    }

    pub(super) fn properties(&self, key: &SessionKey) -> Checked<Properties> {
        done("properties", self.store.properties(key))
    }

    pub(super) fn update(
        &self,
        key: &SessionKey,
        change: &PropertiesChange,
    ) -> Checked<Properties> {
        done(
            "update_properties",
            self.store.update_properties(key, change),
        )
    }

    pub(super) fn by_alias(&self, alias: &SessionKey) -> Checked<Option<SessionKey>> {
        done("by_alias", self.store.by_alias(alias))
    }

    /// All records of a session, oldest first.
    pub(super) fn records(&self, key: &SessionKey) -> Checked<Vec<Record>> {
        let records = self.store.records(key, ScanQuery::default());
        done("scan", records.collect::<Result<Vec<Record>>>())
    }

    /// All lines of a session, oldest first, as text.
    pub(super) fn lines(&self, key: &SessionKey) -> Checked<Vec<String>> {
        let text = |record: Record| String::from_utf8_lossy(&record.line).into_owned();
        Ok(self.records(key)?.into_iter().map(text).collect())
    }

    /// The sequence numbers of one page.
    pub(super) fn page(
        &self,
        key: &SessionKey,
        query: &ScanQuery,
    ) -> Checked<(Vec<u64>, Option<u64>)> {
        let page = done("scan", self.store.scan(key, query))?;
        let sequences = page.records.iter().map(|record| record.sequence).collect();
        Ok((sequences, page.next))
    }

    /// The sequence numbers of all records, newest first.
    pub(super) fn backward(&self, key: &SessionKey) -> Checked<Vec<u64>> {
        let backward = ScanQuery {
            direction: Direction::Backward,
            ..ScanQuery::default()
        };
        let records = self.store.records(key, backward);
        let records = done("scan", records.collect::<Result<Vec<Record>>>())?;
        Ok(records.into_iter().map(|record| record.sequence).collect())
    }

    /// The texts of the visible messages.
    pub(super) fn texts(&self, key: &SessionKey) -> Checked<Vec<String>> {
        let session = self.load(key)?;
        Ok(session.messages.iter().map(Message::plain_text).collect())
    }

    /// The ids of the sessions on one page.
    pub(super) fn ids(&self, query: &ListQuery) -> Checked<Vec<String>> {
        Ok(ids(&self.list(query)?))
    }

    /// Appends a message for each text, the first at `second`, each a second after the one before.
    pub(super) fn say(&self, key: &SessionKey, second: i64, texts: &[&str]) -> Checked<Appended> {
        let records: Vec<NewRecord> = (second..)
            .zip(texts)
            .map(|(second, text)| said(second, text))
            .collect();
        self.append(key, &records)
    }
}

/// The ids of the sessions on a page.
pub(super) fn ids(page: &SessionPage) -> Vec<String> {
    let id = |summary: &Summary| summary.key.id().to_owned();
    page.sessions.iter().map(id).collect()
}

/// A time: so many seconds after one in 2001.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000_000, 0).unwrap_or_default() + TimeDelta::seconds(second)
}

/// The key of a session of this crate's own agent.
pub(super) fn key(id: &str) -> Checked<SessionKey> {
    done("SessionKey::native", SessionKey::native(id))
}

/// An agent of others, whose format is only read.
pub(super) const OTHERS: &str = "jsonl";

/// The key of a session in a format that has no line about the session, and no ids of messages.
pub(super) fn key_without_headers(id: &str) -> Checked<SessionKey> {
    let has_neither = |agent: &&&'static dyn Agent| {
        let session = SessionKey::new(agent.agent(), id).map(Session::new);
        let header = session.and_then(|session| agent.write_meta(&session, true));
        !agent.has_message_ids() && matches!(header, Ok(None))
    };
    let agent = agents::all().iter().find(has_neither);
    key_of(agent.map_or(OTHERS, |agent| agent.agent()), id)
}

/// The key of another agent's session.
pub(super) fn key_of(agent: &str, id: &str) -> Checked<SessionKey> {
    done("SessionKey::new", SessionKey::new(agent, id))
}

/// A message of the user at a second, whose id is its text.
pub(super) fn message(second: i64, text: &str) -> Message {
    let mut message = Message::text(Role::User, text);
    message.id = Some(text.to_owned());
    message.time = Some(at(second));
    message
}

/// The same as a record.
pub(super) fn said(second: i64, text: &str) -> NewRecord {
    NewRecord::message(message(second, text))
}

/// A record that carries no message and no time.
pub(super) fn note(text: &str) -> NewRecord {
    NewRecord::line(format!(
        "{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{text}\"}}\n"
    ))
}

/// A session of this crate's own agent, made at second 0.
pub(super) fn session(id: &str, messages: &[Message]) -> Checked<Session> {
    let mut session = Session::new(key(id)?);
    session.created_at = Some(at(0));
    session.messages = messages.to_vec();
    Ok(session)
}
