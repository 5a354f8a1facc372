//! Sessions that are one document: its content is kept whole, as an attachment of its session, and
//! the session's records are made from it.
//!
//! - A content whose lines begin with those of the content before adds the rest to the session, and takes
//!   the place of that content. Where it says less or something else, both stay.
//! - Another content, or one of a session that somebody else has added to, is a session of its own
//!   beside the old one, as for files of lines.
//! - A document that cannot be read, or is too large to be read, is kept without records, and
//!   reported. It takes the place of those before it that could not be read either, unless it is shorter.
//! - The old form of a session that is there in its new form goes beside it, without records. Where
//!   the new form comes later, it gets the name, and the old one another (`lines`).

use super::deleted::Comer;
use super::derived::{self, Content, Continuation, Known, Stored, Taken, Way};
use super::keep::{self, Failure, Keeper, Opened};
use super::owners::{FoundSession, FoundSessions};
use super::session_names;
use super::sidecar_facts::{self, Subject};
use super::tasks::DocumentTask;
use crate::agents::{self, Agent, Candidate, DocumentLines, Placed, SidecarFacts};
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::store::Source;
use crate::transfer::files::paths;

/// Most bytes of a document that is read for its records, which takes a few times as much memory.
pub(in crate::transfer) const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Writes sessions that are documents. In a dry run it only counts.
pub(super) struct DocumentWriter<'w, 's> {
    /// What files have in common.
    pub keeper: Keeper<'w, 's>,
    /// The sessions of the files of lines.
    pub places: FoundSessions<'w>,
    /// The sessions of the documents.
    pub made: Vec<FoundSession>,
}

/// A content of a document.
struct Reading {
    dialect: &'static dyn Agent,
    /// Its lines; `None` if it was not understood or not read.
    lines: Option<DocumentLines>,
    facts: Vec<SidecarFacts>,
    placed: Placed,
    mtime_us: i64,
    /// What is wrong with it.
    problem: Option<String>,
}

/// The lines of a content that can be read, and its generation if it gave records.
type Readable = (DocumentLines, Option<u32>);

/// Where a content goes.
enum Destination {
    /// Beside the records of a session, of which it has none.
    Beside(u64),
    /// To a session. Where it goes on and a generation is told, its contents from that one on say
    /// nothing that this one does not, or nobody could read them.
    Session(Way, Option<u32>),
}

impl DocumentWriter<'_, '_> {
    /// Keeps one document.
    ///
    /// # Errors
    ///
    /// The store's errors. What is wrong with the file goes to the report.
    pub(super) fn keep(&mut self, task: &DocumentTask) -> Result<()> {
        let done = self.try_keep(task);
        self.keeper.finish(&task.file, done)
    }

    fn try_keep(&mut self, task: &DocumentTask) -> std::result::Result<(), Failure> {
        let mut opened = Opened::open(&task.file.path)?;
        let (size, mtime_ns) = (opened.look.size, opened.look.mtime_ns);
        let previous = task.previous.as_ref();
        let living = previous.filter(|_| task.previous_lives);
        if let Some(living) = living
            && opened.is_same(Some(living))?
        {
            // Here too: what it was compared with may have been replaced by another process.
            self.keeper.check_state(&task.file, previous)?;
            return self.keeper.touch(&task.file, living, opened.look);
        }
        let content = opened.content(DOCUMENT_BYTES_MAX)?;
        let reading = read(task, content.bytes(), size, mtime_ns.div_euclid(1000));
        // Before the file's state is compared: a commit here may let another process in.
        self.keeper.prepare(&content)?;
        self.keeper.check_state(&task.file, previous)?;
        let home = self.home(task, living, (&reading, size))?;
        // Only where a session would be made: one that is there goes on growing, whatever was
        // deleted of its id.
        if let Destination::Session(Way::New(replaces), _) = &home
            && self.is_deleted(task, living.filter(|_| replaces.is_some()))?
        {
            return Ok(());
        }
        let is_new = matches!(home, Destination::Session(Way::New(_), _));
        let is_beside = matches!(home, Destination::Beside(_));
        let repeated = match &home {
            Destination::Session(_, from) => *from,
            Destination::Beside(_) => None,
        };
        let (subject, next) = self.store_records(task, &reading, home)?;
        // Beside another session there may be several of the same name, from several folders.
        let name = match task.file.path.file_name().filter(|_| !is_beside) {
            Some(name) => paths::to_name(name.as_ref()),
            None => paths::to_name(&task.file.path),
        };
        // A dry run has none, and writes nothing.
        let number = subject.as_ref().map_or(0, |subject| subject.number);
        // A content that says nothing but what the new one says gives up its place, and its name
        // with it.
        let in_place = living.filter(|living| repeated.is_some() && keep::is_of(living, number));
        let generation = match in_place {
            Some(living) => living.generation,
            None => keep::generation(previous, task.previous_lives),
        };
        let name = match in_place {
            Some(living) => living.row.name.clone(),
            // A session that was just made has no other file of that name, whatever number the path
            // has reached.
            None => keep::numbered(name, if is_new { 1 } else { generation }),
        };
        // The new content may be written over the old one below.
        let before = self.told_before(task, living.filter(|_| !is_new), &reading)?;
        let (bytes, hash) = self.keeper.write(number, &name, content)?;
        let about = (task.document.agent, number, name);
        let mut source = keep::source_of(&task.file, generation, about, (bytes, hash, opened.look));
        // What changed while it was read may be of two contents, and is looked at again.
        source.row.complete = opened.is_settled();
        source.row.next_sequence = next;
        self.keeper.note(&source)?;
        if let Some(first) = repeated {
            self.keeper.drop_older(&source, first)?;
        }
        self.keeper.report.attachments += 1;
        self.keeper.report.attachment_bytes += size;
        if let Some(subject) = subject.filter(|_| next > 0 || is_new) {
            self.tell(&reading, before.first(), &subject)?;
        }
        Ok(())
    }

