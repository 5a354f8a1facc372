//! What lies beside the lines of a session: as an agent's own files tell it, and as they are
//! written again.

use crate::model::message::Usage;
use crate::model::properties::Properties;
use crate::model::raw_json::RawJson;
use crate::model::session::Summary;

/// What an index, a meta file or a legacy document tells of one session. What it does not say is
/// `None`, and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SidecarFacts {
    /// The agent's id of the session.
    pub id: String,
    /// Lines at the start that are hidden, counted as the agent counts them: all but those of
    /// zero length.
    pub skip: Option<u64>,
    /// The summary of the conversation; empty takes it away.
    pub summary: Option<String>,
    /// Other names of the session.
    pub aliases: Option<Vec<String>>,
    /// What the session is about, in the agent's own terms.
    pub scope: Option<RawJson>,
    /// A title, where the lines give none.
    pub title: Option<String>,
    /// The worth of the title, where it is not one that the agent's lists show before all others.
    pub title_rank: Option<u8>,
    /// The folder that the session works in, where the lines give none.
    pub project: Option<String>,
    /// The model, where the lines tell none.
    pub model: Option<String>,
    /// The session that it is a copy of, or goes on with, where the lines name none.
    pub parent: Option<String>,
    /// What the session took, where the lines do not say. It is not put anywhere: whoever asks for it
    /// reads the file.
    pub usage: Option<Usage>,
    /// When it was created, where the lines do not say, in microseconds since 1970.
    pub created_us: Option<i64>,
    /// When it was last changed: counts if it is later than what the lines say.
    pub updated_us: Option<i64>,
}

/// A session as it is now, for writing an agent's own files about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionState {
    /// Its summary row.
    pub summary: Summary,
    /// What is kept beside its lines.
    pub properties: Properties,
    /// Stored lines that are not of zero length.
    pub lines: u64,
    /// Those of them that are hidden.
    pub skip: u64,
    /// The first line, for facts that only it has (jcode's provider), or the last header line in
    /// formats in which that one holds (ggcode); empty if there is none.
    pub first_line: Vec<u8>,
    /// The agent's path of the session's file, name by name, as it is exported: the last is the
    /// file's name.
    pub path: Vec<String>,
}
