//! Agents that keep their sessions in a database: what of it is asked for, whatever engine it is.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::document::DocumentLines;
use super::parts::lines::{self, Format};
use super::parts::paths;
use crate::model::error::Result;

/// Why a row that is there cannot be read: it was deleted meanwhile, or has no such id as text.
pub(crate) const NOT_FOUND: &str = "is not found by its id; it is left out";

/// How the names of files end that lie beside a database and hold a part of it.
const BESIDE: [&[u8]; 3] = [b"-wal", b"-shm", b"-journal"];

/// Opens a database for reading.
pub(crate) type Open = fn(&Path) -> Result<Box<dyn Database>>;

/// The databases of an agent.
#[derive(Clone, Copy)]
pub(crate) struct Databases {
    /// How their files' names begin and end; both are empty for an agent that has none, and a [`Tree`] alone.
    pub name: (&'static str, &'static str),
    /// The folders that they lie in, each by the names on the way to them, where the name of the file alone
    /// says too little; empty for any folder.
    pub places: &'static [&'static [&'static str]],
    /// Opens one; `None` if this build cannot read them. Nothing is made or changed beside it.
    pub open: Option<Open>,
    /// What else the agent keeps sessions in, or did before.
    pub tree: Option<Tree>,
}

/// Sessions in many small files each: the session's own file is taken for a database of that session.
/// What is in a database goes before it, where the agent has any.
#[derive(Clone, Copy)]
pub(crate) struct Tree {
    /// Whether a path is that of a session's own file.
    pub is_session: fn(&Path) -> bool,
    /// Whether a file is a part of such a session, and is read with it alone.
    pub is_part: fn(&Path) -> bool,
    /// The file that holds what came since the session's own file was written, if there may be one.
    pub log: fn(&Path) -> Option<PathBuf>,
    /// Opens it.
    pub open: Open,
}

/// What opens the databases of an agent, where this build has what reads them.
macro_rules! reader {
    ($open:path) => {{
        #[cfg(feature = "sqlite")]
        let open = Some($open as $crate::agents::database::Open);
        #[cfg(not(feature = "sqlite"))]
        let open = None;
        open
    }};
}
pub(crate) use reader;

impl Databases {
    /// Whether there are any: the agent's sessions lie in them, and not in files of their own.
    pub(crate) fn are_there(&self) -> bool {
        self.name != ("", "")
    }

    /// The file beside a database, or a session's own file, that holds what was written last; it need not be there.
    pub(crate) fn log_of(&self, path: &Path) -> Option<PathBuf> {
        match self.tree {
            Some(tree) if (tree.is_session)(path) => (tree.log)(path),
            _ => {
                let mut log = path.as_os_str().to_owned();
                log.push("-wal");
                Some(PathBuf::from(log))
            }
        }
    }

    /// Whether a path is that of a session in files of its own.
    pub(crate) fn is_in_tree(&self, path: &Path) -> bool {
        self.tree.is_some_and(|tree| (tree.is_session)(path))
    }

    /// The database that a session lies in, by the path of its source: that of the file, `#`, and the
    /// session's id.
    pub(crate) fn file_of(&self, path: &Path) -> Option<PathBuf> {
        let text = path.to_str()?;
        let mut ends = text.rmatch_indices('#');
        ends.find_map(|(end, _)| {
            let file = Path::new(text.get(..end)?);
            let name = file.file_name()?.as_encoded_bytes();
            (self.are_named(name) || self.is_in_tree(file)).then(|| file.to_owned())
        })
    }

    /// What opens a path.
    pub(crate) fn opens(&self, path: &Path) -> Option<Open> {
        match self.tree {
            Some(tree) if (tree.is_session)(path) => Some(tree.open),
            _ => self.open,
        }
    }

    /// Whether a file has the name of one.
    pub(crate) fn are_named(&self, name: &[u8]) -> bool {
        self.are_there()
            && name.starts_with(self.name.0.as_bytes())
            && name.ends_with(self.name.1.as_bytes())
    }

    /// Whether a file has the name of one and lies where one may lie.
    pub(crate) fn are_at(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if !self.are_named(name) {
            return false;
        }
        let names = paths::names(path);
        let lies_in = |place: &&[&str]| paths::below(&names, place).is_some();
        self.places.is_empty() || self.places.iter().any(lies_in)
    }

