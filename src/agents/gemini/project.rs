//! The folder that a session of Gemini CLI works in. Its lines tell it in new versions; before that
//! only files around it do, and the name of the project's folder is a hash or a short name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::layout;
use crate::agents::dialect::Candidate;
use crate::agents::home::{head, whole};
use crate::agents::parts::fields::{fields_of_start, owned};
use crate::agents::parts::lines::body;

/// The file in a project's folder that names the project.
const ROOT: &str = ".project_root";

/// The file in the home that names the folders of projects.
pub(super) const PROJECTS: &str = "projects.json";

/// The project of a session's file: what the files around it say, else the name of the project's
/// folder, else the hash in its header.
pub(super) fn of_file(candidate: &Candidate<'_>) -> Option<String> {
    let folder = folder_of(candidate.path);
    if let Some(root) = folder.as_deref().and_then(root_of) {
        return Some(root);
    }
    // The folder's name is a short name or a hash, which only the list in the home tells the path
    // of.
    if let Some(name) = layout::project(candidate.path) {
        let list = folder
            .as_deref()
            .and_then(|folder| folder.ancestors().nth(2));
        let named = list
            .map(|home| named(&home.join(PROJECTS)))
            .unwrap_or_default();
        return Some(named.get(&name).cloned().unwrap_or(name));
    }
    let head = candidate.head.utf8_chunks().next()?.valid();
    let [project] = fields_of_start(body(head), &["projectHash"]);
    owned(project)
}

/// The folder of the project among whose chats a file lies.
fn folder_of(path: &Path) -> Option<PathBuf> {
    let is_chats = |folder: &&Path| folder.file_name().is_some_and(|name| name == "chats");
    let chats = path.ancestors().skip(1).find(is_chats)?;
    chats.parent().map(Path::to_owned)
}

/// What is written in a project's folder.
pub(super) fn root_of(folder: &Path) -> Option<String> {
    let root = folder.join(ROOT);
    let stated = root.is_file().then(|| head(&root).ok()).flatten()?;
    let stated = String::from_utf8_lossy(&stated).trim().to_owned();
    (!stated.is_empty()).then_some(stated)
}

/// The paths of projects by the names of their folders.
pub(super) fn named(path: &Path) -> HashMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Projects {
        projects: HashMap<String, String>,
    }
    let bytes = if path.is_file() {
        whole(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    // It only makes names nicer: without it projects have the names of their folders.
    let read: Option<Projects> = serde_json::from_slice(&bytes).ok();
    read.map_or_else(HashMap::new, |read| {
        let by_name = read.projects.into_iter().map(|(path, name)| (name, path));
        by_name.collect()
    })
}
