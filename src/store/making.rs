//! How callers make what they ask a store, and how stores of others make what they answer: both can
//! get further fields.

use chrono::{DateTime, Utc};

use super::query::{
    AgentStats, Appended, Compacted, Cursor, Direction, ListQuery, RecordPage, Removed, ScanQuery,
    SessionPage, Truncated,
};
use crate::codec::session_row::SessionRow;
use crate::model::record::Record;
use crate::model::session::Summary;
use crate::model::with::with_methods;

with_methods! { ListQuery =>
    /// The same, of this agent only.
    with_agent(agent: impl Into<String>) agent = Some(agent.into());

    /// The same, of this project only.
    with_project(project: impl Into<String>) project = Some(project.into());

    /// The same, with the project as a whole path, or not.
    with_whole_project(whole_project: bool) whole_project = whole_project;

    /// The same, of these folders only, and of any below them.
    with_folders(folders: impl IntoIterator<Item = impl Into<String>>)
        folders = folders.into_iter().map(Into::into).collect();

    /// The same, of sessions updated at this time or later.
    with_since(since: DateTime<Utc>) since = Some(since);

    /// The same, of sessions updated strictly before this time.
    with_before(before: DateTime<Utc>) before = Some(before);

    /// The same, of sessions whose title holds this text.
    with_title(title: impl Into<String>) title = Some(title.into());

    /// The same, of sessions that are pinned, or of those that are not.
    with_pinned(pinned: bool) pinned = Some(pinned);

    /// The same, of sessions that are archived, or of those that are not.
    with_archived(archived: bool) archived = Some(archived);

    /// The same, of sessions with this parent.
    with_parent(parent: impl Into<String>) parent = Some(parent.into());

    /// The same, with at most so many sessions a page.
    with_limit(limit: usize) limit = limit;

    /// The same, after this place.
    with_after(after: Cursor) after = Some(after);
}

with_methods! { ScanQuery =>
    /// The same, from this sequence number on.
    with_from(from: u64) from = Some(from);

    /// The same, this way.
    with_direction(direction: Direction) direction = direction;

    /// The same, with at most so many records a page.
    with_records_max(records_max: usize) records_max = records_max;

    /// The same, with pages that end once they have so many bytes of lines.
    with_bytes_max(bytes_max: usize) bytes_max = bytes_max;
}

impl AgentStats {
    /// Counts a session.
    pub(crate) fn count(&mut self, row: SessionRow) {
        self.agent = row.agent;
        self.sessions += 1;
        self.messages += row.messages;
        self.records += row.records;
        self.bytes += row.bytes;
        self.malformed += row.malformed;
        self.attachments += row.attachments;
    }
}

impl SessionPage {
    /// A page, and where the next one starts.
    pub fn new(sessions: Vec<Summary>, next: Option<Cursor>) -> Self {
        Self { sessions, next }
    }
}

impl RecordPage {
    /// A page, and where the next one starts.
    pub fn new(records: Vec<Record>, next: Option<u64>) -> Self {
        Self { records, next }
    }
}

impl Appended {
    /// A batch that was written with these first and last sequence numbers.
    pub fn new(first: u64, last: u64, updated_at: DateTime<Utc>) -> Self {
        Self {
            first,
            last,
            updated_at,
            replayed: false,
        }
    }

    /// The same batch, found there: this call wrote nothing.
    #[must_use]
    pub fn as_replayed(mut self) -> Self {
        self.replayed = true;
        self
    }
}

impl Truncated {
    /// A truncation to this mark, which leaves so many messages visible and so many hidden.
    pub fn new(mark: u64, visible: u64, hidden: u64) -> Self {
        Self {
            mark,
            visible,
            hidden,
        }
    }
}

impl Compacted {
    /// A compaction that removed so many records and messages, and so many bytes of lines.
    pub fn new(records: u64, messages: u64, bytes: u64) -> Self {
        Self {
            records,
            messages,
            bytes,
        }
    }
}

impl Removed {
    /// A removal of so many sessions, and of their records and bytes of lines.
    pub fn new(sessions: u64, records: u64, bytes: u64) -> Self {
        Self {
            sessions,
            records,
            bytes,
        }
    }
}
