//! How sessions that are imported are named: as their agent named them, told apart where two files
//! give the same id.
//!
//! Which file gets which name follows from the order of the files, and not from the speed of the
//! workers: a file's place among those that want one name is known before it is read.

use std::collections::HashMap;
use std::path::Path;

use super::homes::home_of;
use crate::agents;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::limits::ID_BYTES_MAX;
use crate::model::naming;
use crate::model::text::cut;
use crate::store::{Bulk, Sources};

/// The name of an agent's session. An id that is too long for one is cut, and told apart by its
/// hash: a session with a bad id is a session all the same.
pub(super) fn key_of(agent: &str, id: &str) -> Result<SessionKey> {
    if id.len() <= ID_BYTES_MAX {
        return SessionKey::new(agent, id);
    }
    let hash = xxhash_rust::xxh3::xxh3_128(id.as_bytes());
    with_suffix(agent, id, &format!("~{hash:032x}"))
}

/// The name that the `copy`th session of a name gets: itself, `~2`, `~3`, ...
fn numbered(wanted: &SessionKey, copy: u64) -> Result<SessionKey> {
    match copy {
        1 => Ok(wanted.clone()),
        _ => with_suffix(wanted.agent(), wanted.id(), &format!("~{copy}")),
    }
}

/// An id with something at its end, cut where there is no room for that.
fn with_suffix(agent: &str, id: &str, suffix: &str) -> Result<SessionKey> {
    let start = cut(id, ID_BYTES_MAX.saturating_sub(suffix.len()));
    SessionKey::new(agent, format!("{start}{suffix}"))
}

/// The names that a session with this one may have wanted: that, and what stands before its number.
pub(super) fn names_of(key: &SessionKey) -> impl Iterator<Item = SessionKey> {
    let plain = naming::without_number(key.id());
    let plain = plain.and_then(|plain| SessionKey::new(key.agent(), plain).ok());
    std::iter::once(key.clone()).chain(plain)
}

/// Creates a session of that name, of which one may be there: another content of it where the agent's
/// ids are unique, else a session beside it. Returns its number and its name. A chunk, if an empty one,
/// has to follow, and then [`Bulk::settle`].
pub(super) fn create_beside(
    bulk: &mut dyn Bulk,
    wanted: &SessionKey,
    path: &Path,
) -> Result<(u64, SessionKey)> {
    if agents::of_agent(wanted.agent()).has_unique_ids() {
        return bulk.create_content(wanted);
    }
    let (number, key) = create(bulk, wanted, 1)?;
    bulk.put_home(wanted, &home_of(path), key.id())?;
    Ok((number, key))
}

/// Creates a session of that name, or of the first free one of its copies from `copy` on. Returns
/// its number and its name. A chunk, if an empty one, has to follow.
pub(super) fn create(
    bulk: &mut dyn Bulk,
    wanted: &SessionKey,
    copy: u64,
) -> Result<(u64, SessionKey)> {
    let key = numbered(wanted, free_copy(bulk, wanted, copy)?)?;
    Ok((bulk.create(&key)?, key))
}

/// The names under which the sessions of several folders are kept that want this one.
pub(super) fn with_numbers(sources: &dyn Sources, wanted: &SessionKey) -> Result<Vec<SessionKey>> {
    let mut names = Vec::new();
    for copy in 1.. {
        let name = numbered(wanted, copy)?;
        if sources.number_of(&name)?.is_none() {
            break;
        }
        names.push(name);
    }
    Ok(names)
}

fn free_copy(bulk: &dyn Bulk, wanted: &SessionKey, from: u64) -> Result<u64> {
    let mut copy = from;
    loop {
        let name = numbered(wanted, copy)?;
        if bulk.number_of(&name)?.is_none() && !is_content(&name, |plain| bulk.contents(plain))? {
            return Ok(copy);
        }
        copy += 1;
    }
}

/// Whether a name is that of a content of another id, though that may have the plain one now.
fn is_content(
    name: &SessionKey,
    contents: impl Fn(&SessionKey) -> Result<Vec<(u32, u64)>>,
) -> Result<bool> {
    let Some((plain, number)) = naming::numbered(name.id()) else {
        return Ok(false);
    };
    let of_plain = contents(&SessionKey::new(name.agent(), plain)?)?;
    Ok(of_plain.iter().any(|(content, _)| *content == number))
}

/// The id that a name is of: where it names one of several contents, the plain one.
pub(super) fn plain_of(sources: &dyn Sources, name: &SessionKey) -> Result<SessionKey> {
    match naming::numbered(name.id()) {
        Some((plain, _)) if is_content(name, |plain| sources.contents(plain))? => {
            SessionKey::new(name.agent(), plain)
        }
        _ => Ok(name.clone()),
    }
}

/// The names that the files of one import want.
#[derive(Debug, Default)]
pub(super) struct Names {
    wanted: HashMap<SessionKey, Wanted>,
}

/// A name that files want.
#[derive(Debug, Default)]
struct Wanted {
    /// How many files do.
    files: u64,
    /// The first copy that was free when the first of them got its name.
    first: Option<u64>,
}

impl Names {
    /// One more file wants a name. Returns its place among all that do, from 0.
    pub(super) fn want(&mut self, wanted: &SessionKey) -> u64 {
        let files = &mut self.wanted.entry(wanted.clone()).or_default().files;
        *files += 1;
        *files - 1
    }

    /// Creates the session of the file that has this place.
    pub(super) fn create(
        &mut self,
        bulk: &mut dyn Bulk,
        wanted: &SessionKey,
        place: u64,
    ) -> Result<(u64, SessionKey)> {
        let first = &mut self.wanted.entry(wanted.clone()).or_default().first;
        let first = match *first {
            Some(found) => found,
            // From then on it is known: with many files of one name, none is looked up twice.
            None => *first.insert(free_copy(bulk, wanted, 1)?),
        };
        create(bulk, wanted, first + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_too_long_is_cut_and_stays_apart() {
        let whole = "é".repeat(ID_BYTES_MAX / 2);
        assert_eq!(key_of("codex", &whole).unwrap().id(), whole);
        let (one, two) = (format!("{whole}1"), format!("{whole}2"));
        let (one, two) = (
            key_of("codex", &one).unwrap(),
            key_of("codex", &two).unwrap(),
        );
        assert!(one != two && one.id().len() <= ID_BYTES_MAX);
        let copy = numbered(&one, 12).unwrap();
        assert!(copy.id().ends_with("~12") && copy.id().len() <= ID_BYTES_MAX);
    }
}
