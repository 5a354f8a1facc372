//! Where Claude Code keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::parts::meta_file::META_ENDING;
use crate::agents::parts::paths::{below, is_private, is_uuid, name, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "claude-code";

/// The name of an index file.
pub(super) const INDEX: &str = "sessions-index.json";

/// The folder of a session's sub-agents.
const SUBAGENTS: &str = "subagents";

/// How the name of a sub-agent's file begins.
const SUBAGENT: &str = "agent-";

/// Whether a file lies in Claude Code's own folder.
pub(crate) fn is_own(path: &Path) -> bool {
    below(&names(path), &[".claude", "projects"]).is_some()
}

/// Whether a file lies in a folder of a project, perhaps of a copied home.
pub(crate) fn is_project(path: &Path) -> bool {
    project(&names(path)).is_some()
}

/// The names below `projects/`, if the first is a project's folder and not the file.
fn project(names: &[String]) -> Option<&[String]> {
    let rest = below(names, &["projects"])?;
    let encoded = |name: &String| {
        name.contains('-')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (rest.len() > 1 && rest.first().is_some_and(encoded)).then_some(rest)
}

/// The id of the session in a file: its stem. A sub-agent's file is called by the sub-agent's id, and
/// what Claude Code prints is that id: no folder is a part of it.
pub(crate) fn session_id(path: &Path) -> String {
    let stem = stem(path);
    subagent(&stem).unwrap_or(&stem).to_owned()
}

/// The id of the sub-agent that a file is called by.
fn subagent(stem: &str) -> Option<&str> {
    stem.strip_prefix(SUBAGENT).filter(|id| !id.is_empty())
}

/// The session below whose folder a sub-agent's file lies.
pub(super) fn parent(path: &Path) -> Option<String> {
    let names = names(path);
    subagent(&stem(path))?;
    let at = names.iter().rposition(|name| name == SUBAGENTS)?;
    names.get(at.checked_sub(1)?).cloned()
}

/// Whose sidecar a file is.
pub(crate) fn sidecar(path: &Path) -> Option<Sidecar> {
    let name = name(path);
    if is_private(&name) {
        return None;
    }
    let names = names(path);
    if let Some(rest) = below(&names, &[".claude", "projects"]) {
        return Some(owner(rest.get(1..).unwrap_or_default(), &name));
    }
    // Elsewhere only what has a telling place and name.
    let rest = project(&names)?.get(1..)?;
    let telling = match rest {
        [name] => name == INDEX || (name.starts_with("agent-") && name.ends_with(META_ENDING)),
        [session, folder, ..] if is_uuid(session) => {
            folder == "tool-results" || (folder == "subagents" && name.ends_with(META_ENDING))
        }
        _ => false,
    };
    telling.then(|| owner(rest, &name))
}

/// The owner of a file by its names below the project's folder.
fn owner(rest: &[String], name: &str) -> Sidecar {
    let about = name
        .strip_suffix(META_ENDING)
        .filter(|stem| !stem.is_empty());
    match rest {
        [_] => match (about, name.split_at_checked(36)) {
            (Some(stem), _) => Sidecar::Session(subagent(stem).unwrap_or(stem).to_owned()),
            (None, Some((session, _))) if is_uuid(session) => Sidecar::Session(session.to_owned()),
            _ => Sidecar::Folder,
        },
        [session, folder, ..]
            if is_uuid(session) || folder == "tool-results" || folder == "subagents" =>
        {
            match (about, rest.split_last()) {
                (Some(stem), Some(_)) if folder == SUBAGENTS => {
                    Sidecar::Session(subagent(stem).unwrap_or(stem).to_owned())
                }
                _ => Sidecar::Session(session.clone()),
            }
        }
        _ => Sidecar::Folder,
    }
}
