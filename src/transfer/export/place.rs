//! Where a session goes that has no file yet: to the folder where its agent looks for it.

use std::collections::HashMap;

use crate::agents::{self, SessionState};
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::Result;
use crate::model::properties::Properties;
use crate::model::session::Summary;
use crate::store::{Source, Sources};
use crate::transfer::files::paths;

/// Letters that Windows takes for something else in a name.
const WINDOWS: &str = "<>:\"\\|?*";

/// Longest name that stays as its agent gave it, in bytes. File systems take 255; there is room
/// for the ending of a file beside it.
const NAME_BYTES_MAX: usize = 250;

/// A session as a list shows it: enough to be named by.
pub(super) fn sketch(summary: &Summary) -> SessionState {
    SessionState {
        summary: summary.clone(),
        properties: Properties::default(),
        lines: summary.record_count,
        skip: 0,
        first_line: Vec::new(),
        path: Vec::new(),
    }
}

/// How the agent of a session names its file, below its folder of sessions; `None` if it names
/// none.
pub(super) fn name_of(summary: &Summary) -> Option<Vec<Vec<u8>>> {
    let names = agents::of_agent(summary.key.agent()).file_name(&sketch(summary))?;
    let names: Vec<_> = names
        .iter()
        .map(|name| safe(name).into_bytes())
        .filter(|name| !name.is_empty())
        .collect();
    (!names.is_empty()).then_some(names)
}

/// The file of a session of an agent that names none.
pub(super) fn plain_name(summary: &Summary) -> Vec<Vec<u8>> {
    let name = format!("{}.jsonl", paths::file_safe(summary.key.id()));
    vec![name.into_bytes()]
}

/// A name that an agent gave, if a file can have it, since the agent looks for no other; or else
/// percent-encoded but for its extension. What leads elsewhere is no name.
pub(super) fn safe(name: &str) -> String {
    let is_plain = |letter: char| {
        letter != '/' && !letter.is_control() && !(cfg!(windows) && WINDOWS.contains(letter))
    };
    let ends_well = !(cfg!(windows) && name.ends_with(['.', ' ']));
    let is_name = !matches!(name, "" | "." | "..");
    if is_name && ends_well && name.len() <= NAME_BYTES_MAX && name.chars().all(is_plain) {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => {
            format!("{}.{}", paths::file_safe(stem), paths::file_safe(extension))
        }
        _ => paths::file_safe(name),
    }
}

/// The folders of sessions of agents, found once for each agent.
#[derive(Debug, Default)]
pub(super) struct Folders {
    known: HashMap<String, Vec<Vec<u8>>>,
}

impl Folders {
    /// The folder that all imported sessions of an agent lie in, below the agent's part of the
    /// export; that part itself if there is no such folder.
    pub(super) fn of_agent(
        &mut self,
        agent: &str,
        sources: &[Source],
        snapshot: &dyn Sources,
    ) -> Result<Vec<Vec<u8>>> {
        if let Some(known) = self.known.get(agent) {
            return Ok(known.clone());
        }
        let mut common: Option<Vec<Vec<u8>>> = None;
        let mut is_one = true;
        for source in sources {
            let row = &source.row;
            if row.agent != agent || row.session == 0 || !is_session(row) {
                continue;
            }
            let Some(folder) = folder_of(row, snapshot)? else {
                continue;
            };
            // Lying in several folders they have none in common: a guess could put the session into
            // somebody else's project.
            is_one &= common.get_or_insert_with(|| folder.clone()) == &folder;
        }
        let folder = common.filter(|_| is_one).unwrap_or_default();
        self.known.insert(agent.to_owned(), folder.clone());
        Ok(folder)
    }
}

/// Whether a source is a session, and not a file beside one.
pub(super) fn is_session(row: &SourceRow) -> bool {
    row.kind == SourceKind::Lines || row.next_sequence > 0
}

/// The agent's folder of sessions that an imported file lies in.
fn folder_of(row: &SourceRow, snapshot: &dyn Sources) -> Result<Option<Vec<Vec<u8>>>> {
    let mut names = paths::plain_components(&row.relative);
    let Some(session) = snapshot.row(row.session)? else {
        return Ok(None);
    };
    // A document lies in the folder of sessions itself.
    let depth = match row.kind {
        SourceKind::Attachment => 1,
        SourceKind::Lines => session
            .into_summary(row.session)
            .ok()
            .and_then(|summary| name_of(&summary))
            .map_or(1, |name| name.len()),
    };
    Ok(names.len().checked_sub(depth).map(|length| {
        names.truncate(length);
        names
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_agents_stay_unless_they_are_unsafe() {
        let names = ["20260403-1.jsonl", "has space.jsonl", "資料.meta.json", "a"];
        let odd = [
            "é😀.jsonl",
            " 100%41 .jsonl",
            ".a.jsonl",
            "...",
            "~!#$&';`{}^.x",
        ];
        for name in names.into_iter().chain(odd) {
            assert_eq!(safe(name), name);
        }
        assert_eq!(safe("telegram:1/2.jsonl"), "telegram%3A1%2F2.jsonl");
        assert_eq!(safe("../x.jsonl"), "%2E.%2Fx.jsonl");
        assert_eq!(safe(".."), "%2E.");
        assert_eq!(safe(".jsonl"), ".jsonl");
        assert_eq!(safe("a\0\n.jsonl"), "a%00%0A.jsonl");
        let long = safe(&format!("{}.jsonl", "x".repeat(900)));
        assert_eq!(long.split_once('.').unwrap().1, "jsonl");
        assert!(long.len() <= NAME_BYTES_MAX, "{long}");
        let fits = format!("{}.jsonl", "x".repeat(244));
        assert_eq!(safe(&fits), fits);
    }
}
