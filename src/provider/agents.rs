//! From an agent of the list to its provider.

use std::path::PathBuf;
use std::sync::Arc;

use super::SessionProvider;
use super::databases::DatabaseProvider;
use super::files::FileProvider;
use crate::agents::Agent;
use crate::agents::database::Databases;

/// The provider of an agent whose home is there; `None` if this build reads none of its sessions
/// where they lie.
pub(super) fn provider(
    agent: &'static dyn Agent,
    home: PathBuf,
) -> Option<Arc<dyn SessionProvider>> {
    if agent.databases().is_some_and(Databases::are_there) {
        // A home of several databases is not read where it lies.
        if agent.folders().iter().any(|below| !below.is_empty()) {
            return None;
        }
        let provider = DatabaseProvider::new(agent, home)?;
        return Some(Arc::new(provider));
    }
    let provider = FileProvider::new(agent, home)?;
    Some(Arc::new(provider))
}
