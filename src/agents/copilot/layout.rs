//! Where Copilot CLI keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::dialect::Candidate;
use crate::agents::parts::fields::{fields_of, owned};
use crate::agents::parts::paths::{self, below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "copilot";

/// The folder that sessions are kept in.
const OWN: [&str; 2] = [".copilot", "session-state"];

/// The name of that folder in a copy.
const STATE: &str = "session-state";

/// The file of a session's events.
const EVENTS: &str = "events.jsonl";

/// The file that has a session's name.
const WORKSPACE: &str = "workspace.yaml";

/// What else is kept of a session's folder: a file, and folders of files.
const PLAN: &str = "plan.md";
const FOLDERS: [&str; 2] = ["checkpoints", "files"];

/// The names below the folder of sessions, in its own place or in a copy.
fn in_state(names: &[String]) -> Option<&[String]> {
    below(names, &OWN).or_else(|| below(names, &[STATE]))
}

/// The session that a file in Copilot's own folder is.
pub(super) fn own_session(path: &Path) -> Option<String> {
    let names = names(path);
    match below(&names, &OWN)? {
        [_] => Some(stem(path)),
        [session, events] if events == EVENTS => Some(session.clone()),
        _ => None,
    }
}

/// The id of the session in a file: what its place says, else its first line, else its name.
pub(super) fn session_id(candidate: &Candidate<'_>) -> String {
    if let Some(id) = own_session(candidate.path) {
        return id;
    }
    // Copied files are all called alike, so the name would be no id.
    let stated = candidate.lines().find_map(|line| {
        let [data] = line.fields(&["data"]);
        let [id] = fields_of(data, &["sessionId"]);
        owned(id)
    });
    stated.unwrap_or_else(|| {
        let names = names(candidate.path);
        match &*names {
            [.., session, events] if events == EVENTS => session.clone(),
            _ => stem(candidate.path),
        }
    })
}

/// The session that a file with a name is about.
pub(super) fn session_of_workspace(path: &Path) -> Option<String> {
    let names = names(path);
    match in_state(&names)? {
        [session, name] if name == WORKSPACE => Some(session.clone()),
        _ => None,
    }
}

/// Whose sidecar a file is. A session's own database is not kept: nobody has said what is in it.
pub(super) fn sidecar(path: &Path) -> Option<Sidecar> {
    let names = names(path);
    let (session, is_kept) = match in_state(&names)? {
        [session, name] => (session, name == WORKSPACE || name == PLAN),
        [session, folder, .., name] => (
            session,
            FOLDERS.contains(&folder.as_str()) && !paths::is_private(name),
        ),
        _ => return None,
    };
    is_kept.then(|| Sidecar::Session(session.clone()))
}
