//! Where Claude Code keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::parts::meta_file::META_ENDING;
use crate::agents::parts::paths::{below, is_lines, is_uuid, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "claude-code";

/// The name of an index file.
pub(super) const INDEX: &str = "sessions-index.json";

/// The list of prompts in the home.
const PROMPTS: &str = "history.jsonl";

/// The folder of a session's sub-agents.
pub(super) const SUBAGENTS: &str = "subagents";

/// The folder of what tools have put out.
const OUTPUTS: &str = "tool-results";

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

/// Whether a file of lines at this path may be a session: in a session's folder lie its sub-agents',
/// and lines that are none: journals of what they did, and what tools have put out.
pub(super) fn may_be_session(path: &Path) -> bool {
    let names = names(path);
    let rest = match below(&names, &[".claude", "projects"]) {
        Some(rest) => rest,
        None => project(&names).unwrap_or_default(),
    };
    let is_in = |folder: &str| rest.iter().rev().skip(1).any(|name| name == folder);
    !is_in(OUTPUTS) && (!is_in(SUBAGENTS) || subagent(&stem(path)).is_some())
}

/// Whose sidecar a file is.
pub(crate) fn sidecar(path: &Path) -> Option<Sidecar> {
    let names = names(path);
    if let Some(rest) = below(&names, &[".claude", "projects"]) {
        return owner(rest.get(1..).unwrap_or_default());
    }
    if matches!(below(&names, &[".claude"]), Some([list]) if list == PROMPTS) {
        return Some(Sidecar::Folder);
    }
    // Elsewhere the project's folder and the session's have to look like theirs.
    let rest = project(&names)?.get(1..)?;
    let is_telling = match rest {
        [name] => name == INDEX || name.starts_with("agent-"),
        [session, ..] => is_uuid(session),
        [] => false,
    };
    owner(rest).filter(|_| is_telling)
}

/// The owner of a file by its names below the project's folder: indexes, what sub-agents are, and
/// outputs that were too long for a session. Nothing else there is kept.
fn owner(rest: &[String]) -> Option<Sidecar> {
    let (name, folders) = rest.split_last()?;
    let about = name
        .strip_suffix(META_ENDING)
        .filter(|stem| !stem.is_empty());
    match (folders, about) {
        ([], None) => (name == INDEX).then_some(Sidecar::Folder),
        // Older versions have sub-agents' files beside the session's.
        ([], Some(stem)) => Some(Sidecar::Session(subagent(stem).unwrap_or(stem).to_owned())),
        ([session, folder, ..], _) if folder == OUTPUTS => Some(Sidecar::Session(session.clone())),
        ([_, folder, ..], Some(stem)) if folder == SUBAGENTS => {
            Some(Sidecar::Session(subagent(stem).unwrap_or(stem).to_owned()))
        }
        // A workflow's journal is lines, but of no talk.
        ([session, folder, ..], None) if folder == SUBAGENTS && is_journal(name) => {
            Some(Sidecar::Session(session.clone()))
        }
        _ => None,
    }
}

/// Whether a file among those of sub-agents is lines, and not a sub-agent's.
fn is_journal(name: &str) -> bool {
    let path = Path::new(name);
    is_lines(path) && subagent(&stem(path)).is_none()
}