    /// Whether the session that a content would become was deleted. If that is asked for again, its
    /// mark is lifted.
    fn is_deleted(
        &mut self,
        task: &DocumentTask,
        living: Option<&Source>,
    ) -> std::result::Result<bool, Failure> {
        let comer = Comer {
            wanted: &session_names::key_of(task.document.agent, &task.document.id)?,
            path: &paths::to_bytes(&task.file.path),
            living: living.map(|living| living.generation),
        };
        if self.keeper.marks.passes(&comer) {
            return Ok(true);
        }
        if let Some(transactions) = &mut self.keeper.transactions {
            self.keeper.marks.lift(transactions.bulk()?, &comer)?;
        }
        Ok(false)
    }

    /// Decides where a content goes.
    fn home(
        &mut self,
        task: &DocumentTask,
        living: Option<&Source>,
        (reading, size): (&Reading, u64),
    ) -> std::result::Result<Destination, Failure> {
        let sources = self.keeper.store.sources();
        let living = living
            .filter(|living| living.row.session != 0 && living.row.kind == SourceKind::Attachment);
        let Some(living) = living else {
            // Only an old form gives way; any other document of that id is another content of it.
            let there = self.there(task)?.filter(|_| task.document.yields);
            let anew = Destination::Session(Way::New(None), None);
            return Ok(there.map_or(anew, Destination::Beside));
        };
        let number = living.row.session;
        let Some(row) = sources.row(number)? else {
            return Ok(Destination::Session(Way::New(None), None));
        };
        let has_own_records = row.next == living.row.next_sequence;
        // The agent went on in files of lines: these have the records, and the document is kept
        // beside them.
        if task.document.yields {
            let origins = sources.of_session(number)?;
            let has_lines = |source: &Source| source.row.kind == SourceKind::Lines;
            if !has_own_records || origins.iter().any(has_lines) {
                return Ok(Destination::Beside(number));
            }
        }
        if has_own_records {
            let (old, unread) = self.stored_lines(task, living, size)?;
            let goes_on = match (old, &reading.lines) {
                (Some((old, generation)), Some(new)) => {
                    let lines = old.lines.len();
                    let goes_on =
                        Known::of(old, new).and_then(|known| known.continued(new, reading.dialect));
                    goes_on.map(|goes_on| (goes_on, generation.filter(|_| goes_on.kept == lines)))
                }
                // It may be torn: nothing is added, and the next content is compared again.
                (Some(_), None) => Some((Continuation::default(), unread)),
                (None, _) => None,
            };
            if let Some((goes_on, repeated)) = goes_on {
                let key = match row.key() {
                    Ok(key) => key,
                    Err(_) => session_names::key_of(task.document.agent, &task.document.id)?,
                };
                let there = Stored { number, key, row };
                let way = Way::Grown(Box::new(there), goes_on);
                return Ok(Destination::Session(way, repeated));
            }
        }
        Ok(Destination::Session(Way::New(sources.key(number)?), None))
    }

    /// The session that has the document's id already.
    fn there(&mut self, task: &DocumentTask) -> std::result::Result<Option<u64>, Failure> {
        let (agent, id) = (task.document.agent, task.document.id.as_str());
        if let Some(place) = self.places.nearest(agent, id, &task.file.path) {
            return Ok(Some(place.number));
        }
        let key = session_names::key_of(agent, id)?;
        Ok(self.keeper.number_of(&key)?)
    }

