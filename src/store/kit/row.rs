//! Summary rows as an engine keeps them: opaque bytes, with the columns that filters need.

use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::select;

/// A summary row that is stored: all that a list shows of a session, as bytes that the kit alone reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    number: u64,
    version: u64,
    bytes: Vec<u8>,
}

impl SummaryRow {
    /// A row as an engine has stored it: the session's number, how often the row was written, and its
    /// bytes.
    pub fn new(number: u64, version: u64, bytes: Vec<u8>) -> Self {
        Self {
            number,
            version,
            bytes,
        }
    }

    /// The session's number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How often the row was written: 1 for a new one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What filters need of it.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    pub fn columns(&self) -> Result<Columns> {
        self.decode().map(|row| Columns::of(&row))
    }

    /// What it says.
    pub(crate) fn decode(&self) -> Result<SessionRow> {
        SessionRow::decode(self.number, &self.bytes)
            .map_err(|error| corrupt(self.number, error.to_string()))
    }
}

/// A damaged summary row.
pub(crate) fn corrupt(number: u64, detail: impl Into<String>) -> Error {
    Error::Corrupt {
        table: "sessions",
        key: format!("session {number}"),
        detail: detail.into(),
    }
}

/// The parts of a summary row that an engine keeps beside its bytes, to look rows up and to filter by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a column each")]
pub struct Columns {
    /// The agent.
    pub agent: String,
    /// The session's id, of any characters. Agent and id are unique together.
    pub id: String,
    /// The time of update, in microseconds since 1970.
    pub updated_us: i64,
    /// The project that lists show.
    pub project: Option<String>,
    /// The id of the parent that lists show, of a session of the same agent.
    pub parent: Option<String>,
    /// Whether lists show the session: older contents of an id are found by their names alone.
    pub listed: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether its parent started it as a sub-agent.
    pub subagent: bool,
}

impl Columns {
    pub(crate) fn of(row: &SessionRow) -> Self {
        Self {
            agent: row.agent.clone(),
            id: row.id.clone(),
            updated_us: row.updated_us,
            project: row.shown_project().map(str::to_owned),
            parent: row.shown_parent().map(str::to_owned),
            listed: row.is_listed(),
            pinned: row.given.pinned,
            archived: row.shown_archived(),
            subagent: row.shown_subagent(),
        }
    }
}

/// Which rows are wanted: only listed ones, the last updated first, and of those of one time the one
/// with the higher number. What is `None` does not filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowQuery {
    /// Rows behind this place: a time of update and a number.
    pub after: Option<(i64, u64)>,
    /// Updated at this time or later.
    pub since_us: Option<i64>,
    /// Updated strictly before this time.
    pub before_us: Option<i64>,
    /// Of this agent.
    pub agent: Option<String>,
    /// Of exactly this project.
    pub project: Option<String>,
    /// Of this parent.
    pub parent: Option<String>,
    /// Pinned, or not.
    pub pinned: Option<bool>,
    /// Put away, or not.
    pub archived: Option<bool>,
    /// Most rows to give, at least one.
    pub limit: usize,
}

impl RowQuery {
    /// So many rows.
    pub fn of(limit: usize) -> Self {
        Self {
            after: None,
            since_us: None,
            before_us: None,
            agent: None,
            project: None,
            parent: None,
            pinned: None,
            archived: None,
            limit,
        }
    }

    /// Whether a row is wanted: for engines that look at one after another.
    pub fn takes(&self, number: u64, columns: &Columns) -> bool {
        let place = (columns.updated_us, number);
        let is = |wanted: &Option<String>, found: Option<&String>| {
            wanted.is_none() || wanted.as_ref() == found
        };
        columns.listed
            && self.after.is_none_or(|after| place < after)
            && self.since_us.is_none_or(|us| columns.updated_us >= us)
            && self.before_us.is_none_or(|us| columns.updated_us < us)
            && is(&self.agent, Some(&columns.agent))
            && is(&self.project, columns.project.as_ref())
            && is(&self.parent, columns.parent.as_ref())
            && self.pinned.is_none_or(|pinned| pinned == columns.pinned)
            && self
                .archived
                .is_none_or(|archived| archived == columns.archived)
    }
}

/// Which names are wanted: of sessions whose id starts so, in the order of ids and then of agents, by
/// their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameQuery {
    /// The start of the id; may be empty.
    pub prefix: String,
    /// Of this agent; `None` for all.
    pub agent: Option<String>,
    /// Behind this name, by ids and then agents; `None` from the first one on.
    pub after: Option<SessionKey>,
    /// Most names to give, at least one.
    pub limit: usize,
}

impl NameQuery {
    pub(crate) fn of(prefix: &str, agent: Option<&str>, limit: usize) -> Self {
        Self {
            prefix: prefix.to_owned(),
            agent: agent.map(str::to_owned),
            after: None,
            limit,
        }
    }

    /// Whether it asks for a name.
    pub fn has(&self, key: &SessionKey) -> bool {
        let is_of = |agent: &String| agent == key.agent();
        key.id().starts_with(&self.prefix)
            && self.agent.as_ref().is_none_or(is_of)
            && select::is_behind(key, self.after.as_ref())
    }
}
