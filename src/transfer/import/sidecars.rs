//! Keeps the files beside sessions whole, each in its newest content, and hands on what they tell of
//! them.

use std::path::Path;

use super::deleted::Comer;
use super::keep::{self, Failure, Keeper, Opened};
use super::owners::FoundSessions;
use super::session_names;
use super::sidecar_facts::{self, FACTS_BYTES_MAX, Subject, Told};
use super::tasks::{KeptFile, SidecarTask};
use super::unpacked;
use crate::agents::{self, Sidecar, SidecarFacts};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::{SessionBuilder, Source};
use crate::transfer::files::paths;

/// Writes sidecars. In a dry run it only counts.
pub(super) struct SidecarWriter<'w, 's> {
    /// What files have in common.
    pub keeper: Keeper<'w, 's>,
    /// The sessions of the files of this run.
    pub places: FoundSessions<'w>,
}

/// Where a file goes.
struct KeptAs {
    /// The session; `None` for a folder.
    session: Option<Subject>,
    /// Its name there.
    name: String,
}

impl SidecarWriter<'_, '_> {
    /// Keeps one file.
    ///
    /// # Errors
    ///
    /// The store's errors. What is wrong with the file goes to the report.
    pub(super) fn keep(&mut self, task: &SidecarTask) -> Result<()> {
        let done = self.try_keep(task);
        self.keeper.finish(&task.file, done)
    }

    /// Lets an unchanged file tell of sessions that this run has made. It is not opened: what it
    /// says is stored.
    ///
    /// # Errors
    ///
    /// The store's errors.
    pub(super) fn retell(&mut self, kept: &KeptFile) -> Result<()> {
        let Some(transactions) = &mut self.keeper.transactions else {
            return Ok(());
        };
        if kept.size <= FACTS_BYTES_MAX && !kept.name.is_empty() {
            let store = self.keeper.store;
            sidecar_facts::retell(transactions.bulk()?, store, &self.places, kept)?;
            transactions.commit_if_due()?;
        }
        Ok(())
    }

    fn try_keep(&mut self, task: &SidecarTask) -> std::result::Result<(), Failure> {
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
        // Before the content is taken, which moves the file on.
        let is_packed = !is_called_packed(task) || unpacked::unpacks(&mut opened.file)?;
        let content = opened.content(FACTS_BYTES_MAX)?;
        // What an older file said a newer one has said too, or taken back.
        let told = content.bytes().filter(|_| !task.file.is_older);
        let now = told.map_or_else(Vec::new, |bytes| {
            agents::of_agent(task.agent).sidecar_facts(task.file.name_path(), bytes)
        });
        let unused = unused(content.bytes(), size).filter(|_| tells(task));
        // A large content is read within the transaction: what came before is committed first. Then
        // the state is compared, as another process may have come in between.
        self.keeper.prepare(&content)?;
        self.keeper.check_state(&task.file, previous)?;
        let Some(home) = self.home(task, &now, mtime_ns)? else {
            return Ok(());
        };
        let session = home.session.as_ref().map_or(0, |subject| subject.number);
        // What it said before is read before it is replaced.
        let before = match (now.is_empty(), living) {
            (false, Some(living)) => self.told_before(task, living)?,
            _ => Vec::new(),
        };
        let in_place = living.filter(|living| keep::is_of(living, session));
        let (generation, name) = if let Some(living) = in_place {
            (living.generation, living.row.name.clone())
        } else {
            let generation = keep::generation(previous, task.previous_lives);
            (generation, keep::numbered(home.name, generation))
        };
        let (bytes, hash) = self.keeper.write(session, &name, content)?;
        let about = (task.agent, session, name);
        let mut source = keep::source_of(&task.file, generation, about, (bytes, hash, opened.look));
        source.row.complete = opened.is_settled();
        self.keeper.note(&source)?;
        // Of a file beside sessions one content is kept.
        self.keeper.drop_older(&source, 0)?;
        if !now.is_empty() {
            self.tell(task, before, now, home.session)?;
        }
        self.keeper.report.attachments += 1;
        self.keeper.report.attachment_bytes += size;
        if let Some(reason) = unused {
            let path = task.file.name_path();
            self.keeper.report.add_file_problem(path, reason);
        }
        if !is_packed {
            let reason = format!("{}; kept whole", unpacked::NOT_PACKED);
            self.keeper.report.malformed += 1;
            let path = task.file.name_path();
            self.keeper.report.add_file_problem(path, reason);
        }
        Ok(())
    }

    /// What the content of a file that is stored tells of sessions.
    fn told_before(
        &self,
        task: &SidecarTask,
        living: &Source,
    ) -> std::result::Result<Vec<SidecarFacts>, Failure> {
        if living.row.size > FACTS_BYTES_MAX || living.row.name.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.keeper.stored(living)?;
        let agent = agents::of_agent(task.agent);
        Ok(agent.sidecar_facts(task.file.name_path(), &stored))
    }

