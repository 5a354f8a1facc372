//! One provider for each agent.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

use super::agents::provider;
use super::{Places, ProviderProblem, ProviderSummary, SessionProvider};
use crate::agents::{told, told_or_unknown};
use crate::model::error::{Error, Result};

/// The sessions of every agent, and what could not be read.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct AllSessions {
    /// The sessions by agent, the one that was changed last first. An agent without sessions has
    /// an empty list.
    pub sessions: BTreeMap<String, Vec<ProviderSummary>>,
    /// What was wrong, agent by agent.
    pub problems: Vec<ProviderProblem>,
}

type Providers = BTreeMap<String, Arc<dyn SessionProvider>>;

/// Holds a provider for each agent. Every method can be called from any thread.
///
/// Providers are called without a lock: one that is slow, or that uses the registry itself, is in
/// nobody's way.
#[derive(Default)]
pub struct ProviderRegistry {
    providers: RwLock<Providers>,
}

impl fmt::Debug for ProviderRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.providers().keys()).finish()
    }
}

impl ProviderRegistry {
    /// A registry without providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The agents that this crate can read, where they keep their sessions by default. An agent
    /// whose place cannot be told has no provider.
    pub fn with_defaults() -> Self {
        Self::with_places(&Places::from_environment())
    }

    /// The agents that this crate can read, at these places.
    pub fn with_places(places: &Places) -> Self {
        let registry = Self::new();
        for (agent, home) in places.homes() {
            // Those that nobody reads where they lie have none.
            let provider = told(agent).and_then(|agent| provider(agent, home.to_owned()));
            if let Some(provider) = provider {
                registry.put(provider);
            }
        }
        registry
    }

    /// Adds the provider of an agent that this crate can read, for its home at that place: its own
    /// folder, such as `~/.codex`, or its database. It replaces the one that the agent had. The
    /// place need not be there yet.
    ///
    /// A session is read as its agent does: where its lines change earlier ones, a message that was
    /// written again replaces the earlier one, and what was taken back is not there.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAgent`], which lists the names; [`Error::ProviderNotFound`] for an agent
    /// whose sessions this build cannot read where they lie. They can still be imported.
    pub fn register_at(
        &self,
        agent: &str,
        home: impl Into<PathBuf>,
    ) -> Result<Arc<dyn SessionProvider>> {
        let agent = told_or_unknown(agent)?;
        let provider = provider(agent, home.into()).ok_or_else(|| Error::ProviderNotFound {
            agent: agent.agent().to_owned(),
        })?;
        self.put(Arc::clone(&provider));
        Ok(provider)
    }

    /// Adds a provider, instead of the one that its agent had.
    pub fn register(&self, provider: impl SessionProvider + 'static) {
        self.put(Arc::new(provider));
    }

    fn put(&self, provider: Arc<dyn SessionProvider>) {
        let agent = provider.agent_type().to_owned();
        let mut providers = self
            .providers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let replaced = providers.insert(agent, provider);
        // What a provider does when it is dropped is not done under the lock.
        drop(providers);
        drop(replaced);
    }

    /// The provider of an agent, by its name or another name that is taken for it.
    ///
    /// # Errors
    ///
    /// [`Error::ProviderNotFound`].
    pub fn provider_for(&self, agent: &str) -> Result<Arc<dyn SessionProvider>> {
        let providers = self
            .providers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let found = providers.get(agent).cloned().or_else(|| {
            let known = told(agent)?;
            providers.get(known.agent()).cloned()
        });
        found.ok_or_else(|| Error::ProviderNotFound {
            agent: agent.to_owned(),
        })
    }

    /// A copy of the list of providers, by agent.
    pub fn providers(&self) -> BTreeMap<String, Arc<dyn SessionProvider>> {
        self.providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The sessions of every agent and project. An agent that fails does not stop the others: its
    /// error is among the problems.
    pub fn list_all_sessions(&self) -> AllSessions {
        let mut all = AllSessions::default();
        for (agent, provider) in self.providers() {
            let sessions = match provider.list_all() {
                Ok(listing) => {
                    all.problems.extend(listing.problems);
                    listing.sessions
                }
                Err(error) => {
                    all.problems.push(ProviderProblem {
                        agent: agent.clone(),
                        about: String::new(),
                        error,
                    });
                    Vec::new()
                }
            };
            all.sessions.insert(agent, sessions);
        }
        all
    }
}
