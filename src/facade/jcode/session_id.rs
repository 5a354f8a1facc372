//! Which ids jcode can keep a session under.

use crate::agents::jcode::{self, AGENT};
use crate::model::error::{Error, Result};

/// Checks that an id can be the name of a file of jcode's: the file of a session, and no other.
///
/// The store takes any id; the check is for those that have to go back to jcode.
///
/// # Errors
///
/// [`Error::InvalidKey`] for an empty id, for `.` and anything with `..`, `/` or `\`, and for
/// `session` and `projects`, which would name the index.
///
/// ```
/// use scrollback::jcode::validate_session_id;
///
/// assert!(validate_session_id("7f9c2ba4-e88f-4b1c-9d3e-0c4a6b1d2e3f").is_ok());
/// assert!(validate_session_id("../etc").is_err());
/// ```
pub fn validate_session_id(id: &str) -> Result<()> {
    let reason = if id.is_empty() || id == "." || id.contains("..") {
        "an id is not empty, not `.`, and has no `..`"
    } else if id.contains(['/', '\\']) {
        "an id has no separators of paths"
    } else if jcode::is_reserved(id) {
        "jcode keeps its index in a file of that name"
    } else {
        return Ok(());
    };
    Err(Error::InvalidKey {
        agent: AGENT.to_owned(),
        id: id.to_owned(),
        reason: reason.to_owned(),
    })
}
