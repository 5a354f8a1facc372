//! Which stored session a document goes on from, or is a copy of.
//!
//! In its own place a document is compared with what was read there. In any other place (a renamed
//! project, a backup, an export) it is compared with the documents of its id: where the agent's ids
//! are unique, with every content; else with the session of its folder and, if enough is said to tell
//! two apart, with those of other folders.

use super::derived::{self, Continuation, Known, Stored, Way};
use super::homes::home_of;
use super::identity::{COMMON_BYTES, COMMON_LINES};
use super::keep::{self, Failure, Keeper, Opened};
use super::owners::FoundSessions;
use super::session_names;
use super::tasks::DocumentTask;
use crate::agents::{self, Agent, DocumentLines, Placed, SidecarFacts};
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::{Filed, Source};

/// Most bytes of a document that is read for its records, which takes a few times as much memory.
pub(in crate::transfer) const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A content of a document.
pub(super) struct Reading {
    /// Whose it is.
    pub dialect: &'static dyn Agent,
    /// Its lines; `None` if it was not understood or not read.
    pub lines: Option<DocumentLines>,
    /// What it tells of its session besides.
    pub facts: Vec<SidecarFacts>,
    /// What its place tells.
    pub placed: Placed,
    /// When the file was changed.
    pub mtime_us: i64,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// The lines of a content that can be read, and its generation if it gave records.
type Readable = (DocumentLines, Option<u32>);

/// Where a content goes.
pub(super) enum Destination {
    /// Beside the records of a session, of which it has none.
    Beside(u64),
    /// To a session. What it repeats says nothing that it does not say.
    Session(Way, Option<Repeated>),
    /// Nowhere: it is a copy of what is stored, or an older state of it.
    Copy(Box<Copy>),
}

/// What a content says again, so that its own bytes are enough.
pub(super) enum Repeated {
    /// The contents of its path from this generation on; or nobody could read them.
    Here(u32),
    /// The content of another place.
    Elsewhere(Box<Source>),
}

/// A document that brings nothing new.
pub(super) struct Copy {
    /// Whose it is.
    pub number: u64,
    /// The name of that.
    pub key: SessionKey,
    /// The file whose content is kept.
    pub of: Source,
    /// The sequence number after the records that it has.
    pub next: u64,
}

/// Sessions that a document may be, each with its file.
pub(super) struct Sought {
    /// The contents.
    filed: Vec<Filed>,
    /// Whether they are found by an id that says little.
    is_weak: bool,
}

/// Finds the sessions of documents.
pub(super) struct Finder<'f, 's> {
    /// What is stored.
    pub keeper: Keeper<'f, 's>,
    /// The sessions of the files of lines.
    pub places: &'f FoundSessions<'f>,
}

impl Finder<'_, '_> {
    /// The session of which a file in another place has just these bytes.
    pub(super) fn same_elsewhere(
        &self,
        task: &DocumentTask,
        sought: &Sought,
        opened: &mut Opened,
    ) -> std::result::Result<Option<Copy>, Failure> {
        for filed in &sought.filed {
            for source in &filed.sources {
                // One that gave no records lies beside those of somebody, unless nobody could read it.
                let is_its = source.row.next_sequence > 0 || filed.row.next == 0;
                let is_document = keep::is_kept(source) && is_its;
                if !is_document || !opened.is_same(Some(source))? {
                    continue;
                }
                if sought.is_weak {
                    let stored = self.keeper.stored(source)?;
                    let lines = agents::of_agent(task.document.agent).document_lines(&stored);
                    if !lines.is_some_and(|lines| is_enough(&lines)) {
                        continue;
                    }
                }
                return Ok(Some(Copy {
                    number: filed.number,
                    key: key_of(task, &filed.row)?,
                    next: source.row.next_sequence,
                    of: source.clone(),
                }));
            }
        }
        Ok(None)
    }

