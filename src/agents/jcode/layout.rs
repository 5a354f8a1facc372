//! Where jcode keeps its files, and which of them are sessions.

use std::path::Path;

use crate::agents::companions::Sidecar;
use crate::agents::dialect::{Candidate, Recognition};
use crate::agents::parts::fields::text;
use crate::agents::parts::paths::{self, below, is_private, is_uuid, names};

/// The agent's name.
pub(crate) const AGENT: &str = "jcode";

/// The name of the index.
pub(crate) const INDEX: &str = "session.json";

/// The folders that jcode keeps sessions in; the first version had another.
const OWN: [&[&str]; 3] = [
    &[".jcode", "sessions"],
    &[".jcoding", "sessions"],
    &[".jcoding"],
];

/// The folder of a copy: what lies in it is jcode's by its name alone.
const COPY: [&str; 2] = ["jcode", "sessions"];

/// Ids that would name a file of jcode's own.
const RESERVED: [&str; 2] = ["session", "projects"];

/// The folder of outputs that were too long for a session.
const OVERFLOW: &str = "overflow";

/// The folder of a leader's teammates.
const TEAMMATES: &str = "subagents";

/// Whether an id would name a file of jcode's own, such as the index.
pub(crate) fn is_reserved(id: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| id.eq_ignore_ascii_case(reserved))
}

/// Whether a file is the index.
pub(crate) fn is_index(path: &Path) -> bool {
    paths::name(path) == INDEX
}

/// How surely a file is a session.
pub(crate) fn recognise(candidate: &Candidate<'_>) -> Recognition {
    let names = names(candidate.path);
    let stem = stem(candidate.path);
    let own = own(&names);
    if is_reserved(&stem) || own.is_some_and(|rest| rest.first().is_some_and(|n| n == OVERFLOW)) {
        return Recognition::No;
    }
    let by_path = match own {
        Some([name]) => is_json(name) && is_uuid(&stem),
        Some([leader, folder, name]) => teammate(leader, folder, name).is_some(),
        _ => false,
    };
    let by_name = is_json(&paths::name(candidate.path)) || paths::is_lines(candidate.path);
    match (by_path, by_name) {
        (true, _) => Recognition::PathAndLines,
        (false, true) if header_uuid(candidate).is_some() => match own {
            Some(_) => Recognition::PathAndLines,
            None => Recognition::Lines,
        },
        _ => Recognition::No,
    }
}

/// Whether a file lies in jcode's own folder.
pub(crate) fn is_own(path: &Path) -> bool {
    own(&names(path)).is_some()
}

/// The id of the session in a file.
pub(crate) fn session_id(candidate: &Candidate<'_>) -> String {
    let names = names(candidate.path);
    let stem = stem(candidate.path);
    if let Some([name]) = own(&names)
        && is_json(name)
    {
        return stem;
    }
    let header = header_uuid(candidate);
    if let [.., leader, folder, name] = &*names
        && let Some(agent) = teammate(leader, folder, name)
    {
        let id = format!("{leader}/{agent}");
        return match header {
            // A folder of another name is a copy.
            Some(header) if own(&names).is_none() && header.contains('/') => header,
            _ => id,
        };
    }
    match header {
        Some(header) if !is_uuid(&stem) && !header.is_empty() => header,
        _ => stem,
    }
}

/// Whose sidecar a file is.
pub(crate) fn sidecar(path: &Path) -> Option<Sidecar> {
    let names = names(path);
    let name = names.last()?;
    if is_private(name) {
        return None;
    }
    let rest = own(&names).or_else(|| below(&names, &COPY))?;
    // A teammate's lines are a session.
    if let [leader, folder, name] = rest
        && teammate(leader, folder, name).is_some()
    {
        return None;
    }
    let owner = match rest {
        [folder, session, _, ..] if folder == OVERFLOW => Some(session.clone()),
        [leader, folder, name] if is_uuid(leader) && folder == TEAMMATES => {
            let agent = name
                .split_once(".jsonl.")
                .and_then(|(stem, _)| stem.strip_prefix("agent-"))
                .filter(|agent| !agent.is_empty());
            Some(agent.map_or_else(|| leader.clone(), |agent| format!("{leader}/{agent}")))
        }
        [leader, folder, ..] if is_uuid(leader) && folder == TEAMMATES => Some(leader.clone()),
        [name] => name
            .split_once(".json.")
            .map(|(session, _)| session)
            .filter(|session| is_uuid(session))
            .map(str::to_owned),
        _ => None,
    };
    let is_index = |reserved: &&str| name.starts_with(&format!("{reserved}.json"));
    match owner {
        Some(session) => Some(Sidecar::Session(session)),
        None => RESERVED.iter().any(is_index).then_some(Sidecar::Folder),
    }
}

/// Where jcode keeps a session with this id.
pub(crate) fn file_name(id: &str) -> Vec<String> {
    match id.split_once('/') {
        Some((leader, agent)) => vec![
            leader.to_owned(),
            TEAMMATES.to_owned(),
            format!("agent-{agent}.jsonl"),
        ],
        // Such a file would be taken for one of jcode's own.
        None if is_reserved(id) => vec![format!("{id}~.json")],
        None => vec![format!("{id}.json")],
    }
}

fn own(names: &[String]) -> Option<&[String]> {
    OWN.iter().find_map(|folder| below(names, folder))
}

fn is_json(name: &str) -> bool {
    name.strip_suffix(".json")
        .is_some_and(|stem| !stem.is_empty())
}

/// The name of a file without its ending.
fn stem(path: &Path) -> String {
    let name = paths::name(path);
    match name.strip_suffix(".json") {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => paths::stem(path),
    }
}

/// The id of a teammate, by the names on the way to its file.
fn teammate<'n>(leader: &str, folder: &str, name: &'n str) -> Option<&'n str> {
    let agent = name.strip_prefix("agent-")?.strip_suffix(".jsonl")?;
    (!leader.is_empty() && folder == TEAMMATES && !agent.is_empty()).then_some(agent)
}

/// The session's id in the header, if one of the first lines is a header.
fn header_uuid(candidate: &Candidate<'_>) -> Option<String> {
    candidate.lines().find_map(|line| {
        let [kind, uuid, timestamp] = line.fields(&["type", "uuid", "timestamp"]);
        let is_header = text(kind).as_deref() == Some("session_start") && timestamp.is_some();
        text(uuid)
            .filter(|uuid| is_header && !uuid.is_empty())
            .map(std::borrow::Cow::into_owned)
    })
}

/// The leader in the id of a teammate's session.
pub(crate) fn leader_of(id: &str) -> Option<&str> {
    id.split_once('/')
        .map(|(leader, _)| leader)
        .filter(|leader| !leader.is_empty())
}
