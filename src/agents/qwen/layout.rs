//! Where Qwen Code keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::parts::meta_file::META_ENDING;
use crate::agents::parts::paths::{below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "qwen";

/// The folder that it keeps projects in.
const OWN: [&str; 2] = [".qwen", "projects"];

/// The folders of a project: its sessions, and their sub-agents by session.
const CHATS: &str = "chats";
const SUBAGENTS: &str = "subagents";

/// How the name of a sub-agent's file begins.
const SUBAGENT: &str = "agent-";

/// How the name of the file about the program that runs a session ends.
const RUNTIME: &str = ".runtime.json";

/// Whether a file lies where sessions do.
pub(super) fn is_own(path: &Path) -> bool {
    let names = names(path);
    match below(&names, &OWN) {
        Some([_, chats, _]) => chats == CHATS,
        Some([_, folder, _, name]) => folder == SUBAGENTS && name.starts_with(SUBAGENT),
        _ => false,
    }
}

/// The id of the session in a file: its stem, and of a sub-agent the sub-agent's.
pub(super) fn session_id(path: &Path) -> String {
    let stem = stem(path);
    match parent(path).and(stem.strip_prefix(SUBAGENT)) {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => stem,
    }
}

/// The session below whose folder a sub-agent's file lies.
pub(super) fn parent(path: &Path) -> Option<String> {
    let names = names(path);
    match &*names {
        [.., folder, session, name] if folder == SUBAGENTS && name.starts_with(SUBAGENT) => {
            Some(session.clone())
        }
        _ => None,
    }
}

/// Whose sidecar a file is.
pub(super) fn sidecar(path: &Path) -> Option<Sidecar> {
    let names = names(path);
    let session = match below(&names, &OWN)? {
        [_, chats, name] if chats == CHATS => name.strip_suffix(RUNTIME),
        [_, folder, _, name] if folder == SUBAGENTS => name
            .strip_prefix(SUBAGENT)
            .and_then(|name| name.strip_suffix(META_ENDING)),
        _ => None,
    };
    let session = session.filter(|session| !session.is_empty())?;
    Some(Sidecar::Session(session.to_owned()))
}
