//! Which names a session may have. A file of its own, since errors name sessions: a key knows no
//! error.

use super::error::{Error, Result};
use super::key::{NATIVE, SessionKey};
use super::limits::{AGENT_BYTES_MAX, ID_BYTES_MAX};

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
}

/// The number of a content at the end of an id, and what stands before it: `id~2`.
pub(crate) fn numbered(id: &str) -> Option<(&str, u32)> {
    let (plain, number) = id.rsplit_once('~')?;
    // No content is given such a number: it is a part of an agent's own id.
    let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| number.parse().ok()).flatten()?;
    (!plain.is_empty()).then_some((plain, number))
}

/// The id before such a number.
pub(crate) fn without_number(id: &str) -> Option<&str> {
    numbered(id).map(|(plain, _)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_behind_an_id_is_told_from_other_ends() {
        assert_eq!(numbered("a~2"), Some(("a", 2)));
        assert_eq!(numbered("a~b~10"), Some(("a~b", 10)));
        for id in ["a", "a~", "a~x", "a2", "a~0", "a~02", "~3", "a~99999999999"] {
            assert_eq!(numbered(id), None, "{id}");
        }
    }
}
