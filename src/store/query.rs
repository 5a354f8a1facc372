//! What can be asked of a store, and what it answers.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::json_names;
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::record::Record;
use crate::model::session::Summary;

/// Which sessions to list: newest first, ties by the store's number, newer first.
///
/// ```
/// use scrollback::ListQuery;
///
/// let query = ListQuery::default().with_agent("codex").with_limit(50);
/// assert!(query.after.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListQuery {
    /// Sessions of this agent only.
    pub agent: Option<String>,
    /// Sessions of this project only: the folder as the session states it, or, without a leading
    /// `/`, its last components.
    pub project: Option<String>,
    /// [`project`](Self::project) is the whole path as the session states it, with or without a leading `/`: no
    /// path that ends in it is meant.
    pub whole_project: bool,
    /// Sessions of these folders only, and of any below them: whole paths, or, without a leading `/`,
    /// names that follow each other anywhere in a path. Empty, all of them.
    pub folders: Vec<String>,
    /// Sessions updated at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Sessions updated strictly before this time.
    pub before: Option<DateTime<Utc>>,
    /// Sessions whose title holds this text, whatever the case of its letters.
    pub title: Option<String>,
    /// Only sessions that are pinned, or only those that are not.
    pub pinned: Option<bool>,
    /// Only sessions that are archived, or only those that are not.
    pub archived: Option<bool>,
    /// Only sessions with this parent, of whatever agent, unless [`agent`](Self::agent) names one. A
    /// session that names itself has no parent.
    pub parent: Option<String>,
    /// At most so many sessions; 0 stands for 100.
    pub limit: usize,
    /// Go on after this place, as the page before gave it.
    pub after: Option<Cursor>,
}

/// A place in a list. It stays valid while sessions come, go and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(crate) updated_us: i64,
    pub(crate) number: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.updated_us, self.number)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (updated, number) = text.split_once('.').ok_or(CursorError)?;
        Ok(Self {
            updated_us: updated.parse().map_err(|_| CursorError)?,
            number: number.parse().map_err(|_| CursorError)?,
        })
    }
}

/// Text that is not a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list cursor")]
pub struct CursorError;

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<Summary>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Cursor>,
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    #[default]
    Forward,
    /// Newest first.
    Backward,
}

/// Which records to read. The default is all of them, oldest first, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanQuery {
    /// The first sequence number to look at: inclusive, in both directions. `None` starts at the
    /// oldest record going forward, and at the newest going backward.
    pub from: Option<u64>,
    /// Which way to go.
    pub direction: Direction,
    /// At most so many records a page; 0 stands for 1,000.
    pub records_max: usize,
    /// No further record once a page has so many bytes of lines; 0 stands for 4 MiB. A page
    /// always has at least one record if there is one.
    pub bytes_max: usize,
}

/// One page of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordPage {
    /// The records, in the direction of the scan.
    pub records: Vec<Record>,
    /// [`ScanQuery::from`] of the next page, if there may be one.
    pub next: Option<u64>,
}

/// What the caller of an append expects of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: append after whatever is there.
    #[default]
    Any,
    /// The session's next record gets this sequence number, which is its
    /// [`next_sequence`](Summary::next_sequence); 0 fits a session that is not there, and one that
    /// never had a record. Behind a line without its terminator the next record is that
    /// terminator, and the first one that the caller gives comes after it.
    Sequence(u64),
}

/// A record to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewRecord {
    /// A line in the format of the session's agent. A missing `\n` at its end is added.
    Line(Vec<u8>),
    /// A message, to be written in the format of the session's agent.
    Message(Box<Message>),
}

impl NewRecord {
    /// A line in the format of the session's agent.
    pub fn line(line: impl Into<Vec<u8>>) -> Self {
        Self::Line(line.into())
    }

    /// A message, to be written in the format of the session's agent.
    pub fn message(message: Message) -> Self {
        Self::Message(Box::new(message))
    }
}

/// What an append did. One without records tells where the session's next record goes: `first` is
/// its number, and `last` the one before, or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Appended {
    /// Sequence number of the first record of the batch.
    pub first: u64,
    /// Sequence number of the last one.
    pub last: u64,
    /// The session's time of update now.
    pub updated_at: DateTime<Utc>,
    /// The batch was there already: this call wrote nothing.
    pub replayed: bool,
}

/// What a truncation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Truncated {
    /// The first visible sequence number now.
    pub mark: u64,
    /// Messages that are visible now.
    pub visible: u64,
    /// Messages that are stored but not visible.
    pub hidden: u64,
}

/// What a compaction removed from one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Compacted {
    /// Records removed.
    pub records: u64,
    /// Messages removed.
    pub messages: u64,
    /// Bytes of lines removed.
    pub bytes: u64,
}

impl AddAssign for Compacted {
    /// Counts what was removed from another session.
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// What reading sessions again has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reread {
    /// Sessions that were read again.
    pub sessions: u64,
    /// Records of which something else is known now.
    pub records: u64,
    /// Sessions that could not be read, and are as they were.
    pub damaged: u64,
}

impl AddAssign for Reread {
    /// Counts what changed in another session.
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.records += other.records;
        self.damaged += other.damaged;
    }
}

/// What a deletion removed, or a cleanup altogether.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// Sessions removed.
    pub sessions: u64,
    /// Records removed.
    pub records: u64,
    /// Bytes of lines removed.
    pub bytes: u64,
}

impl AddAssign for Removed {
    /// Counts what else was removed.
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.records += other.records;
        self.bytes += other.bytes;
    }
}

