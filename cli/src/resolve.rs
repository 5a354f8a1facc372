//! The sessions that arguments mean: by an id, the start of one, or else another name.

use scrollback::{RedbStore, Result, SessionKey, StoreExt as _};

/// The sessions that are meant, each once, in the order of their names.
///
/// # Errors
///
/// Those of [`resolve`](scrollback::StoreExt::resolve).
pub(crate) fn sessions(store: &RedbStore, texts: &[String]) -> Result<Vec<SessionKey>> {
    let mut keys = texts
        .iter()
        .map(|text| store.resolve(text))
        .collect::<Result<Vec<_>>>()?;
    keys.sort();
    keys.dedup();
    Ok(keys)
}
