//! The home of an agent that keeps each session in a file: what was found there, and how such
//! files are opened.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::state::SidecarFacts;
use crate::model::error::{Error, Result};
use crate::model::limits::ATTACHMENT_BYTES_MAX;

/// What is done, in errors.
const READ: &str = "read";

/// Bytes of a file that are enough to tell what it is.
const HEAD_BYTES: u64 = 64 * 1024;

/// The files of a home.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// A file for each session.
    pub files: Vec<SessionFile>,
    /// What could not be read.
    pub problems: Vec<ProviderProblem>,
}

impl Found {
    /// Notes a problem.
    pub(crate) fn problem(&mut self, agent: &str, about: &Path, error: Error) {
        self.problems.push(ProviderProblem {
            agent: agent.to_owned(),
            about: about.display().to_string(),
            error,
        });
    }
}

/// The file of a session.
#[derive(Clone, Debug)]
pub(crate) struct SessionFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The session's id.
    pub id: String,
    /// What is in it.
    pub form: Form,
    /// The session that started this one, as the path tells it.
    pub parent: Option<String>,
    /// The project, as the path or a file beside tells it.
    pub project: Option<String>,
    /// What an index says.
    pub row: Option<IndexRow>,
}

/// What the index of an agent says of a session, to fill what its lines leave open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexRow {
    /// What is told to an import.
    pub facts: SidecarFacts,
    /// The first prompt.
    pub first_prompt: Option<String>,
    /// The summary.
    pub summary: Option<String>,
    /// The git branch.
    pub branch: Option<String>,
}

/// What is in a session's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines.
    Lines,
    /// Lines, compressed with zstd.
    Compressed,
    /// Lines that change earlier ones: see [`Operation`](super::operation::Operation).
    Operations,
    /// One JSON document.
    Document,
}

/// Opens a file if it is a regular one.
pub(crate) fn open_regular(path: &Path) -> Result<File> {
    let is_file = fs::metadata(path).map(|metadata| metadata.is_file());
    match is_file {
        Ok(true) => File::open(path).map_err(|source| failed(path, source)),
        Ok(false) => Err(invalid(path, "not a regular file")),
        Err(source) => Err(failed(path, source)),
    }
}

/// All bytes of a file.
pub(crate) fn whole(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?
        // One byte more than may be, to see whether there is more.
        .take(ATTACHMENT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| failed(path, source))?;
    if bytes.len() as u64 > ATTACHMENT_BYTES_MAX {
        return Err(Error::TooLarge {
            what: "length of a document in bytes",
            actual: bytes.len() as u64,
            limit: ATTACHMENT_BYTES_MAX,
        });
    }
    Ok(bytes)
}

/// The first bytes of a file.
pub(crate) fn head(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|source| failed(path, source))?;
    Ok(bytes)
}

/// The folders and files in a folder, by name; none if it is not there.
pub(crate) fn names(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| failed(folder, source))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|source| failed(folder, source))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// That a file cannot be read.
pub(crate) fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: READ,
        path: path.to_owned(),
        source,
    }
}

/// That a file is not what it should be.
pub(crate) fn invalid(path: &Path, reason: &str) -> Error {
    failed(path, io::Error::new(io::ErrorKind::InvalidData, reason))
}

/// Something that could not be read.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ProviderProblem {
    /// The agent.
    pub agent: String,
    /// The file, project or session.
    pub about: String,
    /// What is wrong with it; as JSON a text.
    #[serde(serialize_with = "in_words")]
    pub error: Error,
}

impl ProviderProblem {
    /// What is wrong with a file, project or session of this agent.
    pub fn new(agent: impl Into<String>, about: impl Into<String>, error: Error) -> Self {
        Self {
            agent: agent.into(),
            about: about.into(),
            error,
        }
    }
}

/// An error as one line of text.
fn in_words<S: Serializer>(error: &Error, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}

/// That a provider has no such session.
pub(crate) fn no_session(agent: &str, id: &str) -> Error {
    Error::NotFound {
        wanted: format!("{agent}:{id}"),
    }
}
