//! Where VS Code keeps chats, and what the paths there tell.

use std::path::Path;

use crate::agents::home::head;
use crate::agents::parts::fields::{fields, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::paths::{self, below, names};

/// The agent's name.
pub(super) const AGENT: &str = "vscode";

/// The folders that chats are kept in: of a window with a folder, and of one without.
const CHATS: &str = "chatSessions";
const EMPTY: &str = "emptyWindowChatSessions";

/// The folder that has one for each folder that was opened, and the file there that names it.
const STORAGE: &str = "workspaceStorage";
const WORKSPACE: &str = "workspace.json";

/// The id of the chat in a file.
pub(super) fn chat(path: &Path) -> Option<String> {
    let names = names(path);
    let in_one = |folder: &str| matches!(below(&names, &[folder]), Some([_]));
    if !in_one(CHATS) && !in_one(EMPTY) {
        return None;
    }
    if paths::is_lines(path) {
        Some(paths::stem(path))
    } else {
        paths::document_stem(path)
    }
}

/// Whether a chat is in the form of versions before, and there in the new one too.
pub(super) fn is_old_form(path: &Path) -> bool {
    !paths::is_lines(path) && path.with_extension("jsonl").is_file()
}

/// Whether a file says which folder the chats beside it are about.
pub(super) fn is_workspace(path: &Path) -> bool {
    let names = names(path);
    matches!(below(&names, &[STORAGE]), Some([_, file]) if file == WORKSPACE)
}

/// The folder that the chats in a folder are about.
pub(super) fn project(path: &Path) -> Option<String> {
    let chats = path.parent().filter(|folder| folder.ends_with(CHATS))?;
    let file = chats.parent()?.join(WORKSPACE);
    let stated = file.is_file().then(|| head(&file).ok()).flatten()?;
    let content = String::from_utf8_lossy(&stated);
    let [folder, workspace] = fields(body(&content), &["folder", "workspace"]).ok()?;
    let link = owned(folder).or_else(|| owned(workspace))?;
    let Some(file) = link.strip_prefix("file://") else {
        return Some(link);
    };
    let decoded = paths::percent_decoded(file);
    // `/c:/w` on Windows.
    let is_drive = decoded.as_bytes().get(2) == Some(&b':');
    Some(match decoded.strip_prefix('/').filter(|_| is_drive) {
        Some(drive) => drive.to_owned(),
        None => decoded,
    })
}
