//! What a store keeps of agents' sessions, compared with the places where these lie: what is new there,
//! and what is only here any more.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::files::paths;
use super::import::{ImportOptions, import};
use super::report::ImportProblem;
use crate::agents;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::provider::Places;
use crate::store::{Ingest, IngestStore, ListQuery, Source, Watcher};

/// Sessions that are asked for at a time.
const PAGE: usize = 1000;

/// A place where an agent keeps sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlaceStatus {
    /// The folder or database.
    pub path: PathBuf,
    /// Whether it is there.
    pub found: bool,
}

/// What is kept of one agent's sessions, and what lies in its places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentStatus {
    /// The agent.
    pub agent: String,
    /// Its default places.
    pub places: Vec<PlaceStatus>,
    /// Sessions whose files are there, in those places or wherever they were imported from; those that
    /// an import would make are among them.
    pub sessions_there: u64,
    /// Bytes of those files, and of what an import would add.
    pub bytes_there: u64,
    /// Sessions in the store.
    pub kept: u64,
    /// Bytes of their lines.
    pub kept_bytes: u64,
    /// Sessions in its places that an import would make.
    pub new: u64,
    /// Sessions that an import would add to.
    pub changed: u64,
    /// Sessions in the store that came from files which are all gone.
    pub only_here: u64,
    /// Sessions in the store that an older version has read: an import or
    /// [`reread_all`](crate::RedbStore::reread_all) reads them again.
    pub behind: u64,
    /// Sessions in its places that were deleted here, and stay away.
    pub deleted: u64,
    /// What is wrong with its places and with what is new there.
    pub problems: Vec<ImportProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
}

impl AgentStatus {
    /// Whether nothing is new or changed, and nothing is to be read again.
    pub fn is_up_to_date(&self) -> bool {
        self.new == 0 && self.changed == 0 && self.behind == 0
    }
}

/// Compares a store with the places where agents keep their sessions: every known agent that has a
/// default place, and every agent of which something is kept. Nothing is written; files that are new or
/// have changed are read, as an import reads them.
///
/// ```
/// use scrollback::provider::Places;
/// use scrollback::{Options, RedbStore, status, unwatched};
///
/// let home = tempfile::tempdir()?;
/// let store = RedbStore::open(home.path().join("sessions.redb"), Options::default())?;
/// for agent in status(&store, &Places::under(home.path()), &mut unwatched)? {
///     assert!(agent.is_up_to_date() && agent.kept == 0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The store's errors, and [`Error::Cancelled`](crate::Error::Cancelled). What is wrong with files is in
/// the [`problems`](AgentStatus::problems).
pub fn status(
    store: &dyn Ingest,
    places: &Places,
    progress: &mut Watcher<'_>,
) -> Result<Vec<AgentStatus>> {
    let mut all: BTreeMap<String, AgentStatus> = BTreeMap::new();
    for (agent, path) in places.candidates() {
        let status = all.entry(agent.to_owned()).or_default();
        // What cannot be looked at may be there: reading it tells what is wrong.
        let found = path.try_exists().unwrap_or(true);
        status.places.push(PlaceStatus { path, found });
    }
    let inside = store.ingest().0;
    count_kept(inside, &mut all)?;
    count_there(inside, &mut all)?;
    let options = ImportOptions {
        dry_run: true,
        ..ImportOptions::default()
    };
    for (agent, status) in &mut all {
        status.agent.clone_from(agent);
        let found = status.places.iter().filter(|place| place.found);
        let paths: Vec<PathBuf> = found.map(|place| place.path.clone()).collect();
        if paths.is_empty() {
            continue;
        }
        // A dry run for each agent by itself, since a report says nothing of whose its counts are.
        let report = import(store, &paths, &options, progress)?;
        status.new = report.sessions;
        status.changed = report.sessions_grown;
        status.deleted = report.deleted;
        status.sessions_there += report.sessions;
        status.bytes_there += report.bytes;
        status.problems = report.problems;
        status.problems_more = report.problems_more;
    }
    Ok(all.into_values().collect())
}

/// Counts the sessions of each agent.
fn count_kept(store: &dyn IngestStore, all: &mut BTreeMap<String, AgentStatus>) -> Result<()> {
    let mut query = ListQuery {
        limit: PAGE,
        ..ListQuery::default()
    };
    loop {
        let page = store.list(&query)?;
        for summary in page.sessions {
            let status = all.entry(summary.key.agent().to_owned()).or_default();
            status.kept += 1;
            status.kept_bytes += summary.bytes;
            let row = store.sources().row(summary.number)?;
            let is_behind =
                |row: SessionRow| row.reader < agents::of_agent(&row.agent).reader_version();
            status.behind += u64::from(row.is_some_and(is_behind));
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(());
        }
    }
}

/// Counts the sessions whose files are there, and those whose files are all gone.
fn count_there(store: &dyn IngestStore, all: &mut BTreeMap<String, AgentStatus>) -> Result<()> {
    let mut sizes: HashMap<PathBuf, Option<u64>> = HashMap::new();
    // Of each session its agent, and whether one of its files is there.
    let mut sessions: HashMap<u64, (String, bool)> = HashMap::new();
    store.sources().for_each(&mut |source| {
        let Some(path) = file_of(&source) else {
            return Ok(());
        };
        let is_first = !sizes.contains_key(&path);
        let size = *sizes.entry(path).or_insert_with_key(|path| size_of(path));
        let agent = &source.row.agent;
        if let (true, Some(size)) = (is_first, size) {
            all.entry(agent.clone()).or_default().bytes_there += size;
        }
        let session = sessions.entry(source.row.session);
        session.or_insert_with(|| (agent.clone(), false)).1 |= size.is_some();
        Ok(())
    })?;
    for (agent, is_there) in sessions.into_values() {
        let status = all.entry(agent).or_default();
        if is_there {
            status.sessions_there += 1;
        } else {
            status.only_here += 1;
        }
    }
    Ok(())
}

/// The file that a session's records came from; `None` if it is no source of records.
fn file_of(source: &Source) -> Option<PathBuf> {
    let row = &source.row;
    let is_its = match row.kind {
        SourceKind::Lines => true,
        SourceKind::Attachment => row.next_sequence > 0,
    };
    if !is_its || row.session == 0 {
        return None;
    }
    let path = paths::from_bytes(&source.path);
    let databases = agents::of_agent(&row.agent).databases();
    Some(match databases {
        Some(databases) => databases.file_of(&path).unwrap_or(path),
        None => path,
    })
}

/// The size of a file; `None` if it is gone. One that cannot be looked at is there.
fn size_of(path: &Path) -> Option<u64> {
    match path.metadata() {
        Ok(metadata) => Some(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(_) => Some(0),
    }
}
