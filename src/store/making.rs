//! How callers make what they ask a store, and how stores of others make what they answer: both can
//! get further fields.

use chrono::{DateTime, Utc};

use super::query::{
    Appended, Compacted, Cursor, Direction, ListQuery, RecordPage, Removed, ScanQuery, SessionPage,
    Truncated,
};
use crate::model::record::Record;
use crate::model::session::Summary;

impl ListQuery {
    /// The same, of this agent only.
    #[must_use]
    pub fn with_agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// The same, of this project only.
    #[must_use]
    pub fn with_project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// The same, of sessions updated at this time or later.
    #[must_use]
    pub fn with_since(mut self, since: DateTime<Utc>) -> Self {
        self.since = Some(since);
        self
    }

    /// The same, of sessions updated strictly before this time.
    #[must_use]
    pub fn with_before(mut self, before: DateTime<Utc>) -> Self {
        self.before = Some(before);
        self
    }

    /// The same, of sessions whose title holds this text.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same, of sessions that are pinned, or of those that are not.
    #[must_use]
    pub fn with_pinned(mut self, pinned: bool) -> Self {
        self.pinned = Some(pinned);
        self
    }

    /// The same, of sessions that are archived, or of those that are not.
    #[must_use]
    pub fn with_archived(mut self, archived: bool) -> Self {
        self.archived = Some(archived);
        self
    }

    /// The same, of sessions with this parent.
    #[must_use]
    pub fn with_parent(mut self, parent: impl Into<String>) -> Self {
        self.parent = Some(parent.into());
        self
    }

    /// The same, with at most so many sessions a page.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same, after this place.
    #[must_use]
    pub fn with_after(mut self, after: Cursor) -> Self {
        self.after = Some(after);
        self
    }
}

impl ScanQuery {
    /// The same, from this sequence number on.
    #[must_use]
    pub fn with_from(mut self, from: u64) -> Self {
        self.from = Some(from);
        self
    }

    /// The same, this way.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// The same, with at most so many records a page.
    #[must_use]
    pub fn with_records_max(mut self, records_max: usize) -> Self {
        self.records_max = records_max;
        self
    }

    /// The same, with pages that end once they have so many bytes of lines.
    #[must_use]
    pub fn with_bytes_max(mut self, bytes_max: usize) -> Self {
        self.bytes_max = bytes_max;
        self
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