    /// Decides where a content goes.
    pub(super) fn home(
        &mut self,
        task: &DocumentTask,
        (living, sought): (Option<&Source>, Option<Sought>),
        (reading, size): (&Reading, u64),
    ) -> std::result::Result<Destination, Failure> {
        let living = living
            .filter(|living| living.row.session != 0 && living.row.kind == SourceKind::Attachment);
        // What nobody could read is everybody's beginning: it tells nothing while another place does.
        let read = living.filter(|living| living.row.next_sequence > 0);
        if let Some(living) = read
            && let Some(here) = self.here(task, living, (reading, size))?
        {
            return Ok(here);
        }
        let sought = match sought {
            Some(sought) => sought,
            None => self.sought(task)?,
        };
        if let Some(elsewhere) = self.elsewhere(task, living, (reading, sought))? {
            return Ok(elsewhere);
        }
        if let Some(living) = living.filter(|_| read.is_none())
            && let Some(here) = self.here(task, living, (reading, size))?
        {
            return Ok(here);
        }
        let Some(living) = living else {
            // Only an old form gives way; any other document of that id is another content of it.
            let there = self.there(task)?.filter(|_| task.document.yields);
            let anew = Destination::Session(Way::New(None), None);
            return Ok(there.map_or(anew, Destination::Beside));
        };
        let replaces = self.keeper.store.sources().key(living.row.session)?;
        Ok(Destination::Session(Way::New(replaces), None))
    }

    /// How a content goes on from what was read in its place, if it does.
    fn here(
        &self,
        task: &DocumentTask,
        living: &Source,
        (reading, size): (&Reading, u64),
    ) -> std::result::Result<Option<Destination>, Failure> {
        let sources = self.keeper.store.sources();
        let number = living.row.session;
        let Some(row) = sources.row(number)? else {
            return Ok(None);
        };
        let has_own_records = row.next == living.row.next_sequence;
        // The agent went on in files of lines: these have the records, and the document is kept
        // beside them.
        if task.document.yields {
            let origins = sources.of_session(number)?;
            let has_lines = |source: &Source| source.row.kind == SourceKind::Lines;
            let is_read_elsewhere = |source: &Source| {
                source.row.next_sequence == row.next && source.path != living.path
            };
            let went_on = !has_own_records && !origins.iter().any(is_read_elsewhere);
            if went_on || origins.iter().any(has_lines) {
                return Ok(Some(Destination::Beside(number)));
            }
        }
        if living.row.is_copy() && reading.lines.is_none() {
            return self.torn_copy(living, key_of(task, &row)?);
        }
        // A copy's content is kept for another place.
        if !has_own_records || living.row.is_copy() {
            return Ok(None);
        }
        let (old, unread) = self.stored_lines(task, living, size)?;
        let goes_on = match (old, &reading.lines) {
            (Some((old, generation)), Some(new)) => {
                let lines = old.lines.len();
                let goes_on =
                    Known::of(&old, new).and_then(|known| known.continued(new, reading.dialect));
                goes_on.map(|goes_on| (goes_on, generation.filter(|_| goes_on.kept == lines)))
            }
            // It may be torn: nothing is added, and the next content is compared again.
            (Some(_), None) => Some((Continuation::default(), unread)),
            (None, _) => None,
        };
        let Some((goes_on, repeated)) = goes_on else {
            return Ok(None);
        };
        let key = key_of(task, &row)?;
        let way = Way::Grown(Box::new(Stored { number, key, row }), goes_on);
        let repeated = repeated.map(Repeated::Here);
        Ok(Some(Destination::Session(way, repeated)))
    }

    /// A copy that cannot be read: it may be torn, and the next content is compared again.
    fn torn_copy(
        &self,
        living: &Source,
        key: SessionKey,
    ) -> std::result::Result<Option<Destination>, Failure> {
        let number = living.row.session;
        let mut origins = self.keeper.store.sources().of_session(number)?.into_iter();
        let of = origins.find(|source| keep::is_kept(source) && source.row.name == living.row.name);
        Ok(of.map(|of| {
            let next = living.row.next_sequence;
            Destination::Copy(Box::new(Copy {
                number,
                key,
                of,
                next,
            }))
        }))
    }

