//! Keeps files whole: sidecars beside sessions, and sessions that are one document.
//!
//! A file that changed is kept beside its earlier content, under the same name with `~2`, `~3`,
//! ... at its end; nothing that is stored is replaced.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use super::discover::{self, cannot_read};
use super::hash::hash_all;
use super::names;
use super::paths;
use super::plan::{self, Owner, Place, WholeTask};
use super::report::ImportReport;
use super::transaction::Transactions;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::dialect;
use crate::error::{Error, Result};
use crate::model::limits::ATTACHMENT_BYTES_MAX;
use crate::store::{Bulk, SessionBuilder, Source};

/// Files up to this size are read before the transaction has to do with them.
const SMALL_BYTES: u64 = 1024 * 1024;

/// Why a file is left to another process.
const CHANGED: &str = "was changed by another process during the import; import again";

/// Writes files that are kept whole. In a dry run it only counts.
pub(super) struct WholeWriter<'w, 's> {
    /// Where to write; `None` in a dry run.
    pub transactions: Option<&'w mut Transactions<'s>>,
    /// What is done.
    pub report: &'w mut ImportReport,
    /// The sessions of the files of this run.
    pub places: Places<'w>,
}

/// Why a file was not kept.
enum Failure {
    /// The file is at fault; others go on.
    File(String),
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
            Error::Conflict { .. } => Self::File(CHANGED.to_owned()),
            error => Self::Store(error),
        }
    }
}

impl WholeWriter<'_, '_> {
    /// Keeps one file.
    ///
    /// # Errors
    ///
    /// The store's errors. What is wrong with the file goes to the report.
    pub(super) fn keep(&mut self, task: &WholeTask) -> Result<()> {
        let path = task.file.name_path();
        match self.try_keep(task) {
            Ok(()) => self.report.files += 1,
            Err(Failure::File(reason)) => {
                self.report.paths_failed += u64::from(task.file.named);
                self.report.add_skipped(path, reason);
            }
            Err(Failure::Store(error)) => return Err(error),
        }
        self.transactions
            .as_mut()
            .map_or(Ok(()), |open| open.commit_if_due())
    }

    fn try_keep(&mut self, task: &WholeTask) -> std::result::Result<(), Failure> {
        let mut file = plan::open_regular(&task.file.path)?;
        let metadata = file.metadata()?;
        let (size, mtime_ns) = (metadata.len(), discover::mtime_ns(&metadata));
        if size > ATTACHMENT_BYTES_MAX {
            let reason =
                format!("has {size} bytes, the limit is {ATTACHMENT_BYTES_MAX}; it is left there");
            return Err(Failure::File(reason));
        }
        let previous = task.previous.as_ref().filter(|_| task.previous_lives);
        if let Some(previous) = previous
            && previous.row.kind == SourceKind::Attachment
            && previous.row.size == size
            && hash_all((&mut file).take(size))? == (size, previous.row.hash)
        {
            self.check_state(task)?;
            let relative = task.file.relative.clone();
            let row = SourceRow {
                relative,
                mtime_ns,
                ..previous.row.clone()
            };
            return self.note(&Source {
                row,
                ..previous.clone()
            });
        }
        file.rewind()?;
        let content = Content::of(file, size)?;
        let Some(transactions) = &mut self.transactions else {
            self.report.sessions += u64::from(previous.is_none() && task.is_document());
            self.report.attachments += 1;
            self.report.attachment_bytes += size;
            return Ok(());
        };
        if matches!(content, Content::Large(_)) {
            // If reading fails half-way, nothing else is lost with it.
            transactions.commit()?;
        }
        self.check_state(task)?;
        let (session, name) = self.home(task, mtime_ns)?;
        let generation = task.generation();
        let name = if generation > 1 {
            format!("{name}~{generation}")
        } else {
            name
        };
        let (bytes, hash) = self.write(session, &name, content)?;
        let source = Source {
            path: paths::to_bytes(&task.file.path),
            generation,
            row: SourceRow {
                agent: task.agent.to_owned(),
                kind: SourceKind::Attachment,
                session,
                name,
                relative: task.file.relative.clone(),
                size: bytes,
                mtime_ns,
                offset: bytes,
                lines: 0,
                tail_offset: bytes,
                hash,
                next_sequence: 0,
                complete: true,
            },
        };
        self.note(&source)?;
        self.report.attachments += 1;
        self.report.attachment_bytes += bytes;
        Ok(())
    }

    /// Another process may have imported the file since this one looked: what it has stored would
    /// be replaced, or stored twice.
    fn check_state(&mut self, task: &WholeTask) -> std::result::Result<(), Failure> {
        let Some(transactions) = &mut self.transactions else {
            return Ok(());
        };
        let newest = transactions
            .bulk()?
            .newest(&paths::to_bytes(&task.file.path))?;
        if newest == task.previous {
            Ok(())
        } else {
            Err(Failure::File(CHANGED.to_owned()))
        }
    }

    /// Writes the state of a file.
    fn note(&mut self, source: &Source) -> std::result::Result<(), Failure> {
        if let Some(transactions) = &mut self.transactions {
            transactions.bulk()?.write_source(source)?;
        }
        Ok(())
    }

