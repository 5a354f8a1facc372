//! What workers hand to the writer: a part of a file, and what is known of it.

use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::store::{SessionChunk, Source};
use crate::transfer::report::{Added, Problems};

/// What a worker tells the writer.
#[derive(Debug)]
pub(super) enum Message {
    /// A new file is being read: told in the order of the files, for the sake of their names.
    Started {
        /// The file's number.
        task: usize,
        /// The name that its session is to have.
        wanted: SessionKey,
    },
    /// A file whose session was deleted.
    Deleted {
        /// The file's number.
        task: usize,
    },
    /// A part of a file, or the whole of it.
    Part(Box<Part>),
    /// A file that could not be taken, or not to its end.
    Failed {
        /// The file's number.
        task: usize,
        /// Why not; `None` if it turned out to be of no interest.
        reason: Option<String>,
    },
    /// The store failed.
    Broken(Error),
}

impl Message {
    /// The room that it takes.
    pub(super) fn room(&self) -> u64 {
        match self {
            Self::Part(part) => part.room,
            _ => 0,
        }
    }
}

/// A part of a file.
#[derive(Debug)]
pub(super) struct Part {
    /// The file's number.
    pub task: usize,
    /// The room that it takes, to be given back when it is written.
    pub room: u64,
    /// Where it goes.
    pub target: Target,
    /// The records; `None` if only the file's time has changed.
    pub chunk: Option<SessionChunk>,
    /// The file's state after this part. The writer knows the session's number.
    pub source: Source,
    /// What was added since the file's start.
    pub added: Added,
    /// Problems found in this part.
    pub problems: Problems,
    /// Whether this is the last part.
    pub last: bool,
}

/// Where a part of a file goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// To a session of that name, or near it, made for this file.
    New {
        /// The name it is to have.
        wanted: SessionKey,
        /// The name of the session that the file had before it changed.
        replaces: Option<SessionKey>,
    },
    /// To the session that the file has.
    Grown(u64, SessionKey),
}
