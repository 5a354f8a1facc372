//! What goes wrong below the store, and what callers are told of it.

use std::error::Error as StdError;
use std::io::ErrorKind;

use scrollback::{Cause, Error};
use tokio_postgres::error::{DbError, Severity, SqlState};

/// What went wrong with a statement.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused it, and has undone it.
    Refused(tokio_postgres::Error),
    /// The connection is gone: whether the statement was done is not known.
    Lost(tokio_postgres::Error),
    /// No answer came in time. The connection is given up.
    Silent,
    /// There was no connection to send it on.
    Unreached(Error),
    /// Something of the store itself.
    Other(Error),
}

/// What a statement gives.
pub(crate) type Tried<T> = Result<T, Failure>;

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // The server ends the connection, and may have done so behind a commit. What it panics at is perhaps
            // in its log of changes already, and done once it has recovered.
            Some(refused) if is_ending(refused.code()) || is_last(refused) => Self::Lost(error),
            None if error.is_closed() => Self::Lost(error),
            None if error
                .source()
                .is_some_and(<dyn StdError>::is::<std::io::Error>) =>
            {
                Self::Lost(error)
            }
            _ => Self::Refused(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Whether a server says nothing more on a connection.
fn is_last(refused: &DbError) -> bool {
    let severity = refused.parsed_severity();
    severity.is_some_and(|severity| matches!(severity, Severity::Fatal | Severity::Panic))
}

fn is_ending(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::CONNECTION_FAILURE,
        SqlState::CONNECTION_EXCEPTION,
        SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
    ]
    .contains(code)
}

impl Failure {
    /// What the server calls it.
    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Refused(error) | Self::Lost(error) => error.code(),
            _ => None,
        }
    }

    /// Whether the same statement may go through at once: others were in the way.
    pub(crate) fn is_clash(&self) -> bool {
        let clashes = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        self.code().is_some_and(|code| clashes.contains(code))
    }

    /// Whether a name or a number was taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.code() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// Whether what was sent may be done or not.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Silent)
    }

    /// Whether the table is not there.
    pub(crate) fn is_undefined(&self) -> bool {
        let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
        self.code().is_some_and(|code| missing.contains(code))
    }

    /// What the caller is told of a statement that has written nothing.
    pub(crate) fn told(self, store: &str, action: &'static str) -> Error {
        let unavailable = |source: Cause| Error::Unavailable {
            store: store.to_owned(),
            source,
        };
        match self {
            Self::Other(error) | Self::Unreached(error) => error,
            Self::Silent => unavailable("no answer came in time".into()),
            Self::Lost(error) => unavailable(Box::new(error)),
            Self::Refused(error) => {
                let code = error.code().cloned();
                if code.as_ref().is_some_and(is_away) {
                    return unavailable(Box::new(error));
                }
                if let Some(reason) = code.as_ref().and_then(busy_reason) {
                    return Error::Busy {
                        reason: reason.to_owned(),
                    };
                }
                let source = cause(error).unwrap_or_else(|error| said(&error).into());
                Error::Storage { action, source }
            }
        }
    }

    /// What the caller is told of a commit that may be done or not.
    pub(crate) fn told_unknown(self) -> Error {
        Error::CommitUnknown {
            source: match self {
                Self::Lost(error) | Self::Refused(error) => {
                    cause(error).unwrap_or_else(|error| Box::new(error))
                }
                Self::Silent => "no answer came in time".into(),
                Self::Unreached(error) | Self::Other(error) => Box::new(error),
            },
        }
    }
}

/// A full disk as the system has it, with what the server says, so that it has the hint that a full disk has
/// elsewhere; all else is given back.
fn cause(error: tokio_postgres::Error) -> Result<Cause, tokio_postgres::Error> {
    if error.code() != Some(&SqlState::DISK_FULL) {
        return Err(error);
    }
    let full = std::io::Error::new(ErrorKind::StorageFull, said(&error));
    Ok(Box::new(full))
}

/// What went wrong, with all that is below it. The client's own words for what the server says are only "db
/// error".
fn said(error: &(dyn StdError + 'static)) -> String {
    if let Some(refused) = error.downcast_ref::<DbError>() {
        let code = refused.code().code();
        return format!("the server says: {} ({code})", refused.message());
    }
    match error.source() {
        Some(below) if below.is::<DbError>() => said(below),
        Some(below) => format!("{error}: {}", said(below)),
        None => error.to_string(),
    }
}

/// What the caller is told where no server of the store takes a connection, by what each of them says.
pub(crate) fn not_connected(store: &str, mut refusals: Vec<(String, Cause)>) -> Error {
    let are_lasting = refusals.iter().all(|(_, refusal)| is_lasting(&**refusal));
    let source = match refusals.as_mut_slice() {
        [(_, _)] if !are_lasting => refusals.remove(0).1,
        _ => {
            let each = refusals
                .iter()
                .map(|(name, refusal)| format!("{name}: {}", said(&**refusal)));
            each.collect::<Vec<_>>().join("; ").into()
        }
    };
    if are_lasting {
        return Error::Storage {
            action: "connect to the server",
            source,
        };
    }
    Error::Unavailable {
        store: store.to_owned(),
        source,
    }
}

/// Whether a server will say the same to whoever comes again: of a password, a database, a certificate.
fn is_lasting(refusal: &(dyn StdError + 'static)) -> bool {
    let Some(error) = refusal.downcast_ref::<tokio_postgres::Error>() else {
        return false;
    };
    if let Some(code) = error.code() {
        // Of the classes of roles that may not, and of databases that are not there.
        return ["28", "3D"]
            .iter()
            .any(|class| code.code().starts_with(class));
    }
    error.source().is_some_and(|below| {
        // Those of the network are of the system; what TLS makes of a certificate is in one of this kind.
        let of_network = below.downcast_ref::<std::io::Error>();
        of_network.is_none_or(|error| error.kind() == ErrorKind::InvalidData)
    })
}

/// Whether the server takes nothing now: a standby, one that starts, or one that is full of connections.
fn is_away(code: &SqlState) -> bool {
    [
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
    ]
    .contains(code)
        || is_ending(code)
}

fn busy_reason(code: &SqlState) -> Option<&'static str> {
    Some(match code {
        code if *code == SqlState::LOCK_NOT_AVAILABLE => "another transaction holds a lock",
        code if *code == SqlState::QUERY_CANCELED => "a statement took longer than it may",
        code if *code == SqlState::T_R_SERIALIZATION_FAILURE => "other transactions are in the way",
        code if *code == SqlState::T_R_DEADLOCK_DETECTED => "other transactions are in the way",
        _ => return None,
    })
}
