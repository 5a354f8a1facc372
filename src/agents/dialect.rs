//! The JSONL formats of agents, one file each: how to recognise a file, what a line is, and what
//! it says.
//!
//! A dialect never changes a line and never fails: a line that it cannot read is described as
//! malformed, with the reason, and kept like any other.
//!
//! - [`Dialect::describe`] is the fast path: one pass over a line for its header and for what it
//!   tells of the session (import calls it for every line).
//! - [`Dialect::messages`] is the full reading, for showing and loading.
//! - Both agree: `describe(line).header.messages == messages(line).len()`.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use super::described::Described;
use super::document::DocumentLines;
use super::parts::lines::{self, Format};
use super::state::{SessionState, SidecarFacts};
use crate::json::Ends;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::model::record::RecordView;
use crate::model::session::Session;

/// How surely a file is of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Recognition {
    /// It is not.
    No,
    /// Nothing better: the fallback's answer for any `.jsonl` file.
    Fallback,
    /// The lines look like it.
    Lines,
    /// The lines look like it, and the path does too.
    PathAndLines,
}

/// A file that may hold a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// Its absolute path.
    pub path: &'a Path,
    /// Its first bytes: at most 64 KiB, perhaps ending inside a line. Empty for an empty file.
    pub head: &'a [u8],
    /// The bytes of its [`companion`](Dialect::companion), if it has one that could be read.
    pub companion: Option<&'a [u8]>,
}

/// Whose a file is that lies beside sessions and is not lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sidecar {
    /// It belongs to the session with this id.
    Session(String),
    /// It belongs to the folder.
    Folder,
}

/// The JSONL format of one agent: [`Format`] reads its objects, this knows its files.
pub(crate) trait Dialect: Format + Send + Sync + Debug {
    /// The agent's name, as in `--agent`.
    fn agent(&self) -> &'static str;

    /// How surely the file is of this dialect.
    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition;

    /// Whether this dialect may be as sure of the file as one can be: whether
    /// [`recognise`](Self::recognise) may answer [`Recognition::PathAndLines`]. Costs no look at the
    /// lines, except for a mark in them.
    fn may_own(&self, candidate: &Candidate<'_>) -> bool;

    /// The agent's own id of the session in the file: from the path for most agents, from the
    /// first lines where the format says so.
    ///
    /// Never empty; bytes of a path that are not UTF-8 are percent-encoded.
    fn session_id(&self, candidate: &Candidate<'_>) -> String;

    /// Whose sidecar the file at `path` (absolute) is, or `None` if it is none of this agent's.
    /// Asked only of files that are no sessions themselves.
    fn sidecar(&self, path: &Path) -> Option<Sidecar>;

    /// Describes one line in one pass. The line may have its terminator, or none.
    fn describe<'a>(&self, line: &'a [u8]) -> Described<'a> {
        self.describe_with(line, None)
    }

    /// The same, faster, with room for what is noted of a line: for a caller that describes one line after another.
    fn describe_with<'a>(&self, line: &'a [u8], ends: Option<&'a mut Ends>) -> Described<'a> {
        lines::describe(self, line, ends)
    }

    /// The messages of one line; several only if the line is damaged.
    fn messages(&self, line: &[u8]) -> Vec<Message> {
        lines::messages(self, line)
    }

    /// The messages of a record that is stored. What its header says of the line was found when the
    /// line came in, and is not looked for again.
    fn stored_messages(&self, record: RecordView<'_>) -> Vec<Message> {
        lines::stored_messages(self, record)
    }

    /// The file beside a session file that has to be read before the session gets its name:
    /// picoclaw's meta file, which holds the true key. At most 1 MiB of it is read.
    fn companion(&self, _path: &Path) -> Option<PathBuf> {
        None
    }

    /// The project of a session, where the file's path tells it and its lines do not.
    fn project(&self, _candidate: &Candidate<'_>) -> Option<String> {
        None
    }

    /// What a sidecar (an index, a meta file, a legacy document) tells of sessions. A file that
    /// cannot be read tells nothing.
    fn sidecar_facts(&self, _path: &Path, _bytes: &[u8]) -> Vec<SidecarFacts> {
        Vec::new()
    }

    /// The lines of a session that is one JSON document; `None` if it cannot be read.
    fn document_lines(&self, _bytes: &[u8]) -> Option<DocumentLines> {
        None
    }

    /// Whether lines hold the ids of messages. Where they do not, a message's id is the place of
    /// its record.
    fn has_message_ids(&self) -> bool {
        true
    }

    /// Writes a message as lines, each with its `\n`: several only where the format has a line of
    /// its own for each tool call and result.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] by default.
    fn write_message(&self, _key: &SessionKey, _message: &Message) -> Result<Vec<Vec<u8>>> {
        Err(Error::Unsupported {
            action: "write a message",
            agent: self.agent().to_owned(),
        })
    }

    /// Writes what a session is, without its messages, as a line with its `\n`, or as several such
    /// lines behind each other; `None` if the format has none, or only one at the start and `first`
    /// is false.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] by default.
    fn write_meta(&self, _session: &Session, _first: bool) -> Result<Option<Vec<u8>>> {
        Err(Error::Unsupported {
            action: "write a session header",
            agent: self.agent().to_owned(),
        })
    }

    /// Reads back into `session` the fields of a line that [`write_meta`](Self::write_meta) wrote,
    /// or another line about the session. Other lines change nothing.
    fn read_meta(&self, _line: &[u8], _session: &mut Session) {}

    /// Whether fields of the session are spread over several lines, so that
    /// [`read_meta`](Self::read_meta) has to see every line that is no message.
    fn has_scattered_meta(&self) -> bool {
        false
    }

    /// Where the agent would keep a session that has no file yet: the path below its folder of
    /// sessions, name by name. `None` leaves it to the export.
    fn file_name(&self, _state: &SessionState) -> Option<Vec<String>> {
        None
    }

    /// The agent's own file about a session, beside the session's: its name, and its bytes as of
    /// now. `original` are the bytes that were imported; they are given back if they still hold.
    fn write_sidecar(
        &self,
        _state: &SessionState,
        _original: Option<&[u8]>,
    ) -> Option<(String, Vec<u8>)> {
        None
    }

    /// The agent's index file for a folder of sessions, with rows for sessions that were made or
    /// changed here: its name, and its bytes as of now. Other rows stay byte for byte. `None` if
    /// the original cannot be read: the export then asks again without it, for all sessions of the
    /// folder.
    fn write_index(
        &self,
        _original: Option<&[u8]>,
        _changed: &[SessionState],
    ) -> Option<(String, Vec<u8>)> {
        None
    }
}

impl DocumentLines {
    /// The same lines, of which those from the user's last message on are open.
    pub(crate) fn with_open_turn(self, dialect: &dyn Dialect) -> Self {
        let is_asked = |line: &Vec<u8>| dialect.describe(line).header.role == Some(Role::User);
        let from = self.lines.iter().rposition(is_asked);
        // The first line is about the session.
        let from = from.unwrap_or_else(|| self.lines.len().saturating_sub(1).max(1));
        Self {
            open: self.lines.len().saturating_sub(from),
            ..self
        }
    }
}
