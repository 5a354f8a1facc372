//! A session: its summary, and the form in which an agent programmer holds one.

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::key::SessionKey;
use super::message::Message;
use super::raw_json::RawJson;

/// All that a list prints of a session. Every text is capped (see [`limits`](super::limits)).
///
/// It is derived from the lines and kept in one row, so that a list never reads a record. A title,
/// project or parent that was given to the session ([`Properties`](crate::Properties)) is shown
/// instead of what the lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Summary {
    /// The session's name.
    pub key: SessionKey,
    /// The store's own number of the session: ascending in the order of creation.
    pub number: u64,
    /// Folder that the session worked in.
    pub project: Option<String>,
    /// Title; empty if nothing in the session gives one.
    pub title: String,
    /// The first time that the lines state.
    pub created_at: DateTime<Utc>,
    /// The last time that the lines state; lists are in this order.
    pub updated_at: DateTime<Utc>,
    /// When this store last wrote to the session, by the clock of the process that did
    /// ([`Options::with_clock`](crate::Options::with_clock)): an imported session has the times of its lines in
    /// `updated_at`, and that of its import here.
    ///
    /// A write is what changes something that the store keeps of the session: lines that come, are replaced or are
    /// removed (appends, saves, imports, compactions); which of them are hidden, and their order; titles, pins,
    /// aliases and all other properties; files that are kept beside it, and what these tell; its name; what a newer
    /// reader derives from its lines. What changes nothing leaves this time as it is: the retry of a batch, the
    /// import of a file that is as it was, a property that is given once more, a compaction of nothing.
    ///
    /// It never goes back: each write moves it on, by a microsecond where a clock stands still or is behind the one
    /// of the write before. So it tells whether there was a write since, though not always the exact time.
    ///
    /// It is each store's own. A copy into another store is a write there, at the time of the copy; a backup has the
    /// times of the store that it was made of, and so has a store that is restored from it.
    ///
    /// `None` for a session that was last written to by a version that did not note it, and in a store that keeps no
    /// such time.
    pub written_at: Option<DateTime<Utc>>,
    /// Messages that are stored.
    pub message_count: u64,
    /// Messages that are stored but hidden, by a truncation.
    pub hidden_count: u64,
    /// Records that are stored.
    pub record_count: u64,
    /// Bytes of the lines that are stored.
    pub bytes: u64,
    /// Records that could not be read completely.
    pub malformed_count: u64,
    /// Attachments: files that are kept whole.
    pub attachment_count: u64,
    /// The first sequence number that is visible without `show --hidden`.
    pub mark: u64,
    /// The sequence number that the next record gets.
    pub next_sequence: u64,
    /// How many contents the session's id has, this one counted: 1, unless files of one id went
    /// different ways. This is the newest, or was asked for by its number (`ID~1`).
    pub contents: u64,
    /// The model that spoke last.
    pub model: Option<String>,
    /// The git branch that was named last.
    pub branch: Option<String>,
    /// Id of the session that started or was forked into this one.
    pub parent: Option<String>,
    /// Whether its users pinned it.
    pub pinned: bool,
    /// Whether its users put it away, or its agent did.
    pub archived: bool,
    /// Whether its agent did, and nobody has taken it out here since.
    pub archived_by_agent: bool,
    /// Whether its parent started it to do a part of its work: a sub-agent, and no fork.
    pub subagent: bool,
    /// How many stored sessions are sub-agents of this one.
    pub subagents: u64,
}

impl Summary {
    /// The summary of a session without records, pinned and archived by nobody, for stores of
    /// others to fill.
    pub fn new(key: SessionKey, number: u64, created_at: DateTime<Utc>) -> Self {
        Self {
            key,
            number,
            project: None,
            title: String::new(),
            created_at,
            updated_at: created_at,
            written_at: None,
            message_count: 0,
            hidden_count: 0,
            record_count: 0,
            bytes: 0,
            malformed_count: 0,
            attachment_count: 0,
            mark: 0,
            next_sequence: 0,
            contents: 1,
            model: None,
            branch: None,
            parent: None,
            pinned: false,
            archived: false,
            archived_by_agent: false,
            subagent: false,
            subagents: 0,
        }
    }
}

/// A session with its messages, as agent programmers hold it.
///
/// ```
/// use scrollback::{Message, MemoryStore, Role, Session, Store};
///
/// let store = MemoryStore::default();
/// let mut session = Session::native("chat-1")?;
/// session.messages.push(Message::text(Role::User, "hello"));
/// store.save(&mut session)?;
/// assert_eq!(store.load(&session.key)?, session);
/// # Ok::<(), scrollback::Error>(())
/// ```
///
/// As JSON it has `id`, `agent`, and then the fields below by their names, `extra` as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The session's name.
    pub key: SessionKey,
    /// Title; [`Store::save`](crate::Store::save) derives one from the first user message if it
    /// is empty.
    pub title: String,
    /// Folder that the session works in.
    pub project: Option<String>,
    /// The model in use.
    pub model: Option<String>,
    /// Id of the session that started or was forked into this one.
    pub parent: Option<String>,
    /// Whether it was forked from its parent. One that was not is a sub-agent of its parent: it is deleted with it.
    pub forked: bool,
    /// When it was made; set by the first save if the session has none.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last written; set by each save.
    pub updated_at: Option<DateTime<Utc>>,
    /// Fields of the session that the store does not interpret, in their order.
    pub extra: Vec<(String, RawJson)>,
    /// The visible messages, oldest first.
    pub messages: Vec<Message>,
}

impl Session {
    /// A new, empty session of any agent's name.
    pub fn new(key: SessionKey) -> Self {
        Self {
            key,
            title: String::new(),
            project: None,
            model: None,
            parent: None,
            forked: false,
            created_at: None,
            updated_at: None,
            extra: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// A new, empty session with this id.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`](crate::Error::InvalidKey) if the id is empty or too long.
    pub fn native(id: impl Into<String>) -> crate::model::error::Result<Self> {
        SessionKey::native(id).map(Self::new)
    }
}

impl Serialize for Session {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Session", 11)?;
        fields.serialize_field("id", self.key.id())?;
        fields.serialize_field("agent", self.key.agent())?;
        fields.serialize_field("title", &self.title)?;
        fields.serialize_field("project", &self.project)?;
        fields.serialize_field("model", &self.model)?;
        fields.serialize_field("parent", &self.parent)?;
        fields.serialize_field("forked", &self.forked)?;
        fields.serialize_field("created_at", &self.created_at)?;
        fields.serialize_field("updated_at", &self.updated_at)?;
        fields.serialize_field("extra", &Fields(&self.extra))?;
        fields.serialize_field("messages", &self.messages)?;
        fields.end()
    }
}

/// Fields in their order, as an object.
struct Fields<'a>(&'a [(String, RawJson)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Role;

    #[test]
    fn as_json_a_session_has_its_name_its_fields_and_its_messages() {
        let mut session = Session::native("chat-1").unwrap();
        session.title = "A chat".to_owned();
        let value = RawJson::parse("1e400").unwrap();
        session.extra.push(("budget".to_owned(), value));
        session.messages.push(Message::text(Role::User, "hi"));
        let json = serde_json::to_string(&session).unwrap();
        let head = "{\"id\":\"chat-1\",\"agent\":\"native\",\"title\":\"A chat\",\"project\":null,\
                    \"model\":null,\"parent\":null,\"forked\":false,\"created_at\":null,\"updated_at\":null,\
                    \"extra\":{\"budget\":1e400},\"messages\":[{\"role\":\"user\",";
        assert!(json.starts_with(head), "{json}");
    }
}
