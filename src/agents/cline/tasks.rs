//! Tasks of an extension of VS Code, Cline's or one that was made from it: a folder for each, with the messages
//! to and from the model, what the user was shown (which tells the tokens), and perhaps what is known of
//! it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::talk::{self, MESSAGES};
use crate::agents::companions::Sidecar;
use crate::agents::dialect::Candidate;
use crate::agents::document::{Document, DocumentLines};
use crate::agents::parts::compact::compact;
use crate::agents::parts::documents::list;
use crate::agents::parts::entries::{self, Entry, EntryFormat};
use crate::agents::parts::fields::{elements, fields, fields_of, object_in, owned, text};
use crate::agents::parts::lines::{Reading, body};
use crate::agents::parts::{paths, times, tokens};
use crate::agents::state::SidecarFacts;
use crate::json::Json;
use crate::model::message::{Message, Usage};

/// The document with the messages.
const HISTORY: &str = "api_conversation_history.json";

/// What the user was shown.
pub(in crate::agents) const SHOWN: &str = "ui_messages.json";

/// What is known of the task, in newer versions of what was made from Cline.
const ITEM: &str = "history_item.json";

/// What lies in a task's folder and is kept.
const KEPT: [&str; 3] = [SHOWN, ITEM, "task_metadata.json"];

/// Where an extension keeps what it knows of all tasks, beside or in the folder of tasks.
const ALL: [[&str; 2]; 2] = [["state", "taskHistory.json"], ["tasks", "_index.json"]];

/// Most bytes of a list of tasks that are read.
const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the program says before the folder that it works in.
const FOLDERS: [&str; 2] = [
    "# Current Working Directory (",
    "# Current Workspace Directory (",
];

/// The tasks of one extension.
#[derive(Clone, Copy, Debug)]
pub(in crate::agents) struct Tasks {
    /// The agent.
    pub agent: &'static str,
    /// The folders that they are kept in.
    pub places: &'static [&'static [&'static str]],
}

impl Tasks {
    /// The names below the folder of tasks.
    fn below(&self, path: &Path) -> Option<Vec<String>> {
        let names = paths::names(path);
        let mut places = self.places.iter();
        let rest = places.find_map(|place| paths::below(&names, place))?;
        Some(rest.to_vec())
    }

    /// The task that a file is, by its place.
    pub(in crate::agents) fn document(
        &self,
        candidate: &Candidate<'_>,
        head: &str,
    ) -> Option<Document> {
        let is_list = head.is_empty() || head.starts_with('[');
        match self.below(candidate.path)?.as_slice() {
            [task, name] if name == HISTORY && is_list => {
                Some(Document::new(self.agent, task.clone()))
            }
            _ => None,
        }
    }

    /// A line for each message.
    pub(in crate::agents) fn lines(&self, bytes: &[u8]) -> Option<DocumentLines> {
        let text = String::from_utf8_lossy(bytes);
        let messages = list(Json::parse(body(&text)).ok()?)?;
        let of = |message: Json<'_>| entries::line(self.agent, MESSAGES, &compact(message.get()));
        Some(DocumentLines {
            lines: messages.into_iter().map(of).collect(),
            ..DocumentLines::default()
        })
    }

    /// The folder that a task works in: as the list of tasks says, else what the program has told the model.
    pub(in crate::agents) fn project(&self, candidate: &Candidate<'_>) -> Option<String> {
        let below = self.below(candidate.path)?;
        let (task, folder) = (below.first()?, candidate.path.parent()?);
        let item = whole(&folder.join(ITEM)).and_then(|item| folder_in(&item));
        let listed = || {
            let home = folder.parent()?.parent()?;
            ALL.iter().find_map(|[below, name]| {
                let all = whole(&home.join(below).join(name))?;
                folder_of(&all, task)
            })
        };
        item.or_else(listed).or_else(|| told_folder(candidate.head))
    }

