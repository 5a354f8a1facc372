//! What workers hand to the writer: a part of a file, and what is known of it.

use crate::codec::chain::Digest;
use crate::codec::file_order::FileOrder;
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
    /// Something about a file, of which nothing is taken.
    Told {
        /// The file's number.
        task: usize,
        /// What.
        told: &'static str,
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
    /// What the file is then; `None` if it is what it was, or not all of it was compared.
    pub file: Option<FileState>,
    /// The state of its import after this part. The writer knows the session's number.
    pub source: Option<Source>,
    /// What was added since the file's start.
    pub added: Added,
    /// Problems found in this part.
    pub problems: Problems,
    /// Whether this is the last part.
    pub last: bool,
    /// Bytes of the file that were read.
    pub offset: u64,
}

/// What the file of a session is after a part.
#[derive(Clone, Debug)]
pub(super) struct FileState {
    /// The order that it was compared with, if the session had one.
    pub seen: Option<FileOrder>,
    /// Its order.
    pub order: FileOrder,
    /// The digest over its lines; `None` where that is for the writer to work out, from the lines that
    /// go into the session.
    pub digest: Option<Digest>,
    /// Of an id that is not unique: the id that the file has by itself, and the digest of its first
    /// lines, if they are enough to know it by.
    pub weak: Option<(SessionKey, Option<[u8; 16]>)>,
}

/// Where a part of a file goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// To a session made for this file: of that name, near it, or another content of it.
    New {
        /// The name it is to have.
        wanted: SessionKey,
        /// How many contents that had when the file was compared with them.
        contents: usize,
        /// Whether no other session can have the name: then it is another content.
        is_unique: bool,
    },
    /// To the session that the file has.
    Grown(u64, SessionKey),
}
