//! What every store does: the [`Store`] trait, and what follows where a store does no better.

use std::io::Write;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::cleanup::{self, Cleaned, CleanupQuery};
use super::copies::StoreId;
use super::query::{
    Appended, Compacted, Expect, ListQuery, NewRecord, Reclaimed, RecordPage, Removed, ScanQuery,
    SessionPage, Truncated,
};
use super::search::{self, Everywhere, SearchCounts, SearchPage, SearchQuery};
use super::{Watcher, addition, select, take_back};
use crate::model::error::Result;
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::session::{Session, Summary};

/// A store of sessions.
///
/// Every call is atomic over one session, and never over several. Reads return owned values, a
/// page at a time, so that a store over a network can implement it. Two implementations come with
/// the crate: [`RedbStore`](crate::RedbStore) in a file, and [`MemoryStore`](crate::MemoryStore), the reference.
///
/// ```
/// use scrollback::{Expect, MemoryStore, Message, NewRecord, Role, SessionKey, Store};
///
/// let store = MemoryStore::default();
/// let key = SessionKey::native("chat-1")?;
/// let hello = NewRecord::message(Message::text(Role::User, "hello"));
/// let appended = store.append(&key, Expect::Sequence(0), None, &[hello])?;
/// assert_eq!((appended.first, appended.last), (0, 0));
/// assert_eq!(store.load(&key)?.messages[0].plain_text(), "hello");
/// # Ok::<(), scrollback::Error>(())
/// ```
pub trait Store: Send + Sync {
    /// Stores the parts of `session` that are not stored yet, and sets its time of update to now.
    ///
    /// A changed title, project, model, parent or extra field is appended as a new header line, if
    /// the format of the session's agent has such lines; messages whose ids the store does not
    /// have, behind those that it has, are appended in their order. Nothing that is stored is removed
    /// or rewritten, whatever the caller's copy lacks. Messages without an id get one; an empty title is taken from the
    /// first user message. What [`update_properties`](Self::update_properties) gave goes on
    /// winning over the header line, and is never written into one. Costs a read of the session.
    ///
    /// In a format whose lines hold no ids a message gets its place as an id, `#12` for the record
    /// 12, whatever id it had; an id of this form whose record is gone is taken for a message that was stored.
    ///
    /// # Durability
    ///
    /// All of it is on disk when this returns `Ok`. After
    /// [`CommitUnknown`](crate::Error::CommitUnknown) all or nothing of it may be; calling again is
    /// safe, but for new messages in a format whose lines hold no ids: load the session first.
    /// After any other error nothing was written.
    ///
    /// # Errors
    ///
    /// [`MessageChanged`](crate::Error::MessageChanged) if a stored message of the same id, or of the
    /// same place, differs, or another one of the copy;
    /// [`MessageInserted`](crate::Error::MessageInserted) if a new message stands before a stored
    /// one; [`Unsupported`](crate::Error::Unsupported) if the session's agent has a format
    /// that is only read.
    fn save(&self, session: &mut Session) -> Result<()>;

    /// Loads a session with its visible messages. One whose line holds no id is named by its
    /// place: `#12` is the message of record 12, and `#12.1` the second one of a damaged line.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn load(&self, key: &SessionKey) -> Result<Session>;

    /// The summary row of a session. Reads no record. A store that keeps when it last wrote to a session says it in
    /// [`Summary::written_at`], where it moves on with every call that changes the session, and with no other; one
    /// that does not says `None`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn summary(&self, key: &SessionKey) -> Result<Summary>;

    /// A page of sessions, newest first. Reads no record; costs as many summary rows as it looks
    /// at, which is more than it returns if a filter other than a time or a whole project path is
    /// set. A page of a parent's sessions costs a row for each of its children.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    fn list(&self, query: &ListQuery) -> Result<SessionPage>;

    /// Sessions whose id starts with `prefix`, or only the one whose id equals it, at most
    /// `limit`, in the order of their ids and then of their agents, by bytes. `agent:prefix` looks at one agent
    /// alone. Where no id fits, those that have the whole text as an alias.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>>;

