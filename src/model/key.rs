//! How a session is named: the agent that wrote it and the id that the agent gave it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of the agent of sessions that were made through this crate.
pub const NATIVE: &str = "native";

/// The name of a session: an agent and that agent's own id.
///
/// Ids are any UTF-8 text of 1 to [`ID_BYTES_MAX`](super::limits::ID_BYTES_MAX) bytes and are never changed or sanitised, so
/// two different ids never meet in one session.
///
/// ```
/// use scrollback::SessionKey;
///
/// let key = SessionKey::native("telegram:123456")?;
/// assert_eq!(key.to_string(), "native:telegram:123456");
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    pub(super) agent: String,
    pub(super) id: String,
}

impl SessionKey {
    /// The agent's name, for example `claude-code`.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The agent's own id of the session.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.agent, self.id)
    }
}
