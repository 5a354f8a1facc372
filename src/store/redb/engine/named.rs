//! Whether the open file is still the store under its name: a commit into a file that has been removed,
//! moved away or replaced would be `Ok`, and gone.
//!
//! - The name is looked up before and behind each commit: a `stat` each. The file under it has to be the
//!   one that was opened (device and inode; elsewhere than on Unix, the time of its creation).
//! - A store that was copied over the file has its inode. It shows where the number of the header's
//!   transaction goes back, or where somebody else has committed and the store has another id, without a
//!   restore.
//!
//! It knows nothing of what is written, and nothing of transactions that read.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::error::{Error, Result};
use crate::store::redb::pages::{Header, PageFile};
use crate::store::redb::tables::schema::{INFO_RESTORED, INFO_STORE_ID, STORE_INFO};
use crate::system::FileId;

/// What happened to a file whose name leads nowhere.
pub(crate) const REMOVED: &str = "was removed or moved away while it was open";

/// What happened to a file whose name leads to another one.
const REPLACED: &str = "was replaced by another file while it was open";

/// What happened to a file that has other content.
const OVERWRITTEN: &str = "was overwritten by another store while it was open";

/// A file, and the name that it was opened by.
#[derive(Debug)]
pub(crate) struct Named {
    place: PathBuf,
    file: FileId,
    seen: Mutex<Seen>,
}

/// What a handle has seen of the file's content.
#[derive(Debug, Default)]
struct Seen {
    /// The last commit that was there when this handle began to write.
    transaction: u64,
    /// Transactions that this handle has begun since: each makes at most one commit.
    begun: u64,
    content: Option<Content>,
    /// Whether the numbers tell nothing, and the content has to be looked at.
    is_anew: bool,
}

/// Whose content it is: the store's id, and the mark that a restore leaves when it changes that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Content {
    id: Option<Vec<u8>>,
    restored: Option<Vec<u8>>,
}

impl Content {
    /// As the file has it: the database may have it in memory, from before.
    fn of(pages: &PageFile, header: &Header) -> Result<Self> {
        let mut found = Self::default();
        pages.rows_of(STORE_INFO, header, &mut |name, value| {
            if name == INFO_STORE_ID.as_bytes() {
                found.id = Some(value.to_vec());
            } else if name == INFO_RESTORED.as_bytes() {
                found.restored = Some(value.to_vec());
            }
        })?;
        Ok(found)
    }
}

impl Named {
    /// Of an open file, which `place` named just now.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(crate) fn of(file: &File, place: &Path) -> Result<Self> {
        let metadata = file.metadata().map_err(|source| Error::Io {
            action: "open the store",
            path: place.to_owned(),
            source,
        })?;
        Ok(Self {
            place: place.to_owned(),
            file: FileId::of(&metadata),
            seen: Mutex::new(Seen {
                is_anew: true,
                ..Seen::default()
            }),
        })
    }

    /// Checks that the name still leads to the file.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`]. A name that cannot be looked up for another reason tells nothing.
    pub(crate) fn check(&self) -> Result<()> {
        match FileId::at(&self.place) {
            Ok(there) if there == self.file => Ok(()),
            Ok(_) => Err(self.gone(REPLACED)),
            Err(error) if is_absent(&error) => Err(self.gone(REMOVED)),
            Err(_) => Ok(()),
        }
    }

    /// What came of looking for the file by its name: where it failed since the file is gone, that.
    pub(crate) fn or_gone<T>(&self, found: Result<T>) -> Result<T> {
        match found {
            // It may have been found in another file than the one that is open.
            Ok(found) => self.check().map(|()| found),
            Err(error) => Err(self.check().err().unwrap_or(error)),
        }
    }

    /// Checks, under the writer's lock, that the file has the content that this handle has seen, or
    /// what was made of it since. Only where somebody else seems to have
    /// committed does that take more than a look at the header.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`], or those of a read.
    pub(crate) fn check_content(&self, pages: &PageFile) -> Result<()> {
        let header = pages.header()?;
        // Damage is told where it is read.
        let [Some(last), _] = header.slots() else {
            return Ok(());
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Transactions of this handle that were given up made no commit: so many more are its own
        // at most.
        let is_more = last.transaction > seen.transaction.saturating_add(seen.begun);
        // Commits only count up: an older state of the store was copied over it.
        if last.transaction < seen.transaction {
            return Err(self.overwritten());
        }
        if is_more || seen.is_anew {
            let now = Content::of(pages, &header)?;
            if let Some(before) = &seen.content
                && before.id != now.id
                // A restore changes the id and leaves a mark: the file is still this store's.
                && before.restored == now.restored
            {
                return Err(self.overwritten());
            }
            seen.content = Some(now);
            seen.is_anew = false;
        }
        // Counted when they begin: whether one that failed was committed nobody can say.
        if last.transaction == seen.transaction {
            seen.begun = seen.begun.saturating_add(1);
        } else {
            (seen.transaction, seen.begun) = (last.transaction, 1);
        }
        Ok(())
    }

    /// The database has written by itself, or was opened again.
    pub(crate) fn look_anew(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_anew = true;
    }

    /// What a handle hears whose file has other content.
    pub(crate) fn overwritten(&self) -> Error {
        self.gone(OVERWRITTEN)
    }

    fn gone(&self, how: &'static str) -> Error {
        Error::Gone {
            path: self.place.clone(),
            how,
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
