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
//! - In another place, what brings nothing new notes the place, and what goes on takes the content over
//!   (`document_place`).

use std::collections::HashSet;

use super::deleted::Comer;
use super::derived::{self, Content, Taken, Way};
use super::document_place::{Copy, DOCUMENT_BYTES_MAX, Destination, Finder, Reading, Repeated};
use super::homes::home_of;
use super::keep::{self, Failure, Keeper, Opened};
use super::owners::{FoundSession, FoundSessions};
use super::session_names;
use super::sidecar_facts::{self, Subject};
use super::tasks::DocumentTask;
use crate::agents::{self, Candidate, DocumentLines, SidecarFacts};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::Source;
use crate::transfer::files::hash::hash_all;
use crate::transfer::files::paths;

/// Writes sessions that are documents. In a dry run it only counts.
pub(super) struct DocumentWriter<'w, 's> {
    /// What files have in common.
    pub keeper: Keeper<'w, 's>,
    /// The sessions of the files of lines.
    pub places: FoundSessions<'w>,
    /// The sessions of the documents.
    pub made: Vec<FoundSession>,
    /// Their ids.
    pub taken: HashSet<SessionKey>,
}

impl<'s> DocumentWriter<'_, 's> {
    fn finder(&mut self) -> Finder<'_, 's> {
        Finder {
            keeper: self.keeper.again(),
            places: &self.places,
        }
    }

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
        // What this run has written may not be committed yet, and is compared as it is stored.
        if self.taken.contains(&session_names::key_of(
            task.document.agent,
            &task.document.id,
        )?) {
            self.keeper.commit()?;
        }
        // From here on no other process stores anything.
        self.keeper.check_state(&task.file, previous)?;
        let mut sought = None;
        if living.is_none() {
            let finder = self.finder();
            let found = finder.sought(task)?;
            if let Some(copy) = finder.same_elsewhere(task, &found, &mut opened)? {
                let hashed = (copy.of.row.size, copy.of.row.hash);
                return self.note_copy(task, &copy, (&opened, hashed));
            }
            sought = Some(found);
        }
        let content = opened.content(DOCUMENT_BYTES_MAX)?;
        let reading = read(task, content.bytes(), size, mtime_ns.div_euclid(1000));
        // Before the file's state is compared: a commit here may let another process in.
        self.keeper.prepare(&content)?;
        self.keeper.check_state(&task.file, previous)?;
        let home = self
            .finder()
            .home(task, (living, sought), (&reading, size))?;
        // Only where a session would be made: one that is there goes on growing, whatever was
        // deleted of its id.
        if let Destination::Session(Way::New(replaces), _) = &home
            && self.is_deleted(task, living.filter(|_| replaces.is_some()))?
        {
            return Ok(());
        }
        let (way, repeated) = match home {
            Destination::Copy(copy) => {
                let hashed = hash_all(content.bytes().unwrap_or_default())?;
                return self.note_copy(task, &copy, (&opened, hashed));
            }
            // The document is kept as a file of a session that has its lines from elsewhere.
            Destination::Beside(number) => (Err(number), None),
            Destination::Session(way, repeated) => (Ok(way), repeated),
        };
        let (is_new, is_beside) = (matches!(way, Ok(Way::New(_))), way.is_err());
        let (subject, next) = match way {
            Err(number) => (beside(task, number)?, 0),
            Ok(way) => self.store_records(task, &reading, way)?,
        };
        // A dry run has none, and writes nothing.
        let number = subject.as_ref().map_or(0, |subject| subject.number);
        let (generation, name) = name_of(task, number, (is_new, is_beside), repeated.as_ref());
        // The new content may be written over the old one below.
        let before = match &repeated {
            Some(Repeated::Elsewhere(of)) => Some(&**of),
            _ => living.filter(|_| !is_new),
        };
        let before = self.told_before(task, before, &reading)?;
        let (bytes, hash) = self.keeper.write(number, &name, content)?;
        let about = (task.document.agent, number, name);
        let mut source = keep::source_of(&task.file, generation, about, (bytes, hash, opened.look));
        // What changed while it was read may be of two contents, and is looked at again.
        source.row.complete = opened.is_settled();
        source.row.next_sequence = next;
        self.keeper.note(&source)?;
        match repeated {
            Some(Repeated::Here(first)) => self.keeper.drop_older(&source, first)?,
            Some(Repeated::Elsewhere(_)) => self.keeper.take_over(&source)?,
            None => {}
        }
        if let Some(subject) = subject.as_ref().filter(|_| !is_beside && !is_new) {
            self.note_home(task, &subject.key)?;
        }
        self.keeper.report.attachments += 1;
        self.keeper.report.attachment_bytes += size;
        if let Some(subject) = subject.filter(|_| next > 0 || is_new) {
            self.tell(&reading, before.first(), &subject)?;
        }
        Ok(())
    }

    /// Notes the place of a document that brings nothing new.
    fn note_copy(
        &mut self,
        task: &DocumentTask,
        copy: &Copy,
        (opened, (size, hash)): (&Opened, (u64, u128)),
    ) -> std::result::Result<(), Failure> {
        let look = opened.look;
        let previous = task.previous.as_ref();
        // A row that tells of a content that is kept stays.
        let again = previous.filter(|previous| {
            task.previous_lives && keep::is_of(previous, copy.number) && !keep::is_kept(previous)
        });
        let generation = match again {
            Some(again) => again.generation,
            None => keep::generation(previous, task.previous_lives),
        };
        let about = (task.document.agent, copy.number, copy.of.row.name.clone());
        let source = keep::source_of(&task.file, generation, about, (size, hash, look));
        let mut source = keep::as_copy(source);
        source.row.complete = opened.is_settled();
        source.row.next_sequence = copy.next;
        self.keeper.note(&source)?;
        self.note_home(task, &copy.key)?;
        self.made.push(FoundSession {
            key: copy.key.clone(),
            number: copy.number,
            file: task.file.path.clone(),
            is_new: false,
        });
        Ok(())
    }

    /// Notes that a session lies in the file's folder too, where ids say little.
    fn note_home(
        &mut self,
        task: &DocumentTask,
        key: &SessionKey,
    ) -> std::result::Result<(), Failure> {
        if agents::of_agent(task.document.agent).has_unique_ids() {
            return Ok(());
        }
        let wanted = session_names::key_of(task.document.agent, &task.document.id)?;
        let home = home_of(&task.file.path);
        let sources = self.keeper.store.sources();
        if let Some(transactions) = &mut self.keeper.transactions
            && sources.at_home(&wanted, &home)?.is_none()
        {
            transactions.bulk()?.put_home(&wanted, &home, key.id())?;
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

    /// Stores the new records of a content. Returns its session (`None` in a dry run), and the
    /// session's next sequence number.
    fn store_records(
        &mut self,
        task: &DocumentTask,
        reading: &Reading,
        way: Way,
    ) -> std::result::Result<(Option<Subject>, u64), Failure> {
        let wanted = session_names::key_of(task.document.agent, &task.document.id)?;
        self.taken.insert(wanted.clone());
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

/// Under which number and name a content is kept.
fn name_of(
    task: &DocumentTask,
    number: u64,
    (is_new, is_beside): (bool, bool),
    repeated: Option<&Repeated>,
) -> (u32, String) {
    let previous = task.previous.as_ref();
    let living = previous.filter(|living| task.previous_lives && keep::is_of(living, number));
    let next = keep::generation(previous, task.previous_lives);
    // A content that says nothing but what the new one says gives up its place, and its name
    // with it.
    match (repeated, living) {
        (Some(Repeated::Here(_)), Some(living)) => {
            return (living.generation, living.row.name.clone());
        }
        (Some(Repeated::Elsewhere(of)), living) => {
            let copy = living.filter(|living| living.row.is_copy());
            let generation = copy.map_or(next, |copy| copy.generation);
            return (generation, of.row.name.clone());
        }
        _ => {}
    }
    // Beside another session there may be several of the same name, from several folders; and so
    // may there be of one that lay elsewhere.
    let is_from_elsewhere = !is_new && living.is_none();
    let file_name = task.file.path.file_name();
    let name = match file_name.filter(|_| !is_beside && !is_from_elsewhere) {
        Some(name) => paths::to_name(name.as_ref()),
        None => paths::to_name(&task.file.path),
    };
    // A session that was just made has no other file of that name, whatever number the path
    // has reached.
    (next, keep::numbered(name, if is_new { 1 } else { next }))
}

/// The session beside whose records a document is kept; `None` in a dry run.
fn beside(task: &DocumentTask, number: u64) -> Result<Option<Subject>> {
    let wanted = session_names::key_of(task.document.agent, &task.document.id)?;
    Ok((number != 0).then(|| Subject::there(number, wanted)))
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
