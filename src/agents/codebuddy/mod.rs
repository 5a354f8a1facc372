//! The sessions of `CodeBuddy`: `~/.codebuddy/projects`, in the envelope that another agent's sessions have.

use super::default_home::DefaultHome;
use super::fallback::enveloped::Enveloped;

/// The sessions of `CodeBuddy`.
pub(crate) const CODEBUDDY: Enveloped = Enveloped {
    name: "codebuddy",
    aliases: &[],
    title: "CodeBuddy",
    found: "`.codebuddy/projects`",
    home: ".codebuddy",
    homes: &[DefaultHome::in_home(".codebuddy")],
    resume: &[],
    #[cfg(any(test, fuzzing))]
    paths: &["/h/.codebuddy/projects/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl"],
};
