//! What a search finds.

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::query::SearchCursor;
use crate::model::key::SessionKey;
use crate::model::message::Role;
use crate::search::Snippet;
use crate::store::json_names;

/// A message that fits, or, in a search by sessions, a session.
///
/// As JSON it has `id`, `agent`, `project`, `title`, `sequence`, `role`, `time`, `live`, `injected`,
/// `snippet` and `matches` (its text, and the places in it), `messages` and `cursor`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// The session.
    pub key: SessionKey,
    /// Its project.
    pub project: Option<String>,
    /// Its title.
    pub title: String,
    /// Where the message stands in it; `None` where only the title fits.
    pub sequence: Option<u64>,
    /// Who speaks; `None` where only the title fits.
    pub role: Option<Role>,
    /// The time of the line, else of the message, else of the session.
    pub time: DateTime<Utc>,
    /// Whether the message was not taken back.
    pub live: bool,
    /// Whether the agent put it in.
    pub injected: bool,
    /// Where what was asked for stands in it.
    pub snippet: Snippet,
    /// How many messages of the session fit, in a search by sessions; else 1.
    pub messages: u64,
    /// The place behind it, for going on from here.
    pub cursor: SearchCursor,
}

impl Serialize for Hit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Hit", 13)?;
        fields.serialize_field("id", self.key.id())?;
        fields.serialize_field("agent", self.key.agent())?;
        fields.serialize_field("project", &self.project)?;
        fields.serialize_field("title", &self.title)?;
        fields.serialize_field("sequence", &self.sequence)?;
        fields.serialize_field("role", &self.role)?;
        fields.serialize_field("time", &self.time)?;
        fields.serialize_field("live", &self.live)?;
        fields.serialize_field("injected", &self.injected)?;
        fields.serialize_field("snippet", &self.snippet.text)?;
        fields.serialize_field("matches", &self.snippet.matches)?;
        fields.serialize_field("messages", &self.messages)?;
        fields.serialize_field("cursor", &self.cursor.to_string())?;
        fields.end()
    }
}

/// A page of hits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SearchPage {
    /// The hits, in their order.
    pub hits: Vec<Hit>,
    /// Where the next page starts, if there is more.
    #[serde(serialize_with = "cursor_text")]
    pub next: Option<SearchCursor>,
    /// How many hits there are from this page on, at least: so many were found when there was enough.
    pub at_least: u64,
    /// In how many sessions they are at most, where that is known before all are read.
    pub sessions_max: Option<u64>,
    /// Sessions that are damaged, so that not all of them could be searched.
    pub unread: Vec<UnreadSession>,
}

/// How much fits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SearchCounts {
    /// Messages that fit.
    pub messages: u64,
    /// Sessions with one that fits.
    pub sessions: u64,
    /// Sessions that are damaged, so that not all of them could be counted.
    pub unread: Vec<UnreadSession>,
}

/// A session that could not be searched, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnreadSession {
    /// The session. As JSON `agent:id`.
    #[serde(serialize_with = "named")]
    pub session: SessionKey,
    /// What is wrong.
    pub detail: String,
}

fn named<S: Serializer>(key: &SessionKey, serializer: S) -> Result<S::Ok, S::Error> {
    json_names::named(&Some(key.clone()), serializer)
}

#[expect(clippy::ref_option, reason = "what serde passes")]
fn cursor_text<S: Serializer>(
    cursor: &Option<SearchCursor>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    cursor
        .map(|cursor| cursor.to_string())
        .serialize(serializer)
}
