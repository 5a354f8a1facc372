//! Every error of the crate: what failed, on what, where, and what to do.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::model::key::SessionKey;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause from below, kept so that `source()` tells it; boxed, so that no engine's type is public.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong, by what a caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such session.
    #[error("no session `{wanted}`")]
    NotFound {
        /// The key, id or prefix that was asked for.
        wanted: String,
    },
    /// A session has no record of this number.
    #[error("session `{session}` has no record {sequence}")]
    NoRecord {
        /// The session.
        session: SessionKey,
        /// The sequence number that was asked for.
        sequence: u64,
    },
    /// A prefix fits more than one session.
    #[error(
        "`{prefix}` fits more than one session, such as `{}`",
        show(candidates)
    )]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// Some of the sessions that it fits.
        candidates: Vec<SessionKey>,
    },
    /// A session has no such file beside its lines.
    #[error("session `{key}` has no file `{name}` beside its lines")]
    NoAttachment {
        /// The session.
        key: SessionKey,
        /// The file's name, as [`AttachmentInfo`](crate::report::AttachmentInfo) has it.
        name: String,
    },
    /// The session is not as the caller expected; nothing was written.
    #[error("session `{key}` is at sequence {actual}, expected {expected}")]
    Conflict {
        /// The session.
        key: SessionKey,
        /// The sequence number that the caller expected the next record to get.
        expected: u64,
        /// The one that it would get.
        actual: u64,
    },
    /// The stored message of that id differs from the caller's; nothing was written.
    #[error(
        "message `{id}` of session `{key}` differs from the stored one; messages are never rewritten"
    )]
    MessageChanged {
        /// The session.
        key: SessionKey,
        /// The message's id.
        id: String,
    },
    /// A new message of the caller's copy stands before one that is stored; nothing was written.
    #[error(
        "a new message of session `{key}` stands before `{before}`, which is stored: a save only \
         appends; `Store::replace_history` puts another history in its place"
    )]
    MessageInserted {
        /// The session.
        key: SessionKey,
        /// The id of the first stored message behind it.
        before: String,
    },
    /// Another session has that alias; nothing was written.
    #[error("session `{by}` has the alias `{alias}`")]
    AliasTaken {
        /// The alias.
        alias: String,
        /// The session that has it.
        by: SessionKey,
    },
    /// A recorder was used after it was closed; nothing was written.
    #[error("the recorder of session `{key}` is closed")]
    Closed {
        /// The session.
        key: SessionKey,
    },
    /// Something was to be logged, and no session was started or resumed; nothing was written.
    #[error("no session was started or resumed")]
    NoSession,
    /// There is no agent of that name or alias.
    #[error("no agent `{agent}`; there are `{}`", known.join("`, `"))]
    UnknownAgent {
        /// The name.
        agent: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// No provider is registered for the agent.
    #[error("no provider for agent `{agent}`")]
    ProviderNotFound {
        /// The agent.
        agent: String,
    },
    /// A provider has no such project.
    #[error("no project `{project}` of agent `{agent}`")]
    ProjectNotFound {
        /// The agent.
        agent: String,
        /// The project.
        project: String,
    },
    /// An agent name or a session id that cannot be a key.
    #[error("`{agent}:{id}` cannot name a session: {reason}")]
    InvalidKey {
        /// The agent.
        agent: String,
        /// The id.
        id: String,
        /// Why not.
        reason: String,
    },
    /// Text that should be one JSON value on one line.
    #[error("not a JSON value on one line: {reason}")]
    InvalidJson {
        /// Why not.
        reason: String,
    },
    /// A search that cannot be understood.
    #[error("cannot search for `{query}`: {reason}")]
    InvalidQuery {
        /// What was asked for.
        query: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line for a record that is not one line.
    #[error("not one line: {reason}")]
    InvalidLine {
        /// Why not.
        reason: &'static str,
    },
    /// Something passes a documented limit.
    #[error("{what} has {actual}, the limit is {limit}")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// Its size.
        actual: u64,
        /// The limit.
        limit: u64,
    },
    /// The agent's format can be read, but this cannot be written in it.
    #[error("cannot {action} in the format of agent `{agent}`")]
    Unsupported {
        /// What was asked for.
        action: &'static str,
        /// The agent.
        agent: String,
    },
    /// A store in a file: another process holds it in a way that excludes this one.
    #[error("store `{}` is locked: {reason}", path.display())]
    Locked {
        /// The store.
        path: PathBuf,
        /// Who seems to hold it, and since when.
        reason: String,
    },
    /// The store is in use; the same call may go through later.
    #[error("store is busy: {reason}")]
    Busy {
        /// Who or what is in the way.
        reason: String,
    },
    /// A store on a server: the server cannot be reached, or ends the connection before it was asked
    /// to commit. Nothing was written; the same call may go through later. Where the connection is lost
    /// during a commit it is [`CommitUnknown`](Self::CommitUnknown).
    #[error("store `{store}` cannot be reached")]
    Unavailable {
        /// The store, as its maker names it: without passwords.
        store: String,
        /// What the connection says.
        source: Cause,
    },
    /// The clock stands before 1970, a time that nothing can have been written at.
    #[error("the clock says {now}, which is before 1970")]
    Clock {
        /// What it says.
        now: DateTime<Utc>,
    },
    /// Whoever was told how far the call is has stopped it. What is there then is in the
    /// documentation of the call.
    #[error("cancelled by the one who was told of the progress")]
    Cancelled,
    /// A store in a file: it was opened for reading only.
    #[error("store `{}` is open for reading only", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// A store in a file: the file is none.
    #[error("`{}` is not a Scrollback store: {reason}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as can be told.
        reason: String,
    },
    /// A store in a file: it was removed, moved away, replaced or overwritten while it was open. What
    /// was to be written is not in the store of that name; it may be in the file that had it.
    #[error("store `{}` {how}", path.display())]
    Gone {
        /// The name that the store was opened by.
        path: PathBuf,
        /// What happened to it.
        how: &'static str,
    },
    /// There is a file already where a new one was to be made; it stays as it is.
    #[error("`{}` is there already", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A backup is damaged: it was not used, and nothing was changed.
    #[error("backup `{}` is damaged: {detail}", path.display())]
    DamagedBackup {
        /// The backup.
        path: PathBuf,
        /// The table and the key, what was expected and what is there.
        detail: String,
    },
    /// The store's format is not one that this version reads.
    #[error("store `{}` has format {found}; this version reads formats {oldest} to {newest}", path.display())]
    UnsupportedVersion {
        /// The store.
        path: PathBuf,
        /// The oldest reader that the store says can read it.
        found: u32,
        /// The oldest format that this version reads.
        oldest: u32,
        /// The newest.
        newest: u32,
    },
    /// Stored bytes are not what was written.
    #[error("store is corrupt: table `{table}`, key {key}: {detail}")]
    Corrupt {
        /// The table, or the part of the file.
        table: &'static str,
        /// The key.
        key: String,
        /// What was expected and what is there.
        detail: String,
    },
    /// A commit failed in a way that leaves open whether it is on disk. Read before writing again,
    /// or send the same batch id again.
    #[error("the commit failed and may or may not be on disk")]
    CommitUnknown {
        /// The engine's error.
        source: Cause,
    },
    /// The engine under the store failed.
    #[error("store cannot {action}")]
    Storage {
        /// What was being done.
        action: &'static str,
        /// The engine's error.
        source: Cause,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Writing to the caller's output failed.
    #[error("cannot write the output")]
    Output {
        /// The system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether the same call may go through later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Locked { .. } | Self::Busy { .. } | Self::Unavailable { .. }
        )
    }

    /// Whether there is no space left to write to.
    pub(crate) fn is_disk_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        io_cause(self).is_some_and(|error| matches!(error.kind(), StorageFull | QuotaExceeded))
    }

    /// Whether stored bytes are damaged.
    pub fn is_corruption(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    /// What to do about it, in one sentence, where there is something to do. In words of the library:
    /// a program has its own for its commands.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "list the sessions to see what there is".to_owned(),
            Self::Ambiguous { candidates, .. } => {
                let mut hint = "use more of the id, or name the agent before it:".to_owned();
                for key in candidates {
                    hint.push_str("\n  ");
                    hint.push_str(&key.to_string());
                }
                hint
            }
            Self::Conflict { .. } => {
                "read what was appended meanwhile, then append again".to_owned()
            }
            Self::Locked { .. } => {
                "wait until that process ends, or end it; a store opened exclusively admits one \
                 process, and so does a file system without range locks"
                    .to_owned()
            }
            Self::Clock { .. } => "set the clock".to_owned(),
            Self::Busy { .. } => "try again".to_owned(),
            Self::Unavailable { .. } => {
                "see that the server runs and that this machine reaches it, then try again".to_owned()
            }
            Self::NotAStore { .. } => {
                "name a store, or a file that does not exist yet".to_owned()
            }
            Self::Gone { .. } => {
                "put the store back in its place, or open it anew, then write again what was not \
                 acknowledged; a store is replaced while nobody has it open, or by a restore into it"
                    .to_owned()
            }
            Self::FileExists { .. } => "name another file, or say that it is to be replaced".to_owned(),
            Self::DamagedBackup { .. } => {
                "nothing was changed; use another backup, or export what can be read of this one"
                    .to_owned()
            }
            Self::UnsupportedVersion { found, newest, .. } if found > newest => {
                "use the version of scrollback that wrote it, or a newer one".to_owned()
            }
            Self::UnsupportedVersion { .. } => {
                "export it with the version of scrollback that wrote it, and import that".to_owned()
            }
            Self::Corrupt { .. } => {
                "a deep verification tells of all of the damage; restore the file from a backup, or \
                 save what is left with a repair"
                    .to_owned()
            }
            Self::CommitUnknown { source } => {
                let first = io_cause(source.as_ref())
                    .and_then(io_hint)
                    .unwrap_or_else(|| "verify the store".to_owned());
                format!("{first}; then try again")
            }
            Self::Io { source, .. } | Self::Output { source } => return io_hint(source),
            Self::Storage { source, .. } => {
                return source.downcast_ref::<std::io::Error>().and_then(io_hint);
            }
            _ => return None,
        })
    }
}

