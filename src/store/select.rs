//! Which sessions a query means and what fits on a page: the rules that every store shares.

use std::cmp::Ordering;

use super::query::{Cursor, ListQuery, RecordPage, ScanQuery};
use crate::codec::session_row::SessionRow;
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::model::session::Summary;
use crate::model::text::without_trailing_separators;

impl Cursor {
    /// The place of a session in lists.
    pub fn of(summary: &Summary) -> Self {
        Self {
            updated_us: summary.updated_at.timestamp_micros(),
            number: summary.number,
        }
    }
}

/// How many sessions a page of a query has.
pub(crate) fn page_length(query: &ListQuery) -> usize {
    if query.limit == 0 { 100 } else { query.limit }
}

/// Whether a query selects a session; its place after the cursor aside.
pub(crate) fn selects(query: &ListQuery, row: &SessionRow) -> bool {
    query.agent.as_ref().is_none_or(|agent| *agent == row.agent)
        && query.project.as_ref().is_none_or(|wanted| {
            row.shown_project()
                .is_some_and(|project| is_project(project, wanted, query.whole_project))
        })
        && is_in_folders(&query.folders, row.shown_project())
        && query
            .since
            .is_none_or(|since| row.updated_us >= since.timestamp_micros())
        && query
            .before
            .is_none_or(|before| row.updated_us < before.timestamp_micros())
        && query.title.as_ref().is_none_or(|text| {
            text.is_empty()
                || row
                    .shown_title()
                    .to_lowercase()
                    .contains(&text.to_lowercase())
        })
        && query.pinned.is_none_or(|pinned| pinned == row.given.pinned)
        && query
            .archived
            .is_none_or(|archived| archived == row.shown_archived())
        && (query.parent.is_none() || query.parent.as_deref() == row.shown_parent())
}

/// The whole path of the projects that a query means, if it means those of one path.
pub(crate) fn project_of(query: &ListQuery) -> Option<&str> {
    let wanted = query.project.as_deref();
    let whole = wanted.filter(|wanted| query.whole_project || wanted.starts_with('/'));
    whole.map(without_trailing_separators)
}

/// Whether a project is the wanted one: the same path, or, unless that is the whole one, one that ends in these
/// components.
fn is_project(project: &str, wanted: &str, is_whole: bool) -> bool {
    let wanted = without_trailing_separators(wanted);
    let may_end = !is_whole && !wanted.starts_with('/');
    without_trailing_separators(project)
        .strip_suffix(wanted)
        .is_some_and(|before| before.is_empty() || (may_end && before.ends_with(['/', '\\'])))
}

/// Whether a project is one of these folders, or below one; any project is if there are none.
pub(crate) fn is_in_folders(folders: &[String], project: Option<&str>) -> bool {
    folders.is_empty()
        || project.is_some_and(|project| folders.iter().any(|folder| is_in(project, folder)))
}

/// Whether a project is a folder, or below it.
fn is_in(project: &str, folder: &str) -> bool {
    let folder = without_trailing_separators(folder);
    if folder.is_empty() {
        return false;
    }
    let ends_name = |rest: &str| rest.is_empty() || rest.starts_with(['/', '\\']);
    if folder.starts_with('/') {
        return project.strip_prefix(folder).is_some_and(ends_name) || folder == "/";
    }
    project.match_indices(folder).any(|(at, _)| {
        let (before, rest) = project.split_at(at);
        let rest = rest.get(folder.len()..).unwrap_or_default();
        (before.is_empty() || before.ends_with(['/', '\\'])) && ends_name(rest)
    })
}

/// The agent and the prefix of an id that a text may mean: `codex:0199` names the agent too.
pub(crate) fn agent_and_prefix(text: &str) -> Option<(&str, &str)> {
    text.split_once(':')
        .filter(|(agent, _)| SessionKey::new(*agent, "x").is_ok())
}

/// The aliases that a text may be, where it is no id: one of each agent, and the one of the agent
/// that it names.
pub(crate) fn aliases<'a>(agents: impl Iterator<Item = &'a str>, text: &str) -> Vec<SessionKey> {
    agents
        .map(|agent| (agent, text))
        .chain(agent_and_prefix(text))
        .filter_map(|(agent, alias)| SessionKey::new(agent, alias).ok())
        .collect()
}

/// The first keys that differ from each other, in their order, behind a place.
pub(crate) fn distinct(
    keys: impl Iterator<Item = SessionKey>,
    after: Option<&SessionKey>,
    limit: usize,
) -> Vec<SessionKey> {
    let mut distinct: Vec<SessionKey> = keys.filter(|key| is_behind(key, after)).collect();
    distinct.sort_by(in_order);
    distinct.dedup();
    distinct.truncate(limit);
    distinct
}

/// The order in which sessions are found: by their ids, and by their agents where these are the same.
pub(crate) fn in_order(one: &SessionKey, other: &SessionKey) -> Ordering {
    (one.id(), one.agent()).cmp(&(other.id(), other.agent()))
}

/// Whether a session stands behind a place in that order.
pub(crate) fn is_behind(key: &SessionKey, after: Option<&SessionKey>) -> bool {
    after.is_none_or(|after| in_order(key, after).is_gt())
}

