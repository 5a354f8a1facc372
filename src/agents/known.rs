//! The list of agents, for those outside of the library: what the tool's `--agent` takes, and the
//! README's table.

use serde::Serialize;

use super::agent::Agent;
use super::{all, told};
use crate::model::error::{Error, Result};

/// An agent whose sessions this crate reads.
///
/// ```
/// use scrollback::KnownAgent;
///
/// assert!(KnownAgent::all().any(|agent| agent.name == "codex"));
/// assert_eq!(KnownAgent::named("claude")?.name, "claude-code");
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KnownAgent {
    /// Its name, as in the keys of its sessions.
    pub name: &'static str,
    /// Other names that are taken for it where somebody names an agent.
    pub aliases: &'static [&'static str],
    /// What people call it.
    pub title: &'static str,
    /// Where its sessions are found, in a few words (Markdown).
    pub found: &'static str,
}

impl KnownAgent {
    /// Every agent, in the order in which files are offered to them.
    pub fn all() -> impl Iterator<Item = Self> {
        all().iter().map(|agent| Self::of(*agent))
    }

    /// The agent of that name or alias.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAgent`], which lists the names.
    pub fn named(name: &str) -> Result<Self> {
        told_or_unknown(name).map(Self::of)
    }

    fn of(agent: &dyn Agent) -> Self {
        Self {
            name: agent.agent(),
            aliases: agent.aliases(),
            title: agent.title(),
            found: agent.found(),
        }
    }
}

/// The agent that somebody means by that name or alias.
///
/// # Errors
///
/// [`Error::UnknownAgent`].
pub(crate) fn told_or_unknown(name: &str) -> Result<&'static dyn Agent> {
    told(name).ok_or_else(|| Error::UnknownAgent {
        agent: name.to_owned(),
        known: all().iter().map(|agent| agent.agent().to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_name_one_agent_each() {
        let mut names: Vec<&str> = KnownAgent::all()
            .flat_map(|agent| [&[agent.name], agent.aliases].concat())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in names {
            let agent = KnownAgent::named(name).unwrap();
            assert!(agent.name == name || agent.aliases.contains(&name));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = KnownAgent::named("nobody").unwrap_err().to_string();
        for agent in KnownAgent::all() {
            assert!(error.contains(agent.name), "{error}");
        }
        assert!(error.starts_with("no agent `nobody`"), "{error}");
    }
}
