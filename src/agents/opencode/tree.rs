//! OpenCode's sessions before it had a database: a tree of small files,
//! `storage/session/<project>/<session>.json`, `storage/message/<session>/<message>.json` and
//! `storage/part/<message>/<part>.json`. Its lines are those that a database with the same content
//! would give.
//!
//! Each session's own file is read as a database of one session. OpenCode writes it anew with each
//! prompt, so an unchanged one tells that nothing has come.

use std::path::{Path, PathBuf};

use super::reading::OpenCode;
use super::writing::{ID, content, message_line, with_ids};
use crate::agents::database::{
    Database, DatabaseSession, EachLine, Listed, Outline, Walked, outline_of, walk_of,
};
use crate::agents::home::{names, whole};
use crate::agents::parts::compact::compact;
use crate::agents::parts::fields::{Object, entries_in, fields, object_in, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::paths;
use crate::model::error::Result;
use crate::model::limits::LINE_BYTES_MAX;

/// Bytes of a session's messages that are read, at most.
const BYTES_MAX: usize = 512 * 1024 * 1024;

/// Whether a path is that of a session's own file in such a tree.
pub(super) fn is_session(path: &Path) -> bool {
    let names = paths::names(path);
    matches!(
        paths::below(&names, &["storage", "session"]),
        Some([_, name]) if name.starts_with(ID) && paths::document_stem(path).is_some()
    )
}

/// Opens the session of such a file.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an `Open`, as that of a database is"
)]
pub(super) fn open(path: &Path) -> Result<Box<dyn Database>> {
    Ok(Box::new(Tree {
        session: path.to_owned(),
        id: paths::document_stem(path).unwrap_or_default(),
    }))
}

/// A tree, for one of its sessions.
struct Tree {
    session: PathBuf,
    id: String,
}

/// A message: what it is sorted by, and its line.
type Found = ((i64, String), Vec<u8>);

impl Tree {
    fn folder(&self, kind: &str, id: &str) -> PathBuf {
        let storage = self.session.ancestors().nth(3).unwrap_or(&self.session);
        storage.join(kind).join(id)
    }

    /// What the session's file says, as the fields of its `info`.
    fn info(&self) -> Result<Vec<(String, String)>> {
        let bytes = whole(&self.session)?;
        let text = String::from_utf8_lossy(&bytes);
        let all = entries_in(body(&text)).into_iter();
        Ok(all
            .map(|(key, value)| (key, compact(value.get())))
            .collect())
    }

    /// The folder of the session's project, for versions that did not write it into the session.
    fn worktree(&self, info: &[(String, String)]) -> Option<String> {
        let project = text_of(info, "projectID")?;
        let bytes = whole(&self.folder("project", &format!("{project}.json"))).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let [worktree] = fields(body(&text), &["worktree"]).ok()?;
        owned(worktree)
    }

    fn read(&self) -> Result<DatabaseSession> {
        let info = self.info()?;
        // Versions without a folder in the session had it in the project's file.
        let project = text_of(&info, "directory").or_else(|| self.worktree(&info));
        let mut problems = Vec::new();
        let mut messages: Vec<Found> = Vec::new();
        let mut bytes = 0_usize;
        let mut left_out = 0_usize;
        for file in files_of(&self.folder("message", &self.id))? {
            if bytes >= BYTES_MAX {
                left_out += 1;
                continue;
            }
            match self.message(&file, &mut problems) {
                Ok(found) => {
                    bytes = bytes.saturating_add(found.1.len());
                    messages.push(found);
                }
                Err(reason) => problems.push(format!("`{}`: {reason}", file.display())),
            }
        }
        if left_out > 0 {
            problems.push(format!(
                "is larger than {BYTES_MAX} bytes; {left_out} of its messages are left out"
            ));
        }
        // By time, as a database gives them: the files' names follow the ids.
        messages.sort_by(|(one, _), (other, _)| one.cmp(other));
        let lines = messages.into_iter().map(|(_, line)| line).collect();
        Ok(DatabaseSession {
            id: self.id.clone(),
            project,
            document: content(&info, lines),
            problems,
        })
    }

