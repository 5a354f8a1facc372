//! Which files a session has with all that belongs to it, and where each goes below its agent's home.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::agents::database::Databases;
use crate::agents::default_home::DefaultHome;
use crate::agents::{self, Agent};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::session::Summary;
use crate::store::{IngestStore, StoreExt as _};
use crate::transfer::export::{Item, line_items};
use crate::transfer::files::paths;
use crate::transfer::older;

/// How a compressed file is called; lines go into a plain one.
const PACKED: &str = ".zst";

/// A file, and its place below the home.
#[derive(Debug)]
pub(super) struct Placed {
    /// What goes into it.
    pub item: Item,
    /// Its place, name by name.
    pub names: Vec<Vec<u8>>,
}

impl Placed {
    /// Where it lies.
    pub(super) fn path(&self, home: &Path) -> PathBuf {
        let names = self.names.iter().map(|name| paths::from_bytes(name));
        std::iter::once(home.to_owned()).chain(names).collect()
    }
}

/// The files of a session and of its sub-agents, the session's own first; and what is to be told of them.
pub(super) fn places(
    store: &dyn IngestStore,
    key: &SessionKey,
    home: &Path,
) -> Result<(Vec<Placed>, Vec<String>)> {
    let summary = store.summary(key)?;
    let agent = agents::of_agent(key.agent());
    let refused = || Error::Unsupported {
        action: "put a session back",
        agent: key.agent().to_owned(),
    };
    let in_database = agent.databases().is_some_and(Databases::are_there);
    if agent.homes().is_empty() || in_database || !files_in_tree(store, &summary)?.is_empty() {
        return Err(refused());
    }
    let mut family = vec![summary];
    let below = store.descendants(key, &|child: &Summary| !child.subagent)?;
    family.extend(
        below
            .into_iter()
            // A sub-agent of another program has its place in another home.
            .filter(|child| child.key.agent() == key.agent()),
    );
    let places = known_places(store, agent, &family)?;
    let (items, notes) = line_items(store, Some(family.clone()))?;
    let mut placed = Vec::new();
    let mut told: Vec<String> = notes.into_iter().map(|(_, note)| note).collect();
    for item in items {
        // An agent takes whatever lies there for a session: older contents have no place in its
        // home.
        if older::below(&item.names).is_some() {
            continue;
        }
        let Some(session) = family.iter().find(|one| one.number == item.session) else {
            continue;
        };
        let was = places
            .get(&item.names)
            .or_else(|| beside(&places, &item.names));
        let was = was.map(|names| with_name(names, &item.names));
        let Some(place) = agent.place_in_home(home, session, was.as_deref()) else {
            if session.key == *key && item.is_lines() {
                return Err(refused());
            }
            let name = item.names.last().map(|name| String::from_utf8_lossy(name));
            told.push(format!(
                "where `{}` belongs is not known",
                name.unwrap_or_default()
            ));
            continue;
        };
        let names = place.into_iter().map(String::into_bytes).collect();
        placed.push(Placed { item, names });
    }
    let own = family.first().map_or(0, |own| own.number);
    placed.sort_by_key(|one| (one.item.session != own, !one.item.is_lines()));
    if placed.is_empty() {
        return Err(refused());
    }
    Ok((placed, told))
}

/// The files of a session whose agent keeps it in many small ones, one for each place where it was seen: those are
/// read, and not kept.
pub(super) fn files_in_tree(store: &dyn IngestStore, session: &Summary) -> Result<Vec<PathBuf>> {
    let Some(databases) = agents::of_agent(session.key.agent()).databases() else {
        return Ok(Vec::new());
    };
    let sources = store.sources().of_session(session.number)?;
    let files = sources
        .iter()
        .filter_map(|source| databases.file_of(&paths::from_bytes(&source.path)));
    Ok({ files }
        .filter(|file| databases.is_in_tree(file))
        .collect())
}

/// Where below a home the files of sessions were, by the names that an export gives them.
fn known_places(
    store: &dyn IngestStore,
    agent: &dyn Agent,
    family: &[Summary],
) -> Result<HashMap<Vec<Vec<u8>>, Vec<String>>> {
    let mut places = HashMap::new();
    for session in family {
        for source in store.sources().of_session(session.number)? {
            let mut names = vec![source.row.agent.clone().into_bytes()];
            names.extend(paths::plain_components(&source.row.relative));
            if let Some(below) = below_home(agent, &source.path) {
                places.entry(names).or_insert(below);
            }
        }
    }
    Ok(places)
}

/// The names of a path below the agent's home: by the names on the way to one, or else by the folders that a home
/// has. `None` where a name is not UTF-8.
fn below_home(agent: &dyn Agent, path: &[u8]) -> Option<Vec<String>> {
    let names = paths::plain_components(path).into_iter();
    let names: Vec<String> = names
        .map(String::from_utf8)
        .collect::<Result<_, _>>()
        .ok()?;
    let behind = |wanted: &[&str]| {
        // The last one on the way, since a home may lie in the copy of another.
        let mut windows = names.windows(wanted.len().max(1));
        let at = windows.rposition(|some| some == wanted)?;
        names.get(at + wanted.len()..)
    };
    let homes = agent.homes().iter().filter_map(DefaultHome::names);
    let found = homes
        .filter_map(|home| behind(&home))
        .find(|rest| !rest.is_empty());
    if let Some(rest) = found {
        return Some(rest.to_vec());
    }
    // A copy of a home may have another name, and has the same folders in it.
    let folder = agent.folders().iter().filter(|folder| !folder.is_empty());
    let found = folder.filter_map(|folder| Some((*folder, behind(&[folder])?)));
    let (folder, rest) = { found }.find(|(_, rest)| !rest.is_empty())?;
    Some(
        std::iter::once(folder.to_owned())
            .chain(rest.iter().cloned())
            .collect(),
    )
}

/// The place of another file in the same folder.
fn beside<'p>(
    places: &'p HashMap<Vec<Vec<u8>>, Vec<String>>,
    names: &[Vec<u8>],
) -> Option<&'p Vec<String>> {
    let (_, folder) = names.split_last()?;
    let known = places
        .iter()
        .find(|(known, _)| known.split_last().is_some_and(|(_, of)| of == folder));
    known.map(|(_, place)| place)
}

/// A place with the name that the file has now.
fn with_name(place: &[String], names: &[Vec<u8>]) -> Vec<String> {
    let name = names
        .last()
        .map(|name| String::from_utf8_lossy(name).into_owned());
    let name = name.unwrap_or_default();
    let name = name.strip_suffix(PACKED).unwrap_or(&name).to_owned();
    let folder = place
        .split_last()
        .map(|(_, folder)| folder)
        .unwrap_or_default();
    folder.iter().cloned().chain([name]).collect()
}
