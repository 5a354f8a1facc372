//! What an index, a meta file or an old document tells of sessions, put beside their lines.
//!
//! A file says the same thing again and again, while users change here what it once said. So only
//! what is new in a file counts: all of it for a session that this run has made, else what differs
//! from the content before.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::de::IgnoredAny;

use super::owners::{FoundSession, FoundSessions};
use super::session_names;
use super::tasks::KeptFile;
use crate::agents::{self, INDEX_TITLE_RANK, SidecarFacts};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::naming;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::{Bulk, Claims, IngestStore, changed_properties};
use crate::transfer::files::paths;

/// Most bytes of a file that are read for what it tells of sessions.
pub(in crate::transfer) const FACTS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A session that a file tells of.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Its store number.
    pub number: u64,
    /// Its name.
    pub key: SessionKey,
    /// Whether nothing was told of it before.
    is_new: bool,
}

impl Subject {
    /// The session of a file of this run.
    pub(super) fn of_place(place: &FoundSession) -> Self {
        Self {
            number: place.number,
            key: place.key.clone(),
            is_new: place.is_new,
        }
    }

    /// A session that was there before.
    pub(super) fn there(number: u64, key: SessionKey) -> Self {
        Self {
            number,
            key,
            is_new: false,
        }
    }

    /// A session that was made for what is told.
    pub(super) fn made(number: u64, key: SessionKey) -> Self {
        Self {
            number,
            key,
            is_new: true,
        }
    }
}

/// Whether a session has this id, or got another one because it was taken.
fn has_id(key: &SessionKey, id: &str) -> bool {
    key.id() == id || naming::without_number(key.id()) == Some(id)
}

/// What a file tells.
#[derive(Debug)]
pub(super) struct Told<'t> {
    /// The agent.
    pub agent: &'t str,
    /// The file.
    pub path: &'t Path,
    /// What it says now.
    pub now: Vec<SidecarFacts>,
    /// What it said when it was imported last.
    pub before: Vec<SidecarFacts>,
    /// The session that it belongs to.
    pub owner: Option<Subject>,
}

/// Whether bytes are one JSON value.
pub(in crate::transfer) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether what is told of a session without lines is worth a session.
pub(super) fn is_a_session(facts: &SidecarFacts) -> bool {
    let has_summary = facts.summary.as_ref().is_some_and(|text| !text.is_empty());
    let has_aliases = facts.aliases.as_ref().is_some_and(|them| !them.is_empty());
    !facts.id.is_empty() && (has_summary || has_aliases || facts.scope.is_some())
}

/// Puts what a file tells beside the sessions that it names. Sessions that are not there are
/// passed over, and of several entries for one session the first one holds.
pub(super) fn tell(
    bulk: &mut dyn Bulk,
    store: &dyn IngestStore,
    places: &FoundSessions<'_>,
    told: &Told<'_>,
) -> Result<()> {
    // A file about one session means its owner, also where that has another id here.
    if let (Some(owner), [now]) = (&told.owner, told.now.as_slice()) {
        return tell_one(bulk, store, owner, now, told.before.first());
    }
    let mut before: HashMap<&str, &SidecarFacts> = HashMap::new();
    for facts in &told.before {
        before.entry(&facts.id).or_insert(facts);
    }
    let folder = told.path.parent().unwrap_or(told.path);
    let mut done = HashSet::new();
    for now in &told.now {
        if let Some(subject) = find(bulk, store, places, (told.agent, &now.id), folder)?
            && done.insert(subject.number)
        {
            tell_one(
                bulk,
                store,
                &subject,
                now,
                before.get(now.id.as_str()).copied(),
            )?;
        }
    }
    Ok(())
}

/// Puts what an unchanged file tells beside the sessions that this run has made.
pub(super) fn retell(
    bulk: &mut dyn Bulk,
    store: &dyn IngestStore,
    places: &FoundSessions<'_>,
    kept: &KeptFile,
) -> Result<()> {
    let folder = kept.path.parent().unwrap_or(&kept.path);
    if !places.has_new_below(&kept.agent, folder) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    store.sources().read_attachment(0, &kept.name, &mut bytes)?;
    let mut done = HashSet::new();
    for facts in agents::of_agent(&kept.agent).sidecar_facts(&kept.path, &bytes) {
        // Only of those: to any other session it has said this before, and users may have changed
        // it since.
        if let Some(place) = places.below(&kept.agent, &facts.id, folder)
            && place.is_new
            && done.insert(place.number)
        {
            tell_one(bulk, store, &Subject::of_place(place), &facts, None)?;
        }
    }
    Ok(())
}

