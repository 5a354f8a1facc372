//! What a process says that it did: a file for each, appended to without a buffer, so that a kill
//! takes nothing back. A line goes in after the store has answered, and before a try.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scrollback::uuid::Uuid;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A writer is going to append a batch; with these it can be tried again.
    Try {
        session: String,
        batch: u64,
        sequence: Option<u64>,
        id: Uuid,
    },
    /// The store said `Ok` to it, and where it is.
    Acknowledged {
        session: String,
        batch: u64,
        first: u64,
        last: u64,
        replayed: bool,
    },
    /// The store said that nothing of it was written.
    Refused {
        session: String,
        batch: u64,
    },
    /// It cannot be known: the try was cut off by a kill, and cannot be repeated.
    Unknown {
        session: String,
        batch: u64,
    },
    /// A throw-away session is made, is about to be deleted, is deleted.
    Made(String),
    Deleting(String),
    Deleted(String),
    /// Something was done, and how long it took.
    Took(String, Duration),
}

impl Entry {
    fn write(&self) -> String {
        match self {
            Self::Try {
                session,
                batch,
                sequence,
                id,
            } => {
                let sequence = sequence.map_or_else(|| "-".to_owned(), |number| number.to_string());
                format!("try {session} {batch} {sequence} {id}\n")
            }
            Self::Acknowledged {
                session,
                batch,
                first,
                last,
                replayed,
            } => format!("ack {session} {batch} {first} {last} {replayed}\n"),
            Self::Refused { session, batch } => format!("refused {session} {batch}\n"),
            Self::Unknown { session, batch } => format!("unknown {session} {batch}\n"),
            Self::Made(session) => format!("made {session}\n"),
            Self::Deleting(session) => format!("deleting {session}\n"),
            Self::Deleted(session) => format!("deleted {session}\n"),
            Self::Took(what, time) => format!("took {what} {}\n", time.as_micros()),
        }
    }

    fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse().unwrap();
        match words[..] {
            ["try", session, batch, sequence, id] => Self::Try {
                session: session.to_owned(),
                batch: number(batch),
                sequence: sequence.parse().ok(),
                id: id.parse().unwrap(),
            },
            ["ack", session, batch, first, last, replayed] => Self::Acknowledged {
                session: session.to_owned(),
                batch: number(batch),
                first: number(first),
                last: number(last),
                replayed: replayed == "true",
            },
            ["refused", session, batch] => Self::Refused {
                session: session.to_owned(),
                batch: number(batch),
            },
            ["unknown", session, batch] => Self::Unknown {
                session: session.to_owned(),
                batch: number(batch),
            },
            ["made", session] => Self::Made(session.to_owned()),
            ["deleting", session] => Self::Deleting(session.to_owned()),
            ["deleted", session] => Self::Deleted(session.to_owned()),
            ["took", what, micros] => {
                Self::Took(what.to_owned(), Duration::from_micros(number(micros)))
            }
            _ => panic!("not an entry: {line}"),
        }
    }
}

/// The file of one place in the crew; whoever comes after a kill goes on with it.
#[derive(Debug)]
pub(super) struct Journal(File);

impl Journal {
    /// Opens it, after what is there.
    pub(super) fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self(file.unwrap())
    }

    /// Adds an entry in one write.
    pub(super) fn add(&mut self, entry: &Entry) {
        self.0.write_all(entry.write().as_bytes()).unwrap();
    }

    /// Runs something that has to succeed, and notes how long it took.
    pub(super) fn time<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> T {
        let began = std::time::Instant::now();
        let done = work();
        self.add(&Entry::Took(what.to_owned(), began.elapsed()));
        done
    }
}

/// Where the journal of a place lies.
pub(super) fn path(folder: &Path, role: &str, slot: usize) -> PathBuf {
    folder.join(format!("{role}-{slot}.log"))
}

/// The entries of a journal; without the last line, if a kill has cut it off.
pub(super) fn entries(path: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .map(Entry::read)
        .collect()
}