    /// The session of another place that a content goes on from, or whose older state it is.
    fn elsewhere(
        &mut self,
        task: &DocumentTask,
        living: Option<&Source>,
        (reading, sought): (&Reading, Sought),
    ) -> std::result::Result<Option<Destination>, Failure> {
        let Some(new) = &reading.lines else {
            return Ok(None);
        };
        for filed in sought.filed {
            let documents = filed.sources.iter().filter(|source| {
                keep::is_kept(source)
                    && source.row.next_sequence > 0
                    && source.row.size <= DOCUMENT_BYTES_MAX
            });
            let Some(of) =
                documents.max_by_key(|source| (source.row.next_sequence, source.row.mtime_ns))
            else {
                continue;
            };
            // What its own place says of it was looked at.
            if living.is_some_and(|living| {
                keep::is_kept(living)
                    && living.path == of.path
                    && keep::is_of(of, living.row.session)
            }) {
                continue;
            }
            let Some(old) = reading.dialect.document_lines(&self.keeper.stored(of)?) else {
                continue;
            };
            // Where ids say little, two sessions may begin alike.
            let is_enough = |lines| !sought.is_weak || is_enough(lines);
            let follows = |old: &DocumentLines, new: &DocumentLines| {
                let known = Known::of(old, new)?;
                known.continued(new, reading.dialect)
            };
            // Each may follow from the other where they differ in what is open or in what comes
            // behind all lines: the newer file is the later state then.
            let is_newer = task.file.mtime_ns > of.row.mtime_ns;
            let is_older = follows(new, &old).is_some() && is_enough(new);
            let goes_on = follows(&old, new)
                .filter(|_| filed.row.next == of.row.next_sequence && is_enough(&old));
            let key = key_of(task, &filed.row)?;
            if let Some(goes_on) = goes_on.filter(|_| is_newer || !is_older) {
                let says_all = goes_on.kept == old.lines.len();
                let repeated = says_all.then(|| Repeated::Elsewhere(Box::new(of.clone())));
                let Filed { number, row, .. } = filed;
                let there = Stored { number, key, row };
                let way = Way::Grown(Box::new(there), goes_on);
                return Ok(Some(Destination::Session(way, repeated)));
            }
            if is_older {
                let records = derived::records_of(&new.lines);
                return Ok(Some(Destination::Copy(Box::new(Copy {
                    number: filed.number,
                    key,
                    next: records.min(of.row.next_sequence),
                    of: of.clone(),
                }))));
            }
        }
        Ok(None)
    }

    /// The sessions that a document may be which lies in no place that was read before.
    pub(super) fn sought(&self, task: &DocumentTask) -> std::result::Result<Sought, Failure> {
        let wanted = session_names::key_of(task.document.agent, &task.document.id)?;
        let sources = self.keeper.store.sources();
        let mut is_weak = false;
        let mut filed = if agents::of_agent(task.document.agent).has_unique_ids() {
            sources.filed(&wanted)?.0
        } else if let Some(id) = sources.at_home(&wanted, &home_of(&task.file.path))? {
            sources.filed(&SessionKey::new(wanted.agent(), id)?)?.0
        } else {
            is_weak = true;
            session_names::with_numbers(sources, &wanted)?
                .iter()
                .map(|key| Ok(sources.filed(key)?.0))
                .collect::<Result<Vec<_>>>()?
                .concat()
        };
        // What an agent went on with in files of lines is no longer told by any document.
        filed.retain(|filed| {
            let has_lines = |source: &Source| source.row.kind == SourceKind::Lines;
            !filed.sources.iter().any(has_lines)
        });
        // Of two that fit, the newest is meant.
        filed.sort_by_key(|filed| {
            let row = &filed.row;
            std::cmp::Reverse((row.is_listed(), row.updated_us, row.content))
        });
        Ok(Sought { filed, is_weak })
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
}

/// The name of a session that is there.
fn key_of(task: &DocumentTask, row: &SessionRow) -> Result<SessionKey> {
    let named = row.key();
    named.or_else(|_| session_names::key_of(task.document.agent, &task.document.id))
}

/// Whether so much is said that another session hardly says the same.
fn is_enough(lines: &DocumentLines) -> bool {
    let bytes: u64 = lines.lines.iter().map(|line| line.len() as u64).sum();
    lines.lines.len() >= COMMON_LINES && bytes >= COMMON_BYTES
}
