//! The files below an agent's folder, in the order of their names.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::agents::home::{Found, failed};

/// The regular files below a folder, those that links lead to included. What cannot be read is a
/// problem of the agent, and stops nothing.
pub(crate) fn files(folder: &Path, agent: &str, found: &mut Found) -> Vec<DirEntry> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                let error = failed(&path, error.into());
                found.problem(agent, &path, error);
            }
        }
    }
    files
}
