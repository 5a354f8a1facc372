//! iFlow CLI: `~/.iflow/projects`, in the envelope that another agent's sessions have.

use super::default_home::DefaultHome;
use super::fallback::enveloped::Enveloped;

/// iFlow CLI's sessions.
pub(crate) const IFLOW: Enveloped = Enveloped {
    name: "iflow",
    aliases: &[],
    title: "iFlow CLI",
    found: "`.iflow/projects`",
    home: ".iflow",
    homes: &[DefaultHome::in_home(".iflow")],
    resume: &[],
    #[cfg(any(test, fuzzing))]
    paths: &["/h/.iflow/projects/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl"],
};
