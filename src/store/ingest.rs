//! What an import and an export ask of a store besides the calls of [`Store`]: many sessions in one
//! transaction, and where sessions came from. It knows no engine.

use std::io::{Read, Write};
use std::path::Path;

use super::Store;
use super::builder::SessionChunk;
use super::carried::{Beside, Carried, Destination};
use super::course::StoredCourse;
use super::deleted::DeletedSession;
use super::progress::Watcher;
use super::query::{AttachmentInfo, StoreStats, VerifyReport};
pub(crate) use super::source::Source;
use crate::codec::chain::Digest;
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::record::Record;
use crate::model::session::Summary;

/// A store that whole folders can be imported into and exported from: [`import`](crate::import),
/// [`export_all`](crate::export_all) and [`export_session`](crate::export_session) take any of
/// them, so that a program can choose one when it runs.
///
/// [`RedbStore`](crate::RedbStore) is one, and so is whatever is built on the [kit](crate::kit). No other
/// can be.
///
/// ```
/// use scrollback::{ImportOptions, Ingest, Options, RedbStore, import, unwatched};
///
/// let home = tempfile::tempdir()?;
/// let store: Box<dyn Ingest> =
///     Box::new(RedbStore::open(home.path().join("sessions.redb"), Options::default())?);
/// std::fs::create_dir(home.path().join("chats"))?;
/// std::fs::write(home.path().join("chats/a.jsonl"), "{\"role\":\"user\",\"content\":\"hi\"}\n")?;
/// let paths = [home.path().join("chats")];
/// let report = import(&*store, &paths, &ImportOptions::default(), &mut unwatched)?;
/// assert_eq!(report.sessions, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Ingest: Store {
    /// The files that are kept beside a session's lines, with their sizes. Reads them.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), or [`Corrupt`](crate::Error::Corrupt).
    fn attachments(&self, key: &SessionKey) -> Result<Vec<AttachmentInfo>> {
        self.ingest().0.attachments_of(key)
    }

    /// The sessions that were deleted and that an import passes over, in the order of agents and ids.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    fn deleted(&self) -> Result<Vec<DeletedSession>> {
        self.ingest().0.marks_of_deleted()
    }

    /// Reads and checks everything that is stored. A store that is built on the [kit](crate::kit) compares every
    /// line with its session's digest chain too, as [`RedbStore::verify_deep`](crate::RedbStore::verify_deep)
    /// does for one in a file.
    ///
    /// # Errors
    ///
    /// Those of the storage, and [`Cancelled`](crate::Error::Cancelled). Damage is none: the report tells.
    fn verify(&self, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        self.ingest().0.verified(progress)
    }

    /// How much there is, by agent. Costs a row a session.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    fn stats(&self) -> Result<StoreStats> {
        self.ingest().0.counted()
    }

    /// What only this crate uses.
    #[doc(hidden)]
    fn ingest(&self) -> IngestParts<'_>;
}

/// What only this crate uses of a store.
#[derive(Debug)]
pub struct IngestParts<'s>(pub(crate) &'s dyn IngestStore);

/// A store as import and export use it.
pub(crate) trait IngestStore: Store + std::fmt::Debug {
    /// Where sessions came from.
    fn sources(&self) -> &dyn Sources;

    /// What the last restore into this store left: whoever has read numbers of sessions, and is going
    /// to write to them, compares it.
    fn restored_mark(&self) -> Result<RestoredMark>;

    /// Begins a transaction, for a caller that has read numbers of sessions since `mark`. Waits for other
    /// processes. Dropping it without a commit writes nothing.
    fn begin(&self, mark: &RestoredMark) -> Result<Box<dyn Bulk + '_>>;

    /// Shows `each` the lines of a session from a record on, one behind another, many at a time.
    fn visit_lines(
        &self,
        key: &SessionKey,
        from: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()>;

    /// Whether a scrub of the store is due.
    fn is_scrub_due(&self) -> Result<bool>;

    /// Reads a session again, if an older version has read it.
    fn reread(&self, number: u64) -> Result<()>;

    /// Whether there is any session.
    fn has_sessions(&self) -> Result<bool>;

    /// The marks of sessions that were deleted.
    fn marks_of_deleted(&self) -> Result<Vec<DeletedSession>>;

    /// Reads and checks everything.
    fn verified(&self, progress: &mut Watcher<'_>) -> Result<VerifyReport>;

    /// How much there is.
    fn counted(&self) -> Result<StoreStats>;

    /// The files that are kept beside a session's lines.
    fn attachments_of(&self, key: &SessionKey) -> Result<Vec<AttachmentInfo>>;

    /// The store's own file, which no import takes for one of an agent's.
    fn own_file(&self) -> Option<&Path>;

    /// The longest path of a file that the store can remember, in bytes. An import tells of longer ones, and
    /// takes the others.
    fn path_bytes_max(&self) -> usize;
}

/// What is stored of a file.
#[derive(Debug)]
pub(crate) struct Known {
    /// Its newest generation.
    pub source: Source,
    /// The name of the session of that, unless it is gone.
    pub key: Option<SessionKey>,
    /// Whether an older version has read that session.
    pub is_behind: bool,
}

/// The id under which the session of a home is kept, or of a beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HomeId {
    /// The agent, and the id that is not unique by itself.
    pub wanted: SessionKey,
    /// The home or the beginning.
    pub place: Vec<u8>,
    /// The id under which it is kept.
    pub id: String,
}

/// What a restore leaves in a store: no two leave the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredMark(pub Option<Vec<u8>>);

/// A session as it is now, for writing an agent's own files about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateParts {
    /// Its summary.
    pub summary: Summary,
    /// What is kept beside its lines.
    pub properties: Properties,
    /// Stored lines that are not of zero length.
    pub lines: u64,
    /// Those of them that are hidden.
    pub skip: u64,
    /// The first line; empty if there is none.
    pub first_line: Vec<u8>,
}

