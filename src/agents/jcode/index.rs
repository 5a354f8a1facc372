//! jcode's index, `session.json`: rows of sessions under their projects.
//!
//! Rows of sessions that were neither made nor changed here, and everything else in the file,
//! stay as they are.

use std::collections::{HashMap, HashSet};

use crate::json::Json;

use super::entry::{Entry, EntryKind};
use super::entry_line::timestamp;
use super::layout::leader_of;
use super::messages::filled;
use crate::agents::parts::fields::{elements, entries, entries_in, fields, fields_of, owned, text};
use crate::agents::parts::go_json::{self, Escape, block, member};
use crate::agents::parts::{lines, times};
use crate::agents::state::{SessionState, SidecarFacts};

/// The one field of the index that is known.
const SESSIONS: &str = "sessions";

/// What the index tells of sessions: the first row of each. Nothing, if it cannot be read.
pub(crate) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let content = String::from_utf8_lossy(bytes);
    let mut known = HashSet::new();
    let mut all = Vec::new();
    let Some(index) = Index::read(&content) else {
        return all;
    };
    for (project, row) in index.rows() {
        let [uuid, stated, title, started] =
            fields_of(Some(row), &["uuid", "project", "title", "start_time"]);
        let Some(id) = owned(uuid) else { continue };
        if known.insert(id.clone()) {
            all.push(SidecarFacts {
                id,
                title: owned(title),
                project: owned(stated).or_else(|| filled(project)),
                created_us: times::time_us(started),
                ..SidecarFacts::default()
            });
        }
    }
    all
}

/// The index with rows for sessions that were made or changed here; `None` if there is nothing to
/// write, or if the original cannot be read: then somebody may still want to mend it.
pub(crate) fn write(original: Option<&[u8]>, changed: &[SessionState]) -> Option<Vec<u8>> {
    let content = original.map(String::from_utf8_lossy).unwrap_or_default();
    // An empty file is no index, and nothing in it could be lost.
    let mut index = if content.trim().is_empty() {
        Index::default()
    } else {
        Index::read(&content)?
    };
    let mut edited = false;
    let mut new: HashMap<String, (NewRow, &SessionState)> = HashMap::new();
    let mut order = Vec::new();
    for state in changed {
        // Teammates' sessions have no row.
        if leader_of(state.summary.key.id()).is_none() {
            let row = NewRow::of(state);
            order.push(row.uuid.clone());
            new.insert(row.uuid.clone(), (row, state));
        }
    }
    for row in index
        .projects
        .iter_mut()
        .flat_map(|project| &mut project.rows)
    {
        edited |= row.update(&mut new);
    }
    for uuid in order {
        if let Some((row, _)) = new.remove(&uuid) {
            index.add(row);
            edited = true;
        }
    }
    // With nothing to say the bytes stay: written anew, the index would differ in its white space.
    if edited {
        return Some(index.to_text().into_bytes());
    }
    original.map(<[u8]>::to_vec)
}

/// An index, its rows as the text that they were.
#[derive(Default)]
struct Index<'a> {
    /// The fields before and after the projects, and the place of the projects among them.
    others: Vec<(String, Json<'a>)>,
    projects_at: usize,
    projects: Vec<Project<'a>>,
}

/// The rows of one project.
struct Project<'a> {
    path: String,
    rows: Vec<Row<'a>>,
    /// Whether the file says `null` instead of rows.
    is_null: bool,
}

/// A row: as it was, or written anew.
enum Row<'a> {
    Kept(Json<'a>),
    Written(Vec<(String, String)>),
}

impl<'a> Index<'a> {
    /// Reads an index; `None` if jcode could not.
    fn read(content: &'a str) -> Option<Self> {
        let body = lines::body(content);
        let [_] = fields(body, &[SESSIONS]).ok()?;
        let mut index = Self::default();
        for (key, value) in entries_in(body) {
            if key != SESSIONS {
                index.others.push((key, value));
                continue;
            }
            // Where it stood among the others is remembered, so that it is written there again.
            index.projects_at = index.others.len();
            if value.get() == "null" {
                continue;
            }
            // Neither null nor an object: the program could not read it, so it is not ours to write
            // over.
            fields(value.get(), &[]).ok()?;
            for (path, rows) in entries(value) {
                let is_null = rows.get() == "null";
                if !is_null && !rows.get().starts_with('[') {
                    return None;
                }
                let rows = elements(rows);
                index.projects.push(Project {
                    path,
                    rows: rows.into_iter().map(Row::Kept).collect(),
                    is_null,
                });
            }
        }
        Some(index)
    }

    /// Every row as it was, with its project.
    fn rows(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.projects.iter().flat_map(|project| {
            project.rows.iter().filter_map(|row| match row {
                Row::Kept(value) => Some((project.path.as_str(), *value)),
                Row::Written(_) => None,
            })
        })
    }

    /// Adds a row under its project.
    fn add(&mut self, new: NewRow) {
        let path = new.project.clone();
        let row = Row::Written(new.fields());
        if let Some(project) = self.projects.iter_mut().rfind(|there| there.path == path) {
            project.rows.push(row);
            project.is_null = false;
        } else {
            // Go writes the keys of a map in their order.
            let place = self.projects.partition_point(|there| there.path < path);
            let rows = vec![row];
            let is_null = false;
            self.projects.insert(
                place,
                Project {
                    path,
                    rows,
                    is_null,
                },
            );
        }
    }

