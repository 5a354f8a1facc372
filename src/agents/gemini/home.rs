//! Gemini CLI: `tmp/<project>/chats/`, a document or a file of lines for each session. Of two
//! files of a session that of lines holds, since Gemini CLI converts documents.
//!
//! A project's folder is named by a hash or a short name; its path stands in `.project_root`
//! beside the chats, or in `projects.json`. Where neither tells, the folder's name is the project.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::document;
use super::layout::{self, AGENT};
use crate::agents::dialect::Candidate;
use crate::agents::home::{Form, Found, SessionFile, head, invalid, names, whole};
use crate::agents::parts::lines::body;
use crate::agents::walk;
use crate::model::error::Result;

/// The sessions of a home, such as `~/.gemini`.
pub(super) fn search(home: &Path) -> Found {
    let mut found = Found::default();
    let tmp = home.join("tmp");
    let named = named_projects(&home.join("projects.json"));
    match names(&tmp) {
        Ok(projects) => {
            for project in projects {
                search_project(&project, &named, &mut found);
            }
        }
        Err(error) => found.problem(AGENT, &tmp, error),
    }
    let lines: HashSet<String> = found
        .files
        .iter()
        .filter(|file| file.form == Form::Operations)
        .map(|file| file.id.clone())
        .collect();
    found
        .files
        .retain(|file| file.form == Form::Operations || !lines.contains(&file.id));
    found
}

/// The paths of projects by the names of their folders.
fn named_projects(path: &Path) -> HashMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Projects {
        projects: HashMap<String, String>,
    }
    let bytes = if path.exists() {
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

fn project_of(folder: &Path, named: &HashMap<String, String>) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let root = folder.join(".project_root");
    let stated = root
        .is_file()
        .then(|| head(&root).ok())
        .flatten()
        .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
        .filter(|root| !root.is_empty());
    stated
        .or_else(|| named.get(&*name).cloned())
        .unwrap_or_else(|| name.into_owned())
}

fn search_project(folder: &Path, named: &HashMap<String, String>, found: &mut Found) {
    let chats = folder.join("chats");
    if !chats.is_dir() {
        return;
    }
    let project = project_of(folder, named);
    for entry in walk::files(&chats, AGENT, found) {
        let path = entry.path();
        let form = match path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl") => Form::Operations,
            Some("json") => Form::Document,
            _ => continue,
        };
        match id_of(path, form) {
            Ok(id) => found.files.push(SessionFile {
                path: path.to_owned(),
                id,
                form,
                parent: parent_of(path, &chats, form),
                project: Some(project.clone()),
                row: None,
            }),
            Err(error) => found.problem(AGENT, path, error),
        }
    }
}

fn id_of(path: &Path, form: Form) -> Result<String> {
    let head = head(path)?;
    let candidate = Candidate {
        path,
        head: &head,
        companion: None,
    };
    if form == Form::Operations {
        return Ok(layout::session_id(&candidate));
    }
    let text = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let document = document::recognise(&candidate, body(text));
    let document = document.ok_or_else(|| invalid(path, "not a session"))?;
    Ok(document.id)
}

/// A subagent's lines lie in a folder that has the name of its session.
fn parent_of(path: &Path, chats: &Path, form: Form) -> Option<String> {
    let folder = path.parent().filter(|folder| *folder != chats)?;
    let name = folder.file_name()?.to_str()?;
    (form == Form::Operations).then(|| name.to_owned())
}
