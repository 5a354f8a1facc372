//! The nine calls of a chat program's loop: [`SessionStore`].

use std::sync::Arc;

use crate::model::error::{Error, Result};
use crate::model::message::Message;

/// What an agent's loop needs of its sessions, by key: add, read, summarise, truncate.
///
/// Writing is fire and forget: a call never fails, whatever happens below. What went wrong is
/// logged through `tracing`, and can be asked for with [`last_error`](Self::last_error). Reading
/// never creates a session. Comes from picoclaw's `SessionStore`.
/// [`StoreSessions`](crate::picoclaw::StoreSessions) is one over any [`Store`](crate::Store).
///
/// ```
/// use std::sync::Arc;
/// use scrollback::MemoryStore;
/// use scrollback::picoclaw::{SessionStore, StoreSessions};
///
/// let sessions: Box<dyn SessionStore> =
///     Box::new(StoreSessions::new(Arc::new(MemoryStore::default())));
/// sessions.add_message("telegram:123456", "user", "hello");
/// sessions.set_summary("telegram:123456", "They greeted.");
/// assert_eq!(sessions.get_history("telegram:123456")[0].plain_text(), "hello");
/// assert_eq!(sessions.get_summary("telegram:123456"), "They greeted.");
/// assert!(sessions.last_error().is_none());
/// ```
pub trait SessionStore: Send + Sync {
    /// Appends a message of one text. Creates the session.
    ///
    /// # Durability
    ///
    /// On disk when this returns, unless there is a new [`last_error`](Self::last_error). So are
    /// all other writes.
    fn add_message(&self, key: &str, role: &str, content: &str);

    /// Appends a message with all that belongs to it: tool calls, results, pictures, thoughts.
    fn add_full_message(&self, key: &str, message: &Message);

    /// The visible messages, oldest first; none if there is no such session. Costs a read of
    /// them.
    fn get_history(&self, key: &str) -> Vec<Message>;

    /// The summary of the conversation; empty if there is none.
    fn get_summary(&self, key: &str) -> String;

    /// Sets the summary of the conversation. Creates the session.
    fn set_summary(&self, key: &str, summary: &str);

    /// Puts other messages in the place of all that are visible, in one step. Creates the session.
    /// The summary stays.
    fn set_history(&self, key: &str, history: &[Message]);

    /// Hides all but the last `keep_last` messages. 0 or less hides all; a number larger than that
    /// of the visible messages changes nothing, and never shows again what was hidden. Where the
    /// window would begin between a tool's call and its result, it begins at the call.
    fn truncate_history(&self, key: &str, keep_last: i64);

    /// Removes for good what is hidden. No message that is visible is touched.
    ///
    /// # Errors
    ///
    /// What the store says. That there is no such session is none.
    fn save(&self, key: &str) -> Result<()>;

    /// Ends the use of the store. All that was written is on disk already.
    ///
    /// # Errors
    ///
    /// What the store says.
    fn close(&self) -> Result<()>;

    /// The last thing that went wrong since [`take_error`](Self::take_error), if anything did.
    fn last_error(&self) -> Option<Arc<Error>>;

    /// The last thing that went wrong, which is forgotten then.
    fn take_error(&self) -> Option<Arc<Error>>;
}