    /// Whose sidecar a file is.
    pub(in crate::agents) fn sidecar(&self, path: &Path) -> Option<Sidecar> {
        if let Some([task, name]) = self.below(path).as_deref() {
            let is_kept = KEPT.contains(&name.as_str());
            return is_kept.then(|| Sidecar::Session(task.clone()));
        }
        let names = paths::names(path);
        self.places.iter().find_map(|place| {
            let (_, above) = place.split_last()?;
            let rest = paths::below(&names, above)?;
            let is_list = ALL.iter().any(|names| rest == names.as_slice());
            is_list.then_some(Sidecar::Folder)
        })
    }
}

/// An agent all of whose lines are those of tasks, or like them.
pub(in crate::agents) trait TaskFormat {
    /// Its name.
    const AGENT: &'static str;
}

impl<F: TaskFormat> EntryFormat for F {
    const AGENT: &'static str = F::AGENT;
    const SAID: &'static [&'static str] = &[MESSAGES];

    fn session(about: Json<'_>) -> Reading<'_> {
        talk::session(about)
    }

    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        talk::said(entry.entry)
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        vec![talk::message(entry.entry)]
    }
}

/// What a file in a task's folder tells of the task.
pub(in crate::agents) fn facts(path: &Path, bytes: &[u8]) -> Vec<SidecarFacts> {
    let content = String::from_utf8_lossy(bytes);
    let id = path.parent().map(paths::name).unwrap_or_default();
    match paths::name(path).as_str() {
        SHOWN => vec![SidecarFacts {
            id,
            usage: taken(&content),
            ..SidecarFacts::default()
        }],
        ITEM => {
            let [own, time] = fields(body(&content), &["id", "ts"]).unwrap_or_default();
            vec![SidecarFacts {
                id: owned(own).unwrap_or(id),
                updated_us: times::time_us(time),
                project: folder_in(&content),
                ..SidecarFacts::default()
            }]
        }
        _ => Vec::new(),
    }
}

/// What all calls of a task took, as the user was shown. Of calls that were taken back the sum is kept.
fn taken(shown: &str) -> Option<Usage> {
    let all = list(Json::parse(body(shown)).ok()?)?;
    tokens::sum(all.into_iter().filter_map(|one| {
        let [kind, said] = fields_of(Some(one), &["say", "text"]);
        let is_call = matches!(
            &*text(kind)?,
            "api_req_started" | "deleted_api_reqs" | "subagent_usage"
        );
        let said = text(said).filter(|_| is_call)?;
        let names = ["tokensIn", "tokensOut", "cacheReads", "cacheWrites"];
        tokens::told(object_in(&said).ok(), &names)
    }))
}

/// The folder that an entry of a list of tasks names.
fn folder_in(item: &str) -> Option<String> {
    folder_of_item(object_in(body(item)).ok()?)
}

fn folder_of_item(item: Json<'_>) -> Option<String> {
    let [folder, workspace] = fields_of(Some(item), &["cwdOnTaskInitialization", "workspace"]);
    owned(folder).or_else(|| owned(workspace))
}

/// The folder of a task in a list of all: a list of entries, or one below `entries`.
fn folder_of(all: &str, task: &str) -> Option<String> {
    let all = Json::parse(body(all)).ok()?;
    let [inner] = fields_of(Some(all), &["entries"]);
    let entries = elements(inner.unwrap_or(all));
    let item = entries.into_iter().find(|item| {
        let [id] = fields_of(Some(*item), &["id"]);
        text(id).is_some_and(|id| id == task)
    })?;
    folder_of_item(item)
}

/// The folder that the program has told the model of, in a document's start.
fn told_folder(start: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(start);
    let found = FOLDERS.iter().find_map(|before| {
        let (_, rest) = start.split_once(before)?;
        let (folder, _) = rest.split_once(')')?;
        Some(folder.replace("\\\\", "\\"))
    });
    found.filter(|folder| !folder.is_empty())
}

/// A small file, as text; `None` if it is not there or too large.
pub(super) fn whole(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LIST_BYTES_MAX).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