/// A session with its file.
#[derive(Clone, Debug)]
pub(crate) struct Filed {
    /// Its number.
    pub number: u64,
    /// Its row.
    pub row: SessionRow,
    /// Its file's order, if it has one.
    pub order: Option<FileOrder>,
    /// The sources that lead to it.
    pub sources: Vec<Source>,
}

/// Reads of sources and of their sessions, each in a snapshot of its own: a long one would keep
/// the store from using the space again of everything that an import replaces.
pub(crate) trait Sources: Sync {
    /// The newest generation of a path.
    fn newest(&self, path: &[u8]) -> Result<Option<Source>>;

    /// Every source, in the order of path and generation, in turn; stops at the first error.
    fn for_each(&self, visit: &mut dyn FnMut(Source) -> Result<()>) -> Result<()>;

    /// What is stored of each of these paths, in their order.
    fn known(&self, paths: &[Vec<u8>]) -> Result<Vec<Option<Known>>>;

    /// Every generation of a path, the newest first.
    fn generations(&self, path: &[u8]) -> Result<Vec<Source>>;

    /// The sources of a session.
    fn of_session(&self, number: u64) -> Result<Vec<Source>>;

    /// How many paths begin with these bytes. Reads keys alone.
    fn count_below(&self, prefix: &[u8]) -> Result<u64>;

    /// The number of the session of that name, if there is one.
    fn number_of(&self, key: &SessionKey) -> Result<Option<u64>>;

    /// The file order of a session, if it has one.
    fn file_order(&self, number: u64) -> Result<Option<FileOrder>>;

    /// The contents of a plain id and their sessions, by number: of one that has several, else none.
    fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>>;

    /// Every content of a plain id, with its file: those that are there, and how many there should be.
    fn filed(&self, plain: &SessionKey) -> Result<(Vec<Filed>, usize)> {
        let contents = self.contents(plain)?.into_iter();
        let mut numbers: Vec<u64> = contents.map(|(_, number)| number).collect();
        // Of an id with one content no store keeps a list.
        if numbers.is_empty() {
            numbers.extend(self.number_of(plain)?);
        }
        let mut filed = Vec::with_capacity(numbers.len());
        for number in numbers.iter().copied() {
            if let Some(row) = self.row(number)? {
                let (order, sources) = (self.file_order(number)?, self.of_session(number)?);
                filed.push(Filed {
                    number,
                    row,
                    order,
                    sources,
                });
            }
        }
        Ok((filed, numbers.len()))
    }

    /// The id under which the session of a home is kept, or of a beginning.
    fn at_home(&self, wanted: &SessionKey, home: &[u8]) -> Result<Option<String>>;

    /// The row of a session by its number.
    fn row(&self, number: u64) -> Result<Option<SessionRow>>;

    /// The course of a session: what its next lines are read by.
    fn course(&self, number: u64) -> Result<StoredCourse>;

    /// The name of a session by its number.
    fn key(&self, number: u64) -> Result<Option<SessionKey>>;

    /// The last record of a session, if it has any.
    fn last_record(&self, number: u64) -> Result<Option<Record>>;

    /// The records of a session from `first` on, up to but without `end`.
    fn records(&self, number: u64, first: u64, end: u64) -> Result<Vec<Record>>;

    /// Writes an attachment to `out`: of a session, or (number 0) of a folder.
    fn read_attachment(&self, number: u64, name: &str, out: &mut dyn Write) -> Result<()>;

    /// A session as it is now, for writing an agent's own files about it. Costs a read of all of
    /// it.
    fn session_state_parts(&self, number: u64) -> Result<StateParts>;

    /// The numbers of sessions above one, in their order, listed or not: at most so many.
    fn session_numbers(&self, after: u64, limit: usize) -> Result<Vec<u64>>;

    /// What is kept of sessions beside their lines, by their numbers: of those that are there.
    fn beside(&self, numbers: &[u64]) -> Result<Vec<(u64, Beside)>>;

    /// A session with everything that is kept of it, as it was at one moment.
    fn carried(&self, number: u64) -> Result<Option<Carried>>;

    /// Every home and beginning that is noted.
    fn homes(&self) -> Result<Vec<HomeId>>;
}

