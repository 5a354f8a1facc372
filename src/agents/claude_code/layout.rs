//! Where Claude Code keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::parts::meta_file::META_ENDING;
use crate::agents::parts::paths::{below, is_uuid, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "claude-code";

/// The name of an index file.
pub(super) const INDEX: &str = "sessions-index.json";

/// The list of prompts in the home.
const PROMPTS: &str = "history.jsonl";

/// Folders between a session and its subagents' files.
const BETWEEN: [&str; 2] = ["subagents", "workflows"];

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

/// The id of the session in a file: its stem; a subagent's file has its session's id before it.
pub(crate) fn session_id(path: &Path) -> String {
    let names = names(path);
    let stem = stem(path);
    let own = below(&names, &[".claude", "projects"]).and_then(|rest| rest.get(1..));
    let parents = own.or_else(|| {
        let at = names.iter().rposition(|name| name == "subagents")?;
        names.get(at.checked_sub(1)?..)
    });
    let folders = parents
        .and_then(|parents| parents.split_last())
        .map_or(&[][..], |(_, rest)| rest);
    joined(folders, &stem)
}

/// Folders and a stem as an id, without the folders that are the same for all.
fn joined(folders: &[String], stem: &str) -> String {
    let mut id = String::new();
    for folder in folders
        .iter()
        .filter(|folder| !BETWEEN.contains(&folder.as_str()))
    {
        id.push_str(folder);
        id.push('/');
    }
    id.push_str(stem);
    id
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
        ([], Some(stem)) => Some(Sidecar::Session(stem.to_owned())),
        ([session, folder, ..], _) if folder == "tool-results" => {
            Some(Sidecar::Session(session.clone()))
        }
        ([_, folder, ..], Some(stem)) if folder == "subagents" => {
            Some(Sidecar::Session(joined(folders, stem)))
        }
        _ => None,
    }
}
