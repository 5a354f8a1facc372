//! `session_index.jsonl`: where each session of Kimi Code lies and which folder it works in, a line each. A
//! later line for a session goes before an earlier one.

use crate::agents::parts::fields::{fields, owned};
use crate::agents::parts::lines::body;
use crate::agents::state::SidecarFacts;

/// What it tells, the last line first: of several for one session the first that is told holds.
pub(super) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let content = String::from_utf8_lossy(bytes);
    let mut all: Vec<SidecarFacts> = content.lines().filter_map(row).collect();
    all.reverse();
    all
}

fn row(line: &str) -> Option<SidecarFacts> {
    let [id, folder] = fields(body(line), &["sessionId", "workDir"]).ok()?;
    Some(SidecarFacts {
        id: owned(id)?,
        project: Some(owned(folder)?),
        ..SidecarFacts::default()
    })
}