    /// The sessions that [`find`](Self::find) gives behind one that it gave, which may be gone by now: the next
    /// page. This default finds all.
    ///
    /// # Errors
    ///
    /// Those of [`find`](Self::find).
    fn find_after(
        &self,
        prefix: &str,
        after: &SessionKey,
        limit: usize,
    ) -> Result<Vec<SessionKey>> {
        let all = self.find(prefix, usize::MAX)?;
        let behind = all
            .into_iter()
            .filter(|key| select::is_behind(key, Some(after)));
        Ok(behind.take(limit).collect())
    }

    /// Deletes a session with its records, attachments and properties. An alias of it goes to the
    /// session that claimed it next, if there is one.
    ///
    /// # Durability
    ///
    /// As [`save`](Self::save). The file keeps its size until [`reclaim`](Self::reclaim).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound).
    fn delete(&self, key: &SessionKey) -> Result<Removed>;

    /// Deletes a session if the next record would still get this sequence number
    /// ([`Summary::next_sequence`]): what was appended since the caller looked is not lost. This
    /// default looks first and deletes then; a store that has several writers does it in one step,
    /// as those of this crate do.
    ///
    /// # Durability
    ///
    /// As [`delete`](Self::delete).
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::Error::Conflict) if it is not, [`NotFound`](crate::Error::NotFound).
    fn delete_unchanged(&self, key: &SessionKey, next_sequence: u64) -> Result<Removed> {
        addition::check_next(key, next_sequence, self.summary(key)?.next_sequence)?;
        self.delete(key)
    }

    /// Deletes the sessions that were updated strictly before a time, each with those that it started
    /// (its sub-agents, all generations), whatever their age. What is pinned stays, and so does what a
    /// pinned session started, unless the query says otherwise. With
    /// [`preview`](CleanupQuery::preview) nothing is deleted, and the answer lists what would go. Reads
    /// no record.
    ///
    /// This default goes by [`list`](Self::list) and [`delete_unchanged`](Self::delete_unchanged); a
    /// store that has several writers decides in the step that deletes, as [`RedbStore`](crate::RedbStore) does.
    ///
    /// # Durability
    ///
    /// Each session is deleted whole or not at all; after an error some are gone.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list) and [`delete`](Self::delete), but a session that another process
    /// deletes meanwhile is none.
    fn cleanup(&self, query: &CleanupQuery) -> Result<Cleaned> {
        cleanup::clean_up(self, query)
    }

    /// Deletes the sessions that were updated strictly before a time, but for pinned ones and what
    /// these started: as [`cleanup`](Self::cleanup) of [`CleanupQuery::older_than`].
    ///
    /// # Durability
    ///
    /// As [`cleanup`](Self::cleanup).
    ///
    /// # Errors
    ///
    /// Those of [`cleanup`](Self::cleanup).
    fn cleanup_older_than(&self, before: DateTime<Utc>) -> Result<Removed> {
        let cleaned = self.cleanup(&CleanupQuery::older_than(before))?;
        Ok(cleaned.removed)
    }

    /// Writes a session as Markdown: everything that is stored, the hidden part too.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Output`](crate::Error::Output) if `out` fails.
    fn export_markdown(&self, key: &SessionKey, out: &mut dyn Write) -> Result<()>;

    /// Appends records to a session, which is created if it is not there.
    ///
    /// If the last record has no line terminator, a record of one `\n` is written before the
    /// first new one, so that lines never fuse. `batch_id` makes a retry safe: if a batch of the
    /// session has it, nothing is written, and that batch's numbers are returned, whatever is
    /// expected. A session's last [`BATCHES_REMEMBERED`](crate::limits::BATCHES_REMEMBERED) batches
    /// are remembered for ever, all others for a day by the clock
    /// ([`BATCH_SECONDS_REMEMBERED`](crate::limits::BATCH_SECONDS_REMEMBERED)), however many others append. Without
    /// records nothing but the session is made, and the id is not remembered.
    ///
    /// # Durability
    ///
    /// All records are on disk when this returns `Ok`. After
    /// [`CommitUnknown`](crate::Error::CommitUnknown) all of them or none may be; the same call
    /// with the same `batch_id` finds out. After any other error none are.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::Error::Conflict) if the session is not as expected;
    /// [`TooLarge`](crate::Error::TooLarge), [`InvalidLine`](crate::Error::InvalidLine) or
    /// [`Unsupported`](crate::Error::Unsupported) for a record that cannot be stored.
    fn append(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        records: &[NewRecord],
    ) -> Result<Appended>;

    /// Appends records, and changes what is kept of the session beside its lines, in one step: both are there
    /// afterwards, or neither is. A batch that is there already changes nothing.
    ///
    /// This default does one after the other: a kill between the two, or a change that is refused, leaves the
    /// records alone until the same batch is sent again. The stores of this crate do both in one commit.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append) and of [`update_properties`](Self::update_properties).
    ///
    /// ```
    /// use scrollback::{Expect, MemoryStore, NewRecord, PropertiesChange, SessionKey, Store};
    ///
    /// let (store, key) = (MemoryStore::default(), SessionKey::native("chat-1")?);
    /// let change = PropertiesChange::default().with_title("Greetings");
    /// store.append_with(&key, Expect::Any, None, &[NewRecord::line("{}")], &change)?;
    /// assert_eq!(store.summary(&key)?.title, "Greetings");
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn append_with(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        records: &[NewRecord],
        change: &PropertiesChange,
    ) -> Result<Appended> {
        let appended = self.append(key, expect, batch_id, records)?;
        self.update_properties(key, change)?;
        Ok(appended)
    }

    /// Takes back the last message that is visible and live, with whatever stands behind it: a line that says so
    /// is appended. The message stays, and is no longer [`live`](crate::Message::live). `None` if there is none.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::Error::Unsupported) in a format without such a line: all but the native;
    /// [`NotFound`](crate::Error::NotFound); those of [`append`](Self::append).
    ///
    /// ```
    /// use scrollback::{Expect, MemoryStore, Message, NewRecord, Role, SessionKey, Store};
    ///
    /// let store = MemoryStore::default();
    /// let key = SessionKey::native("chat-1")?;
    /// let said = NewRecord::message(Message::text(Role::User, "helo"));
    /// store.append(&key, Expect::Any, None, &[said])?;
    /// assert!(store.take_back(&key, Expect::Sequence(1))?.is_some());
    /// assert!(!store.load(&key)?.messages[0].live);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn take_back(&self, key: &SessionKey, expect: Expect) -> Result<Option<Appended>> {
        take_back::last(self, key, expect, &|next, line| {
            self.append(key, Expect::Sequence(next), None, &[NewRecord::Line(line)])
        })
    }

    /// Creates a session with a header line, or without one in a format that has none, if it is
    /// not there. Returns whether it was created; a session that is there is not touched.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::Error::Unsupported) if the agent's format is only read.
    fn ensure_meta(&self, session: &Session) -> Result<bool>;

    /// Hides all but the last `keep_last` messages, by moving the mark. Deletes nothing; a larger
    /// number shows hidden messages again.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound).
    fn truncate(&self, key: &SessionKey, keep_last: u64) -> Result<Truncated>;

    /// Hides all records before `sequence`, by moving the mark forward; never backward. Unlike
    /// [`truncate`](Self::truncate) it names a place, so that records which were appended since the
    /// caller looked stay visible.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound).
    fn hide_before(&self, key: &SessionKey, sequence: u64) -> Result<Truncated>;

    /// Hides all that is there, and appends, in one step. The session is created if it is not
    /// there. Nothing is removed until [`compact`](Self::compact).
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append), except for `Conflict`.
    fn replace_history(&self, key: &SessionKey, records: &[NewRecord]) -> Result<()>;

    /// What is kept of a session beside its lines.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn properties(&self, key: &SessionKey) -> Result<Properties>;

    /// Changes what is kept of a session beside its lines. The time of update stays. Returns the
    /// properties as they are then.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound); [`AliasTaken`](crate::Error::AliasTaken) if another
    /// session of the agent has one of the aliases; [`TooLarge`](crate::Error::TooLarge).
    fn update_properties(&self, key: &SessionKey, change: &PropertiesChange) -> Result<Properties>;

    /// The session that has `alias` (an agent and another name) among its aliases. Costs one
    /// lookup, however many sessions there are. Where none has, and the agent's names of files do not
    /// tell keys: the session that was imported from the file in which the agent would keep one of this
    /// key, as long as nothing states another.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>>;

    /// Removes the records below the mark for good, header lines excepted, and packs the rest.
    ///
    /// `through` is the mark up to which to remove, at most: records that become hidden after the
    /// caller looked are left alone. `None` takes the mark as it is when the call starts. What
    /// goes is written to `archive` first, as lines; the removal waits until that has succeeded.
    /// Costs a read of the session.
    ///
    /// # Durability
    ///
    /// As [`append`](Self::append). The file keeps its size until [`reclaim`](Self::reclaim).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`Corrupt`](crate::Error::Corrupt) if the lines are
    /// not those that were stored, or [`Output`](crate::Error::Output) if the archive cannot be
    /// written: then nothing was removed.
    fn compact(
        &self,
        key: &SessionKey,
        through: Option<u64>,
        archive: Option<&mut dyn Write>,
    ) -> Result<Compacted>;

    /// Gives space that is no longer used back to the file system. In a file, nobody reads or writes
    /// while it runs, in this process or another; until it begins, and where it is refused, all of
    /// them do.
    ///
    /// # Errors
    ///
    /// Storage errors. That somebody else uses the store is no error, but
    /// [`Reclaimed::refused`].
    fn reclaim(&self) -> Result<Reclaimed>;

    /// Which store this is, so that an archive knows whose lines it holds. A store keeps its id as
    /// long as it is there, and another store has another one. `None` where a store has none.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    fn id(&self) -> Result<Option<StoreId>> {
        Ok(None)
    }

    /// A page of records, in order, from a sequence number on, forwards or backwards. Visible or
    /// not makes no difference: [`Summary::mark`] tells.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn scan(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage>;

    /// What is to be known of the records from `first` to `last` beyond their own lines: messages that
    /// were written again, turns that were taken back, tokens that count elsewhere. Reads no record.
    /// [`StoreExt::view`](crate::StoreExt::view) and [`load`](Self::load) show a session by it. This default knows of
    /// none, which is right where no lines of agents come in.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn exceptions(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>> {
        let _ = (first, last);
        self.summary(key).map(|_| Vec::new())
    }

    /// A page of the messages that fit a query, as [`StoreExt::view`](crate::StoreExt::view) shows them: each where it was said
    /// first and in its last state; what was taken back or put in too, unless the query leaves it out.
    /// Searched are texts and thoughts, calls of tools with what they were given, and what tools answered.
    ///
    /// The answer is exact. This default reads every message of the sessions that the query names, from
    /// the session that was updated last, until the page is full. Sessions that are damaged are named in
    /// the page, and end nothing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound) for a session that is named and not there;
    /// [`Cancelled`](crate::Error::Cancelled) if the watcher stops it; those of [`list`](Self::list).
    ///
    /// ```
    /// use scrollback::{
    ///     Expect, MemoryStore, Message, NewRecord, Role, SearchQuery, SessionKey, Store, unwatched,
    /// };
    ///
    /// let store = MemoryStore::default();
    /// let key = SessionKey::native("chat-1")?;
    /// let said = ["Which port?", "The API listens on 8080."];
    /// let said = said.map(|text| NewRecord::message(Message::text(Role::User, text)));
    /// store.append(&key, Expect::Any, None, &said)?;
    /// let query = SearchQuery::new("api 8080".parse()?);
    /// let page = store.search(&query, &mut unwatched)?;
    /// assert_eq!(page.hits[0].sequence, Some(1));
    /// assert_eq!(page.hits[0].snippet.matches, [(4, 7), (19, 23)]);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    fn search(&self, query: &SearchQuery, watcher: &mut Watcher<'_>) -> Result<SearchPage> {
        search::page(self, &Everywhere, query, watcher)
    }

    /// How many messages fit a query, and in how many sessions: exactly, whatever its limit and its place.
    ///
    /// # Errors
    ///
    /// Those of [`search`](Self::search).
    fn search_counts(
        &self,
        query: &SearchQuery,
        watcher: &mut Watcher<'_>,
    ) -> Result<SearchCounts> {
        search::counts(self, &Everywhere, query, watcher)
    }

    /// The sequence number of the message of an id, as [`load`](Self::load) names it: that of its first
    /// place, hidden or not. `None` if there is none. This default reads the session; a store can do
    /// better.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn find_message(&self, key: &SessionKey, id: &str) -> Result<Option<u64>> {
        search::first_of(self, key, ScanQuery::default(), &mut |record| {
            let said = record.messages(key.agent());
            let has_it = said.iter().any(|message| message.id.as_deref() == Some(id));
            has_it.then_some(record.sequence)
        })
    }
}