/// One write transaction of a bulk import.
pub(crate) trait Bulk: std::fmt::Debug {
    /// The newest generation of a path, as this transaction sees it: whether another process was faster.
    fn newest(&self, path: &[u8]) -> Result<Option<Source>>;

    /// Creates a session of a name that is free. Returns its number. A chunk, if an empty one, has
    /// to follow.
    fn create(&mut self, key: &SessionKey) -> Result<u64>;

    /// Creates a session of a plain id: the first one has it, another one is another content of it.
    /// Returns its number and its key. A chunk, if an empty one, has to follow, and then
    /// [`settle`](Self::settle).
    fn create_content(&mut self, key: &SessionKey) -> Result<(u64, SessionKey)>;

    /// Gives a plain id to the newest of its contents. Returns the number of that, if there is one.
    fn settle(&mut self, key: &SessionKey) -> Result<Option<u64>>;

    /// The contents of a plain id and their sessions, by number: of one that has several, else none.
    fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>>;

    /// The row of a session that is there.
    fn row(&self, number: u64) -> Result<SessionRow>;

    /// The file order of a session, if it has one.
    fn file_order(&self, number: u64) -> Result<Option<FileOrder>>;

    /// Writes the file order of a session, behind its records.
    fn write_file_order(&mut self, number: u64, order: &FileOrder) -> Result<()>;

    /// Notes the home of the session that is kept under an id, or a beginning of it.
    fn put_home(&mut self, wanted: &SessionKey, home: &[u8], id: &str) -> Result<()>;

    /// The number of the session of that name, if there is one.
    fn number_of(&self, key: &SessionKey) -> Result<Option<u64>>;

    /// Writes a chunk, perhaps in place of the last records.
    /// [`Error::Conflict`](crate::Error::Conflict) if the session got other records since the
    /// builder looked; then nothing of the chunk is written.
    ///
    /// A compaction since then leaves `next` as it was, so the counts are those of the stored row
    /// with what goes and comes here; so is the digest chain. Where records are replaced, the
    /// session is read for it, before anything is written:
    /// [`Error::Corrupt`](crate::Error::Corrupt) if it does not fit.
    ///
    /// `file` is the digest over the compared lines of the session's file so far; returned is that with
    /// the lines of the chunk.
    fn write_chunk(
        &mut self,
        number: u64,
        chunk: &SessionChunk,
        file: Option<Digest>,
    ) -> Result<Option<Digest>>;

    /// Writes an attachment from a reader, replacing one of the same name, and counts a new one in its
    /// session's row. Returns its bytes and their hash.
    fn write_attachment(
        &mut self,
        number: u64,
        name: &str,
        content: &mut dyn Read,
    ) -> Result<(u64, u128)>;

    /// Removes a source's row, and the attachment that it led to, unless another source leads there too.
    fn remove_source(&mut self, source: &Source) -> Result<()>;

    /// Writes a source's row, and notes it with its session.
    fn write_source(&mut self, source: &Source) -> Result<()>;

    /// Changes what is kept of a session beside its lines. An alias of another session stays with
    /// that one, and what passes a limit is cut or left out.
    fn change_properties(&mut self, session: u64, change: &PropertiesChange) -> Result<()>;

    /// Takes times in microseconds since 1970: the first one where no line states when the session
    /// was created, the last one if it is later than what the lines state. Where the lines state
    /// no time at all, they stand instead of the file's.
    fn apply_times(
        &mut self,
        session: u64,
        created_us: Option<i64>,
        updated_us: Option<i64>,
    ) -> Result<()>;

    /// Offers a title of a rank, as a line does.
    fn offer_title(&mut self, session: u64, title: &str, rank: u8) -> Result<()>;

    /// Offers a project, as a line does.
    fn offer_project(&mut self, session: u64, project: &str) -> Result<()>;

    /// Offers a model, which one that lines state goes before.
    fn offer_model(&mut self, session: u64, model: &str) -> Result<()>;

    /// Offers the id of the session that it comes from, which one that lines state goes before.
    fn offer_parent(&mut self, session: u64, parent: &str) -> Result<()>;

    /// Hides the first lines of a session, counted as its agent counts them.
    fn hide_lines(&mut self, session: u64, lines: u64) -> Result<()>;

    /// Takes a deletion mark away.
    fn forget_deleted(&mut self, mark: &DeletedSession) -> Result<()>;

    /// Writes a session that comes from another store, in the place of all that is there of it, or as a new
    /// one; its files are not among it. Returns its number.
    fn put_carried(&mut self, to: Destination, carried: &mut Carried) -> Result<u64>;

    /// Writes a file of a session that comes from another store. Its row counts it already.
    fn put_carried_file(&mut self, number: u64, name: &str, content: &mut dyn Read) -> Result<()>;

    /// Notes which session a content of a plain id is.
    fn put_content(&mut self, plain: &SessionKey, content: u32, number: u64) -> Result<()>;

    /// Writes a deletion mark, in the place of one that is there.
    fn put_deleted(&mut self, mark: &DeletedSession) -> Result<()>;

    /// Bytes written since the transaction began.
    fn written_bytes(&self) -> u64;

    /// Makes it durable.
    fn commit(self: Box<Self>) -> Result<()>;
}
