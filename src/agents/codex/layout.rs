//! Where Codex keeps sessions, and what the paths there tell.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::agents::companions::Sidecar;
use crate::agents::parts::paths::{self, below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "codex";

/// The folders that Codex keeps sessions in.
const OWN: [[&str; 2]; 2] = [[".codex", "sessions"], [".codex", "archived_sessions"]];

/// Lists of prompts and of sessions in the home.
const LISTS: [&str; 2] = ["history.jsonl", "session_index.jsonl"];

/// Where a file lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RolloutPlace {
    /// In Codex's own folder, with the name of a rollout.
    Own,
    /// In a folder like it, with such a name.
    Copied,
    /// Anywhere else.
    Elsewhere,
}

pub(super) fn place(path: &Path) -> RolloutPlace {
    let names = names(path);
    if !paths::name(path).starts_with("rollout-") {
        return RolloutPlace::Elsewhere;
    }
    if OWN.iter().any(|folder| below(&names, folder).is_some()) {
        return RolloutPlace::Own;
    }
    let number = |name: &String, digits: usize| {
        name.len() == digits && name.bytes().all(|byte| byte.is_ascii_digit())
    };
    // A copy is known by the folders of the date, since anybody's folder may be called `sessions`.
    let copied = match below(&names, &["sessions"]) {
        Some([year, month, day, _]) => number(year, 4) && number(month, 2) && number(day, 2),
        _ => matches!(below(&names, &["archived_sessions"]), Some([_])),
    };
    if copied {
        RolloutPlace::Copied
    } else {
        RolloutPlace::Elsewhere
    }
}

/// Whether Codex has put a session away: it moves the file. `None` where the place does not tell.
pub(super) fn is_archived(path: &Path) -> Option<bool> {
    let names = names(path);
    let is_in = |folder: &str| below(&names, &[folder]).is_some();
    match place(path) {
        RolloutPlace::Elsewhere => None,
        RolloutPlace::Own | RolloutPlace::Copied => Some(is_in("archived_sessions")),
    }
}

/// Where Codex would have put a session that began then: the name has the clock on its wall, which nobody
/// knows here, so UTC stands for it.
pub(super) fn rollout(id: &str, created: DateTime<Utc>) -> Vec<String> {
    let [year, month, day] = ["%Y", "%m", "%d"].map(|part| created.format(part).to_string());
    let name = format!("rollout-{}-{id}.jsonl", created.format("%Y-%m-%dT%H-%M-%S"));
    vec!["sessions".to_owned(), year, month, day, name]
}

/// The id of the session in a file: the UUID at the end of its stem, else the stem.
pub(super) fn session_id(path: &Path) -> String {
    let stem = stem(path);
    paths::uuid_at_end(&stem).map_or(stem.clone(), ToOwned::to_owned)
}

/// Whose sidecar a file is: a rollout in another form than lines, or a list of the home.
pub(super) fn sidecar(path: &Path) -> Option<Sidecar> {
    let name = paths::name(path);
    let names = names(path);
    if matches!(below(&names, &[".codex"]), Some([list]) if LISTS.contains(&list.as_str())) {
        return Some(Sidecar::Folder);
    }
    let own = OWN.iter().any(|folder| below(&names, folder).is_some());
    if !name.starts_with("rollout-") || !(own || place(path) == RolloutPlace::Copied) {
        return None;
    }
    let session = name
        .split_once(".jsonl")
        .filter(|(_, ending)| !ending.is_empty())
        .and_then(|(stem, _)| paths::uuid_at_end(stem));
    match session {
        Some(session) => Some(Sidecar::Session(session.to_owned())),
        // The form of the first versions.
        None => (own && paths::is_document(&name)).then_some(Sidecar::Folder),
    }
}
