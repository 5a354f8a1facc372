//! Qoder CLI: `~/.qoder/projects`, in the envelope that another agent's sessions have.

use super::default_home::DefaultHome;
use super::fallback::enveloped::Enveloped;

/// Qoder CLI's sessions.
pub(crate) const QODER: Enveloped = Enveloped {
    name: "qoder",
    aliases: &["qodercli"],
    title: "Qoder CLI",
    found: "`.qoder/projects`",
    home: ".qoder",
    homes: &[
        DefaultHome::in_variable("QODER_CONFIG_DIR", ""),
        DefaultHome::in_home(".qoder"),
    ],
    resume: &["qodercli", "--resume"],
    #[cfg(any(test, fuzzing))]
    paths: &["/h/.qoder/projects/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl"],
};
