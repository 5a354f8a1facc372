//! The command that goes on with a session.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::places::{files_in_tree, places};
use crate::agents;
use crate::agents::database::Databases;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::Ingest;

/// How a session is gone on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resumption {
    /// The command of its agent, word by word.
    pub command: Vec<String>,
    /// The folder to run it in, as the session states it.
    pub project: Option<String>,
    /// Whether the agent's file, or its database, is where the agent looks for it. Else
    /// [`put_back`](crate::put_back) comes first.
    pub is_there: bool,
}

/// How to go on with a session in its agent. `home` is the agent's home, or its database.
///
/// # Errors
///
/// [`Error::NotFound`]; [`Error::Unsupported`] if its agent has no command for it, if the session is a sub-agent (the
/// one that started it can be gone on with), or if its files are not below the home and cannot be put back;
/// [`Error::Corrupt`].
pub fn resumption(store: &dyn Ingest, key: &SessionKey, home: Option<&Path>) -> Result<Resumption> {
    let summary = store.summary(key)?;
    let agent = agents::of_agent(key.agent());
    let command = agent.resume_command(key.id()).filter(|_| !summary.subagent);
    let command = command.ok_or_else(|| Error::Unsupported {
        action: if summary.subagent {
            "resume a sub-agent"
        } else {
            "resume a session"
        },
        agent: key.agent().to_owned(),
    })?;
    let file: Option<PathBuf> = match home {
        None => None,
        // No file of a single session could be looked for.
        Some(home) if agent.databases().is_some_and(Databases::are_there) => Some(home.to_owned()),
        Some(home) => {
            let files = files_in_tree(store.ingest().0, &summary)?;
            let is_there = |file: &PathBuf| is_below(file, home) && file.exists();
            if let Some(file) = files.into_iter().find(is_there) {
                Some(file)
            } else {
                // Of files that are gone and were only read this tells that they cannot be put back.
                let (placed, _) = places(store.ingest().0, key, home)?;
                placed.first().map(|one| one.path(home))
            }
        }
    };
    Ok(Resumption {
        command,
        project: summary.project,
        is_there: file.is_some_and(|file| file.exists()),
    })
}

/// Whether a file lies below a home, whatever links lead there.
fn is_below(file: &Path, home: &Path) -> bool {
    std::fs::canonicalize(home).is_ok_and(|home| file.starts_with(home))
}
