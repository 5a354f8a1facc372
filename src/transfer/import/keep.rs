//! What all files have in common that are kept whole: reading them, writing them as attachments,
//! and noting their state.
//!
//! Of a file beside sessions one content is kept, the newest. Of a document, which is a session, an
//! older one stays beside it, under the same name with `~2`, `~3`, ... at its end, as far as it says
//! what the newer one does not. Of the records that are made from a document or a database, those of a
//! turn that is not over are replaced: the agent still writes on it
//! ([`DocumentLines::open`](crate::agents::DocumentLines)).

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use super::deleted::Marks;
use super::file_stat::Look;
use super::found::{FoundFile, cannot_read};
use super::transaction::Transactions;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::ATTACHMENT_BYTES_MAX;
use crate::store::{IngestStore, Source};
use crate::transfer::files::hash::hash_all;
use crate::transfer::files::{open, paths};
use crate::transfer::report::ImportReport;

/// Why a file is left to another process, which has stored it at the same time.
pub(super) const OVERTAKEN: &str = "was changed by another process during the import; import again";

/// Keeps files. In a dry run it only counts.
pub(super) struct Keeper<'w, 's> {
    /// Where to write; `None` in a dry run.
    pub transactions: Option<&'w mut Transactions<'s>>,
    /// What is there.
    pub store: &'s dyn IngestStore,
    /// What is done.
    pub report: &'w mut ImportReport,
    /// What was deleted.
    pub marks: &'w Marks,
}

/// Why a file was not kept.
pub(super) enum Failure {
    /// The file is at fault; others go on.
    File(String),
    /// Another process has stored it at the same time.
    Overtaken,
    /// The store is.
    Store(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::File(cannot_read(Some(&error)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidKey { .. } | Error::TooLarge { .. } => Self::File(error.to_string()),
            Error::Conflict { .. } => Self::Overtaken,
            error => Self::Store(error),
        }
    }
}

/// A file that is open for being kept.
pub(super) struct Opened {
    /// The file, at its start.
    pub file: File,
    /// What was seen of it then.
    pub look: Look,
}

impl Opened {
    /// Opens a file, unless it is too large to be kept.
    pub(super) fn open(path: &Path) -> std::result::Result<Self, Failure> {
        let opened = Self::open_any(path)?;
        if opened.look.size > ATTACHMENT_BYTES_MAX {
            let reason = format!(
                "has {} bytes, the limit is {ATTACHMENT_BYTES_MAX}; it is left there",
                opened.look.size
            );
            return Err(Failure::File(reason));
        }
        Ok(opened)
    }

    /// Opens a file of any size.
    pub(super) fn open_any(path: &Path) -> io::Result<Self> {
        let file = open::open_regular(path)?;
        let look = Look::of(&file.metadata()?);
        Ok(Self { file, look })
    }

    /// Whether the file is what is stored of it.
    pub(super) fn is_same(&mut self, previous: Option<&Source>) -> io::Result<bool> {
        let Some(previous) = previous else {
            return Ok(false);
        };
        // The size first: most files that changed are not read twice.
        let is_same = previous.row.kind == SourceKind::Attachment
            && previous.row.size == self.look.size
            && hash_all((&mut self.file).take(self.look.size))?
                == (self.look.size, previous.row.hash);
        self.file.rewind()?;
        Ok(is_same)
    }

    /// The content; that of a file of up to `small_bytes` is read.
    pub(super) fn content(&self, small_bytes: u64) -> io::Result<Content> {
        // As far as it went when it was opened: what is appended meanwhile comes with the next
        // import.
        let mut file = self.file.try_clone()?.take(self.look.size);
        if self.look.size > small_bytes {
            return Ok(Content::Large(file));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Content::Small(bytes))
    }

