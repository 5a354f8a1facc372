//! Vibe's sessions from version 2.26 on: a folder for each in `unified`, with many files in it, read as a database of that
//! one session.
//!
//! `files` says which of the files hold, and what they say together. A session's own file is `CURRENT`, which is
//! written anew when a turn is over; what came since stands in a journal.

mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use self::files::State;
use super::layout::AGENT;
use super::reading::Vibe;
use super::said::ENTRIES;
use crate::agents::database::{
    Database, DatabaseSession, Databases, EachLine, Listed, Outline, Tree, Walked, outline_of,
    walk_of,
};
use crate::agents::document::DocumentLines;
use crate::agents::parts::compact::object;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::paths::{below, names};
use crate::model::error::{Error, Result};

/// The folder that they lie in, with one folder for each.
const OWN: [&str; 3] = ["logs", "session", "unified"];

/// Vibe has no database: what is in these folders alone.
pub(super) const DATABASES: Databases = Databases {
    name: ("", ""),
    places: &[],
    open: None,
    tree: Some(Tree {
        is_session,
        is_part,
        log: files::journal_of,
        open,
    }),
};

/// Folders of pieces of a session; in the second ones each piece has a folder of its own.
const PIECES: [&str; 2] = ["chunks", "journal"];
const FOLDERS: [&str; 2] = ["generations", "quarantine"];

/// Whether a path is that of a session's own file.
fn is_session(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == files::CURRENT)
        && matches!(below(&names(path), &OWN), Some([_, _]))
}

/// Whether a file is a piece of a session.
fn is_part(path: &Path) -> bool {
    let mut folders = path.ancestors().skip(1);
    let mut is_in = |wanted: &[&str]| {
        let name = folders.next().and_then(Path::file_name);
        name.is_some_and(|name| wanted.iter().any(|wanted| name == *wanted))
    };
    // Asked of every file: its names are put together only where they may tell.
    (is_in(&PIECES) || is_in(&FOLDERS))
        && matches!(
            below(&names(path), &OWN),
            Some([_, folder, ..]) if PIECES.contains(&&**folder) || FOLDERS.contains(&&**folder)
        )
}

/// Opens the session of such a file.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an `Open`, as that of a database is"
)]
fn open(path: &Path) -> Result<Box<dyn Database>> {
    Ok(Box::new(Folder(
        path.parent().unwrap_or(path).to_path_buf(),
    )))
}

/// The folder of a session.
struct Folder(PathBuf);

impl Folder {
    fn id(&self) -> String {
        names(&self.0).last().cloned().unwrap_or_default()
    }

    /// Its session. What is written meanwhile may take away what is being read: then it begins anew.
    fn read(&self) -> Result<DatabaseSession> {
        const TRIES: usize = 3;
        let is_gone = |error: &Error| match error {
            Error::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        };
        let mut state = files::read(&self.0);
        for _ in 1..TRIES {
            match &state {
                Err(error) if is_gone(error) => state = files::read(&self.0),
                _ => break,
            }
        }
        let state = state?;
        let id = self.id();
        Ok(DatabaseSession {
            project: state.project(),
            document: lines(&id, &state),
            problems: state.problems,
            id,
        })
    }
}

/// A session as lines: one about it, its entries, and what changes.
fn lines(id: &str, state: &State) -> DocumentLines {
    let about = |members: Vec<(&str, String)>| {
        let members = members.iter();
        let entry = object(members.map(|(key, value)| (*key, value.as_str())));
        entries::line(AGENT, SESSION, &entry)
    };
    let first = about(state.lasting(id));
    let of = |entry: &String| entries::line(AGENT, ENTRIES, entry);
    let lines = std::iter::once(first).chain(state.entries().map(of));
    let content = DocumentLines {
        lines: lines.collect(),
        trailer: Some(about(state.changing(id))),
        ..DocumentLines::default()
    };
    content.with_open_turn(&Vibe)
}

impl Database for Folder {
    fn sessions(&mut self) -> Result<(Vec<Listed>, Vec<String>)> {
        let (id, project) = (self.id(), None);
        Ok((vec![Listed { id, project }], Vec::new()))
    }

    fn session(&mut self, id: &str) -> Result<Option<DatabaseSession>> {
        if id == self.id() {
            self.read().map(Some)
        } else {
            Ok(None)
        }
    }

    fn outline(&mut self, id: &str) -> Result<Option<Outline>> {
        let session = self.session(id)?;
        Ok(session.map(|session| outline_of(&Vibe, session)))
    }

    fn walk(&mut self, id: &str, each: &mut EachLine<'_>) -> Result<Option<Walked>> {
        let session = self.session(id)?;
        Ok(session.map(|session| Walked {
            version: None,
            stopped: walk_of(session.document, each),
        }))
    }
}
