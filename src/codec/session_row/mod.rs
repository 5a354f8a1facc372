//! Summary rows: all that a list prints, and the state that appends go on from.

mod v1;
mod v2;
mod v3;
mod v4;

use bincode::{Decode, Encode};
use chrono::{DateTime, Utc};

use self::v1::{BatchV1, SessionRowV1};
use self::v2::GivenV2;
use self::v3::ChainV3;
use self::v4::SessionRowV4;
use super::chain::Chain;
use super::row::{self, BODY_BYTES_MAX, RowError, RowFormat};
use crate::model::key::SessionKey;
use crate::model::session::Summary;

/// The version that is written.
const VERSION: u8 = 5;

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

impl From<BatchV1> for Batch {
    fn from(BatchV1 { id, first, last }: BatchV1) -> Self {
        Self { id, first, last }
    }
}

/// The properties of a session that a list shows: they win over what the lines say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Given {
    /// A title, cut.
    pub title: Option<String>,
    /// A folder, cut.
    pub project: Option<String>,
    /// A parent, cut.
    pub parent: Option<String>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
}

impl From<ChainV3> for Chain {
    fn from(chain: ChainV3) -> Self {
        Self {
            from: chain.from,
            records: chain.records,
            rewrites: chain.rewrites,
            digest: chain.digest,
        }
    }
}

impl From<GivenV2> for Given {
    fn from(given: GivenV2) -> Self {
        Self {
            title: given.title,
            project: given.project,
            parent: given.parent,
            pinned: given.pinned,
            archived: given.archived,
        }
    }
}

impl From<SessionRowV4> for SessionRow {
    fn from(row: SessionRowV4) -> Self {
        Self {
            agent: row.agent,
            id: row.id,
            project: row.project,
            title: row.title,
            title_rank: row.title_rank,
            created_us: row.created_us,
            updated_us: row.updated_us,
            time_stated: row.time_stated,
            created_stated: row.created_stated,
            model: row.model,
            branch: row.branch,
            parent: row.parent,
            messages: row.messages,
            hidden: row.hidden,
            records: row.records,
            bytes: row.bytes,
            malformed: row.malformed,
            attachments: row.attachments,
            mark: row.mark,
            next: row.next,
            tail_first: row.tail_first,
            tail_bytes: row.tail_bytes,
            unterminated: row.unterminated,
            header_sequence: row.header_sequence,
            batches: row.batches.into_iter().map(Batch::from).collect(),
            given: row.given.into(),
            chain: row.chain.into(),
            content: row.content,
            contents: row.contents,
            reordered: row.reordered,
            beaten_titles: row.beaten_titles,
            archived_by_agent: row.archived_by_agent,
            subagent: row.subagent,
            exceptions: row.exceptions,
            blocks: row.blocks,
            reader: row.reader,
            // Nobody has noted it.
            written_us: None,
        }
    }
}

/// A session's row, version 5. All but the batches, what was given, what the digest chain tells of the
/// past and the time of the last write can be rebuilt from the lines.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// What a list shows instead of what the lines say; a copy of what the properties hold.
    pub given: Given,
    /// The digest chain of the lines.
    pub chain: Chain,
    /// Its number among the contents of its id, by arrival, from 1.
    pub content: u32,
    /// How many contents its id has: kept in the row of the newest one, and 0 in those of the others.
    pub contents: u32,
    /// Whether its records have an order other than that of their numbers, or not all of them are in
    /// its file: the row of its file order tells.
    pub reordered: bool,
    /// Titles that better ones have beaten and that hold again once those are taken back: worth and
    /// text, the least first.
    pub beaten_titles: Vec<(u8, String)>,
    /// Whether its agent has put it away, and nobody here has taken it out since.
    pub archived_by_agent: bool,
    /// Whether its parent started it to do a part of its work.
    pub subagent: bool,
    /// Rows of what only other lines tell of its records.
    pub exceptions: u64,
    /// Blocks of what leads from ids to its records.
    pub blocks: u64,
    /// The version of its agent's reader that what is derived here comes from; 0 is older than all.
    pub reader: u16,
    /// When this store last wrote to it; `None` if no version has noted that yet.
    pub written_us: Option<i64>,
}

