//! What celeste is called, and where it keeps sessions.

/// The agent's name.
pub(crate) const AGENT: &str = "celeste";

/// The folder that celeste keeps sessions in.
pub(super) const OWN: [&str; 2] = [".celeste", "sessions"];