    /// Whether nothing of the file has changed since it was opened.
    pub(super) fn is_settled(&self) -> bool {
        self.look.still_holds(&self.file)
    }
}

/// The content of a file.
pub(super) enum Content {
    /// In memory.
    Small(Vec<u8>),
    /// To be read piece by piece.
    Large(io::Take<File>),
}

impl Content {
    /// The bytes, if they are in memory.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Small(bytes) => Some(bytes),
            Self::Large(_) => None,
        }
    }
}

impl<'s> Keeper<'_, 's> {
    /// The same, for one kind of files.
    pub(super) fn again(&mut self) -> Keeper<'_, 's> {
        Keeper {
            transactions: self.transactions.as_deref_mut(),
            store: self.store,
            report: self.report,
            marks: self.marks,
        }
    }

    /// Counts a file that was kept, or says why it was not.
    ///
    /// # Errors
    ///
    /// The store's errors. What is wrong with the file goes to the report.
    pub(super) fn finish(
        &mut self,
        file: &FoundFile,
        done: std::result::Result<(), Failure>,
    ) -> Result<()> {
        match done {
            Ok(()) => self.report.files += 1,
            Err(Failure::File(reason)) => {
                self.report.paths_failed += u64::from(file.named);
                self.report.add_skipped(file.name_path(), reason);
            }
            // No fault of the path: the other process has stored the file.
            Err(Failure::Overtaken) => self.report.add_file_problem(file.name_path(), OVERTAKEN),
            Err(Failure::Store(error)) => return Err(error),
        }
        self.transactions
            .as_mut()
            .map_or(Ok(()), |open| open.commit_if_due())
    }

    /// Makes what was written durable.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.transactions
            .as_mut()
            .map_or(Ok(()), |open| open.commit())
    }

    /// The number of the session of that name, if there is one.
    pub(super) fn number_of(&mut self, key: &SessionKey) -> Result<Option<u64>> {
        match &mut self.transactions {
            Some(transactions) => transactions.bulk()?.number_of(key),
            None => self.store.sources().number_of(key),
        }
    }

    /// Another process may have imported the file since this one looked: what it has stored would
    /// be replaced, or stored twice.
    pub(super) fn check_state(
        &mut self,
        file: &FoundFile,
        previous: Option<&Source>,
    ) -> std::result::Result<(), Failure> {
        let Some(transactions) = &mut self.transactions else {
            return Ok(());
        };
        let newest = transactions.bulk()?.newest(&paths::to_bytes(&file.path))?;
        if newest.as_ref() == previous {
            Ok(())
        } else {
            Err(Failure::Overtaken)
        }
    }

    /// Notes that only a file's time has changed.
    pub(super) fn touch(
        &mut self,
        file: &FoundFile,
        previous: &Source,
        look: Look,
    ) -> std::result::Result<(), Failure> {
        let mut row = SourceRow {
            relative: file.relative.clone(),
            complete: true,
            ..previous.row.clone()
        };
        look.note_in(&mut row);
        self.note(&Source {
            row,
            ..previous.clone()
        })
    }

    /// Writes the state of a file.
    pub(super) fn note(&mut self, source: &Source) -> std::result::Result<(), Failure> {
        if let Some(transactions) = &mut self.transactions {
            transactions.bulk()?.write_source(source)?;
        }
        Ok(())
    }

    /// Commits before a content that is read piece by piece: if reading fails half-way, nothing
    /// else is lost with it.
    pub(super) fn prepare(&mut self, content: &Content) -> Result<()> {
        match (content, &mut self.transactions) {
            (Content::Large(_), Some(transactions)) => transactions.commit(),
            _ => Ok(()),
        }
    }

    /// Writes the content of a file as an attachment. Returns its bytes and their hash.
    pub(super) fn write(
        &mut self,
        session: u64,
        name: &str,
        content: Content,
    ) -> std::result::Result<(u64, u128), Failure> {
        let Some(transactions) = &mut self.transactions else {
            return Ok((0, 0));
        };
        let mut watched = match content {
            Content::Small(bytes) => {
                let bulk = transactions.bulk()?;
                return Ok(bulk.write_attachment(session, name, &mut bytes.as_slice())?);
            }
            Content::Large(file) => Watched { file, failed: None },
        };
        let bulk = transactions.bulk()?;
        let written = bulk.write_attachment(session, name, &mut watched);
        if let Some(error) = watched.failed {
            // Half of a content is in it: nothing of this transaction may stay.
            transactions.abandon();
            return Err(error.into());
        }
        Ok(written?)
    }

    /// Removes the contents of a source's path that are older, from a generation on, and lie with the same
    /// session or folder.
    pub(super) fn drop_older(
        &mut self,
        source: &Source,
        first: u32,
    ) -> std::result::Result<(), Failure> {
        let Some(transactions) = &mut self.transactions else {
            return Ok(());
        };
        for older in self.store.sources().generations(&source.path)? {
            let is_older = (first..source.generation).contains(&older.generation);
            if is_older && is_of(&older, source.row.session) {
                transactions.bulk()?.remove_source(&older)?;
            }
        }
        Ok(())
    }

    /// Notes of the other places of a session's file that its content is kept for this one now.
    pub(super) fn take_over(&mut self, source: &Source) -> std::result::Result<(), Failure> {
        let number = source.row.session;
        if self.transactions.is_none() || number == 0 {
            return Ok(());
        }
        for other in self.store.sources().of_session(number)? {
            let is_other = (&other.path, other.generation) != (&source.path, source.generation);
            if is_other && is_kept(&other) && other.row.name == source.row.name {
                self.note(&as_copy(other))?;
            }
        }
        Ok(())
    }

    /// The bytes that are stored of a file.
    pub(super) fn stored(&self, source: &Source) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let (session, name) = (source.row.session, &source.row.name);
        self.store
            .sources()
            .read_attachment(session, name, &mut bytes)?;
        Ok(bytes)
    }
}

