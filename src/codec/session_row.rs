//! Summary rows: all that a list prints, and the state that appends go on from.

use bincode::{Decode, Encode};
use chrono::{DateTime, Utc};

use super::row::{self, RowError, RowFormat};
use crate::model::key::SessionKey;
use crate::model::session::Summary;

const VERSION: u8 = 1;

/// A batch of records that was appended under an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Batch {
    /// The caller's id.
    pub id: u128,
    /// Its first sequence number.
    pub first: u64,
    /// Its last one.
    pub last: u64,
}

/// A session's row, version 1. All but the batches can be rebuilt from the lines.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SessionRow {
    /// The agent.
    pub agent: String,
    /// The agent's own id.
    pub id: String,
    /// Folder that the session worked in.
    pub project: Option<String>,
    /// Title, cut; empty if there is none.
    pub title: String,
    /// Worth of the title: 0 is none.
    pub title_rank: u8,
    /// First time, in microseconds since 1970.
    pub created_us: i64,
    /// Last time.
    pub updated_us: i64,
    /// Whether the lines state a time; if not, both times are those of the file or the call.
    pub time_stated: bool,
    /// Whether a line states when the session was created; if not, that is its first time.
    pub created_stated: bool,
    /// The model that spoke last.
    pub model: Option<String>,
    /// The git branch that was named last.
    pub branch: Option<String>,
    /// The session that this one came from.
    pub parent: Option<String>,
    /// Messages stored.
    pub messages: u64,
    /// Messages stored below the mark.
    pub hidden: u64,
    /// Records stored.
    pub records: u64,
    /// Bytes of lines stored.
    pub bytes: u64,
    /// Records that could not be read in whole.
    pub malformed: u64,
    /// Attachments.
    pub attachments: u64,
    /// First visible sequence number.
    pub mark: u64,
    /// Sequence number of the next record.
    pub next: u64,
    /// Sequence number of the first record of the tail; equal to `next` if the tail is empty.
    pub tail_first: u64,
    /// Bytes of lines in the tail.
    pub tail_bytes: u64,
    /// Whether the last record lacks its line terminator.
    pub unterminated: bool,
    /// The last record that describes the session as a whole, if its dialect has such records.
    pub header_sequence: Option<u64>,
    /// The latest batches, oldest first.
    pub batches: Vec<Batch>,
}

impl SessionRow {
    /// The row of a session without records.
    pub(crate) fn new(key: &SessionKey, time_us: i64) -> Self {
        Self {
            agent: key.agent().to_owned(),
            id: key.id().to_owned(),
            project: None,
            title: String::new(),
            title_rank: 0,
            created_us: time_us,
            updated_us: time_us,
            time_stated: false,
            created_stated: false,
            model: None,
            branch: None,
            parent: None,
            messages: 0,
            hidden: 0,
            records: 0,
            bytes: 0,
            malformed: 0,
            attachments: 0,
            mark: 0,
            next: 0,
            tail_first: 0,
            tail_bytes: 0,
            unterminated: false,
            header_sequence: None,
            batches: Vec::new(),
        }
    }

    /// The key under which the row's session is found.
    pub(crate) fn key(&self) -> Result<SessionKey, RowError> {
        SessionKey::new(self.agent.as_str(), self.id.as_str())
            .map_err(|error| RowError(error.to_string()))
    }

    /// The row as the store's users see it.
    pub(crate) fn to_summary(&self, number: u64) -> Result<Summary, RowError> {
        Ok(Summary {
            key: self.key()?,
            number,
            project: self.project.clone(),
            title: self.title.clone(),
            created_at: time(self.created_us)?,
            updated_at: time(self.updated_us)?,
            message_count: self.messages,
            hidden_count: self.hidden,
            record_count: self.records,
            bytes: self.bytes,
            malformed_count: self.malformed,
            attachment_count: self.attachments,
            mark: self.mark,
            next_sequence: self.next,
            model: self.model.clone(),
            branch: self.branch.clone(),
            parent: self.parent.clone(),
            pinned: false,
            archived: false,
        })
    }

    /// The stored bytes under a session number.
    pub(crate) fn encode(&self, number: u64) -> Result<Vec<u8>, RowError> {
        row::encode(RowFormat::Session, VERSION, &number.to_be_bytes(), self)
    }

    /// Reads stored bytes.
    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Self, RowError> {
        row::decode(RowFormat::Session, VERSION, &number.to_be_bytes(), bytes)
    }
}

/// A stored time.
fn time(us: i64) -> Result<DateTime<Utc>, RowError> {
    DateTime::from_timestamp_micros(us).ok_or_else(|| RowError(format!("time {us} out of range")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let key = SessionKey::new("codex", "s-1").unwrap();
        let mut row = SessionRow::new(&key, 1_700_000_000_000_000);
        row.project = Some("/w/demo".to_owned());
        row.title = "Fix the test".to_owned();
        row.batches.push(Batch {
            id: 3,
            first: 0,
            last: 1,
        });
        let bytes = row.encode(9).unwrap();
        assert_eq!(SessionRow::decode(9, &bytes).as_ref(), Ok(&row));
        assert_eq!(bytes.len(), 214);
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
    }

    const GOLDEN: u64 = 0x8138_e759_3fd6_0b80;
}