impl SessionRow {
    /// The row of a session without records.
    pub(crate) fn new(key: &SessionKey, time_us: i64) -> Self {
        Self {
            agent: key.agent().to_owned(),
            id: key.id().to_owned(),
            created_us: time_us,
            updated_us: time_us,
            ..Self::empty()
        }
    }

    /// A row that says nothing.
    fn empty() -> Self {
        Self {
            agent: String::new(),
            id: String::new(),
            project: None,
            title: String::new(),
            title_rank: 0,
            created_us: 0,
            updated_us: 0,
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
            given: Given::default(),
            chain: Chain::starting_at(0),
            content: 1,
            contents: 1,
            reordered: false,
            beaten_titles: Vec::new(),
            archived_by_agent: false,
            subagent: false,
            exceptions: 0,
            blocks: 0,
            reader: 0,
            written_us: None,
        }
    }

    /// What a row of version 1 says, of a session to which something was given. Without a chain of
    /// its own it covers what is appended from now on.
    fn of_v1(row: SessionRowV1, given: Given, chain: Option<Chain>) -> Self {
        Self {
            agent: row.agent,
            id: row.id,
            project: row.project,
            title: row.title,
            title_rank: row.title_rank,
            created_us: row.created_us,
            updated_us: row.updated_us,
            time_stated: row.time_stated,
            created_stated: row.created_stated,
            model: row.model,
            branch: row.branch,
            parent: row.parent,
            messages: row.messages,
            hidden: row.hidden,
            records: row.records,
            bytes: row.bytes,
            malformed: row.malformed,
            attachments: row.attachments,
            mark: row.mark,
            next: row.next,
            tail_first: row.tail_first,
            tail_bytes: row.tail_bytes,
            unterminated: row.unterminated,
            header_sequence: row.header_sequence,
            batches: row.batches.into_iter().map(Batch::from).collect(),
            given,
            chain: chain.unwrap_or_else(|| Chain::starting_at(row.next)),
            ..Self::empty()
        }
    }

    /// Whether lists show it: the newest content of its id.
    pub(crate) fn is_listed(&self) -> bool {
        self.contents > 0
    }

    /// The id that all contents of its id share.
    pub(crate) fn plain_id(&self) -> &str {
        let plain = self.id.rsplit_once('~').filter(|(_, number)| {
            // An agent's own id may end in `~2`: only another content was given its number here.
            !self.is_listed()
                && number
                    .parse::<u32>()
                    .is_ok_and(|number| number == self.content)
        });
        plain.map_or(&self.id, |(plain, _)| plain)
    }

    /// The title to show: the given one, or else that of the lines.
    pub(crate) fn shown_title(&self) -> &str {
        self.given.title.as_deref().unwrap_or(&self.title)
    }

    /// The project to show and to be found by.
    pub(crate) fn shown_project(&self) -> Option<&str> {
        self.given.project.as_deref().or(self.project.as_deref())
    }

    /// The parent to show, and to be found by. A session that names itself has none.
    pub(crate) fn shown_parent(&self) -> Option<&str> {
        let named = self.given.parent.as_deref().or(self.parent.as_deref());
        named.filter(|parent| !parent.is_empty() && *parent != self.id)
    }

    /// Whether its parent, as it is shown, started it: a parent that was given says nothing of that.
    pub(crate) fn shown_subagent(&self) -> bool {
        let given = self.given.parent.as_deref();
        self.subagent
            && self.shown_parent().is_some()
            && given.is_none_or(|given| self.parent.as_deref() == Some(given))
    }

    /// Whether it is shown as put away.
    pub(crate) fn shown_archived(&self) -> bool {
        self.given.archived || self.archived_by_agent
    }

    /// The key under which the row's session is found.
    pub(crate) fn key(&self) -> Result<SessionKey, RowError> {
        SessionKey::new(self.agent.as_str(), self.id.as_str())
            .map_err(|error| RowError(error.to_string()))
    }