/// The state of a file that is kept whole.
pub(super) fn source_of(
    file: &FoundFile,
    generation: u32,
    (agent, session, name): (&str, u64, String),
    (bytes, hash, look): (u64, u128, Look),
) -> Source {
    Source {
        path: paths::to_bytes(&file.path),
        generation,
        row: SourceRow {
            agent: agent.to_owned(),
            kind: SourceKind::Attachment,
            session,
            name,
            relative: file.relative.clone(),
            size: bytes,
            mtime_ns: look.mtime_ns,
            offset: bytes,
            lines: 0,
            tail_offset: bytes,
            hash,
            next_sequence: 0,
            complete: true,
            revision: 0,
            inode: look.inode,
            changed_ns: look.changed_ns,
        },
    }
}

/// A source whose content is kept for another place.
pub(super) fn as_copy(mut source: Source) -> Source {
    source.row.offset = 0;
    source
}

/// Whether a source leads to an attachment of this session, or (number 0) of a folder.
pub(super) fn is_of(source: &Source, session: u64) -> bool {
    let row = &source.row;
    row.kind == SourceKind::Attachment && row.session == session && !row.name.is_empty()
}

/// Whether the content of a source's file is kept: of a copy only the place is noted, and the content is
/// that of another place.
pub(super) fn is_kept(source: &Source) -> bool {
    is_of(source, source.row.session) && !source.row.is_copy()
}

/// The number of the content that is to be kept of a file.
pub(super) fn generation(previous: Option<&Source>, previous_lives: bool) -> u32 {
    match previous {
        Some(previous) if previous_lives => previous.generation + 1,
        Some(previous) => previous.generation,
        None => 1,
    }
}

/// A name, with the number of a later content at its end.
pub(super) fn numbered(name: String, generation: u32) -> String {
    if generation > 1 {
        format!("{name}~{generation}")
    } else {
        name
    }
}

/// A reader that remembers what went wrong with it, so that the fault is not taken for the store's.
struct Watched {
    file: io::Take<File>,
    failed: Option<io::Error>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed = Some(error);
            }
            io::Error::from(kind)
        })
    }
}
