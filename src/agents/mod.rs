//! The agents whose sessions are known, one folder each: how their files are recognised, read and
//! written. This file lists them; [`dialect`] says what one is.

pub(crate) mod celeste;
pub(crate) mod claude_code;
pub(crate) mod codex;
mod described;
mod dialect;
mod document;
mod fallback;
pub(crate) mod gemini;
mod ggcode;
pub(crate) mod home;
pub(crate) mod jcode;
mod native;
pub(crate) mod opencode;
pub(crate) mod parts;
mod picoclaw;
mod recognition;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod walk;

pub(crate) use self::described::{Described, Facts, TitleOffer};
pub(crate) use self::dialect::{Candidate, Dialect, Recognition, Sidecar};
pub(crate) use self::document::{Document, DocumentLines};
pub(crate) use self::parts::titles::GENERATED as INDEX_TITLE_RANK;
pub(crate) use self::recognition::recognise_document;
pub(crate) use self::state::{SessionState, SidecarFacts};

/// Every dialect, the fallback last.
pub(crate) fn all() -> &'static [&'static dyn Dialect] {
    &[
        &native::Native,
        &ggcode::Ggcode,
        &picoclaw::Picoclaw,
        &jcode::Jcode,
        &celeste::Celeste,
        &claude_code::ClaudeCode,
        &codex::Codex,
        &gemini::Gemini,
        &opencode::OpenCode,
        &fallback::Fallback,
    ]
}

/// The agents whose formats this crate knows, by the names that their sessions have.
///
/// ```
/// assert!(scrollback::agents().any(|agent| agent == "codex"));
/// ```
pub fn agents() -> impl Iterator<Item = &'static str> {
    all().iter().map(|dialect| dialect.agent())
}

/// The dialect of an agent; sessions of an agent without one are read by the fallback.
pub(crate) fn of_agent(agent: &str) -> &'static dyn Dialect {
    named(agent).unwrap_or(&fallback::Fallback)
}

/// The dialect of that name, if there is one.
pub(crate) fn named(agent: &str) -> Option<&'static dyn Dialect> {
    all()
        .iter()
        .copied()
        .find(|dialect| dialect.agent() == agent)
}

/// The dialect that is surest of the file, if any is: the first of those that are equally sure.
pub(crate) fn recognise(candidate: &Candidate<'_>) -> Option<&'static dyn Dialect> {
    let dialects = || all().iter().copied();
    let first =
        |sureness: Recognition| dialects().find(|dialect| dialect.recognise(candidate) == sureness);
    // Most files lie where their agent keeps them, and are not to be read by all other dialects.
    dialects()
        .filter(|dialect| dialect.may_own(candidate))
        .find(|dialect| dialect.recognise(candidate) == Recognition::PathAndLines)
        .or_else(|| first(Recognition::Lines))
        .or_else(|| first(Recognition::Fallback))
}
