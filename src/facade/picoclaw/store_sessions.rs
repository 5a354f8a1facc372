//! [`SessionStore`] over any [`Store`]: keys and aliases to sessions, and errors to the log.
//!
//! - Each call resolves its key first: an alias costs one lookup, however many sessions there are.
//! - Reads never create; writes do.
//! - The trait's calls never fail; the calls beyond it return their errors.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use super::session_store::SessionStore;
use crate::agents;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Block, Message, Role};
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::raw_json::RawJson;
use crate::model::session::{Session, Summary};
use crate::store::{
    Compacted, Expect, ListQuery, NewRecord, ScanQuery, Store, StoreExt as _, messages_of,
};

/// The agent whose format is written unless another one is chosen.
const PICOCLAW: &str = "picoclaw";

/// Sessions of one agent in a store, by key, for a loop that does not wait for errors.
///
/// ```
/// use std::sync::Arc;
/// use scrollback::MemoryStore;
/// use scrollback::picoclaw::{SessionStore, StoreSessions};
///
/// let sessions = StoreSessions::new(Arc::new(MemoryStore::default()));
/// sessions.add_message("telegram:1", "user", "hello");
/// sessions.add_message("telegram:1", "assistant", "hi there");
/// sessions.truncate_history("telegram:1", 1);
/// assert_eq!(sessions.get_history("telegram:1").len(), 1);
/// assert_eq!(sessions.full_history("telegram:1")?.len(), 2);
/// # Ok::<(), scrollback::Error>(())
/// ```
pub struct StoreSessions {
    pub(super) store: Arc<dyn Store>,
    pub(super) agent: String,
    drops_bare_thoughts: bool,
    keeps_hidden: bool,
    failed: Mutex<Option<Arc<Error>>>,
}

impl std::fmt::Debug for StoreSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSessions")
            .field("agent", &self.agent)
            .field("drops_bare_thoughts", &self.drops_bare_thoughts)
            .field("keeps_hidden", &self.keeps_hidden)
            .finish_non_exhaustive()
    }
}

