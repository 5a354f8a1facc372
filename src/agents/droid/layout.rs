//! Where Factory Droid keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::parts::paths::{self, below, is_uuid, names};

/// The agent's name.
pub(super) const AGENT: &str = "droid";

/// The folder that sessions are kept in.
const OWN: [&str; 2] = [".factory", "sessions"];

/// How the file about a session ends.
pub(super) const SETTINGS: &str = ".settings.json";

/// Whether a file lies in Droid's own folder, below a project's or not.
pub(super) fn is_own(path: &Path) -> bool {
    let names = names(path);
    matches!(below(&names, &OWN), Some([_] | [_, _]))
}

/// The session that a file with such a name is about.
pub(super) fn named_settings(path: &Path) -> Option<String> {
    let name = paths::name(path);
    let session = name.strip_suffix(SETTINGS)?;
    (!session.is_empty()).then(|| session.to_owned())
}

/// The same of a file that is Droid's by its place, or by an id in its name.
pub(super) fn session_of_settings(path: &Path) -> Option<String> {
    named_settings(path).filter(|session| is_own(path) || is_uuid(session))
}
