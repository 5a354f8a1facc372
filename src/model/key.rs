//! How a session is named: the agent that wrote it and the id that the agent gave it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::limits::{AGENT_BYTES_MAX, ID_BYTES_MAX};
use crate::error::{Error, Result};

/// Name of the agent of sessions that were made through this crate.
pub const NATIVE: &str = "native";

/// The name of a session: an agent and that agent's own id.
///
/// Ids are any UTF-8 text of 1 to [`ID_BYTES_MAX`] bytes and are never changed or sanitised, so
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
    agent: String,
    id: String,
}

impl SessionKey {
    /// Names a session of an agent.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the agent or the id is empty or too long, or if the agent holds
    /// anything but lower case letters, digits, `-` and `_`.
    pub fn new(agent: impl Into<String>, id: impl Into<String>) -> Result<Self> {
        let (agent, id) = (agent.into(), id.into());
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let reason = if agent.is_empty() || agent.len() > AGENT_BYTES_MAX {
            format!(
                "an agent name has 1 to {AGENT_BYTES_MAX} bytes, this one {}",
                agent.len()
            )
        } else if !agent.bytes().all(named) {
            "an agent name holds lower case letters, digits, `-` and `_`".to_owned()
        } else if id.is_empty() || id.len() > ID_BYTES_MAX {
            format!(
                "a session id has 1 to {ID_BYTES_MAX} bytes, this one {}",
                id.len()
            )
        } else {
            return Ok(Self { agent, id });
        };
        Err(Error::InvalidKey { agent, id, reason })
    }

    /// Names a session made through this crate (agent [`NATIVE`]).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the id is empty or longer than [`ID_BYTES_MAX`].
    pub fn native(id: impl Into<String>) -> Result<Self> {
        Self::new(NATIVE, id)
    }

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