/// What giving space back to the file system did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reclaimed {
    /// Bytes that the file took on disk before.
    #[serde(rename = "disk_bytes_before")]
    pub bytes_before: u64,
    /// Bytes that it takes now.
    #[serde(rename = "disk_bytes_after")]
    pub bytes_after: u64,
    /// Why nothing could be given back now, if so: another process is reading, say.
    pub refused: Option<String>,
}

/// An attachment: a file that is kept whole, a sidecar of a session or the document that it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttachmentInfo {
    /// Its name: a path relative to the session's file.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// How much there is of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentStats {
    /// The agent.
    pub agent: String,
    /// Its sessions.
    pub sessions: u64,
    /// Their messages.
    pub messages: u64,
    /// Their records.
    pub records: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// Records that could not be read completely.
    pub malformed: u64,
    /// Attachments.
    pub attachments: u64,
}

/// How much there is in a store. As JSON it has the sums over all agents, `attachment_bytes`,
/// `index_bytes`, `disk_bytes`, the `ratio` of bytes on disk to bytes of lines, and the `agents`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// By agent, in the order of their names.
    pub agents: Vec<AgentStats>,
    /// Bytes that the store's file takes on disk.
    pub disk_bytes: u64,
    /// Bytes of the attachments.
    pub attachment_bytes: u64,
    /// Bytes of the rows of the index of messages.
    pub index_bytes: u64,
}

/// A file that is kept beside the lines of a session, or beside the sessions of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// The agent.
    pub agent: String,
    /// Its session; `None` for a file of a folder. As JSON `agent:id`.
    #[serde(serialize_with = "json_names::named")]
    pub session: Option<SessionKey>,
    /// Its name among the attachments: of a file of a folder the whole path.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it is a database, as earlier versions kept them: it may hold credentials, is not exported,
    /// and [`scrub`](crate::RedbStore::scrub) removes it.
    pub is_database: bool,
}

/// What a verification found. As JSON it also has `clean`, and `digests` is `null` unless it was
/// a deep one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it says what is wrong"]
pub struct VerifyReport {
    /// Sessions read.
    pub sessions: u64,
    /// Records read.
    pub records: u64,
    /// Bytes of lines read.
    pub bytes: u64,
    /// Attachments read.
    pub attachments: u64,
    /// Those of them that are databases, as earlier versions kept them: they may hold credentials, and
    /// [`scrub`](crate::RedbStore::scrub) removes them. No damage.
    pub databases: Vec<StoredFile>,
    /// Whether a scrub is due: one that was begun has not ended, and bytes that are to be gone may still be
    /// in the file. No damage.
    pub scrub_due: bool,
    /// Sources read.
    pub sources: u64,
    /// Index entries checked, both ways.
    pub index_entries: u64,
    /// Everything that is wrong, up to [`VerifyReport::PROBLEMS_MAX`].
    pub problems: Vec<StoreProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
    /// Whether it was a deep one.
    pub deep: bool,
    /// Of a deep verification: the digest chain of every session whose lines are as they were
    /// written, in the order of their numbers.
    pub digests: Vec<SessionDigest>,
    /// Of a deep verification against a list: sessions of which records were removed or replaced
    /// since, as a compaction and some imports do, so that nothing can be said of them.
    pub rewritten: Vec<SessionKey>,
}

impl StoreStats {
    /// How much there is of all agents together; their name is `total`.
    pub fn total(&self) -> AgentStats {
        let mut total = AgentStats {
            agent: "total".to_owned(),
            ..AgentStats::default()
        };
        for agent in &self.agents {
            total.sessions += agent.sessions;
            total.messages += agent.messages;
            total.records += agent.records;
            total.bytes += agent.bytes;
            total.malformed += agent.malformed;
            total.attachments += agent.attachments;
        }
        total
    }

    /// How many bytes on disk there are to a byte of lines; `None` without lines.
    #[expect(clippy::cast_precision_loss, reason = "a ratio to two digits")]
    pub fn ratio(&self) -> Option<f64> {
        let bytes: u64 = self.agents.iter().map(|agent| agent.bytes).sum();
        (bytes > 0).then(|| self.disk_bytes as f64 / bytes as f64)
    }
}

impl VerifyReport {
    /// Most problems that a report lists; further ones are counted.
    pub const PROBLEMS_MAX: usize = 1000;

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.problems_more == 0
    }
}

/// One thing that is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreProblem {
    /// The table.
    pub table: &'static str,
    /// The key, readable.
    pub key: String,
    /// What was expected and what is there.
    pub detail: String,
    /// The session that it concerns, if that is known.
    #[serde(serialize_with = "json_names::named")]
    pub session: Option<SessionKey>,
}

/// The head of the digest chain of a session's lines: kept outside of the store, it shows later
/// whether a line of those that it covers was changed.
///
/// The chain begins with 32 zero bytes. Each record makes of it the SHA-256 of its 32 bytes followed
/// by the 32 bytes of the SHA-256 of the record's line, with its terminator, as it is stored.
///
/// As JSON the session is `agent:id`, and the digest is written in hexadecimal digits; so it can be
/// kept, and read again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionDigest {
    /// The session.
    pub key: SessionKey,
    /// The sequence number with which the chain begins: 0, unless the session is older than chains.
    pub from: u64,
    /// The records that it covers: the first ones stored from there on.
    pub records: u64,
    /// How often records of the session had been removed or replaced.
    pub rewrites: u64,
    /// The digest over these records.
    pub digest: [u8; 32],
}

/// Rows read from each table since the store was opened, for measuring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableReads {
    /// Summary rows.
    pub sessions: u64,
    /// Rows of all indexes.
    pub indexes: u64,
    /// Rows of records: parts of segments and of tails.
    pub records: u64,
}
