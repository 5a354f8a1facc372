//! The JSONL format of an agent: how to recognise a file, what a line is, and what it says.
//!
//! A dialect never changes a line and never fails: a line that it cannot read is described as
//! malformed, with the reason, and kept like any other.
//!
//! - [`Dialect::describe`] is the fast path: one pass over a line for its header and for what it
//!   tells of the session (import calls it for every line).
//! - [`Dialect::messages`] is the full reading, for showing and loading.
//! - Both agree: `describe(line).header.messages == messages(line).len()`.

use std::cell::OnceCell;
use std::fmt::Debug;
use std::path::Path;

use super::described::Described;
use super::document::{Document, DocumentLines};
use super::habits::Habits;
use super::operation::{MessageType, Operation};
use super::parts::heads::{self, HeadLine};
use super::parts::lines::{self, Format};
use super::parts::{entries, paths};
use crate::json::{Ends, Json};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::Message;
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
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'a> {
    /// Its absolute path.
    pub path: &'a Path,
    /// Its first bytes: at most 64 KiB, perhaps ending inside a line. Empty for an empty file.
    pub head: &'a [u8],
    /// The bytes of its [`companion`](super::companions::Companions::companion), if it has one that
    /// could be read.
    pub companion: Option<&'a [u8]>,
    /// Its first lines, once somebody has asked for them.
    lines: OnceCell<Vec<HeadLine<'a>>>,
}

impl<'a> Candidate<'a> {
    /// A file of this path that begins with these bytes.
    pub(crate) const fn new(path: &'a Path, head: &'a [u8]) -> Self {
        Self {
            path,
            head,
            companion: None,
            lines: OnceCell::new(),
        }
    }

    /// The same beside what its companion holds.
    pub(crate) const fn beside(mut self, companion: Option<&'a [u8]>) -> Self {
        self.companion = companion;
        self
    }

    /// The first lines that are not blank, without what stands around their JSON. The last one may be cut
    /// off.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &HeadLine<'a>> {
        heads::filled(self.lines.get_or_init(|| heads::lines_of_head(self.head)))
    }

    /// How sure an agent is of a file of lines that its place tells, and elsewhere its lines. In its place a file
    /// is its, whatever is in it, even nothing: a session may have its file before its first line.
    pub(crate) fn told_by(
        &self,
        is_own: impl FnOnce() -> bool,
        has_lines: impl FnOnce() -> bool,
    ) -> Recognition {
        if !paths::is_lines(self.path) {
            Recognition::No
        } else if is_own() {
            Recognition::PathAndLines
        } else if has_lines() {
            Recognition::Lines
        } else {
            Recognition::No
        }
    }
}

/// What an agent's own Markdown says at the head of a session, where it differs from all others'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MarkdownHead {
    /// When the session was created, as text.
    pub created: Option<String>,
    /// When it was updated, as text.
    pub updated: Option<String>,
    /// Who answered: a label and what it says.
    pub answering: Option<(&'static str, String)>,
}

/// What the path of a session's file tells of it, or a file beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The project, where its lines tell none.
    pub project: Option<String>,
    /// The session that started it as a sub-agent, where its lines tell none.
    pub parent: Option<String>,
    /// Whether its agent has put it away, if that is told by the place.
    pub archived: Option<bool>,
}

/// Finds the version of the program in a line.
pub(crate) type VersionIn = fn(&[u8]) -> Option<String>;

/// The JSONL format of one agent: [`Format`] reads its objects, this knows its files.
///
/// An import calls [`recognise`](Self::recognise) for a file and
/// [`describe_with`](Self::describe_with) for a line: these two are the hot path. Nothing is
/// looked up by name there, and what a line tells is borrowed from it where its text allows.
pub(crate) trait Dialect: Format + Send + Sync + Debug {
    /// The agent's name, as in `--agent`.
    fn agent(&self) -> &'static str;

    /// How surely the file is of this dialect: by its path first ([`may_own`](Self::may_own)), since that
    /// costs least, and then by lines of its head ([`is_line`](Self::is_line)). One dialect or two are asked
    /// about most files of lines, and all of them where the path tells none.
    fn recognise(&self, candidate: &Candidate<'_>) -> Recognition {
        let has_lines = || candidate.lines().any(|line| self.is_line(line));
        candidate.told_by(|| self.may_own(candidate), has_lines)
    }

    /// Whether a line, perhaps cut off, tells that it is this agent's, wherever it stands.
    fn is_line(&self, line: &HeadLine<'_>) -> bool {
        self.entry_ids().is_some() && entries::is_line(self.agent(), line)
    }

