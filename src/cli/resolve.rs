//! The session that an argument means: by its id or the start of it, or else by another name.

use crate::agents;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{RedbStore, Store as _, StoreExt as _};

/// The session that `text` means. Another name counts only as a whole, and only if no id fits:
/// it hides no session.
///
/// # Errors
///
/// [`Error::NotFound`] if nothing fits, [`Error::Ambiguous`] if several sessions do.
pub(crate) fn session(store: &RedbStore, text: &str) -> Result<SessionKey> {
    match store.resolve(text) {
        Err(Error::NotFound { wanted }) => by_alias(store, text)?.ok_or(Error::NotFound { wanted }),
        found => found,
    }
}

/// The sessions that are meant, each once, in the order of their names.
///
/// # Errors
///
/// Those of [`session`].
pub(crate) fn sessions(store: &RedbStore, texts: &[String]) -> Result<Vec<SessionKey>> {
    let mut keys = texts
        .iter()
        .map(|text| session(store, text))
        .collect::<Result<Vec<_>>>()?;
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn by_alias(store: &RedbStore, text: &str) -> Result<Option<SessionKey>> {
    let named = text
        .split_once(':')
        .and_then(|(agent, alias)| SessionKey::new(agent, alias).ok());
    let every = agents::all().iter().map(|dialect| dialect.agent());
    let of_every = every.filter_map(|agent| SessionKey::new(agent, text).ok());
    let mut found = Vec::new();
    for alias in named.into_iter().chain(of_every) {
        found.extend(store.by_alias(&alias)?);
    }
    found.sort();
    found.dedup();
    match found.pop() {
        Some(key) if found.is_empty() => Ok(Some(key)),
        None => Ok(None),
        Some(last) => {
            found.push(last);
            Err(Error::Ambiguous {
                prefix: text.to_owned(),
                candidates: found,
            })
        }
    }
}
