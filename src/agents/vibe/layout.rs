//! Where Mistral Vibe keeps sessions, and what the paths there tell.

use std::path::Path;

use super::meta;
use crate::agents::home::head;
use crate::agents::parts::paths::{below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "vibe";

/// The folder that sessions are kept in, and how the folder of each begins.
const OWN: [&str; 3] = [".vibe", "logs", "session"];
const SESSION: &str = "session_";

/// A session's files: its messages, and what is told of it.
const MESSAGES: &str = "messages.jsonl";
pub(super) const META: &str = "meta.json";

/// Whether a file is the messages of a session, wherever it lies.
pub(super) fn is_session(path: &Path) -> bool {
    let names = names(path);
    matches!(names.as_slice(), [.., folder, file] if folder.starts_with(SESSION) && file == MESSAGES)
}

/// The same in Vibe's own folder. Sub-agents have folders below that of the session.
pub(super) fn is_own(path: &Path) -> bool {
    let names = names(path);
    let rest = below(&names, &OWN);
    rest.is_some_and(|rest| rest.len() > 1 && rest.last().is_some_and(|file| file == MESSAGES))
}

/// The id of a session of which nothing is told: the name of its folder.
pub(super) fn session_id(path: &Path) -> String {
    let names = names(path);
    match names.as_slice() {
        [.., folder, _] => folder.clone(),
        _ => stem(path),
    }
}

/// The session that a file in Vibe's own folder tells of.
pub(super) fn session_of_meta(path: &Path) -> Option<String> {
    let names = names(path);
    let (file, folders) = below(&names, &OWN)?.split_last()?;
    if file != META || folders.is_empty() {
        return None;
    }
    let stated = head(path).ok().and_then(|bytes| meta::session_id(&bytes));
    Some(stated.unwrap_or_else(|| session_id(path)))
}
