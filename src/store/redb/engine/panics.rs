//! redb can panic on damaged pages: at the store's boundary that is an error like any other. What a
//! caller's code panics with is none of redb's, and passes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::WriteTransaction;

use super::errors::{cause, not_whole};
use crate::model::error::{Error, Result};
use crate::store::callers;

/// Commits. What redb says of a failed commit: it may be durable nevertheless. So may one that
/// panicked.
pub(crate) fn commit(txn: WriteTransaction) -> Result<()> {
    let committed = catch_unwind(AssertUnwindSafe(|| txn.commit()));
    let source = match committed {
        Ok(Ok(())) => return Ok(()),
        // It was taken back, and that is certain.
        Ok(Err(error @ redb::CommitError::TransactionPoisoned)) => {
            return Err(Error::Storage {
                action: "commit what a failure has left in part",
                source: cause(error.into()),
            });
        }
        Ok(Err(error)) => cause(error.into()),
        Err(panic) => words_of(panic.as_ref()).into(),
    };
    Err(Error::CommitUnknown { source })
}

/// Drops something of the database, whose drop may panic.
pub(crate) fn quietly<T>(of_database: T) {
    drop(catch_unwind(AssertUnwindSafe(move || drop(of_database))));
}

/// Runs a piece of work on the database. redb can panic on damaged pages; that is an error here. A
/// panic of the caller's own code passes through.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    callers::call(|| {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            Err(Error::Corrupt {
                table: "(pages)",
                key: "unknown".to_owned(),
                detail: words_of(panic.as_ref()).to_owned(),
            })
        })
    })
}

/// As [`guard`], for the opening of a file: what is found to be wrong is told of the file.
pub(crate) fn guard_opening<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    guard(work).map_err(|error| match error {
        Error::Corrupt {
            table: "(pages)",
            detail,
            ..
        } => Error::Corrupt {
            table: "(file)",
            key: path.display().to_string(),
            detail: not_whole(&detail),
        },
        error => error,
    })
}

/// What a panic said.
fn words_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("the database engine stopped")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_says_what_it_said() {
        let error = guard::<()>(|| panic!("page 7 is odd"));
        let Err(Error::Corrupt { detail, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(detail, "page 7 is odd");
    }

    /// A database in memory that panics when it is told to make something durable.
    #[derive(Debug)]
    struct Panics {
        memory: redb::backends::InMemoryBackend,
        armed: Arc<AtomicBool>,
    }

    impl redb::StorageBackend for Panics {
        fn len(&self) -> io::Result<u64> {
            self.memory.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.memory.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.memory.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            let is_armed = self.armed.swap(false, Ordering::SeqCst);
            assert!(!is_armed, "the disk is odd");
            self.memory.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.memory.write(offset, data)
        }
    }

    #[test]
    fn a_commit_that_panics_may_be_on_disk() {
        let armed = Arc::new(AtomicBool::new(false));
        let backend = Panics {
            memory: redb::backends::InMemoryBackend::new(),
            armed: Arc::clone(&armed),
        };
        let database = redb::Builder::new().create_with_backend(backend).unwrap();
        let txn = database.begin_write().unwrap();
        let table = redb::TableDefinition::<u64, u64>::new("numbers");
        txn.open_table(table).unwrap().insert(1, 2).unwrap();
        armed.store(true, Ordering::SeqCst);
        // An append that is tried again after any other error would be there twice.
        let Err(Error::CommitUnknown { source }) = guard(|| commit(txn)) else {
            panic!("a commit that stopped half-way is no failure that wrote nothing");
        };
        assert_eq!(source.to_string(), "the disk is odd");
        // Closing it would try to tidy up.
        std::mem::forget(database);
    }
}
