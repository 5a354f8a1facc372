//! Where other agents keep their sessions, and how to read them where they lie.
//!
//! A [`SessionProvider`] reads the sessions of one agent; a [`ProviderRegistry`] holds one for
//! each agent. [`ProviderRegistry::with_defaults`] looks where agents keep theirs by default, and
//! [`ProviderRegistry::register_at`] wherever you say.
//!
//! - Nothing is written: not a file, not a lock, not a log of a database.
//! - Nothing is made up: a time or an id that is not stated is absent, an index row without its
//!   file is a problem and no session.
//! - Lines of any length are read; what cannot be read is skipped and counted.
//! - To keep sessions, [`import`](crate::import) them: that is incremental, and byte for byte.
//!
//! ```
//! use std::ops::ControlFlow;
//! use scrollback::provider::ProviderRegistry;
//!
//! let home = tempfile::tempdir()?;
//! let folder = home.path().join("projects/-w-demo");
//! std::fs::create_dir_all(&folder)?;
//! let line = r#"{"type":"user","uuid":"u1","cwd":"/w/demo","message":{"role":"user","content":"hi"}}"#;
//! std::fs::write(folder.join("s1.jsonl"), line)?;
//!
//! let registry = ProviderRegistry::new();
//! let claude = registry.register_at("claude-code", home.path())?;
//! assert_eq!(claude.list_projects()?, ["/w/demo"]);
//! claude.scan_messages("s1", &mut |message| {
//!     assert_eq!(message.content, "hi");
//!     ControlFlow::Break(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agents;
mod databases;
mod default_places;
mod files;
mod gather;
mod lines;
mod message;
mod registry;
mod replay;

use std::ops::ControlFlow;

pub use self::default_places::Places;
pub use self::message::{
    Listing, MessageType, ProviderMessage, ProviderSession, ProviderSummary, Scan,
};
pub use self::registry::{AllSessions, ProviderRegistry};
pub use crate::agents::home::ProviderProblem;
use crate::model::error::Result;

/// Reads the sessions of one agent where they lie.
pub trait SessionProvider: Send + Sync {
    /// The agent's name, as in the keys of its sessions.
    fn agent_type(&self) -> &str;

    /// The projects that have sessions, sorted. Empty if the agent has never run here.
    ///
    /// A project is named by its folder, as far as the sessions tell it; sessions that do not
    /// tell belong to the project `""`.
    ///
    /// # Errors
    ///
    /// Those of reading the agent's folder.
    fn list_projects(&self) -> Result<Vec<String>>;

    /// The sessions of a project, the one that was changed last first.
    ///
    /// # Errors
    ///
    /// [`Error::ProjectNotFound`](crate::Error::ProjectNotFound), and those of reading the agent's
    /// folder. What is wrong with one session is in the listing's problems.
    fn list_sessions(&self, project: &str) -> Result<Listing>;

    /// The sessions of every project, the one that was changed last first.
    ///
    /// # Errors
    ///
    /// Those of reading the agent's folder.
    fn list_all(&self) -> Result<Listing> {
        let mut all = Listing::default();
        for project in self.list_projects()? {
            match self.list_sessions(&project) {
                Ok(listing) => {
                    all.sessions.extend(listing.sessions);
                    all.problems.extend(listing.problems);
                }
                Err(error) => all.problems.push(ProviderProblem {
                    agent: self.agent_type().to_owned(),
                    about: project,
                    error,
                }),
            }
        }
        all.sessions = sorted(all.sessions);
        Ok(all)
    }

    /// A session with all of its messages.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound), and those of reading its file.
    fn read_session(&self, id: &str) -> Result<ProviderSession>;

    /// Gives the messages of a session to `visit`, one at a time and in their order, until it
    /// breaks.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound), and those of reading its file.
    fn scan_messages(
        &self,
        id: &str,
        visit: &mut dyn FnMut(ProviderMessage) -> ControlFlow<()>,
    ) -> Result<Scan>;
}

/// The session that was changed last first; of equal ones by agent and id, so that the order is
/// the same every time.
fn sorted(mut sessions: Vec<ProviderSummary>) -> Vec<ProviderSummary> {
    sessions.sort_by(|a, b| {
        let newest = b.updated_at.cmp(&a.updated_at);
        newest.then_with(|| (&a.agent, &a.id).cmp(&(&b.agent, &b.id)))
    });
    sessions
}