    /// The row as the store's users see it.
    pub(crate) fn into_summary(self, number: u64) -> Result<Summary, RowError> {
        let parent = self.shown_parent().map(str::to_owned);
        let subagent = self.shown_subagent();
        let key = SessionKey::new(self.agent, self.id);
        Ok(Summary {
            key: key.map_err(|error| RowError(error.to_string()))?,
            number,
            project: self.given.project.or(self.project),
            title: self.given.title.unwrap_or(self.title),
            created_at: time(self.created_us)?,
            updated_at: time(self.updated_us)?,
            written_at: self.written_us.map(time).transpose()?,
            message_count: self.messages,
            hidden_count: self.hidden,
            record_count: self.records,
            bytes: self.bytes,
            malformed_count: self.malformed,
            attachment_count: self.attachments,
            mark: self.mark,
            next_sequence: self.next,
            contents: u64::from(self.contents.max(1)),
            model: self.model,
            branch: self.branch,
            parent,
            pinned: self.given.pinned,
            archived: self.given.archived || self.archived_by_agent,
            archived_by_agent: self.archived_by_agent,
            subagent,
            subagents: 0,
        })
    }

    /// The stored bytes under a session number.
    pub(crate) fn encode(&self, number: u64) -> Result<Vec<u8>, RowError> {
        let key = number.to_be_bytes();
        row::encode_short::<BODY_BYTES_MAX, _>(RowFormat::Session, VERSION, &key, self)
    }

    /// Reads stored bytes, of this version or of an older one.
    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Self, RowError> {
        match row::version(bytes) {
            Some(v1::VERSION) => Ok(Self::of_v1(
                v1::decode(number, bytes)?,
                Given::default(),
                None,
            )),
            Some(v2::VERSION) => {
                let (row, given) = v2::decode(number, bytes)?;
                Ok(Self::of_v1(row, given.into(), None))
            }
            Some(v3::VERSION) => {
                let (row, given, chain) = v3::decode(number, bytes)?;
                Ok(Self::of_v1(row, given.into(), Some(chain.into())))
            }
            Some(v4::VERSION) => v4::decode(number, bytes).map(Self::from),
            // Any other version is refused there, by its number.
            _ => {
                let key = number.to_be_bytes();
                row::decode_short::<BODY_BYTES_MAX, _>(RowFormat::Session, VERSION, &key, bytes)
            }
        }
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
    fn the_bytes_of_version_5_are_fixed() {
        let key = SessionKey::new("codex", "s-1").unwrap();
        let mut row = SessionRow::new(&key, 1_700_000_000_000_000);
        row.project = Some("/w/demo".to_owned());
        row.title = "Fix the test".to_owned();
        row.given.title = Some("Green again".to_owned());
        row.given.archived = true;
        row.batches.push(Batch {
            id: 3,
            first: 0,
            last: 1,
        });
        row.chain.push(&[7; 32]);
        row.written_us = Some(1_800_000_000_000_000);
        let bytes = row.encode(9).unwrap();
        assert_eq!(SessionRow::decode(9, &bytes).as_ref(), Ok(&row));
        assert_eq!(bytes.len(), 153);
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
    }

    const GOLDEN: u64 = 0x499a_87fe_242c_3a4b;

    #[test]
    fn what_was_given_is_shown_and_what_the_lines_say_stays() {
        let mut row = SessionRow::new(&SessionKey::native("s").unwrap(), 5);
        (row.title, row.project) = ("Derived".to_owned(), Some("/w".to_owned()));
        let shown = row.clone().into_summary(1).unwrap();
        assert_eq!(
            (shown.title.as_str(), shown.project.as_deref(), shown.pinned),
            ("Derived", Some("/w"), false)
        );
        row.given = Given {
            title: Some("Given".to_owned()),
            project: Some("/x".to_owned()),
            parent: Some("p".to_owned()),
            pinned: true,
            archived: true,
        };
        let shown = row.clone().into_summary(1).unwrap();
        assert_eq!(
            (shown.title.as_str(), shown.project.as_deref()),
            ("Given", Some("/x"))
        );
        assert_eq!(shown.parent.as_deref(), Some("p"));
        assert!(shown.pinned && shown.archived);
        assert_eq!(row.title, "Derived");
    }
}
