//! What follows from the calls of a [`Store`], for every store, also one behind a `dyn Store`.

use std::collections::VecDeque;
use std::ops::RangeBounds;

use chrono::{DateTime, TimeDelta, Utc};

use super::cleanup;
use super::families;
use super::fork;
use super::message_ids::messages_of;
use super::{
    Appended, Cleaned, Cursor, Expect, ListQuery, Messages, NewRecord, Records, Removed, ScanQuery,
    SessionPage, Store, View,
};
use crate::agents;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::properties::PropertiesChange;
use crate::model::session::{Session, Summary};

/// Sessions that are looked at to find out whether one is the head of all others.
const FAMILY_MAX: usize = 1000;

/// Sessions that an error names.
const CANDIDATES_MAX: usize = 10;

/// The session of which all others are sub-agents, or sub-agents of those; `None` if there is none.
fn head_of<S: Store + ?Sized>(store: &S, found: &[SessionKey]) -> Result<Option<SessionKey>> {
    let mut heads = Vec::new();
    for key in found {
        let summary = store.summary(key)?;
        let is_below = |other: &SessionKey| {
            other.agent() == key.agent() && Some(other.id()) == summary.parent.as_deref()
        };
        if !(summary.subagent && found.iter().any(is_below)) {
            heads.push(key);
        }
        // As many as were asked for: behind them may be one more head.
        if heads.len() > 1 || found.len() == FAMILY_MAX {
            return Ok(None);
        }
    }
    Ok(heads.pop().cloned())
}

