//! Where the sessions of an import lie, for finding those that a file beside them is about.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::agents;
use crate::model::key::SessionKey;
use crate::model::naming;
use crate::transfer::files::paths;

/// A session that a file of this run holds.
#[derive(Clone, Debug)]
pub(super) struct FoundSession {
    /// Its name in the store.
    pub key: SessionKey,
    /// Its store number; 0 in a dry run.
    pub number: u64,
    /// Its file.
    pub file: PathBuf,
    /// Whether this run has made it.
    pub is_new: bool,
}

impl FoundSession {
    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }
}

/// The sessions of a run, by agent and by the id that they wanted, and by the names of their
/// files.
#[derive(Debug, Default)]
pub(super) struct FoundSessions<'w> {
    by_id: HashMap<(&'w str, &'w str), Vec<&'w FoundSession>>,
    by_file: HashMap<(&'w str, PathBuf), &'w FoundSession>,
    /// The folders with new sessions of an agent in them or below them.
    new: HashSet<(&'w str, &'w Path)>,
}

impl<'w> FoundSessions<'w> {
    /// Sorts sessions by their ids.
    pub(super) fn new(places: &'w [FoundSession]) -> Self {
        let mut sorted = Self::default();
        for place in places {
            if place.is_new {
                for folder in place.file.ancestors().skip(1) {
                    // Those above it are known as well.
                    if !sorted.new.insert((place.key.agent(), folder)) {
                        break;
                    }
                }
            }
            let (agent, id) = (place.key.agent(), place.key.id());
            sorted.by_id.entry((agent, id)).or_default().push(place);
            if let Some(wanted) = naming::without_number(id) {
                sorted.by_id.entry((agent, wanted)).or_default().push(place);
            }
            let file = sorted
                .by_file
                .entry((agent, place.file.with_extension("")))
                .or_insert(place);
            // Of several contents of one file the one that was made last is meant.
            if file.number < place.number {
                *file = place;
            }
        }
        sorted
    }

    /// The session that a file at `path` belongs to by its name: that of the file beside it which
    /// is named so, else the one of that id whose file lies nearest; of several, the latest.
    pub(super) fn owner(&self, agent: &str, id: &str, path: &Path) -> Option<&'w FoundSession> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ending = agents::of_agent(agent).meta_ending();
        let about = name.strip_suffix(ending).unwrap_or(id);
        self.beside(agent, path.with_file_name(about))
            .or_else(|| self.nearest(agent, id, path))
    }

    fn beside(&self, agent: &str, file: PathBuf) -> Option<&'w FoundSession> {
        // An id may hold a `/`: then this leads to another folder, where nothing is beside.
        self.by_file.get(&(agent, file)).copied()
    }

    /// The session of that id whose file lies nearest to a path; of several, the latest.
    pub(super) fn nearest(&self, agent: &str, id: &str, path: &Path) -> Option<&'w FoundSession> {
        let places = self.by_id.get(&(agent, id))?;
        places
            .iter()
            .copied()
            .max_by_key(|place| (paths::common_components(place.folder(), path), place.number))
    }

    /// The session of that id whose file lies in `folder` or below it; of several, the latest.
    pub(super) fn below(&self, agent: &str, id: &str, folder: &Path) -> Option<&'w FoundSession> {
        let places = self.by_id.get(&(agent, id))?;
        places
            .iter()
            .copied()
            .filter(|place| place.file.starts_with(folder))
            .max_by_key(|place| place.number)
    }

    /// Whether this run has made a session of that agent in `folder` or below it.
    pub(super) fn has_new_below(&self, agent: &str, folder: &Path) -> bool {
        self.new.contains(&(agent, folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: &str, number: u64, file: &str) -> FoundSession {
        FoundSession {
            key: SessionKey::new("claude-code", id).unwrap(),
            number,
            file: PathBuf::from(file),
            is_new: false,
        }
    }

    #[test]
    fn a_sidecar_goes_to_the_nearest_session_of_its_id() {
        let places = [
            place("a", 1, "/home/p/a.jsonl"),
            place("a~2", 2, "/backup/p/a.jsonl"),
            place("ab", 3, "/ab.jsonl"),
        ];
        let places = FoundSessions::new(&places);
        let number = |agent: &str, path: &str| {
            places
                .owner(agent, "a", Path::new(path))
                .map(|place| place.number)
        };
        assert_eq!(number("claude-code", "/home/p/a/x.txt"), Some(1));
        assert_eq!(number("claude-code", "/backup/p/a/x.txt"), Some(2));
        assert_eq!(number("codex", "/home/p/a/x.txt"), None);
    }

    #[test]
    fn a_sidecar_goes_to_the_file_of_its_name_before_any_id() {
        let places = [
            place("web:1", 1, "/s/web_1.jsonl"),
            place("web_1", 2, "/s/other.jsonl"),
            place("v1.2", 3, "/s/v1.2.jsonl"),
        ];
        let places = FoundSessions::new(&places);
        let owner = |id: &str| {
            let path = PathBuf::from(format!("/s/{id}.meta.json"));
            places
                .owner("claude-code", id, &path)
                .map(|place| place.number)
        };
        assert_eq!(owner("web_1"), Some(1));
        assert_eq!(owner("v1.2"), Some(3));
        assert_eq!(owner("web"), None);
    }

    #[test]
    fn new_sessions_are_known_in_every_folder_above_them() {
        let mut new = [
            place("a", 1, "/home/p/a.jsonl"),
            place("b", 2, "/home/q/r/b.jsonl"),
        ];
        for place in &mut new {
            place.is_new = true;
        }
        let old = place("c", 3, "/old/c.jsonl");
        let all = [new, [old.clone(), old]].concat();
        let places = FoundSessions::new(&all);
        let has = |folder: &str| places.has_new_below("claude-code", Path::new(folder));
        assert!(
            ["/", "/home", "/home/p", "/home/q", "/home/q/r"]
                .into_iter()
                .all(has)
        );
        assert!(!has("/old") && !has("/hom") && !has("/home/q/r/s"));
        assert!(!places.has_new_below("codex", Path::new("/home")));
    }

    #[test]
    fn an_index_is_about_sessions_in_its_folder_alone() {
        let places = [
            place("a", 1, "/home/s/a.jsonl"),
            place("a~2", 2, "/b/s/x/a.jsonl"),
        ];
        let places = FoundSessions::new(&places);
        let number = |folder: &str| {
            places
                .below("claude-code", "a", Path::new(folder))
                .map(|place| place.number)
        };
        assert_eq!(number("/home/s"), Some(1));
        assert_eq!(number("/b/s"), Some(2));
        assert_eq!(number("/elsewhere"), None);
    }
}
