//! The sessions that arguments mean: by an id, the start of one, or else another name.

use scrollback::{Error, Ingest, ListQuery, Result, SessionKey, StoreExt as _, Summary};

use super::exit::Failure;
use super::project;
use super::session_list::each_page;
use super::subagents::Parents;

/// Characters of an id that are shown at least where it is to be typed again.
const ID_SHOWN: usize = 8;

/// The session that a text means, and the record of it: `ID#57` is record 57, unless a session is called so.
///
/// # Errors
///
/// Those of [`resolve`](scrollback::StoreExt::resolve).
pub(crate) fn record(store: &dyn Ingest, text: &str) -> Result<(SessionKey, Option<u64>)> {
    let number = text.rsplit_once('#').and_then(|(id, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        Some((id, number.parse().ok().filter(|_| is_number)?))
    });
    match (store.resolve(text), number) {
        (Err(Error::NotFound { .. }), Some((id, number))) => Ok((store.resolve(id)?, Some(number))),
        (found, _) => Ok((found?, None)),
    }
}

/// The newest session of the project that the process is in: none that is put away, and no sub-agent.
///
/// # Errors
///
/// [`Failure::Error`] if there is none, or if a row is damaged.
pub(crate) fn newest_here(store: &dyn Ingest) -> Result<SessionKey, Failure> {
    let mut found = None;
    for folder in project::around_here()? {
        let mut query = ListQuery::default();
        query.folders = project::folders_of(&folder)?;
        let mut parents = Parents::of(store);
        let mut keep = |summary: &Summary| Ok(!summary.archived && !parents.has(summary)?);
        each_page(store, query, 1, &mut keep, &mut |sessions| {
            found = sessions.first().map(|summary| summary.key.clone());
            Ok(())
        })?;
        // The nearest folder holds, also where the repository around it has a newer one.
        if found.is_some() {
            break;
        }
    }
    found.ok_or_else(|| Failure::Error {
        error: Error::NotFound {
            wanted: "of this project".to_owned(),
        },
        hint: Some("name one; `scrollback list` shows what there is".to_owned()),
    })
}

/// A start of a session's id by which it is found again.
///
/// # Errors
///
/// [`Error::Corrupt`] if a row is damaged.
pub(crate) fn short(store: &dyn Ingest, key: &SessionKey) -> Result<String> {
    for length in [ID_SHOWN, ID_SHOWN + 4] {
        let start: String = key.id().chars().take(length).collect();
        match store.resolve(&start) {
            Ok(found) if found == *key => return Ok(start),
            Err(error) if error.is_corruption() => return Err(error),
            _ => {}
        }
    }
    let whole = key.id().to_owned();
    Ok(match store.resolve(&whole) {
        Ok(found) if found == *key => whole,
        _ => key.to_string(),
    })
}

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