    fn write(
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
                let written = bulk.write_attachment(session, name, &mut bytes.as_slice())?;
                count_attachment(bulk, session)?;
                return Ok(written);
            }
            Content::Large(file) => Watched { file, failed: None },
        };
        let bulk = transactions.bulk()?;
        let written = bulk.write_attachment(session, name, &mut watched);
        if let Some(error) = watched.failed {
            transactions.abandon();
            return Err(error.into());
        }
        let written = written?;
        count_attachment(bulk, session)?;
        Ok(written)
    }

    /// The session that a file goes to (0 for none), and its name there.
    fn home(
        &mut self,
        task: &WholeTask,
        mtime_ns: i64,
    ) -> std::result::Result<(u64, String), Failure> {
        let whole_name = paths::to_name(&task.file.path);
        let Some(transactions) = &mut self.transactions else {
            return Ok((0, whole_name));
        };
        let bulk = transactions.bulk()?;
        match &task.owner {
            Owner::Folder => Ok((0, whole_name)),
            Owner::Session(id) => {
                if let Some(place) = self.places.nearest(task.agent, id, &task.file.path) {
                    let below = task.file.path.strip_prefix(&place.folder).ok();
                    return Ok((place.number, below.map_or(whole_name, paths::to_name)));
                }
                let key = names::key_of(task.agent, id)?;
                Ok((bulk.number_of(&key)?.unwrap_or(0), whole_name))
            }
            Owner::Document(id) => {
                let name = PathBuf::from(task.file.path.file_name().unwrap_or_default());
                let name = paths::to_name(&name);
                let living = task.previous.as_ref().filter(|_| task.previous_lives);
                if let Some(previous) = living.filter(|previous| previous.row.session != 0) {
                    return Ok((previous.row.session, name));
                }
                let key = names::key_of(task.agent, id)?;
                let (number, _) = names::create(bulk, &key, 1)?;
                let dialect = dialect::of_agent(task.agent);
                let mut builder = SessionBuilder::new(&key, dialect, mtime_ns.div_euclid(1000));
                bulk.write_chunk(number, &builder.take_chunk())?;
                self.report.sessions += 1;
                Ok((number, name))
            }
        }
    }
}

impl WholeTask {
    fn is_document(&self) -> bool {
        matches!(self.owner, Owner::Document(_))
    }

    /// The number of the content that is to be kept.
    fn generation(&self) -> u32 {
        match &self.previous {
            Some(previous) if self.previous_lives => previous.generation + 1,
            Some(previous) => previous.generation,
            None => 1,
        }
    }
}

/// Counts an attachment in its session's row; a folder has none.
fn count_attachment(bulk: &mut Bulk<'_>, session: u64) -> Result<()> {
    if session == 0 {
        Ok(())
    } else {
        bulk.count_attachment(session)
    }
}

/// The content of a file.
enum Content {
    /// In memory.
    Small(Vec<u8>),
    /// To be read piece by piece.
    Large(io::Take<File>),
}

impl Content {
    fn of(file: File, size: u64) -> io::Result<Self> {
        let mut file = file.take(size);
        if size > SMALL_BYTES {
            return Ok(Self::Large(file));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self::Small(bytes))
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

/// The sessions of a run, by agent and by the id that they wanted.
#[derive(Debug, Default)]
pub(super) struct Places<'w> {
    by_id: HashMap<(&'w str, &'w str), Vec<&'w Place>>,
}

impl<'w> Places<'w> {
    /// Sorts sessions by their ids.
    pub(super) fn new(places: &'w [Place]) -> Self {
        let mut by_id: HashMap<(&'w str, &'w str), Vec<&'w Place>> = HashMap::new();
        for place in places {
            let (agent, id) = (place.key.agent(), place.key.id());
            by_id.entry((agent, id)).or_default().push(place);
            if let Some(wanted) = names::without_number(id) {
                by_id.entry((agent, wanted)).or_default().push(place);
            }
        }
        Self { by_id }
    }

    /// The session of that id whose file lies nearest to a path; of several, the latest.
    fn nearest(&self, agent: &str, id: &str, path: &Path) -> Option<&'w Place> {
        let places = self.by_id.get(&(agent, id))?;
        places
            .iter()
            .copied()
            .max_by_key(|place| (paths::common_components(&place.folder, path), place.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;

    #[test]
    fn a_sidecar_goes_to_the_nearest_session_of_its_id() {
        let place = |id: &str, number: u64, folder: &str| Place {
            key: SessionKey::new("claude-code", id).unwrap(),
            number,
            folder: PathBuf::from(folder),
        };
        let places = [
            place("a", 1, "/home/p"),
            place("a~2", 2, "/backup/p"),
            place("ab", 3, "/"),
        ];
        let places = Places::new(&places);
        let number = |agent: &str, path: &str| {
            places
                .nearest(agent, "a", Path::new(path))
                .map(|place| place.number)
        };
        assert_eq!(number("claude-code", "/home/p/a/x.txt"), Some(1));
        assert_eq!(number("claude-code", "/backup/p/a/x.txt"), Some(2));
        assert_eq!(number("codex", "/home/p/a/x.txt"), None);
    }
}