/// What follows from the calls of a [`Store`], for every store.
///
/// ```
/// use scrollback::{MemoryStore, Message, Role, Session, Store, StoreExt};
///
/// let store: Box<dyn Store> = Box::new(MemoryStore::default());
/// let mut session = Session::native("chat-1")?;
/// store.append_message(&mut session, Message::text(Role::User, "hello"))?;
/// assert_eq!(session.title, "hello");
/// store.rename(&session.key, "Greetings")?;
/// assert_eq!(store.resolve("chat")?, session.key);
/// assert_eq!(store.load(&session.key)?.title, "Greetings");
/// # Ok::<(), scrollback::Error>(())
/// ```
pub trait StoreExt: Store {
    /// Walks through a session's records, holding one page of them at a time.
    ///
    /// The fields of `query` that bound a page bound each page, not the walk.
    fn records<'s>(&'s self, key: &SessionKey, query: ScanQuery) -> Records<'s, Self> {
        Records::new(self, key.clone(), query)
    }

    /// Walks through the view of a session: its records, each with what it says there, holding one page
    /// of them at a time. A message that was written again is shown once, at the place of its first, in
    /// its last state; turns that were taken back are there, and not live.
    ///
    /// ```
    /// use scrollback::{Expect, MemoryStore, NewRecord, ScanQuery, SessionKey, Store, StoreExt};
    ///
    /// let store = MemoryStore::default();
    /// let key = SessionKey::new("gemini", "s")?;
    /// let lines = [
    ///     r#"{"id":"m1","type":"user","content":"Which port?"}"#,
    ///     r#"{"id":"m2","type":"gemini","content":"8"}"#,
    ///     r#"{"id":"m2","type":"gemini","content":"8080"}"#,
    /// ];
    /// store.append(&key, Expect::Any, None, &lines.map(NewRecord::line))?;
    /// let mut said = Vec::new();
    /// for shown in store.view(&key, ScanQuery::default()) {
    ///     said.extend(shown?.messages.iter().map(|message| message.plain_text()));
    /// }
    /// assert_eq!(said, ["Which port?", "8080"]);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn view<'s>(&'s self, key: &SessionKey, query: ScanQuery) -> View<'s, Self> {
        View::new(self, key.clone(), query)
    }

    /// Walks through a session's messages from both ends, holding a few hundred records at a time,
    /// whatever the session's size. They are those that [`Store::load`] gives, with the same ids.
    ///
    /// `range` is one of sequence numbers: `..` takes hidden messages too, and
    /// [`summary.mark`](Summary::mark)`..` the visible ones, as a load does.
    ///
    /// ```
    /// use scrollback::{MemoryStore, Message, Role, Session, Store, StoreExt};
    ///
    /// let store = MemoryStore::default();
    /// let mut session = Session::native("chat-1")?;
    /// for text in ["one", "two", "three"] {
    ///     store.append_message(&mut session, Message::text(Role::User, text))?;
    /// }
    /// let first = store.messages(&session.key, ..).next().transpose()?;
    /// assert_eq!(first.map(|one| one.message.plain_text()).as_deref(), Some("one"));
    /// // The last ones, the newest first.
    /// let last: Result<Vec<_>, _> = store.messages(&session.key, ..).rev().take(2).collect();
    /// let last: Vec<_> = last?.iter().map(|one| one.message.plain_text()).collect();
    /// assert_eq!(last, ["three", "two"]);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn messages<'s>(
        &'s self,
        key: &SessionKey,
        range: impl RangeBounds<u64>,
    ) -> Messages<'s, Self> {
        Messages::new(self, key.clone(), &range)
    }

    /// The one session whose id is `id` or starts with it, or that has it as an alias, as
    /// [`Store::find`] says; `agent:id` names the agent too. A start that fits a session and otherwise
    /// only its own sub-agents means the session.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Ambiguous`] if there are several.
    fn resolve(&self, id: &str) -> Result<SessionKey> {
        // Many, since all but one may be sub-agents of that one.
        let mut found = self.find(id, FAMILY_MAX)?;
        if found.len() > 1
            && let Some(head) = head_of(self, &found)?
        {
            return Ok(head);
        }
        match (found.len(), found.pop()) {
            (1, Some(key)) => Ok(key),
            (_, None) => Err(Error::NotFound {
                wanted: id.to_owned(),
            }),
            (_, Some(last)) => {
                found.push(last);
                found.truncate(CANDIDATES_MAX);
                Err(Error::Ambiguous {
                    prefix: id.to_owned(),
                    candidates: found,
                })
            }
        }
    }

    /// Loads a session, or begins it: one that is not there is a new, empty one, of which nothing is
    /// stored until something is appended or saved.
    ///
    /// # Errors
    ///
    /// Those of [`Store::load`] but [`Error::NotFound`].
    ///
    /// ```
    /// use scrollback::{MemoryStore, Message, Role, SessionKey, Store, StoreExt};
    ///
    /// let store = MemoryStore::default();
    /// let key = SessionKey::native("chat-1")?;
    /// for said in ["hello", "are you there?"] {
    ///     let mut session = store.load_or_new(&key)?;
    ///     store.append_message(&mut session, Message::text(Role::User, said))?;
    /// }
    /// assert_eq!(store.load(&key)?.messages.len(), 2);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn load_or_new(&self, key: &SessionKey) -> Result<Session> {
        match self.load(key) {
            Err(Error::NotFound { .. }) => Ok(Session::new(key.clone())),
            loaded => loaded,
        }
    }

    /// Appends a message to a session and to the caller's copy of it; see
    /// [`append_messages`](Self::append_messages).
    ///
    /// # Durability
    ///
    /// As [`Store::append`].
    ///
    /// # Errors
    ///
    /// Those of [`append_messages`](Self::append_messages).
    fn append_message(&self, session: &mut Session, message: Message) -> Result<Appended> {
        self.append_messages(session, vec![message])
    }

    /// Appends messages to a session, all or none, and to the caller's copy of it as they were
    /// stored, with their ids. A session that is not there gets its header line first, as by
    /// [`ensure_meta`](Store::ensure_meta), if the copy says what such a line holds (a title, a model, a
    /// project, ...): a later [`save`](Store::save) adds nothing twice. Whatever else the
    /// copy lacks or has is left alone, but for an empty title. Costs a read of what was written.
    ///
    /// # Durability
    ///
    /// As [`Store::append`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::append`]. If only reading back fails, the messages are stored, and not in
    /// the copy: load the session rather than append again.
    fn append_messages(&self, session: &mut Session, messages: Vec<Message>) -> Result<Appended> {
        let records: Vec<NewRecord> = messages.into_iter().map(NewRecord::message).collect();
        let nothing = records.is_empty();
        if !nothing && says_something(session) {
            self.ensure_meta(session)?;
        }
        let appended = self.append(&session.key, Expect::Any, None, &records)?;
        session.updated_at = Some(appended.updated_at);
        let dialect = agents::of_agent(session.key.agent());
        let written = ScanQuery {
            from: Some(appended.first),
            ..ScanQuery::default()
        };
        // Read back: ids that the store gave stand in the lines alone.
        for record in self.records(&session.key, written) {
            let record = record?;
            if nothing || record.sequence > appended.last {
                break;
            }
            if record.header.messages > 0 {
                session.messages.extend(messages_of(dialect, record.view()));
            }
        }
        if session.title.is_empty() {
            session.title = self.summary(&session.key)?.title;
        }
        Ok(appended)
    }

    /// The session of a project that was updated last, if it has any; one that is archived does not
    /// count. `project` is as in [`ListQuery::project`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    fn latest(&self, project: &str) -> Result<Option<Summary>> {
        let query = ListQuery {
            project: Some(project.to_owned()),
            archived: Some(false),
            limit: 1,
            ..ListQuery::default()
        };
        Ok(self.list(&query)?.sessions.pop())
    }

    /// The sessions whose parent is this one, newest first: of the same agent.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    fn children(&self, key: &SessionKey) -> Result<Vec<Summary>> {
        families::children(self, key)
    }

    /// The sub-agents of a session, theirs, and so on: each once, parents before children, and never
    /// the session itself, whatever loops there are. Forks are sessions of their own. A session that `spared` says is left
    /// out with all below it.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    ///
    /// ```
    /// use scrollback::{MemoryStore, Session, SessionKey, Store, StoreExt};
    ///
    /// let store = MemoryStore::default();
    /// for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b"))] {
    ///     let mut session = Session::native(id)?;
    ///     session.parent = parent.map(str::to_owned);
    ///     store.save(&mut session)?;
    /// }
    /// let family = store.descendants(&SessionKey::native("a")?, &|child| child.pinned)?;
    /// assert_eq!(family.len(), 2);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn descendants(
        &self,
        key: &SessionKey,
        spared: &dyn Fn(&Summary) -> bool,
    ) -> Result<Vec<Summary>> {
        families::descendants(self, key, spared)
    }

    /// Deletes a session with those that it started, all generations; those of them that are pinned
    /// stay, with all below them. The session itself is deleted, pinned or not: it was named.
    ///
    /// # Durability
    ///
    /// As [`Store::delete`], session by session: children go before their parents.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; after another error some are gone.
    fn delete_family(&self, key: &SessionKey) -> Result<Cleaned> {
        cleanup::delete_family(self, key)
    }

    /// The [`latest`](Self::latest) session of a project, if it was updated at most `age_max`
    /// before `now`.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    fn recent(
        &self,
        project: &str,
        age_max: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Option<Summary>> {
        let latest = self.latest(project)?;
        Ok(latest.filter(|latest| now.signed_duration_since(latest.updated_at) <= age_max))
    }

    /// Gives a session a title, which wins over those in its lines; an empty one goes back to
    /// them.
    ///
    /// # Durability
    ///
    /// As [`Store::update_properties`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::update_properties`].
    fn rename(&self, key: &SessionKey, title: &str) -> Result<()> {
        let change = PropertiesChange {
            title: Some(Some(title.to_owned()).filter(|title| !title.trim().is_empty())),
            ..PropertiesChange::default()
        };
        self.update_properties(key, &change).map(drop)
    }

    /// Pins a session, or no longer.
    ///
    /// # Durability
    ///
    /// As [`Store::update_properties`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::update_properties`].
    fn pin(&self, key: &SessionKey, pinned: bool) -> Result<()> {
        let change = PropertiesChange {
            pinned: Some(pinned),
            ..PropertiesChange::default()
        };
        self.update_properties(key, &change).map(drop)
    }

    /// Puts a session away, or takes it out again. Nothing of it is hidden or removed.
    ///
    /// # Durability
    ///
    /// As [`Store::update_properties`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::update_properties`].
    fn archive(&self, key: &SessionKey, archived: bool) -> Result<()> {
        let change = PropertiesChange {
            archived: Some(archived),
            ..PropertiesChange::default()
        };
        self.update_properties(key, &change).map(drop)
    }

    /// Copies a session's lines up to a sequence number, or all of them, into a new session of the
    /// same agent, whose parent is the old one. What is hidden stays so. The conversation's
    /// summary, the scope and a given title and project go with it; aliases, pin and files beside
    /// the lines do not. The copy of a native session starts with a header line of its own, in
    /// place of those of the old one. Its times are those that the copied lines state.
    ///
    /// # Durability
    ///
    /// The new session is there with all of its lines, or not at all. A kill or an error after that
    /// can leave it without its parent, mark, summary and scope (in a native session the parent
    /// is in the header line).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InvalidKey`] or [`Error::Conflict`] if there is a session of
    /// the new name; [`Error::Unsupported`] if the agents differ; [`Error::TooLarge`] for more than
    /// [`APPEND_RECORDS_MAX`](crate::limits::APPEND_RECORDS_MAX) lines, or one that is kept in
    /// pieces.
    fn fork(
        &self,
        key: &SessionKey,
        new_key: &SessionKey,
        through: Option<u64>,
    ) -> Result<Summary> {
        fork::fork(self, key, new_key, through)
    }

    /// Deletes the sessions that hold no message and were last updated before a time. One that
    /// holds anything that could not be read, or a file beside its lines, or the summary of a
    /// conversation, or that is pinned, stays. Never a part of another call.
    ///
    /// # Durability
    ///
    /// As [`Store::cleanup`].
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`], [`Store::properties`] and [`Store::delete`].
    fn delete_empty(&self, before: DateTime<Utc>) -> Result<Removed> {
        let mut empty = VecDeque::new();
        let mut after: Option<Cursor> = None;
        loop {
            let query = ListQuery {
                before: Some(before),
                pinned: Some(false),
                limit: 1000,
                after,
                ..ListQuery::default()
            };
            let SessionPage { sessions, next } = self.list(&query)?;
            empty.extend(sessions.into_iter().filter(|session| {
                session.message_count + session.malformed_count + session.attachment_count == 0
            }));
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut removed = Removed::default();
        for session in empty {
            // The conversation may have been removed, once it was summarised.
            match self.properties(&session.key) {
                Ok(properties) if properties.summary.is_empty() && !properties.pinned => {}
                Ok(_) | Err(Error::NotFound { .. }) => continue,
                Err(error) => return Err(error),
            }
            match self.delete_unchanged(&session.key, session.next_sequence) {
                Ok(one) => removed += one,
                // Somebody went on with it, or deleted it, meanwhile.
                Err(Error::Conflict { .. } | Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

/// Whether a header line would say something of a session, in a format that has such lines.
fn says_something(session: &Session) -> bool {
    let is_bare = session.title.is_empty()
        && session.project.is_none()
        && session.model.is_none()
        && session.parent.is_none()
        && session.extra.is_empty();
    let written = || agents::of_agent(session.key.agent()).write_meta(session, true);
    !is_bare && matches!(written(), Ok(Some(_)))
}
