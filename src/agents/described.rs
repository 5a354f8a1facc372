//! What one line says, described: its header, and what it tells of its session.

use std::borrow::Cow;

use crate::model::links::Links;
use crate::model::record::RecordHeader;

/// A title that a line offers. Of all titles in a session the highest rank wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TitleOffer<'a> {
    /// The text, not yet cut or put on one line. Blank, if what was offered at this rank before is
    /// taken back.
    pub text: Cow<'a, str>,
    /// Its worth; 0 is none. The first user message is 10.
    pub rank: u8,
    /// Whether it replaces an earlier offer of the same rank.
    pub latest_wins: bool,
    /// If the offer holds only when a record with this id is in the session: that id.
    pub about: Option<Cow<'a, str>>,
    /// If the offer is one for the session of this id: that id. An agent may write it into another
    /// session's file.
    pub session: Option<Cow<'a, str>>,
}

/// What a line tells of its session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts<'a> {
    /// When the session was created, where the line states it (microseconds since 1970). The
    /// first one wins: a forked Codex session repeats its parent's header after its own.
    pub created_us: Option<i64>,
    /// When it was last changed, where the line states it. A record's own time counts anyway.
    pub updated_us: Option<i64>,
    /// The folder that it works in. The first one wins.
    pub project: Option<Cow<'a, str>>,
    /// Whether it works in that folder from here on, whatever was said before.
    pub moved: bool,
    /// A title.
    pub title: Option<TitleOffer<'a>>,
    /// The model. The last one wins.
    pub model: Option<Cow<'a, str>>,
    /// The git branch. The last one wins.
    pub branch: Option<Cow<'a, str>>,
    /// The session that this one came from. The first one wins.
    pub parent: Option<Cow<'a, str>>,
    /// If the record is one of a sub-agent: its id. Only the session of that id has that parent; in
    /// the file of the parent itself, the record is told by somebody else.
    pub child: Option<Cow<'a, str>>,
    /// Whether the session is one that the parent started to do a part of its work, and no copy of it
    /// that somebody goes on with.
    pub subagent: bool,
    /// Whether its agent has put it away.
    pub archived: Option<bool>,
    /// The record's own id, for [`TitleOffer::about`].
    pub record_id: Option<Cow<'a, str>>,
    /// What it says of other lines.
    pub links: Links,
    /// The session that the record says it is of. Of a header it says whose the facts are: behind the
    /// session's own header, that of another session tells nothing.
    pub session: Option<Cow<'a, str>>,
    /// The record's facts replace those of earlier ones, an absent project or model included: the
    /// native dialect's header line, of which the last one holds.
    pub replaces: bool,
}

/// One line, described.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described<'a> {
    /// Its header, without the flags that only the reader of the file knows
    /// (unterminated, continues).
    pub header: RecordHeader,
    /// What it tells of the session.
    pub facts: Facts<'a>,
    /// What is wrong with it, in words for the import report. Lines that could not be read, or
    /// not in whole, have one; blank lines and unknown kinds do not.
    pub problem: Option<String>,
}
