//! Where Cline's command line keeps sessions, and what the paths there tell.

use std::path::{Path, PathBuf};

use crate::agents::companions::Sidecar;
use crate::agents::parts::paths::{below, name, names};

/// The agent's name.
pub(super) const AGENT: &str = "cline";

/// The folder that sessions are kept in, a folder each.
const OWN: [&str; 3] = [".cline", "data", "sessions"];

/// How the document with a session's messages ends.
const MESSAGES: &str = ".messages.json";

/// How the document about a session ends.
const MANIFEST: &str = ".json";

/// What other documents beside a session end with: what a compaction has made of it.
const OTHERS: [&str; 2] = [".messages", ".compaction"];

/// The folder of a session and the session, of a document with messages: a sub-agent's lies in the folder of
/// the session that started it.
pub(super) fn messages_of(path: &Path) -> Option<(String, String)> {
    let names = names(path);
    let [folder, name] = below(&names, &OWN)? else {
        return None;
    };
    let session = name.strip_suffix(MESSAGES)?;
    (!session.is_empty()).then(|| (folder.clone(), session.to_owned()))
}

/// The session that the one in a file was started by.
pub(super) fn parent(path: &Path) -> Option<String> {
    let (folder, session) = messages_of(path)?;
    (folder != session).then_some(folder)
}

/// The document about the session that the one in a file belongs to.
pub(super) fn manifest_beside(path: &Path) -> Option<PathBuf> {
    let (folder, _) = messages_of(path)?;
    Some(path.with_file_name(folder + MANIFEST))
}

/// The session that a file in the place of one is about.
pub(super) fn manifest_of(path: &Path) -> Option<String> {
    let names = names(path);
    let Some([_, _]) = below(&names, &OWN) else {
        return None;
    };
    let name = name(path);
    let session = name.strip_suffix(MANIFEST)?;
    let is_other = OTHERS.iter().any(|ending| session.ends_with(ending));
    (!is_other && !session.is_empty()).then(|| session.to_owned())
}

/// Whose sidecar a file is.
pub(super) fn sidecar(path: &Path) -> Option<Sidecar> {
    manifest_of(path).map(Sidecar::Session)
}
