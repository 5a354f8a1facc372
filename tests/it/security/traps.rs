//! What an import may meet and never get out of, and where; the tests of the tool include this file.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A pipe that nobody writes to.
pub(crate) fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Where files that agents keep beside sessions lie, and sessions themselves.
pub(crate) const PLACES: [&str; 9] = [
    "x.jsonl",
    "x.json",
    ".claude/projects/-w/x.jsonl",
    ".claude/projects/-w/sessions-index.json",
    ".picoclaw/workspace/sessions/x.meta.json",
    ".ggcode/sessions/index.json",
    ".codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-1.jsonl",
    ".gemini/tmp/p/chats/session-1.json",
    ".local/share/opencode/opencode.db",
];
