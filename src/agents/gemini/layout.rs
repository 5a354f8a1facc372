//! Where Gemini CLI keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::dialect::Candidate;
use crate::agents::parts::fields::owned;
use crate::agents::parts::paths::{self, below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "gemini";

/// The folder that Gemini CLI keeps its projects in.
const OWN: [&str; 2] = [".gemini", "tmp"];

/// The list of projects in the home.
const PROJECTS: &str = "projects.json";

/// What is kept of a project's folder: the prompts, and which folder it is.
const BESIDE: [&str; 2] = ["logs.json", ".project_root"];

/// How a conversation that the user has saved begins, by its name.
const CHECKPOINT: &str = "checkpoint-";

/// A folder there that is no project: downloaded programs.
const PROGRAMS: &str = "bin";

/// Whether a file lies among Gemini CLI's chats.
pub(super) fn is_own(path: &Path) -> bool {
    matches!(below(&names(path), &OWN), Some([_, chats, _, ..]) if chats == "chats")
}

/// The folder of the project among whose chats a file lies.
pub(super) fn project(path: &Path) -> Option<String> {
    match below(&names(path), &OWN)? {
        [project, chats, ..] if chats == "chats" => Some(project.clone()),
        _ => None,
    }
}

/// The session that started the one in a file of lines: the folder among the chats that a
/// sub-agent's lies in has its name.
pub(super) fn parent(path: &Path) -> Option<String> {
    match below(&names(path), &["chats"])? {
        [parent, _] if paths::is_lines(path) => Some(parent.clone()),
        _ => None,
    }
}

/// The id in the header, else the stem.
pub(super) fn session_id(candidate: &Candidate<'_>) -> String {
    let found = candidate.lines().find_map(|line| {
        let [session] = line.fields(&["sessionId"]);
        owned(session)
    });
    found.unwrap_or_else(|| stem(candidate.path))
}

/// Whose sidecar a file is.
pub(super) fn sidecar(path: &Path) -> Option<Sidecar> {
    let names = names(path);
    let is_kept = match below(&names, &OWN) {
        Some([project, name]) => {
            project != PROGRAMS
                && (BESIDE.contains(&name.as_str())
                    || (name.starts_with(CHECKPOINT) && paths::is_document(name)))
        }
        Some([_, chats, .., name]) => chats == "chats" && paths::is_document(name),
        _ => matches!(below(&names, &[".gemini"]), Some([file]) if file == PROJECTS),
    };
    is_kept.then_some(Sidecar::Folder)
}

/// The id that a file in Gemini CLI's own folder of chats has by its path, whatever is in it: that
/// of its folder, or its name.
pub(super) fn own_chat(path: &Path) -> Option<String> {
    let names = paths::names(path);
    match paths::below(&names, &OWN)? {
        [_, chats, name] if chats == "chats" && name.starts_with("session-") => {
            name.strip_suffix(".json").map(str::to_owned)
        }
        [_, chats, folder, name] if chats == "chats" && name == "session.json" => {
            Some(folder.clone())
        }
        _ => None,
    }
}

/// Whether a file lies where Gemini CLI keeps its chats.
pub(super) fn is_chat(path: &Path, stem: &str) -> bool {
    let names = paths::names(path);
    match paths::below(&names, &["chats"]) {
        Some([_]) => stem.starts_with("session-"),
        Some([_, _]) => true,
        _ => false,
    }
}
