//! A reader of ggcode's folders that is as strict as ggcode v1.0.9 (Go's `encoding/json` into
//! structs): written from the description, to show that the Go program can read an export. The
//! program itself was not run.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest line that the program reads.
const LINE_BYTES_MAX: usize = 10_485_759;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: String,
    title: String,
    vendor: String,
    endpoint: String,
    model: String,
    created_at: Option<DateTime<FixedOffset>>,
    updated_at: Option<DateTime<FixedOffset>>,
    message: Option<GoMessage>,
    cost: Option<Box<RawValue>>,
}

/// A message.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct GoMessage {
    pub role: String,
    pub content: Option<Vec<GoBlock>>,
}

/// A block of a message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GoBlock {
    pub r#type: String,
    pub text: String,
    pub image_mime: String,
    pub image_data: String,
    pub tool_name: String,
    pub tool_id: String,
    pub input: Option<Box<RawValue>>,
    pub output: String,
    pub is_error: bool,
}

/// A row of the index.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GoRow {
    pub id: String,
    pub title: String,
    pub created_at: DateTime<FixedOffset>,
    pub updated_at: DateTime<FixedOffset>,
    pub msg_count: i64,
    #[serde(default)]
    pub vendor: String,
    #[serde(default)]
    pub endpoint: String,
    #[serde(default)]
    pub model: String,
}

/// A session as the program loads it.
#[derive(Debug, Default)]
pub(crate) struct GoSession {
    pub title: String,
    pub vendor: String,
    pub endpoint: String,
    pub model: String,
    pub created_at: Option<DateTime<FixedOffset>>,
    pub updated_at: Option<DateTime<FixedOffset>>,
    pub messages: Vec<GoMessage>,
    pub cost: Option<String>,
    /// Lines that it passed over.
    pub bad: usize,
}

impl GoSession {
    /// The text blocks of its messages.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.messages
            .iter()
            .flat_map(|message| message.content.iter().flatten())
            .filter(|block| block.r#type == "text")
            .map(|block| block.text.as_str())
            .collect()
    }
}

/// Loads a session; an error if a line is too long.
pub(crate) fn load(folder: &Path, id: &str) -> Result<GoSession, String> {
    let bytes =
        std::fs::read(folder.join(format!("{id}.jsonl"))).map_err(|error| error.to_string())?;
    let mut session = GoSession::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.len() > LINE_BYTES_MAX {
            return Err("token too long".to_owned());
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            session.bad += 1;
            continue;
        };
        match line.r#type.as_str() {
            "meta" => {
                session.title = line.title;
                session.vendor = line.vendor;
                session.endpoint = line.endpoint;
                session.model = line.model;
                session.created_at = line.created_at;
                session.updated_at = line.updated_at;
            }
            "message" => session.messages.extend(line.message),
            "cost" => session.cost = line.cost.map(|cost| cost.get().to_owned()),
            _ => {}
        }
    }
    Ok(session)
}

/// The rows of the index; none if there is no index, an error if it is corrupt.
pub(crate) fn index(folder: &Path) -> Result<Vec<GoRow>, String> {
    match std::fs::read(folder.join("index.json")) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        Err(_) => Ok(Vec::new()),
    }
}

/// The ids of the sessions that the program lists.
pub(crate) fn list(folder: &Path) -> Result<BTreeSet<String>, String> {
    let mut ids = BTreeSet::new();
    for row in index(folder)? {
        if folder.join(format!("{}.jsonl", row.id)).exists() {
            ids.insert(row.id);
        }
    }
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(id) = name.strip_suffix(".jsonl")
            && load(folder, id).is_ok()
        {
            ids.insert(id.to_owned());
        }
    }
    Ok(ids)
}
