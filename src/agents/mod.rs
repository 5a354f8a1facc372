//! The agents whose sessions are known, one folder each: how their files are recognised, read and
//! written, and where they lie. [`agent`] says what one is; this file has the one list of them.

pub(crate) mod agent;
pub(crate) mod companions;
pub(crate) mod database;
pub(crate) mod default_home;
mod described;
mod dialect;
mod document;
pub(crate) mod habits;
pub(crate) mod home;
mod known;
pub(crate) mod operation;
pub(crate) mod parts;
mod recognition;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod walk;

pub(crate) use self::agent::Agent;
pub(crate) use self::companions::Sidecar;
pub(crate) use self::described::{Described, Facts, TitleOffer};
pub(crate) use self::dialect::{Candidate, Dialect, MarkdownHead, Placed, Recognition};
pub(crate) use self::document::{Document, DocumentLines};
pub(crate) use self::fallback::unread::{Unread, unread};
pub use self::known::KnownAgent;
pub(crate) use self::known::told_or_unknown;
pub(crate) use self::parts::titles::GENERATED as INDEX_TITLE_RANK;
pub(crate) use self::recognition::{
    companion_of, folds, home_of, is_database_of, is_named_as_document, is_part_of_tree, recognise,
    recognise_database, recognise_database_name, recognise_document, recognise_found,
    recognise_sidecar,
};
pub(crate) use self::state::{SessionState, SidecarFacts};

/// Makes the list: of each line a module, and the agent in it.
macro_rules! agents {
    ($($(#[$when:meta])* $folder:ident::$agent:ident,)*) => {
        $($(#[$when])* pub(crate) mod $folder;)*

        /// Every agent, in the order in which files are offered to them; the fallback last.
        pub(crate) fn all() -> &'static [&'static dyn Agent] {
            &[$($(#[$when])* &$folder::$agent,)*]
        }
    };
}

// The one list: a folder, and the agent in it. The order is that of recognition: of two agents that
// are equally sure of a file the first has it.
agents! {
    native::Native,
    ggcode::Ggcode,
    picoclaw::Picoclaw,
    jcode::Jcode,
    celeste::Celeste,
    qwen::Qwen,
    claude_code::ClaudeCode,
    qoder::QODER,
    iflow::IFLOW,
    codebuddy::CodeBuddy,
    codex::Codex,
    aider::Aider,
    amp::Amp,
    auggie::Auggie,
    cline::Cline,
    continuedev::ContinueDev,
    copilot::Copilot,
    crush::Crush,
    cursorcli::CursorCli,
    droid::Droid,
    gemini::Gemini,
    goose::Goose,
    hermes::Hermes,
    kilo::Kilo,
    kimi::Kimi,
    opencode::OpenCode,
    openclaw::OpenClaw,
    pi::Pi,
    roo::Roo,
    simonw_llm::SimonwLlm,
    vibe::Vibe,
    vscode::VsCode,
    #[cfg(test)]
    pebble::Pebble,
    fallback::Fallback,
}

/// The agent of that name; sessions of an agent without a format are read by the fallback.
pub(crate) fn of_agent(agent: &str) -> &'static dyn Agent {
    named(agent).unwrap_or(&fallback::Fallback)
}

/// The agent of that name, if there is one. Keys of sessions hold these names alone: see [`told`].
pub(crate) fn named(name: &str) -> Option<&'static dyn Agent> {
    let mut agents = all().iter().copied();
    agents.find(|agent| agent.agent() == name)
}

/// The agent that somebody means by that name or alias.
pub(crate) fn told(name: &str) -> Option<&'static dyn Agent> {
    let mut agents = all().iter().copied();
    named(name).or_else(|| agents.find(|agent| agent.aliases().contains(&name)))
}