    /// The line of a message with its parts.
    fn message(
        &self,
        file: &Path,
        problems: &mut Vec<String>,
    ) -> std::result::Result<Found, String> {
        let id = paths::document_stem(file).unwrap_or_default();
        let data = data_of(file)?;
        let created = created(&data);
        let info = with_ids(&data, &[("id", &id), ("sessionID", &self.id)]);
        let mut parts = Vec::new();
        let listed = files_of(&self.folder("part", &id)).map_err(|error| error.to_string())?;
        for file in listed {
            let part = paths::document_stem(&file).unwrap_or_default();
            match data_of(&file) {
                Ok(data) => {
                    let ids = [
                        ("id", &*part),
                        ("sessionID", &*self.id),
                        ("messageID", &*id),
                    ];
                    parts.push(with_ids(&data, &ids));
                }
                Err(reason) => problems.push(format!("`{}`: {reason}", file.display())),
            }
        }
        Ok(((created, id), message_line(&info, &parts)))
    }
}

/// The `.json` files in a folder, by name; none if it is not there.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = names(folder)?;
    files.retain(|file| paths::document_stem(file).is_some());
    Ok(files)
}

/// What a file of the tree says, without the ids that its place tells: as a database holds it.
fn data_of(file: &Path) -> std::result::Result<String, String> {
    let bytes = whole(file).map_err(|error| error.to_string())?;
    if bytes.len() > LINE_BYTES_MAX {
        return Err(format!(
            "has {} bytes, the limit is {LINE_BYTES_MAX}",
            bytes.len()
        ));
    }
    let text = String::from_utf8_lossy(&bytes);
    let object = object_in(body(&text)).map_err(|error| format!("is no JSON object: {error}"))?;
    let members = Object::of(object);
    // A database has these as columns, and its lines get them again with the others.
    let rest: Vec<(String, String)> = members
        .others(&["id", "sessionID", "messageID"])
        .map(|(key, value)| (key, compact(value.get())))
        .collect();
    let rest = rest.iter().map(|(key, json)| (key.as_str(), json.as_str()));
    Ok(crate::agents::parts::compact::object(rest))
}

fn created(data: &str) -> i64 {
    let [time] = fields(data, &["time"]).unwrap_or_default();
    let [created] = crate::agents::parts::fields::fields_of(time, &["created"]);
    created
        .and_then(|time| time.get().parse().ok())
        .unwrap_or(0)
}

fn text_of(info: &[(String, String)], field: &str) -> Option<String> {
    let (_, json) = info.iter().rev().find(|(key, _)| key == field)?;
    serde_json::from_str(json)
        .ok()
        .filter(|text: &String| !text.is_empty())
}

impl Database for Tree {
    fn sessions(&mut self) -> Result<(Vec<Listed>, Vec<String>)> {
        let info = self.info()?;
        if info.is_empty() {
            let problem = format!("session `{}`: its file is no JSON object", self.id);
            return Ok((Vec::new(), vec![problem]));
        }
        let project = text_of(&info, "directory").or_else(|| self.worktree(&info));
        let id = self.id.clone();
        Ok((vec![Listed { id, project }], Vec::new()))
    }

    fn session(&mut self, id: &str) -> Result<Option<DatabaseSession>> {
        if id != self.id {
            return Ok(None);
        }
        self.read().map(Some)
    }

    fn outline(&mut self, id: &str) -> Result<Option<Outline>> {
        // Each file is read as a database of its own.
        if id != self.id {
            return Ok(None);
        }
        let session = self.read()?;
        Ok(Some(outline_of(&OpenCode, session)))
    }

    fn walk(&mut self, id: &str, each: &mut EachLine<'_>) -> Result<Option<Walked>> {
        if id != self.id {
            return Ok(None);
        }
        let version = text_of(&self.info()?, "version");
        let stopped = walk_of(self.read()?.document, each);
        Ok(Some(Walked { version, stopped }))
    }
}
