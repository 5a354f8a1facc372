//! Where pi keeps sessions, and what the paths there tell.

use std::path::Path;

use crate::agents::parts::paths::{below, names, stem};

/// The agent's name.
pub(super) const AGENT: &str = "pi";

/// The folders that sessions are kept in: its own, and Oh My Pi's.
const OWN: [[&str; 3]; 2] = [[".pi", "agent", "sessions"], [".omp", "agent", "sessions"]];

/// Whether a file lies in one of them.
pub(super) fn is_own(path: &Path) -> bool {
    let names = names(path);
    OWN.iter().any(|folder| below(&names, folder).is_some())
}

/// The id of the session in a file, by its name: what stands behind the time.
pub(super) fn session_id(path: &Path) -> String {
    let stem = stem(path);
    id_in(&stem).map_or(stem.clone(), ToOwned::to_owned)
}

/// What stands behind the time in a name such as `2026-04-03T09-00-00-000Z_ID`.
fn id_in(stem: &str) -> Option<&str> {
    let (time, id) = stem.split_once('_')?;
    let is_time = time.len() >= 20
        && time.ends_with('Z')
        && time
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-TZ".contains(&byte));
    (is_time && !id.is_empty()).then_some(id)
}

/// The session that is named by the path of its file, on any platform.
pub(super) fn id_of_file(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    let stem = name.strip_suffix(".jsonl").unwrap_or(name);
    let id = id_in(stem).unwrap_or(stem);
    (!id.is_empty()).then_some(id)
}

/// The session below whose folder a file lies: Oh My Pi keeps those of sub-agents in a folder that is
/// called as the file of the session that started them.
pub(super) fn parent(path: &Path) -> Option<String> {
    let names = names(path);
    let rest = OWN.iter().find_map(|folder| below(&names, folder))?;
    match rest {
        [_, session, ..] if rest.len() > 2 => id_in(session).map(ToOwned::to_owned),
        _ => None,
    }
}
