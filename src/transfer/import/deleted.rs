//! Marks of deleted sessions, as an import asks them: where it would make a session.
//!
//! A file is passed over if it is one that a deleted session came from, whatever it holds by now, or
//! if its session has the id of one: from wherever, if the agent's ids are unique; from the same
//! folder, if they are not, or from another one if it begins as a deleted one did. A session that is there
//! goes on growing; a file that begins as a deleted content of it did is passed over.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::session_names;
use crate::agents::{self, Agent};
use crate::codec::deleted_row::{DeletedSource, path_hash};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::naming;
use crate::store::{self, Bulk, DeletedSession};
use crate::transfer::files::paths;

/// The marks of a store, for one import.
#[derive(Debug)]
pub(super) struct Marks {
    all: Vec<DeletedSession>,
    by_path: HashMap<u64, Vec<usize>>,
    by_key: HashMap<SessionKey, Vec<usize>>,
    /// By plain names, the first lines of what was deleted.
    by_lines: HashMap<SessionKey, Vec<(usize, DeletedSource)>>,
    /// By the paths of files that were read for that, the marks of what they begin with.
    begun: Mutex<HashMap<Vec<u8>, Vec<usize>>>,
    /// Whether what is marked is taken all the same.
    again: bool,
    /// Marks for whose sake something was passed over.
    passed: Mutex<BTreeSet<usize>>,
}

/// A file that would become a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comer<'a> {
    /// The name that its session is to have.
    pub wanted: &'a SessionKey,
    /// Its path as sources have it.
    pub path: &'a [u8],
    /// The newest content of the path that is there, if there is one: a later one was deleted, or
    /// is new.
    pub living: Option<u32>,
}

impl Marks {
    /// Those of a store.
    pub(super) fn new(all: Vec<DeletedSession>, again: bool) -> Self {
        let (mut by_path, mut by_key) = (HashMap::new(), HashMap::new());
        let mut by_lines: HashMap<_, Vec<_>> = HashMap::new();
        for (at, mark) in all.iter().enumerate() {
            let of_key: &mut Vec<usize> = by_key.entry(mark.key.clone()).or_default();
            of_key.push(at);
            for source in mark.sources.iter().filter(|source| !source.is_place()) {
                // What was stored as `id~2` came from a file that wants `id`, and it is asked for
                // by that.
                for name in session_names::names_of(&mark.key) {
                    by_lines.entry(name).or_default().push((at, *source));
                }
            }
            for source in mark.sources.iter().filter(|source| source.is_place()) {
                let of_path: &mut Vec<usize> = by_path.entry(source.path).or_default();
                of_path.push(at);
            }
        }
        Self {
            all,
            by_path,
            by_key,
            by_lines,
            begun: Mutex::default(),
            again,
            passed: Mutex::default(),
        }
    }

    /// Whether what is marked is taken all the same.
    pub(super) fn takes_again(&self) -> bool {
        self.again && !self.all.is_empty()
    }

    /// How many deleted sessions were passed over.
    pub(super) fn passed(&self) -> u64 {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.len() as u64
    }

    /// Whether a file is to be passed over; then that is noted.
    pub(super) fn passes(&self, comer: &Comer<'_>) -> bool {
        let found = self.of(comer);
        self.note(found.first().copied().filter(|_| !self.again))
    }

    /// The first lines of what was deleted of a name.
    pub(super) fn lines_of(&self, plain: &SessionKey) -> &[(usize, DeletedSource)] {
        self.by_lines.get(plain).map_or(&[], Vec::as_slice)
    }

    /// Notes which marks mean a file by its first lines.
    pub(super) fn begins(&self, path: &[u8], marks: Vec<usize>) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(path.to_vec(), marks);
    }

    /// Whether a file that is another content of a session that is there is to be passed over; then that
    /// is noted.
    pub(super) fn passes_content(&self, path: &[u8]) -> bool {
        let found = self.begun_with(path);
        self.note(found.first().copied().filter(|_| !self.again))
    }

    fn begun_with(&self, path: &[u8]) -> Vec<usize> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.get(path).cloned().unwrap_or_default()
    }

    /// Whether a file that nothing is stored of is to be passed over before it is opened.
    pub(super) fn passes_path(&self, path: &Path, forced: Option<&'static dyn Agent>) -> bool {
        if self.again || self.by_path.is_empty() {
            return false;
        }
        let marks = self.by_path.get(&path_hash(&paths::to_bytes(path)));
        let is_of = |at: &&usize| {
            let mark = self.all.get(**at);
            mark.is_some_and(|mark| forced.is_none_or(|forced| forced.agent() == mark.key.agent()))
        };
        self.note(marks.into_iter().flatten().find(is_of).copied())
    }

    fn note(&self, mark: Option<usize>) -> bool {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.extend(mark);
        mark.is_some()
    }

    /// Lifts the marks of a file that is taken.
    pub(super) fn lift(&self, bulk: &mut dyn Bulk, comer: &Comer<'_>) -> Result<()> {
        if !self.again {
            return Ok(());
        }
        let found = self.of(comer).into_iter();
        for mark in found.filter_map(|at| self.all.get(at)) {
            bulk.forget_deleted(mark)?;
        }
        Ok(())
    }

    /// How many of an agent's marked sessions came from a database.
    pub(super) fn of_database(&self, agent: &str, prefix: &[u8]) -> u64 {
        let came_from = |mark: &&DeletedSession| {
            let id = mark.key.id();
            // The path of a source has the id that the database gives, without the number that it
            // may have got here.
            let ids = [Some(id), naming::without_number(id)];
            let mut hashes = ids
                .into_iter()
                .flatten()
                .map(|id| path_hash(&[prefix, id.as_bytes()].concat()));
            mark.key.agent() == agent
                && hashes.any(|hash| mark.sources.iter().any(|source| source.path == hash))
        };
        self.all.iter().filter(came_from).count() as u64
    }

    /// The marks that mean a file.
    fn of(&self, comer: &Comer<'_>) -> Vec<usize> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let path = path_hash(comer.path);
        // Generations count up: a mark of a later one than the content that is there is of what was
        // deleted since.
        let living = comer.living.unwrap_or(0);
        let is_later = |at: &&usize| {
            self.all.get(**at).is_some_and(|mark| {
                let mut sources = mark.sources.iter();
                mark.key.agent() == comer.wanted.agent()
                    && sources.any(|source| source.path == path && source.generation > living)
            })
        };
        let by_path = self.by_path.get(&path).into_iter().flatten();
        let mut found: Vec<usize> = by_path.filter(is_later).copied().collect();
        // Not where a content of this path is there: its id would keep away every later content of
        // a session that goes on growing.
        if comer.living.is_none() {
            let is_unique = agents::of_agent(comer.wanted.agent()).has_unique_ids();
            // Where an id is not unique it is another chat in another folder.
            let home = store::folder_of(comer.path);
            let is_it = |at: &&usize| {
                let mark = self.all.get(**at);
                mark.is_some_and(|mark| is_unique || mark.home_bytes == home)
            };
            let by_key = self.by_key.get(comer.wanted).into_iter().flatten();
            found.extend(by_key.filter(is_it));
        }
        found.extend(self.begun_with(comer.path));
        found
    }
}