impl StoreSessions {
    /// The sessions of agent `picoclaw`: they can be exported so that picoclaw itself reads them.
    /// Its format has no place for ids of messages and for usage.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            agent: PICOCLAW.to_owned(),
            drops_bare_thoughts: false,
            keeps_hidden: false,
            failed: Mutex::new(None),
        }
    }

    /// The sessions of another agent. [`NATIVE`](crate::NATIVE) keeps all of a message.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the name cannot be an agent's.
    pub fn of_agent(store: Arc<dyn Store>, agent: impl Into<String>) -> Result<Self> {
        let named = SessionKey::new(agent, "any")?;
        Ok(Self {
            agent: named.agent().to_owned(),
            ..Self::new(store)
        })
    }

    /// Passes over messages of the assistant that hold thoughts and nothing else, as newer versions
    /// of picoclaw do. Without this they are stored like any other.
    #[must_use]
    pub fn dropping_bare_thoughts(mut self) -> Self {
        self.drops_bare_thoughts = true;
        self
    }

    /// Makes [`save`](SessionStore::save) remove nothing, so that
    /// [`full_history`](Self::full_history) has all that was ever said.
    /// [`compact`](Self::compact) still removes.
    #[must_use]
    pub fn keeping_hidden(mut self) -> Self {
        self.keeps_hidden = true;
        self
    }

    /// Every message that is stored, the hidden ones too; none if there is no such session.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn full_history(&self, key: &str) -> Result<Vec<Message>> {
        let key = self.resolve(key)?;
        let heard = or_default(read_from(self.store.as_ref(), &key, None))?;
        Ok(heard.into_iter().map(|heard| heard.message).collect())
    }

    /// The sessions of the agent, newest first.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn list_sessions(&self) -> Result<Vec<Summary>> {
        let mut query = ListQuery {
            agent: Some(self.agent.clone()),
            ..ListQuery::default()
        };
        let mut sessions = Vec::new();
        loop {
            let page = self.store.list(&query)?;
            sessions.extend(page.sessions);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(sessions);
            }
        }
    }

    /// What is kept of a session beside its messages: summary, aliases, scope. Empty if there is
    /// no such session.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn properties(&self, key: &str) -> Result<Properties> {
        or_default(self.store.properties(&self.resolve(key)?))
    }

    /// Sets what a session is about in its program's terms: agent, channel, account, ... Creates
    /// the session.
    ///
    /// # Durability
    ///
    /// On disk when this returns `Ok`; after an error nothing of it is.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn set_scope(&self, key: &str, scope: Option<RawJson>) -> Result<()> {
        let change = PropertiesChange {
            scope: Some(scope),
            ..PropertiesChange::default()
        };
        self.change(&self.resolve(key)?, &change)
    }

    /// Removes for good what is hidden, after it has been written to `archive` as lines.
    ///
    /// # Durability
    ///
    /// As [`Store::compact`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::compact`].
    pub fn compact(&self, key: &str, archive: Option<&mut dyn Write>) -> Result<Compacted> {
        self.store.compact(&self.resolve(key)?, None, archive)
    }

    /// Changes properties of a session, which is created if it is not there.
    pub(super) fn change(&self, key: &SessionKey, change: &PropertiesChange) -> Result<()> {
        match self.store.update_properties(key, change) {
            Err(Error::NotFound { .. }) => {
                self.store.ensure_meta(&Session::new(key.clone()))?;
                self.store.update_properties(key, change)?;
            }
            other => {
                other?;
            }
        }
        Ok(())
    }

    fn add(&self, key: &str, message: &Message) -> Result<()> {
        if self.drops_bare_thoughts && is_bare_thought(message) {
            return Ok(());
        }
        let key = self.resolve(key)?;
        let record = NewRecord::message(message.clone());
        self.store.append(&key, Expect::Any, None, &[record])?;
        Ok(())
    }

    fn history(&self, key: &str) -> Result<Vec<Message>> {
        let key = self.resolve(key)?;
        let Some(summary) = self.summary_of(&key)? else {
            return Ok(Vec::new());
        };
        let heard = or_default(read_from(self.store.as_ref(), &key, Some(summary.mark)))?;
        Ok(heard.into_iter().map(|heard| heard.message).collect())
    }

    fn replace(&self, key: &str, history: &[Message]) -> Result<()> {
        let key = self.resolve(key)?;
        let mut records = Vec::with_capacity(history.len());
        for message in history {
            let line = self.line_of(&key, message)?;
            records.push(line.map_or_else(|| NewRecord::message(message.clone()), NewRecord::Line));
        }
        self.store.replace_history(&key, &records)
    }

    /// The line that a message was read from, if it says just that: what the message does not hold
    /// of it stays too.
    fn line_of(&self, key: &SessionKey, message: &Message) -> Result<Option<Vec<u8>>> {
        let place = message.id.as_deref().and_then(|id| id.strip_prefix('#'));
        let Some(sequence) = place.and_then(|place| place.parse().ok()) else {
            return Ok(None);
        };
        let one = ScanQuery {
            from: Some(sequence),
            records_max: 1,
            ..ScanQuery::default()
        };
        let page = or_default(self.store.scan(key, &one))?;
        let record = page.records.into_iter().next();
        Ok(record.and_then(|record| {
            let messages = messages_of(agents::of_agent(key.agent()), record.view());
            let same = record.sequence == sequence && messages == [message.clone()];
            same.then_some(record.line)
        }))
    }

    pub(super) fn summary_of(&self, key: &SessionKey) -> Result<Option<Summary>> {
        match self.store.summary(key) {
            Ok(summary) => Ok(Some(summary)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The result, or what stands for it if there is none: the error is logged and kept.
    fn noted<T: Default>(&self, action: &str, key: &str, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.note(action, key, error);
            T::default()
        })
    }

    fn note(&self, action: &str, key: &str, error: Error) {
        tracing::error!(agent = %self.agent, key, error = %error, "session store cannot {action}");
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some(Arc::new(error));
    }
}

