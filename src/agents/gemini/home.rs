//! Gemini CLI: `tmp/<project>/chats/`, a document or a file of lines for each session. Of two
//! files of a session that of lines holds, since Gemini CLI converts documents.
//!
//! A project's folder is named by a hash or a short name; its path stands in `.project_root`
//! beside the chats, or in `projects.json`. Where neither tells, the folder's name is the project.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::document;
use super::layout::{self, AGENT};
use super::project;
use crate::agents::dialect::Candidate;
use crate::agents::home::{Form, Found, SessionFile, head, invalid, names};
use crate::agents::parts::lines::body;
use crate::agents::walk;
use crate::model::error::Result;

/// The sessions of a home, such as `~/.gemini`.
pub(super) fn search(home: &Path) -> Found {
    let mut found = Found::default();
    let tmp = home.join("tmp");
    let named = project::named(&home.join(project::PROJECTS));
    match names(&tmp) {
        Ok(projects) => {
            for project in projects {
                search_project(&project, &named, &mut found);
            }
        }
        Err(error) => found.problem(AGENT, &tmp, error),
    }
    // A document is converted when its session is resumed, and what is said then goes to the lines
    // alone.
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

fn project_of(folder: &Path, named: &HashMap<String, String>) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    project::root_of(folder)
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
                // Documents have no sub-agents in folders among them.
                parent: layout::parent(path).filter(|_| form == Form::Operations),
                project: Some(project.clone()),
                row: None,
            }),
            Err(error) => found.problem(AGENT, path, error),
        }
    }
}

fn id_of(path: &Path, form: Form) -> Result<String> {
    let head = head(path)?;
    let candidate = Candidate::new(path, &head);
    if form == Form::Operations {
        return Ok(layout::session_id(&candidate));
    }
    let text = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let document = document::recognise(&candidate, body(text));
    let document = document.ok_or_else(|| invalid(path, "not a session"))?;
    Ok(document.id)
}
