//! Where Kimi keeps sessions, and what the paths there tell.
//!
//! The session is a folder; each of its agents has a log of its own, and the one that is called `main` is the
//! session. The others are its sub-agents, whose ids are unique in it alone.

use std::path::{Path, PathBuf};

use crate::agents::companions::Sidecar;
use crate::agents::parts::paths::{self, below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "kimi";

/// The folders that sessions are kept in, by Kimi Code and by Kimi CLI.
const CODE: [&str; 2] = [".kimi-code", "sessions"];
const CLI: [&str; 2] = [".kimi", "sessions"];

/// The agent that speaks with the person.
const MAIN: &str = "main";

/// The files of lines: the log, and what the model sees.
pub(super) const WIRE: &str = "wire.jsonl";
const CONTEXT: &str = "context.jsonl";

/// The file that has a session's title.
const STATE: &str = "state.json";

/// The lists in the homes.
const INDEX: &str = "session_index.jsonl";
const FOLDERS: &str = "kimi.json";

/// What else is kept of an agent's folder.
const BACKUP: &str = "wire.jsonl.bak";
const BESIDE: [&str; 2] = ["blobs", "tool-results"];

/// A session in a file, and the sub-agent that it is of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Own {
    session: String,
    agent: Option<String>,
}

impl Own {
    fn of(session: &str, agent: &str) -> Self {
        Self {
            session: session.to_owned(),
            agent: (agent != MAIN).then(|| agent.to_owned()),
        }
    }
}

/// The session that a file in one of Kimi's own folders is.
pub(super) fn own(path: &Path) -> Option<Own> {
    let names = names(path);
    if let Some(rest) = below(&names, &CODE) {
        return in_code(rest);
    }
    match below(&names, &CLI)? {
        // As the first versions wrote it: a file for each session, and no folder.
        [_, _] if paths::is_lines(path) => Some(Own::of(&stem(path), MAIN)),
        [_, session, file] if file == CONTEXT => Some(Own::of(session, MAIN)),
        [_, session, folder, agent, file] if folder == "subagents" && file == CONTEXT => {
            Some(Own::of(session, agent))
        }
        _ => None,
    }
}

fn in_code(rest: &[String]) -> Option<Own> {
    match rest {
        [.., session, folder, agent, file] if folder == "agents" && file == WIRE => {
            Some(Own::of(session, agent))
        }
        _ => None,
    }
}

/// The session in a file, wherever it lies.
fn placed(path: &Path) -> Own {
    let names = names(path);
    own(path).or_else(|| in_code(&names)).unwrap_or_else(|| {
        let session = match &*names {
            [.., session, file] if file == WIRE || file == CONTEXT => session.clone(),
            _ => stem(path),
        };
        Own {
            session,
            agent: None,
        }
    })
}

/// The id of the session in a file: of a sub-agent's with the session's before it.
pub(super) fn session_id(path: &Path) -> String {
    let Own { session, agent } = placed(path);
    match agent {
        Some(agent) => format!("{session}/{agent}"),
        None => session,
    }
}

/// The session that a sub-agent's file belongs to.
pub(super) fn parent(path: &Path) -> Option<String> {
    let Own { session, agent } = placed(path);
    agent.map(|_| session)
}

/// The list of folders that tells the one of a session of Kimi CLI, and the hash of that one.
pub(super) fn list_of_folders(path: &Path) -> Option<(PathBuf, String)> {
    let names = names(path);
    let rest = below(&names, &CLI)?;
    let hash = rest.first().filter(|_| own(path).is_some())?;
    // Above the session's file are as many folders as there are names, and that of sessions.
    let home = path.ancestors().nth(rest.len() + 1)?;
    Some((home.join(FOLDERS), hash.clone()))
}

/// The session that a file with a title is about.
pub(super) fn session_of_state(path: &Path) -> Option<String> {
    let names = names(path);
    let rest = below(&names, &CODE).or_else(|| below(&names, &CLI))?;
    match rest {
        [_, session, file] if file == STATE => Some(session.clone()),
        _ => None,
    }
}

/// Whether a file is Kimi Code's list of sessions.
pub(super) fn is_index(path: &Path) -> bool {
    let names = names(path);
    matches!(below(&names, &[".kimi-code"]), Some([file]) if file == INDEX)
}

/// Whether a file is the log that Kimi CLI keeps beside its messages.
pub(super) fn is_log(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == WIRE) && own(path).is_none()
}

/// Whose sidecar a file is.
pub(super) fn sidecar(path: &Path) -> Option<Sidecar> {
    if is_index(path) {
        return Some(Sidecar::Folder);
    }
    let names = names(path);
    if matches!(below(&names, &[".kimi"]), Some([file]) if file == FOLDERS) {
        return Some(Sidecar::Folder);
    }
    if let Some(session) = session_of_state(path) {
        return Some(Sidecar::Session(session));
    }
    let owner = match (below(&names, &CODE), below(&names, &CLI)) {
        (Some(rest), _) => beside_wire(rest),
        // The log beside what the model sees, and what the model saw before.
        (None, Some([_, session, file])) if file == WIRE || is_earlier(file) => {
            Some(Own::of(session, MAIN))
        }
        (None, Some([_, session, _, agent, file])) if file == WIRE || is_earlier(file) => {
            Some(Own::of(session, agent))
        }
        _ => None,
    }?;
    let session = match owner.agent {
        Some(agent) => format!("{}/{agent}", owner.session),
        None => owner.session,
    };
    Some(Sidecar::Session(session))
}

/// The session that a file beside a log is kept with.
fn beside_wire(rest: &[String]) -> Option<Own> {
    match rest {
        [_, session, folder, agent, file] if folder == "agents" && file == BACKUP => {
            Some(Own::of(session, agent))
        }
        [_, session, folder, agent, beside, .., file]
            if folder == "agents"
                && BESIDE.contains(&beside.as_str())
                && !paths::is_private(file) =>
        {
            Some(Own::of(session, agent))
        }
        [_, session, beside, .., file]
            if BESIDE.contains(&beside.as_str()) && !paths::is_private(file) =>
        {
            Some(Own::of(session, MAIN))
        }
        _ => None,
    }
}

/// Whether a file has what the model saw before the talk was made shorter: `context_1.jsonl`.
fn is_earlier(file: &str) -> bool {
    let number = file
        .strip_prefix("context_")
        .and_then(|rest| rest.strip_suffix(".jsonl"));
    number.is_some_and(|number| {
        !number.is_empty()
            && number
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}