impl SessionStore for StoreSessions {
    fn add_message(&self, key: &str, role: &str, content: &str) {
        let added = said(role, content).and_then(|message| self.add(key, &message));
        self.noted("add a message", key, added);
    }

    fn add_full_message(&self, key: &str, message: &Message) {
        self.noted("add a message", key, self.add(key, message));
    }

    fn get_history(&self, key: &str) -> Vec<Message> {
        self.noted("read the history", key, self.history(key))
    }

    fn get_summary(&self, key: &str) -> String {
        let properties = self.noted("read the summary", key, self.properties(key));
        properties.summary
    }

    fn set_summary(&self, key: &str, summary: &str) {
        let change = PropertiesChange {
            summary: Some(summary.to_owned()),
            ..PropertiesChange::default()
        };
        let set = self.resolve(key).and_then(|key| self.change(&key, &change));
        self.noted("set the summary", key, set);
    }

    fn set_history(&self, key: &str, history: &[Message]) {
        self.noted("set the history", key, self.replace(key, history));
    }

    fn truncate_history(&self, key: &str, keep_last: i64) {
        self.noted("truncate the history", key, self.truncate(key, keep_last));
    }

    fn save(&self, key: &str) -> Result<()> {
        if self.keeps_hidden {
            return Ok(());
        }
        match self.compact(key, None) {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn close(&self) -> Result<()> {
        Ok(())
    }

    fn last_error(&self) -> Option<Arc<Error>> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }

    fn take_error(&self) -> Option<Arc<Error>> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take()
    }
}

/// A message of a session, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) sequence: u64,
    pub(super) message: Message,
}

/// The messages of a session from a sequence number on, or all.
pub(super) fn read_from(
    store: &dyn Store,
    key: &SessionKey,
    from: Option<u64>,
) -> Result<Vec<Heard>> {
    let dialect = agents::of_agent(key.agent());
    let query = ScanQuery {
        from,
        ..ScanQuery::default()
    };
    let mut heard = Vec::new();
    for record in store.records(key, query) {
        let record = record?;
        if record.header.messages > 0 {
            let messages = messages_of(dialect, record.view()).into_iter();
            heard.extend(messages.map(|message| Heard {
                sequence: record.sequence,
                message,
            }));
        }
    }
    Ok(heard)
}

/// What was found, or nothing where there is no such session.
pub(super) fn or_default<T: Default>(found: Result<T>) -> Result<T> {
    match found {
        Err(Error::NotFound { .. }) => Ok(T::default()),
        other => other,
    }
}

/// A message of one text, with the role's word as it was given.
fn said(word: &str, content: &str) -> Result<Message> {
    let role = Role::from_word(word);
    let mut message = Message::text(role, content);
    if role == Role::Tool {
        message.content = vec![Block::ToolResult {
            id: None,
            name: None,
            output: content.to_owned(),
            is_error: false,
            images: Vec::new(),
        }];
    }
    // A word that is no role here goes into the line again as it was given.
    if word != role.word() {
        let word = RawJson::from_value(&word)?;
        message.extra.push(("role".to_owned(), word));
    }
    Ok(message)
}

fn is_bare_thought(message: &Message) -> bool {
    let is_thought = |block: &Block| match block {
        Block::Thinking { .. } => true,
        Block::Text { text } => text.is_empty(),
        _ => false,
    };
    message.role == Role::Assistant
        && message.content.iter().all(is_thought)
        && message
            .content
            .iter()
            .any(|block| matches!(block, Block::Thinking { .. }))
        && message
            .extra
            .iter()
            .all(|(key, _)| key != "attachments" && key != "tool_call_id")
}
