//! redb's errors, and those of locks, in our words.

use std::path::Path;

use super::note::{self, Holds};
use crate::model::error::Error;
use crate::store::Options;

/// Another process is writing, and takes too long.
pub(crate) fn busy(path: &Path, options: &Options) -> Error {
    Error::Busy {
        reason: note::holder(path, Holds::Writer, options),
    }
}

/// The system's error of opening a store's file.
pub(crate) fn opening_io(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        action: "open the store",
        path: path.clone(),
        source,
    }
}

/// Another process has the store for itself.
pub(crate) fn locked(path: &Path, options: &Options) -> Error {
    Error::Locked {
        path: path.to_owned(),
        reason: note::holder(path, Holds::Store, options),
    }
}

/// Whether a read has failed because a page led it behind the end of the file, or to a place that no
/// file can have: the system calls the latter a wrong argument.
fn is_beyond_the_end(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidInput, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | InvalidInput)
}

/// Turns redb's errors into ours.
pub(crate) fn storage<E: Into<redb::Error>>(action: &'static str) -> impl Fn(E) -> Error {
    move |error| match error.into() {
        redb::Error::Corrupted(detail) => Error::Corrupt {
            table: "(pages)",
            key: "unknown".to_owned(),
            detail,
        },
        // A store has all tables of its format from its first commit on: one that is not there was
        // lost to damage.
        redb::Error::TableTypeMismatch { table, .. } | redb::Error::TableDoesNotExist(table) => {
            Error::Corrupt {
                table: "(tables)",
                key: table,
                detail: "the table is missing or of another type".to_owned(),
            }
        }
        error @ (redb::Error::TypeDefinitionChanged { .. } | redb::Error::TableIsMultimap(_)) => {
            Error::Corrupt {
                table: "(tables)",
                key: "unknown".to_owned(),
                detail: error.to_string(),
            }
        }
        redb::Error::Io(error) if is_beyond_the_end(&error) => Error::Corrupt {
            table: "(file)",
            key: "its end".to_owned(),
            detail: not_whole(&format!(
                "cannot {action}: the file ends before its last page"
            )),
        },
        error => Error::Storage {
            action,
            source: cause(error),
        },
    }
}

/// What a file is whose pages do not fit together; `found` is what shows it.
pub(crate) fn not_whole(found: &str) -> String {
    format!(
        "it is not whole: damaged, cut short, or a copy that was made while the store was written, which a \
         backup is not ({found})"
    )
}

/// The error below, without redb's wrapping where the system's own says it all.
pub(crate) fn cause(error: redb::Error) -> crate::model::error::Cause {
    match error {
        redb::Error::Io(error) => Box::new(error),
        error => Box::new(error),
    }
}

/// Turns redb's errors of opening a database into ours.
pub(crate) fn opening(path: &Path, options: &Options) -> impl Fn(redb::DatabaseError) -> Error {
    let (path, options) = (path.to_owned(), options.clone());
    move |error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen | redb::DatabaseError::TransactionInProgress => {
            locked(&path, &options)
        }
        redb::DatabaseError::UpgradeRequired(found) => Error::NotAStore {
            path: path.clone(),
            reason: format!("a redb database of file format {found}"),
        },
        // The engine compares the header with the file's length, and so finds a copy that was cut
        // short.
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(detail)) => Error::Corrupt {
            table: "(file)",
            key: path.display().to_string(),
            detail: not_whole(&detail),
        },
        redb::DatabaseError::Storage(redb::StorageError::Io(error))
            if is_beyond_the_end(&error) =>
        {
            Error::Corrupt {
                table: "(file)",
                key: path.display().to_string(),
                detail: not_whole("it ends before its last page"),
            }
        }
        redb::DatabaseError::Storage(redb::StorageError::Io(error))
            // So `Backend` ends a wait for another process; the disk itself gives no such error.
            if error.kind() == std::io::ErrorKind::TimedOut =>
        {
            busy(&path, &options)
        }
        redb::DatabaseError::Storage(redb::StorageError::Io(source)) => opening_io(&path)(source),
        error => Error::Storage {
            action: "open its file",
            source: cause(error.into()),
        },
    }
}

/// The error of a call that comes while the database has failed.
pub(crate) fn failed(reason: &'static str) -> Error {
    Error::Storage {
        action: "go on after an error of its file",
        source: reason.into(),
    }
}
