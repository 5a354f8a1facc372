//! Codex: `sessions/YYYY/MM/DD/rollout-<time>-<uuid>.jsonl`, and `archived_sessions/`. Sessions
//! that have not been used for days may be compressed with zstd; of two files of a session the
//! plain one holds.

use std::collections::HashSet;
use std::path::Path;

use super::layout::{self, AGENT};
use crate::agents::home::{Form, Found, SessionFile};
use crate::agents::walk;

/// The folders of sessions.
const FOLDERS: [&str; 2] = ["sessions", "archived_sessions"];

/// The ending of a compressed file.
const COMPRESSED: &str = ".zst";

/// The sessions of a home, such as `~/.codex`.
pub(super) fn search(home: &Path) -> Found {
    let mut found = Found::default();
    for folder in FOLDERS {
        let folder = home.join(folder);
        if folder.exists() {
            search_folder(&folder, &mut found);
        }
    }
    let plain = |file: &SessionFile| file.form == Form::Lines;
    // While a session is packed or unpacked both files are there; the plain one is the later.
    let ids: HashSet<String> = found
        .files
        .iter()
        .filter(|file| plain(file))
        .map(|file| file.id.clone())
        .collect();
    found
        .files
        .retain(|file| plain(file) || !ids.contains(&file.id));
    found
}

fn search_folder(folder: &Path, found: &mut Found) {
    for entry in walk::files(folder, AGENT, found) {
        let Some(name) = entry.file_name().to_str() else {
            continue;
        };
        let plain = name.strip_suffix(COMPRESSED).unwrap_or(name);
        let path = entry.path().with_file_name(plain);
        let is_lines = path.extension().is_some_and(|ending| ending == "jsonl");
        if !plain.starts_with("rollout-") || !is_lines {
            continue;
        }
        found.files.push(SessionFile {
            path: entry.path().to_owned(),
            id: layout::session_id(&path),
            form: if plain == name {
                Form::Lines
            } else {
                Form::Compressed
            },
            parent: None,
            project: None,
            row: None,
        });
    }
}