    /// For an agent whose rows or documents become lines here ([`entries`]): which fields of what is said of a
    /// session as a whole may hold its id. There may be none.
    fn entry_ids(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// Whether this dialect may be as sure of the file as one can be: whether
    /// [`recognise`](Self::recognise) may answer [`Recognition::PathAndLines`]. Costs no look at the
    /// lines, except for a mark in them. Of a document it says whose it is first.
    fn may_own(&self, _candidate: &Candidate<'_>) -> bool {
        false
    }

    /// The agent's own id of the session in the file: from the path for most agents, from the
    /// first lines where the format says so.
    ///
    /// Never empty; bytes of a path that are not UTF-8 are percent-encoded. By default the id that
    /// [entries](Self::entry_ids) state, else the file's stem.
    fn session_id(&self, candidate: &Candidate<'_>) -> String {
        let stated = self
            .entry_ids()
            .and_then(|fields| entries::session_id(self.agent(), candidate.lines(), fields));
        stated.unwrap_or_else(|| paths::stem(candidate.path))
    }

    /// Whether a file that is no `.json` may be a session in one document of this agent's, by its name.
    fn has_document_name(&self, _path: &Path) -> bool {
        false
    }

    /// The session that a `.json` file is, if it is one in one JSON document and this agent's.
    /// `head` is the head as text, without a byte order mark; it may be no object at all.
    ///
    /// Called for every `.json` file that is found, most of which are something else: what a look
    /// at the path or for a word can rule out comes before any parsing.
    fn document(&self, _candidate: &Candidate<'_>, _head: &str) -> Option<Document> {
        None
    }

    /// Whether the lines of the file at this path are changes of one document, which
    /// [`document`](Self::document) takes then.
    fn folds(&self, _path: &Path) -> bool {
        false
    }

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

    /// What a line without messages says of itself, in the fields of a message without content.
    fn about_line(&self, line: &[u8]) -> Option<Message> {
        lines::about(self, line)
    }

    /// The project of a session, where the file's path tells it and its lines do not.
    fn project(&self, _candidate: &Candidate<'_>) -> Option<String> {
        None
    }

    /// The session that started this one as a sub-agent, where the file's path tells it.
    fn parent(&self, _candidate: &Candidate<'_>) -> Option<String> {
        None
    }

    /// Whether the agent has put the session away, where the file's path tells it.
    fn archived(&self, _candidate: &Candidate<'_>) -> Option<bool> {
        None
    }

    /// All of that.
    fn placed(&self, candidate: &Candidate<'_>) -> Placed {
        Placed {
            project: self.project(candidate),
            parent: self.parent(candidate),
            archived: self.archived(candidate),
        }
    }

    /// The lines of a session that is one JSON document; `None` if it cannot be read. The whole
    /// document is in memory, and its lines beside it.
    fn document_lines(&self, _bytes: &[u8]) -> Option<DocumentLines> {
        None
    }

    /// The messages of such a document as they stand in it; `None` if it is not a whole one.
    fn document_messages<'t>(&self, _text: &'t str) -> Option<Vec<Json<'t>>> {
        None
    }

    /// What a line does to the lines before it, where a file is of
    /// [`Form::Operations`](super::home::Form); `None` if the line is damaged.
    fn operation(&self, _line: &[u8]) -> Option<Operation> {
        None
    }

    /// What sort of message a line says that it is; by default that is told by its blocks. Called
    /// for each message that is read where it lies.
    fn stated_type(&self, _line: &[u8]) -> Option<MessageType> {
        None
    }

    /// What stands in a line that says that the talk was compacted there: the model goes on with a summary of
    /// what was said before. Looked for in lines that are no part of the talk, and not while they come in.
    fn compaction_mark(&self) -> Option<&'static str> {
        None
    }

    /// What finds the version of the program in a line, if lines state it. Lines are read from the
    /// start until one does.
    fn version_in(&self) -> Option<VersionIn> {
        None
    }

    /// Bytes of the longest line that the agent's program reads, without its end, if there is a
    /// bound: an export tells of longer ones.
    fn line_bytes_max(&self) -> Option<u64> {
        None
    }

    /// The version of its reading: one more with each change of what is derived from lines that are
    /// stored already. A session that an older one has read is read again.
    fn reader_version(&self) -> u16 {
        1
    }

    /// Whether a session that comes from another begins with a copy of that one's answers: then those
    /// count in the other alone.
    fn repeats_its_parent(&self) -> bool {
        false
    }

    /// Whether ids of sessions are unique by themselves, as UUIDs are: the same id is the same session
    /// then, wherever its file lies. Elsewhere it is a session of its folder.
    fn has_unique_ids(&self) -> bool {
        false
    }

    /// What the agent does with files that it has written.
    fn habits(&self) -> Habits {
        Habits::default()
    }

    /// Whether lines hold the ids of messages. Where they do not, a message's id is the place of
    /// its record.
    fn has_message_ids(&self) -> bool {
        true
    }

    /// Whether one message may stand on several lines, each with a part of it (see
    /// [`Act::Part`](crate::model::links::Act)). Elsewhere what is written again under an id is its last state.
    fn is_in_parts(&self) -> bool {
        false
    }

    /// Whether each thing that a message says is a string of its line as it stands there, or JSON of it, or several
    /// of these with line feeds between them, and never one put together otherwise: then what is not in a line
    /// is in none of its messages.
    fn says_strings(&self) -> bool {
        false
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

    /// A line that takes back the lines right before it, so many: they stay, and are shown as taken back.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] by default.
    fn write_taken_back(&self, _lines: u64) -> Result<Vec<u8>> {
        Err(Error::Unsupported {
            action: "take a message back",
            agent: self.agent().to_owned(),
        })
    }

    /// Reads back into `session` the fields of a line that [`write_meta`](Self::write_meta) wrote,
    /// or another line about the session. Other lines change nothing.
    fn read_meta(&self, _line: &[u8], _session: &mut Session) {}

    /// What the agent's own Markdown says at the head of a session, by its last header line.
    fn markdown_head(&self, _header: &[u8]) -> Option<MarkdownHead> {
        None
    }

    /// Whether fields of the session are spread over several lines, so that
    /// [`read_meta`](Self::read_meta) has to see every line that is no message.
    fn has_scattered_meta(&self) -> bool {
        false
    }
}