    /// Whether a file has the name of one, or of a file that SQLite keeps beside it, and which holds rows
    /// of it too.
    pub(crate) fn own(&self, name: &[u8]) -> bool {
        let beside = BESIDE.iter().find_map(|ending| name.strip_suffix(*ending));
        self.are_named(beside.unwrap_or(name))
    }
}

/// Whether a file begins as a database does, or as the log beside one.
pub(crate) fn looks_like_one(start: &[u8]) -> bool {
    const STARTS: [&[u8]; 3] = [
        b"SQLite format 3\0",
        &[0x37, 0x7f, 0x06, 0x82],
        &[0x37, 0x7f, 0x06, 0x83],
    ];
    STARTS.iter().any(|magic| start.starts_with(magic))
}

impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Databases({}*{})", self.name.0, self.name.1)
    }
}

/// A session in the list of a database.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Its id.
    pub id: String,
    /// The folder that it works in.
    pub project: Option<String>,
}

/// A session of a database, as lines.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSession {
    /// Its id.
    pub id: String,
    /// The folder that it works in.
    pub project: Option<String>,
    /// Its lines.
    pub document: DocumentLines,
    /// What of it is left out, or is not as it was.
    pub problems: Vec<String>,
}

/// What a list shows of a session.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    /// The lines about the session, and of its messages those up to what the user asked first.
    pub lines: Vec<Vec<u8>>,
    /// How many messages it has.
    pub messages: u64,
    /// What is left out: what it is about, and why.
    pub left_out: Vec<(String, String)>,
}

/// How the reading of a session ended.
#[derive(Clone, Debug)]
pub(crate) struct Walked {
    /// The version of the program that the session states.
    pub version: Option<String>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// Takes a session's lines. Those that are messages come with their number, from 1.
pub(crate) type EachLine<'e> = dyn FnMut(Option<u64>, &[u8]) -> ControlFlow<()> + 'e;

/// A database that is open.
///
/// Errors of each call: [`Error::Io`](crate::Error::Io) if the file cannot be read, is no
/// database, or lacks something without which no message can be read;
/// [`Error::Busy`](crate::Error::Busy) if another program is in the way for too long.
pub(crate) trait Database {
    /// Its sessions, and what of them is left out. Reads no message.
    fn sessions(&mut self) -> Result<(Vec<Listed>, Vec<String>)>;

    /// A session with all of its lines, from one snapshot; `None` if it is gone.
    fn session(&mut self, id: &str) -> Result<Option<DatabaseSession>>;

    /// What a list shows of a session, from one snapshot; `None` if it is gone. Reads no more than
    /// its first messages.
    fn outline(&mut self, id: &str) -> Result<Option<Outline>>;

    /// Gives a session's lines one at a time, until it is told to stop; `None` if there is no such
    /// session. Holds one line in memory.
    fn walk(&mut self, id: &str, each: &mut EachLine<'_>) -> Result<Option<Walked>>;
}

/// What a list shows of a session that is read whole.
pub(crate) fn outline_of(format: &(impl Format + ?Sized), session: DatabaseSession) -> Outline {
    let lines = session.document.lines;
    let is_message = |line: &&Vec<u8>| lines::describe(format, line, None).header.messages > 0;
    let messages = lines.iter().filter(is_message).count() as u64;
    let left_out = session.problems.into_iter();
    Outline {
        messages,
        left_out: left_out
            .map(|reason| (session.id.clone(), reason))
            .collect(),
        lines: lines.into_iter().chain(session.document.trailer).collect(),
    }
}

/// Gives the lines of such a session: those about it first, and then the others with their numbers. Whether it
/// was stopped before the end.
pub(crate) fn walk_of(document: DocumentLines, each: &mut EachLine<'_>) -> bool {
    let mut lines = document.lines.into_iter();
    let about = lines.next().into_iter().chain(document.trailer);
    let about = about.map(|line| (None, line));
    let mut all = about.chain((1..).map(Some).zip(lines));
    all.any(|(number, line)| each(number, &line).is_break())
}

/// Reads every session of a database, one after the other, each from a snapshot of its own.
/// Returns what is left out beside what the sessions' own problems say.
///
/// # Errors
///
/// Those of [`Database`], and the errors of `visit`, which end the reading.
pub(crate) fn each_session(
    database: &mut dyn Database,
    visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<Vec<String>> {
    let (sessions, mut problems) = database.sessions()?;
    for listed in sessions {
        match database.session(&listed.id)? {
            Some(session) => visit(session)?,
            None => problems.push(format!("session `{}`: {NOT_FOUND}", listed.id)),
        }
    }
    Ok(problems)
}
