//! The agents that keep a session in a file: a provider for each.

use std::path::PathBuf;

use super::files::FileProvider;
use crate::agents::claude_code::home::ClaudeHome;
use crate::agents::codex::home::CodexHome;
use crate::agents::gemini::home::GeminiHome;

impl FileProvider {
    /// Claude Code's sessions, subagents included; `folder` is its own, such as `~/.claude`.
    pub fn claude_code(folder: impl Into<PathBuf>) -> Self {
        let home = Box::new(ClaudeHome::new(&folder.into()));
        Self { home }
    }

    /// Codex's sessions, archived ones included; `folder` is its own, such as `~/.codex`.
    pub fn codex(folder: impl Into<PathBuf>) -> Self {
        let home = Box::new(CodexHome::new(folder.into()));
        Self { home }
    }

    /// Gemini CLI's sessions; `folder` is its own, such as `~/.gemini`.
    ///
    /// A session is read as Gemini CLI does: a message that was written again replaces the
    /// earlier one, and what was rewound is not there.
    pub fn gemini(folder: impl Into<PathBuf>) -> Self {
        let home = Box::new(GeminiHome::new(folder.into()));
        Self { home }
    }
}
