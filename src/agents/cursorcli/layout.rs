//! Where Cursor's command line keeps transcripts, and what the paths there tell.

use std::path::Path;

use crate::agents::parts::paths::{below, names};

/// The agent's name.
pub(super) const AGENT: &str = "cursor";

/// The folder that projects are kept in, and that of the transcripts of one.
const OWN: [&str; 2] = [".cursor", "projects"];
const TRANSCRIPTS: &str = "agent-transcripts";

/// The folder of a session's sub-agents.
const SUBAGENTS: &str = "subagents";

/// Whether a file lies among transcripts.
pub(super) fn is_own(path: &Path) -> bool {
    let names = names(path);
    matches!(below(&names, &OWN), Some([_, folder, _, ..]) if folder == TRANSCRIPTS)
}

/// The session below whose folder a sub-agent's file lies.
pub(super) fn parent(path: &Path) -> Option<String> {
    let names = names(path);
    match below(&names, &[TRANSCRIPTS])? {
        [session, folder, _] if folder == SUBAGENTS => Some(session.clone()),
        _ => None,
    }
}

/// The project that a folder's name stands for: each `-` was a `/`, or any other character that is not a
/// letter or a digit. **This is a guess**, since no line states it. A name that can stand for no path of this
/// sort (of Windows, of a window without a folder) is none.
pub(super) fn project(path: &Path) -> Option<String> {
    let names = names(path);
    let [folder, transcripts, _, ..] = below(&names, &OWN)? else {
        return None;
    };
    let is_path = transcripts == TRANSCRIPTS
        && folder.contains('-')
        && !folder.starts_with('-')
        && folder
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_path.then(|| format!("/{}", folder.replace('-', "/")))
}