    /// The lines of the newest stored content that can be read, and its generation if it gave records;
    /// `None` if none can. And from which generation on none can be read, and none is longer than `size`.
    fn stored_lines(
        &self,
        task: &DocumentTask,
        living: &Source,
        size: u64,
    ) -> std::result::Result<(Option<Readable>, Option<u32>), Failure> {
        let dialect = agents::of_agent(task.document.agent);
        let has_records = living.row.next_sequence > 0;
        let (mut unread, mut is_longer) = (None, false);
        for source in self.keeper.store.sources().generations(&living.path)? {
            if !keep::is_of(&source, living.row.session) {
                continue;
            }
            let lines = if has_records && source.row.size <= DOCUMENT_BYTES_MAX {
                dialect.document_lines(&self.keeper.stored(&source)?)
            } else {
                None
            };
            if let Some(lines) = lines {
                return Ok((Some((lines, Some(source.generation))), unread));
            }
            // A longer one that cannot be read may be torn less than this one: it stays, and so
            // does what is before it.
            is_longer |= source.row.size > size;
            if !is_longer {
                unread = Some(source.generation);
            }
        }
        // Nobody could read any of them, so a content that can be read has nothing to be compared
        // with.
        let none = (!has_records).then(|| (DocumentLines::default(), None));
        Ok((none, unread))
    }

    /// Stores the new records of a content. Returns its session (`None` in a dry run), and the
    /// session's next sequence number if the records are the document's.
    fn store_records(
        &mut self,
        task: &DocumentTask,
        reading: &Reading,
        home: Destination,
    ) -> std::result::Result<(Option<Subject>, u64), Failure> {
        let wanted = session_names::key_of(task.document.agent, &task.document.id)?;
        let way = match home {
            // The document is kept as a file of a session that has its lines from elsewhere.
            Destination::Beside(number) => {
                let subject = (number != 0).then(|| Subject::there(number, wanted));
                return Ok((subject, 0));
            }
            Destination::Session(way, _) => way,
        };
        let none = DocumentLines::default();
        let content = Content {
            agent: reading.dialect,
            lines: reading.lines.as_ref().unwrap_or(&none),
            placed: &reading.placed,
            mtime_us: reading.mtime_us,
        };
        let file = task.file.name_path();
        let Taken {
            number,
            key,
            is_new,
            next,
            problems,
        } = derived::store(&mut self.keeper, (&wanted, &task.file), &content, way)?;
        let report = &mut *self.keeper.report;
        for reason in problems.into_iter().chain(reading.problem.clone()) {
            report.add_file_problem(file, reason);
        }
        report.malformed += u64::from(reading.problem.is_some());
        // Sidecars that come behind the documents look for their sessions here.
        self.made.push(FoundSession {
            key: key.clone(),
            number,
            file: task.file.path.clone(),
            is_new: is_new && number != 0,
        });
        let subject = match &self.keeper.transactions {
            None => None,
            Some(_) if is_new => Some(Subject::made(number, key)),
            Some(_) => Some(Subject::there(number, key)),
        };
        Ok((subject, next))
    }

    /// What the content of a document that is stored tells of its session besides its lines: read before
    /// another one takes its place.
    fn told_before(
        &self,
        task: &DocumentTask,
        living: Option<&Source>,
        reading: &Reading,
    ) -> std::result::Result<Vec<SidecarFacts>, Failure> {
        let is_read = |living: &&Source| living.row.size <= DOCUMENT_BYTES_MAX;
        let (Some(living), false) = (living.filter(is_read), reading.facts.is_empty()) else {
            return Ok(Vec::new());
        };
        let stored = self.keeper.stored(living)?;
        Ok(reading
            .dialect
            .sidecar_facts(task.file.name_path(), &stored))
    }

    /// Hands on what a document tells of its session besides its lines.
    fn tell(
        &mut self,
        reading: &Reading,
        before: Option<&SidecarFacts>,
        subject: &Subject,
    ) -> std::result::Result<(), Failure> {
        let Some(now) = reading.facts.first() else {
            return Ok(());
        };
        let store = self.keeper.store;
        if let Some(transactions) = &mut self.keeper.transactions {
            sidecar_facts::tell_one(transactions.bulk()?, store, subject, now, before)?;
        }
        Ok(())
    }
}

/// Reads a content.
fn read(task: &DocumentTask, bytes: Option<&[u8]>, size: u64, mtime_us: i64) -> Reading {
    let agent = task.document.agent;
    let dialect = agents::of_agent(agent);
    let path = task.file.name_path();
    let candidate = Candidate::new(path, bytes.unwrap_or_default());
    let lines = bytes.and_then(|bytes| dialect.document_lines(bytes));
    let facts = match (bytes, &lines) {
        (Some(bytes), Some(_)) => dialect.sidecar_facts(path, bytes),
        _ => Vec::new(),
    };
    let problem = match (bytes, &lines) {
        (None, _) => Some(format!(
            "has {size} bytes; documents up to {DOCUMENT_BYTES_MAX} bytes are read; kept whole, \
             without records"
        )),
        // An agent without a format of its own has no records.
        (Some(_), None) if agents::named(agent).is_some() => Some(format!(
            "cannot be read as a session of `{agent}`; kept whole, without records"
        )),
        _ => None,
    };
    Reading {
        dialect,
        lines,
        facts,
        placed: dialect.placed(&candidate),
        mtime_us,
        problem,
    }
}
