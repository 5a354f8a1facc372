//! The sessions that arguments mean: by an id, the start of one, or else another name.

use scrollback::{Ingest, Result, SessionKey, StoreExt as _, Summary};

/// The sessions that are meant, each once, in the order of their names.
///
/// # Errors
///
/// Those of [`resolve`](scrollback::StoreExt::resolve).
pub(crate) fn sessions(store: &dyn Ingest, texts: &[String]) -> Result<Vec<SessionKey>> {
    let mut keys = texts
        .iter()
        .map(|text| store.resolve(text))
        .collect::<Result<Vec<_>>>()?;
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// The same with all that these sessions started, each once: first those that were named.
///
/// # Errors
///
/// Those of [`resolve`](scrollback::StoreExt::resolve).
pub(crate) fn families(store: &dyn Ingest, texts: &[String]) -> Result<Vec<SessionKey>> {
    let named = sessions(store, texts)?;
    let mut all = named.clone();
    for key in &named {
        let below = store.descendants(key, &|_: &Summary| false)?;
        all.extend(below.into_iter().map(|session| session.key));
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|key| seen.insert(key.clone()));
    Ok(all)
}