/// The session of an id whose file lies in a folder.
fn find(
    bulk: &dyn Bulk,
    store: &dyn IngestStore,
    places: &FoundSessions<'_>,
    (agent, id): (&str, &str),
    folder: &Path,
) -> Result<Option<Subject>> {
    if let Some(place) = places.below(agent, id, folder) {
        return Ok(Some(Subject::of_place(place)));
    }
    let Ok(key) = session_names::key_of(agent, id) else {
        return Ok(None);
    };
    let Some(number) = bulk.number_of(&key)? else {
        return Ok(None);
    };
    // In another folder the same id may be another session's, of which this index says nothing.
    let sources = store.sources().of_session(number)?;
    let lies_there = sources
        .iter()
        .any(|source| paths::from_bytes(&source.path).starts_with(folder));
    Ok(lies_there.then(|| Subject::there(number, key)))
}

/// Puts what is told of one session beside its lines.
pub(super) fn tell_one(
    bulk: &mut dyn Bulk,
    store: &dyn IngestStore,
    subject: &Subject,
    now: &SidecarFacts,
    before: Option<&SidecarFacts>,
) -> Result<()> {
    let (number, before) = (subject.number, before.filter(|_| !subject.is_new));
    // Only what is new in the file is told again: what users changed here since is not set back.
    let is_same = |same: fn(&SidecarFacts, &SidecarFacts) -> bool| {
        before.is_some_and(|before| same(before, now))
    };
    let aliases = aliases(store, subject, now, before)?;
    let change = PropertiesChange {
        summary: now
            .summary
            .clone()
            .filter(|_| !is_same(|before, now| before.summary == now.summary)),
        aliases,
        scope: now
            .scope
            .clone()
            .filter(|_| !is_same(|before, now| before.scope == now.scope))
            .map(Some),
        ..PropertiesChange::default()
    };
    if change != PropertiesChange::default() {
        bulk.change_properties(number, &change)?;
    }
    if let Some(title) = &now.title
        && !is_same(|before, now| before.title == now.title)
    {
        bulk.offer_title(number, title, now.title_rank.unwrap_or(INDEX_TITLE_RANK))?;
    }
    // Offered each time: it changes a session only if nothing better is known.
    if let Some(project) = &now.project {
        bulk.offer_project(number, project)?;
    }
    if let Some(model) = &now.model {
        bulk.offer_model(number, model)?;
    }
    if let Some(parent) = &now.parent {
        bulk.offer_parent(number, parent)?;
    }
    if now.created_us.is_some() || now.updated_us.is_some() {
        bulk.apply_times(number, now.created_us, now.updated_us)?;
    }
    if let Some(skip) = now.skip
        && !is_same(|before, now| before.skip == now.skip)
    {
        bulk.hide_lines(number, skip)?;
    }
    Ok(())
}

/// What a session has of what is told of it where nothing else was said: as it is cut and cleaned
/// when it is stored.
pub(in crate::transfer) fn properties_of(told: &SidecarFacts, key: &SessionKey) -> Properties {
    let mut aliases = told.aliases.clone().unwrap_or_default();
    // A session that got its id from its file's name, since nothing better was known then, gets
    // its own id as another name.
    if !told.id.is_empty() && !has_id(key, &told.id) {
        aliases.push(told.id.clone());
    }
    let change = PropertiesChange {
        summary: told.summary.clone(),
        aliases: Some(aliases),
        scope: told.scope.clone().map(Some),
        ..PropertiesChange::default()
    };
    let nothing = Properties::default();
    changed_properties(&nothing, &change, key.id(), Claims::InLine).unwrap_or(nothing)
}

/// The names that a session is to have, if they change: those that it has, without those that the
/// file no longer gives it, and with those that it gives it now.
fn aliases(
    store: &dyn IngestStore,
    subject: &Subject,
    now: &SidecarFacts,
    before: Option<&SidecarFacts>,
) -> Result<Option<Vec<String>>> {
    let names = |facts| properties_of(facts, &subject.key).aliases;
    let (now, before) = (names(now), before.map(names).unwrap_or_default());
    if now == before {
        return Ok(None);
    }
    let there = match store.properties(&subject.key) {
        Ok(properties) => properties.aliases,
        // It was made in this transaction.
        Err(Error::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    // Nobody else named it: the file's order holds.
    if there == before {
        return Ok(Some(now));
    }
    let mut aliases: Vec<String> = there
        .into_iter()
        .filter(|alias| now.contains(alias) || !before.contains(alias))
        .collect();
    for name in now {
        if !aliases.contains(&name) {
            aliases.push(name);
        }
    }
    Ok(Some(aliases))
}