/// What a text may be the start of among an agent's ids: itself, or what stands behind the agent's name in it.
fn meant<'t>(text: &'t str, agent: &str) -> impl Iterator<Item = &'t str> {
    let scoped = agent_and_prefix(text).filter(|(named, _)| *named == agent);
    [Some(text), scoped.map(|(_, id)| id)].into_iter().flatten()
}

/// Whether a text is the whole id of a session.
pub(crate) fn is_whole(key: &SessionKey, text: &str) -> bool {
    meant(text, key.agent()).any(|id| key.id() == id)
}

/// Whether a text means a session by the start of its id, and not by an alias.
pub(crate) fn is_named(key: &SessionKey, text: &str) -> bool {
    meant(text, key.agent()).any(|start| key.id().starts_with(start))
}

/// The keys that a text means, in their order: those of the id that it is, or else those that start with it.
pub(crate) fn find_in(
    keys: impl Iterator<Item = SessionKey>,
    text: &str,
    after: Option<&SessionKey>,
    limit: usize,
) -> Vec<SessionKey> {
    let (mut equal, mut starting) = (Vec::new(), Vec::new());
    // To the end, whatever the limit: an id that is equal counts before all that start with the
    // text.
    for key in keys.filter(|key| is_behind(key, after)) {
        if is_whole(&key, text) {
            equal.push(key);
        } else if is_named(&key, text) && starting.len() < limit {
            starting.push(key);
        }
    }
    // Behind a session whose id is the text there are no others but those that have the same one.
    let is_of_equal = after.is_some_and(|after| is_whole(after, text));
    let mut found = if equal.is_empty() && !is_of_equal {
        starting
    } else {
        equal
    };
    found.truncate(limit);
    found
}

/// Fills a page of a scan.
#[derive(Debug)]
pub(crate) struct PageFiller {
    page: RecordPage,
    bytes: usize,
    records_max: usize,
    bytes_max: usize,
}

impl PageFiller {
    /// An empty page of a query.
    pub(crate) fn new(query: &ScanQuery) -> Self {
        let or = |value: usize, default: usize| if value == 0 { default } else { value };
        Self {
            page: RecordPage::default(),
            bytes: 0,
            records_max: or(query.records_max, 1000),
            bytes_max: or(query.bytes_max, 4 * 1024 * 1024),
        }
    }

    /// Takes the next record, or notes that the next page starts with it. Returns whether there
    /// is room for more.
    pub(crate) fn take(&mut self, sequence: u64, record: impl FnOnce() -> Record) -> bool {
        if self.page.records.len() >= self.records_max || self.bytes >= self.bytes_max {
            self.page.next = Some(sequence);
            return false;
        }
        let record = record();
        self.bytes += record.line.len();
        self.page.records.push(record);
        true
    }

    /// The page.
    pub(crate) fn finish(self) -> RecordPage {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_a_whole_path_or_its_last_components() {
        assert!(is_project("/home/ada/shop", "/home/ada/shop", false));
        assert!(is_project("/home/ada/shop", "/home/ada/shop/", false));
        assert!(is_project("/home/ada/shop", "shop", false));
        assert!(is_project("/home/ada/shop", "ada/shop", false));
        assert!(is_project("C:\\code\\shop", "shop", false));
        assert!(!is_project("/home/ada/shop", "hop", false));
        assert!(!is_project("/home/ada/shop", "/shop", false));
        assert!(!is_project("/home/ada/shop", "/home/ada", false));
    }

    #[test]
    fn a_project_lies_in_a_folder_by_whole_names() {
        for (project, folder, expected) in [
            ("/home/ada/shop", "/home/ada/shop", true),
            ("/home/ada/shop/web", "/home/ada/shop/", true),
            ("/home/ada/shopping", "/home/ada/shop", false),
            ("/home/ada", "/home/ada/shop", false),
            ("/home/ada/shop/web", "shop", true),
            ("/home/ada/shop", "ada/shop", true),
            ("/home/ada/shopping", "shop", false),
            ("/home/ada/myshop", "shop", false),
            ("/home/myshop/shop/x", "shop", true),
            ("C:\\code\\shop\\web", "shop", true),
            ("/x", "/", true),
            ("/x", "", false),
        ] {
            assert_eq!(is_in(project, folder), expected, "{project} in {folder}");
        }
    }

    #[test]
    fn an_id_that_is_equal_beats_those_that_start_with_it() {
        let key = |agent: &str, id: &str| SessionKey::new(agent, id).unwrap();
        let keys = [
            key("codex", "a"),
            key("codex", "ab"),
            key("ggcode", "ab"),
            key("ggcode", "b:c"),
        ];
        let find = |text: &str| find_in(keys.iter().cloned(), text, None, 10);
        assert_eq!(find("a"), [key("codex", "a")]);
        assert_eq!(find("ab").len(), 2);
        assert_eq!(find("ggcode:a"), [key("ggcode", "ab")]);
        assert_eq!(find("b:c"), [key("ggcode", "b:c")]);
        assert_eq!(find("x"), []);
        assert_eq!(find("").len(), 4);
    }
}