    /// Hands on what a file tells of sessions.
    fn tell(
        &mut self,
        task: &SidecarTask,
        before: Vec<SidecarFacts>,
        now: Vec<SidecarFacts>,
        owner: Option<Subject>,
    ) -> std::result::Result<(), Failure> {
        let told = Told {
            agent: task.agent,
            path: &task.file.path,
            now,
            before,
            owner,
        };
        if let Some(transactions) = &mut self.keeper.transactions {
            let store = self.keeper.store;
            sidecar_facts::tell(transactions.bulk()?, store, &self.places, &told)?;
        }
        Ok(())
    }

    /// The session that a file goes to, and its name there; `None` if the session was deleted.
    fn home(
        &mut self,
        task: &SidecarTask,
        now: &[SidecarFacts],
        mtime_ns: i64,
    ) -> std::result::Result<Option<KeptAs>, Failure> {
        let name = paths::to_name(&task.file.path);
        let Sidecar::Session(id) = &task.owner else {
            let session = None;
            return Ok(Some(KeptAs { session, name }));
        };
        if let Some(place) = self.places.owner(task.agent, id, &task.file.path) {
            let folder = place.file.parent().unwrap_or(&place.file);
            let below = task.file.path.strip_prefix(folder).ok();
            return Ok(Some(KeptAs {
                name: below.map_or(name, paths::to_name),
                session: Some(Subject::of_place(place)),
            }));
        }
        // An index tells of many sessions and is none's; a file about one session names it.
        let about = match now {
            [about] => Some(about),
            _ => None,
        };
        let ids = [about.map(|about| about.id.as_str()), Some(id.as_str())];
        // A session that is there gets the file, whatever was deleted of that id.
        for id in ids.into_iter().flatten() {
            let key = session_names::key_of(task.agent, id)?;
            if let Some(number) = self.keeper.number_of(&key)? {
                let session = Some(Subject::there(number, key));
                return Ok(Some(KeptAs { session, name }));
            }
        }
        // A meta file that its agent left behind would make the deleted session again, empty.
        for id in ids.into_iter().flatten() {
            if self.is_deleted(task, id)? {
                return Ok(None);
            }
        }
        let session = match about.filter(|about| sidecar_facts::is_a_session(about)) {
            Some(about) => {
                let key = session_names::key_of(task.agent, &about.id)?;
                Some(self.make(key, &task.file.path, mtime_ns)?)
            }
            None => None,
        };
        let name = match (&session, task.file.path.file_name()) {
            (Some(_), Some(own)) => paths::to_name(own.as_ref()),
            _ => name,
        };
        Ok(Some(KeptAs { session, name }))
    }

    /// Whether a session that a file lies beside was deleted. If that is asked for again, its mark is
    /// lifted.
    fn is_deleted(&mut self, task: &SidecarTask, id: &str) -> std::result::Result<bool, Failure> {
        let comer = Comer {
            wanted: &session_names::key_of(task.agent, id)?,
            path: &paths::to_bytes(&task.file.path),
            living: None,
        };
        if self.keeper.marks.passes(&comer) {
            return Ok(true);
        }
        if let Some(transactions) = &mut self.keeper.transactions {
            self.keeper.marks.lift(transactions.bulk()?, &comer)?;
        }
        Ok(false)
    }

    /// Makes the session that a file tells of and that has no lines.
    fn make(&mut self, key: SessionKey, path: &Path, mtime_ns: i64) -> Result<Subject> {
        self.keeper.report.sessions += 1;
        let Some(transactions) = &mut self.keeper.transactions else {
            return Ok(Subject::made(0, key));
        };
        let bulk = transactions.bulk()?;
        let (number, key) = session_names::create_beside(bulk, &key, path)?;
        let dialect = agents::of_agent(key.agent());
        let mut builder = SessionBuilder::new(&key, dialect, mtime_ns.div_euclid(1000));
        // A session without a chunk would have a name and no row.
        bulk.write_chunk(number, &builder.take_chunk(), None)?;
        Ok(Subject::made(number, key))
    }
}

/// Why nothing of a file is used, if that is so.
fn unused(bytes: Option<&[u8]>, size: u64) -> Option<String> {
    let reason = match bytes {
        Some(bytes) if sidecar_facts::is_json(bytes) => return None,
        Some(_) => "is not JSON".to_owned(),
        None => {
            format!("has {size} bytes; files about sessions are read up to {FACTS_BYTES_MAX} bytes")
        }
    };
    Some(format!("{reason}; kept whole, and nothing in it is used"))
}

/// Whether a file is one of zstd, by its name.
fn is_called_packed(task: &SidecarTask) -> bool {
    let name = task.file.path.file_name().unwrap_or_default();
    name.as_encoded_bytes()
        .ends_with(unpacked::PACKED_ENDING.as_bytes())
}

/// Whether a file is one that tells of sessions, by its name.
fn tells(task: &SidecarTask) -> bool {
    let name = task.file.path.file_name().unwrap_or_default();
    agents::of_agent(task.agent).is_telling(name.as_encoded_bytes(), &task.owner)
}
