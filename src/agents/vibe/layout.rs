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

/// Where the sessions of newer versions lie, in another form.
const NEWER: &str = "unified";

/// The folder in a session's that its sub-agents have theirs in.
const AGENTS: &str = "agents";

/// A session's files: its messages, and what is told of it.
const MESSAGES: &str = "messages.jsonl";
pub(super) const META: &str = "meta.json";

/// Whether a file is the messages of a session, wherever it lies.
pub(super) fn is_session(path: &Path) -> bool {
    let names = names(path);
    matches!(&*names, [.., folder, file] if folder.starts_with(SESSION) && file == MESSAGES)
}

/// The same in Vibe's own folder. Sub-agents have folders below that of the session.
pub(super) fn is_own(path: &Path) -> bool {
    let names = names(path);
    let rest = below(&names, &OWN).and_then(<[String]>::split_last);
    rest.is_some_and(|(file, folders)| file == MESSAGES && are_lines(folders))
}

/// Whether sessions in these folders are lines with a file beside them.
fn are_lines(folders: &[String]) -> bool {
    folders.first().is_some_and(|folder| folder != NEWER)
}

/// The session that a sub-agent's file belongs to.
pub(super) fn parent(path: &Path) -> Option<String> {
    let names = names(path);
    match below(&names, &OWN)? {
        [.., session, agents, _, _] if agents == AGENTS => {
            let beside = path.ancestors().nth(3)?.join(META);
            let stated = head(&beside)
                .ok()
                .and_then(|bytes| meta::session_id(&bytes));
            Some(stated.unwrap_or_else(|| session.clone()))
        }
        _ => None,
    }
}

/// The id of a session of which nothing is told: the name of its folder.
pub(super) fn session_id(path: &Path) -> String {
    let names = names(path);
    match &*names {
        [.., folder, _] => folder.clone(),
        _ => stem(path),
    }
}

/// The session that a file in Vibe's own folder tells of.
pub(super) fn session_of_meta(path: &Path) -> Option<String> {
    let names = names(path);
    let (file, folders) = below(&names, &OWN)?.split_last()?;
    // The newer form has one too.
    let is_newer = matches!(folders, [newer, _] if newer == NEWER);
    if file != META || !(are_lines(folders) || is_newer) {
        return None;
    }
    let stated = head(path).ok().and_then(|bytes| meta::session_id(&bytes));
    Some(stated.unwrap_or_else(|| session_id(path)))
}
