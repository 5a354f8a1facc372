//! A session: its summary, and the form in which an agent programmer holds one.

use chrono::{DateTime, Utc};

use super::key::SessionKey;
use super::message::Message;
use super::raw_json::RawJson;

/// All that a list prints of a session. Every text is capped (see [`limits`](super::limits)).
///
/// It is derived from the lines and kept in one row, so that a list never reads a record. A title,
/// project or parent that was given to the session ([`Properties`](crate::Properties)) is shown
/// instead of what the lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Messages that are stored.
    pub message_count: u64,
    /// Messages that are stored but hidden, by a truncation.
    pub hidden_count: u64,
    /// Records that are stored.
    pub record_count: u64,
    /// Bytes of the lines that are stored.
    pub bytes: u64,
    /// Records of which not all could be read.
    pub malformed_count: u64,
    /// Files kept beside the lines.
    pub attachment_count: u64,
    /// The first sequence number that is visible without `--full`.
    pub mark: u64,
    /// The sequence number that the next record gets.
    pub next_sequence: u64,
    /// The model that spoke last.
    pub model: Option<String>,
    /// The git branch that was named last.
    pub branch: Option<String>,
    /// Id of the session that started or was forked into this one.
    pub parent: Option<String>,
    /// Whether its users pinned it.
    pub pinned: bool,
    /// Whether its users put it away.
    pub archived: bool,
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
