//! Sessions that are one document: each content is kept whole, as an attachment of its session, and
//! the session's records are made from it.
//!
//! - A content whose lines begin with those of the content before adds the rest to the session.
//! - Another content, or one of a session that somebody else has added to, is a session of its own
//!   beside the old one, as for files of lines.
//! - A document that cannot be read, or is too large to be read, is kept without records, and
//!   reported.
//! - The old form of a session that is there in its new form goes beside it, without records. Where
//!   the new form comes later, it gets the name, and the old one another (`lines`).

use super::deleted::Comer;
use super::derived::{self, Continuation, Derived, Known};
use super::keep::{self, Failure, Keeper, Opened};
use super::owners::{Place, Places};
use super::resume::Counts;
use super::session_names;
use super::sidecar_facts::{self, Subject};
use super::tasks::DocumentTask;
use crate::agents::{self, Agent, Candidate, DocumentLines, Placed, SidecarFacts};
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::{SessionBuilder, Source};
use crate::transfer::files::paths;

/// Most bytes of a document that is read for its records, which takes a few times as much memory.
pub(in crate::transfer) const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Writes sessions that are documents. In a dry run it only counts.
pub(super) struct DocumentWriter<'w, 's> {
    /// What files have in common.
    pub keeper: Keeper<'w, 's>,
    /// The sessions of the files of lines.
    pub places: Places<'w>,
    /// The sessions of the documents.
    pub made: Vec<Place>,
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

/// Where a content goes.
enum Home {
    /// Beside the records of a session, of which it has none.
    Beside(u64),
    /// To the session of the content before.
    Grown(u64, Box<SessionRow>, Continuation),
    /// To a session of its own.
    New(Option<SessionKey>),
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
        let (size, mtime_ns) = (opened.size, opened.mtime_ns);
        let previous = task.previous.as_ref();
        let living = previous.filter(|_| task.previous_lives);
        if let Some(living) = living
            && opened.is_same(Some(living))?
        {
            self.keeper.check_state(&task.file, previous)?;
            return self.keeper.touch(&task.file, living, mtime_ns);
        }
        let content = opened.content(DOCUMENT_BYTES_MAX)?;
        let reading = read(task, content.bytes(), size, mtime_ns.div_euclid(1000));
        self.keeper.prepare(&content)?;
        self.keeper.check_state(&task.file, previous)?;
        let home = self.home(task, living, &reading)?;
        if let Home::New(replaces) = &home
            && self.is_deleted(task, living.filter(|_| replaces.is_some()))?
        {
            return Ok(());
        }
        let generation = keep::generation(previous, task.previous_lives);
        let is_new = matches!(home, Home::New(_));
        let is_beside = matches!(home, Home::Beside(_));
        let (subject, next) = self.store_records(task, &reading, home)?;
        // Beside another session there may be several of the same name, from several folders.
        let name = match task.file.path.file_name().filter(|_| !is_beside) {
            Some(name) => paths::to_name(name.as_ref()),
            None => paths::to_name(&task.file.path),
        };
        let name = keep::numbered(name, if is_new { 1 } else { generation });
        let number = subject.as_ref().map_or(0, |subject| subject.number);
        let (bytes, hash) = self.keeper.write(number, &name, content)?;
        let about = (task.document.agent, number, name);
        let mut source = keep::source_of(&task.file, generation, about, (bytes, hash, mtime_ns));
        source.row.next_sequence = next;
        self.keeper.note(&source)?;
        self.keeper.report.attachments += 1;
        self.keeper.report.attachment_bytes += size;
        if let Some(subject) = subject.filter(|_| next > 0 || is_new) {
            self.tell(task, living.filter(|_| !is_new), &reading, &subject)?;
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
        reading: &Reading,
    ) -> std::result::Result<Home, Failure> {
        let sources = self.keeper.store.sources();
        let living = living
            .filter(|living| living.row.session != 0 && living.row.kind == SourceKind::Attachment);
        let Some(living) = living else {
            let there = self.there(task)?.filter(|_| task.document.yields);
            return Ok(there.map_or(Home::New(None), Home::Beside));
        };
        let number = living.row.session;
        let Some(row) = sources.row(number)? else {
            return Ok(Home::New(None));
        };
        let has_own_records = row.next == living.row.next_sequence;
        if task.document.yields {
            let origins = sources.of_session(number)?;
            let has_lines = |source: &Source| source.row.kind == SourceKind::Lines;
            if !has_own_records || origins.iter().any(has_lines) {
                return Ok(Home::Beside(number));
            }
        }
        if has_own_records {
            let old = self.stored_lines(task, living)?;
            let goes_on = match (old, &reading.lines) {
                (Some(old), Some(new)) => {
                    Known::of(old, new).and_then(|known| known.continued(new, reading.dialect))
                }
                // It may be torn: nothing is added, and the next content is compared again.
                (Some(_), None) => Some(Continuation::default()),
                (None, _) => None,
            };
            if let Some(goes_on) = goes_on {
                return Ok(Home::Grown(number, Box::new(row), goes_on));
            }
        }
        Ok(Home::New(sources.key(number)?))
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

    /// The lines of the newest stored content that can be read; `None` if none can.
    fn stored_lines(
        &self,
        task: &DocumentTask,
        living: &Source,
    ) -> std::result::Result<Option<DocumentLines>, Failure> {
        if living.row.next_sequence == 0 {
            return Ok(Some(DocumentLines::default()));
        }
        let dialect = agents::of_agent(task.document.agent);
        for source in self.keeper.store.sources().generations(&living.path)? {
            let is_of_session = source.row.session == living.row.session
                && source.row.kind == SourceKind::Attachment
                && source.row.size <= DOCUMENT_BYTES_MAX;
            if is_of_session
                && let Some(lines) = dialect.document_lines(&self.keeper.stored(&source)?)
            {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// Stores the new records of a content. Returns its session (`None` in a dry run), and the
    /// session's next sequence number if the records are the document's.
    fn store_records(
        &mut self,
        task: &DocumentTask,
        reading: &Reading,
        home: Home,
    ) -> std::result::Result<(Option<Subject>, u64), Failure> {
        let wanted = session_names::key_of(task.document.agent, &task.document.id)?;
        let (mtime_us, none) = (reading.mtime_us, DocumentLines::default());
        let mut stored = Counts::default();
        let new = reading.lines.as_ref().unwrap_or(&none);
        let (builder, goes_on, there, replaces) = match home {
            Home::Beside(number) => {
                let subject = (number != 0).then(|| Subject::there(number, wanted));
                return Ok((subject, 0));
            }
            Home::Grown(number, row, goes_on) => {
                let key = row.key().unwrap_or_else(|_| wanted.clone());
                let sources = self.keeper.store.sources();
                let tail = goes_on.replaced(new, sources, (number, &row))?;
                stored = Counts::of_row(&row);
                let builder = SessionBuilder::resume(*row, reading.dialect, tail, mtime_us);
                (builder, goes_on, Some((number, key)), None)
            }
            Home::New(replaces) => {
                let builder = SessionBuilder::new(&wanted, reading.dialect, mtime_us);
                (builder, Continuation::ANEW, None, replaces)
            }
        };
        let Derived {
            chunk,
            added,
            problems,
        } = derived::build(builder, stored, goes_on.lines(new), &reading.placed);
        let next = chunk.row.next;
        let report = &mut *self.keeper.report;
        report.sessions += u64::from(there.is_none());
        report.sessions_grown += u64::from(there.is_some() && added.records > 0);
        report.add(added);
        for reason in problems.into_iter().chain(reading.problem.clone()) {
            report.add_file_problem(task.file.name_path(), reason);
        }
        report.malformed += u64::from(reading.problem.is_some());
        let subject = match (&mut self.keeper.transactions, there) {
            (None, _) => None,
            (Some(transactions), Some((number, key))) => {
                let bulk = transactions.bulk()?;
                bulk.write_chunk(number, &chunk, None)?;
                if !task.file.is_older {
                    bulk.settle(&wanted)?;
                }
                Some(Subject::there(number, key))
            }
            (Some(transactions), None) => {
                let bulk = transactions.bulk()?;
                let (number, key) = session_names::create_beside(bulk, &wanted)?;
                bulk.write_chunk(number, &chunk, None)?;
                if !task.file.is_older {
                    bulk.settle(&wanted)?;
                }
                Some(Subject::made(number, key))
            }
        };
        if let Some(replaced) = &replaces {
            let key = subject.as_ref().map(Subject::key);
            self.keeper
                .report
                .add_generation(task.file.name_path(), key, replaced);
        }
        self.made.push(Place {
            key: subject
                .as_ref()
                .map_or(wanted, |subject| subject.key().clone()),
            number: subject.as_ref().map_or(0, |subject| subject.number),
            file: task.file.path.clone(),
            is_new: subject.as_ref().is_some_and(Subject::is_new),
        });
        Ok((subject, next))
    }

    /// Hands on what a document tells of its session besides its lines.
    fn tell(
        &mut self,
        task: &DocumentTask,
        living: Option<&Source>,
        reading: &Reading,
        subject: &Subject,
    ) -> std::result::Result<(), Failure> {
        let Some(now) = reading.facts.first() else {
            return Ok(());
        };
        let before = match living.filter(|living| living.row.size <= DOCUMENT_BYTES_MAX) {
            Some(living) => {
                let stored = self.keeper.stored(living)?;
                reading
                    .dialect
                    .sidecar_facts(task.file.name_path(), &stored)
            }
            None => Vec::new(),
        };
        let store = self.keeper.store;
        if let Some(transactions) = &mut self.keeper.transactions {
            sidecar_facts::tell_one(transactions.bulk()?, store, subject, now, before.first())?;
        }
        Ok(())
    }
}

/// Reads a content.
fn read(task: &DocumentTask, bytes: Option<&[u8]>, size: u64, mtime_us: i64) -> Reading {
    let agent = task.document.agent;
    let dialect = agents::of_agent(agent);
    let path = task.file.name_path();
    let candidate = Candidate {
        path,
        head: bytes.unwrap_or_default(),
        companion: None,
    };
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