    fn to_text(&self) -> String {
        let mut members: Vec<String> = self
            .others
            .iter()
            .map(|(key, value)| member(2, key, value.get()))
            .collect();
        let projects: Vec<String> = self.projects.iter().map(Project::to_text).collect();
        let projects = member(2, SESSIONS, &block('{', &projects, '}', 2));
        members.insert(self.projects_at.min(members.len()), projects);
        block('{', &members, '}', 0)
    }
}

impl Project<'_> {
    fn to_text(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(Row::to_text).collect();
        let rows = if self.is_null {
            "null".to_owned()
        } else {
            block('[', &rows, ']', 4)
        };
        member(4, &self.path, &rows)
    }
}

impl Row<'_> {
    /// Takes the session of this row out of those that need one, and gives the row a better title
    /// if there is one. Returns whether it changed.
    fn update(&mut self, new: &mut HashMap<String, (NewRow, &SessionState)>) -> bool {
        let Self::Kept(value) = self else {
            return false;
        };
        let [uuid, title] = fields_of(Some(*value), &["uuid", "title"]);
        let Some((row, state)) = text(uuid).and_then(|uuid| new.remove(&*uuid)) else {
            return false;
        };
        let Some(title) = row.title_instead_of(text(title).as_deref(), state) else {
            return false;
        };
        *self = Self::Written(with_title(*value, title));
        true
    }

    fn to_text(&self) -> String {
        let indent = " ".repeat(6);
        match self {
            Self::Kept(value) => format!("{indent}{}", value.get()),
            Self::Written(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(key, json)| member(8, key, json))
                    .collect();
                format!("{indent}{}", block('{', &fields, '}', 6))
            }
        }
    }
}

/// The fields of a row, with another title.
fn with_title(row: Json<'_>, title: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = entries(row)
        .into_iter()
        .filter(|(key, _)| key != "title")
        .map(|(key, value)| (key, value.get().to_owned()))
        .collect();
    fields.push(("title".to_owned(), go_json::string(title, Escape::Html)));
    fields
}

/// What a new row says.
#[derive(Default)]
struct NewRow {
    uuid: String,
    project: String,
    provider: String,
    model: String,
    start_time: String,
    title: String,
}

impl NewRow {
    fn of(state: &SessionState) -> Self {
        let summary = &state.summary;
        let mut row = Self {
            uuid: summary.key.id().to_owned(),
            project: summary.project.clone().unwrap_or_default(),
            model: summary.model.clone().unwrap_or_default(),
            start_time: timestamp(summary.created_at),
            title: summary.title.clone(),
            ..Self::default()
        };
        // jcode finds the session by its file, whose name may have been made safe.
        if let Some(stem) = state
            .path
            .last()
            .and_then(|name| name.strip_suffix(".json"))
        {
            stem.clone_into(&mut row.uuid);
        }
        for entry in Entry::read_line(&state.first_line) {
            if let EntryKind::SessionStart {
                project, provider, ..
            } = entry.kind
            {
                row.provider = provider;
                if state.properties.project.is_none() {
                    row.project = project;
                }
                if !entry.timestamp.is_empty() {
                    row.start_time = entry.timestamp;
                }
            }
        }
        row
    }

    /// The title that a row has to get instead of the one that it has, which may be its user's.
    fn title_instead_of(&self, title: Option<&str>, state: &SessionState) -> Option<&str> {
        let title = title.unwrap_or_default();
        let is_given = state.properties.title.is_some();
        let is_better = (is_given || title.is_empty()) && !self.title.is_empty();
        (is_better && self.title != title).then_some(self.title.as_str())
    }

    fn fields(self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut add = |key: &str, value: &str| {
            fields.push((key.to_owned(), go_json::string(value, Escape::Html)));
        };
        add("uuid", &self.uuid);
        add("project", &self.project);
        add("provider", &self.provider);
        add("model", &self.model);
        add("start_time", &self.start_time);
        if !self.title.is_empty() {
            add("title", &self.title);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_no_object_costs_itself_alone() {
        let content = r#"{"sessions": {"/a": [null, 7, {"uuid": "one"}, "x"]}}"#;
        let told = facts(content.as_bytes());
        let ids: Vec<_> = told.iter().map(|fact| fact.id.as_str()).collect();
        assert_eq!(ids, ["one"]);
        let mut index = Index::read(content).unwrap();
        index.add(NewRow {
            uuid: "new".into(),
            project: "/a".into(),
            ..NewRow::default()
        });
        let written = index.to_text();
        for row in [
            "      null,\n",
            "      7,\n",
            "{\"uuid\": \"one\"},\n",
            "      \"x\",\n",
        ] {
            assert!(written.contains(row), "{row}: {written}");
        }
        let told = facts(written.as_bytes());
        let ids: Vec<_> = told.iter().map(|fact| fact.id.as_str()).collect();
        assert_eq!(ids, ["one", "new"]);
    }
}
