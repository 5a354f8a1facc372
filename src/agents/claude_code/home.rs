//! Claude Code: `projects/<folder>/<session>.jsonl`, with the files of subagents below a folder
//! of the session's name.
//!
//! The index of a folder only fills what the lines leave open; a row without a file is a problem.

use std::collections::HashMap;
use std::path::Path;

use super::index;
use super::layout::{self, AGENT};
use crate::agents::home::{Form, Found, IndexRow, SessionFile, invalid, names, no_session, whole};
use crate::agents::walk;

/// The folder of a session's subagents.
const SUBAGENTS: &str = "subagents";

/// The sessions of a home, such as `~/.claude`.
pub(super) fn search(home: &Path) -> Found {
    let projects = home.join("projects");
    let mut found = Found::default();
    match names(&projects) {
        Ok(folders) => {
            for folder in folders.iter().filter(|folder| folder.is_dir()) {
                search_project(folder, &mut found);
            }
        }
        Err(error) => found.problem(AGENT, &projects, error),
    }
    found
}

fn search_project(folder: &Path, found: &mut Found) {
    let mut rows = index_rows(folder, found);
    for entry in walk::files(folder, AGENT, found) {
        let path = entry.path();
        let below = path.strip_prefix(folder).unwrap_or(path);
        // Below a session's folder lie outputs of tools too, some of them as lines.
        let is_session = layout::may_be_session(path)
            && below.extension().is_some_and(|ending| ending == "jsonl")
            && (entry.depth() == 1 || below.components().any(|name| name.as_os_str() == SUBAGENTS));
        if !is_session {
            continue;
        }
        let id = layout::session_id(path);
        found.files.push(SessionFile {
            path: path.to_owned(),
            form: Form::Lines,
            parent: layout::parent(path),
            project: index::decoded_project(path),
            row: rows.remove(&id),
            id,
        });
    }
    // A row whose file the agent has deleted: the index is not kept up to date.
    let mut stale: Vec<String> = rows.into_keys().collect();
    stale.sort();
    for id in stale {
        found.problem(AGENT, &folder.join(&id), no_session(AGENT, &id));
    }
}

/// The rows of a folder's index; none if it has none.
fn index_rows(folder: &Path, found: &mut Found) -> HashMap<String, IndexRow> {
    let path = folder.join(layout::INDEX);
    if !path.exists() {
        return HashMap::new();
    }
    let rows = whole(&path).and_then(|bytes| {
        index::rows(&bytes).ok_or_else(|| invalid(&path, "not an index of sessions"))
    });
    match rows {
        Ok(rows) => rows
            .into_iter()
            .map(|row| (row.facts.id.clone(), row))
            .collect(),
        Err(error) => {
            found.problem(AGENT, &path, error);
            HashMap::new()
        }
    }
}