/// The system's error at the bottom of a cause, if there is one.
fn io_cause<'e>(cause: &'e (dyn std::error::Error + 'static)) -> Option<&'e std::io::Error> {
    let mut cause = Some(cause);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

fn io_hint(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind;
    Some(match error.kind() {
        ErrorKind::NotFound => "check the path".to_owned(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "check who owns it and its permissions".to_owned()
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space; what was written before is intact".to_owned()
        }
        ErrorKind::FileTooLarge => {
            "allow larger files (`ulimit -f`); what was written before is intact".to_owned()
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a file is where a folder has to be".to_owned()
        }
        ErrorKind::IsADirectory => "name a file; this is a folder".to_owned(),
        ErrorKind::Unsupported => {
            "keep it on a file system that takes locks, such as a disk of this machine".to_owned()
        }
        _ => return None,
    })
}

fn show(candidates: &[SessionKey]) -> String {
    let shown: Vec<String> = candidates.iter().take(3).map(ToString::to_string).collect();
    shown.join("`, `")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_error_is_no_surprise() {
        assert!(size_of::<Error>() <= 104, "{} bytes", size_of::<Error>());
    }

    #[test]
    fn a_message_is_one_line_and_names_the_object() {
        let error = Error::Locked {
            path: PathBuf::from("a.redb"),
            reason: "process 7 has had it open for at least 2 s".to_owned(),
        };
        assert_eq!(
            error.to_string(),
            "store `a.redb` is locked: process 7 has had it open for at least 2 s"
        );
        assert!(error.is_retryable() && !error.is_corruption());
        let error = Error::Unavailable {
            store: "postgres://db/sessions".to_owned(),
            source: "connection refused".into(),
        };
        let said = "store `postgres://db/sessions` cannot be reached";
        assert_eq!(error.to_string(), said);
        assert!(error.is_retryable() && !error.is_corruption());
    }
}
