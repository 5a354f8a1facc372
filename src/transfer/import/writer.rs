//! The one writer of an import: takes the parts of files from the workers and puts them into the
//! store, each with the state of its file in the same transaction.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use super::deleted::{Comer, Marks};
use super::keep::OVERTAKEN;
use super::owners::Place;
use super::part::{Message, Part, Target};
use super::room::{self, Room};
use super::session_names::{self, Names};
use super::tasks::LinesTask;
use super::transaction::Transactions;
use crate::codec::source_row::SourceKind;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{IngestStore, Source};
use crate::transfer::files::paths;
use crate::transfer::progress::Meter;
use crate::transfer::report::Added;
use crate::transfer::report::ImportReport;

/// Writes what the workers read. In a dry run it only counts.
pub(super) struct LinesWriter<'w, 's, 'm> {
    /// The files.
    pub tasks: &'w [LinesTask],
    /// Where to write; `None` in a dry run.
    pub transactions: Option<&'w mut Transactions<'s>>,
    /// What is done.
    pub report: &'w mut ImportReport,
    /// How far it is.
    pub meter: &'w mut Meter<'m>,
    /// The sessions of the files.
    pub places: &'w mut Vec<Place>,
    /// What is there.
    pub store: &'s dyn IngestStore,
    /// The names that new files want.
    pub names: Names,
    /// What was deleted.
    pub marks: &'w Marks,
    /// New files that are being read and have no session yet: their places among those that want
    /// the same name.
    pub started: HashMap<usize, u64>,
    /// Files of which a part was taken, or refused.
    pub files: HashMap<usize, FileState>,
}

/// A file of which a part was taken, or refused.
#[derive(Debug)]
pub(super) enum FileState {
    /// It goes to this session.
    Open(OpenFile),
    /// Nothing more of it is taken.
    Refused,
}

/// A file whose parts go to a session.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    number: u64,
    key: SessionKey,
    added: Added,
    read_to: u64,
}

impl LinesWriter<'_, '_, '_> {
    /// Takes what the workers send, until all of them have ended.
    ///
    /// # Errors
    ///
    /// The store's errors. What was committed before stays.
    pub(super) fn run(
        mut self,
        receiver: &Receiver<Message>,
        room::Open(room): &room::Open<'_>,
    ) -> Result<()> {
        loop {
            let time_left = self.transactions.as_ref().and_then(|open| open.time_left());
            let message = match time_left {
                Some(time) => receiver.recv_timeout(time),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let mut taken = 0;
            match message {
                Ok(message) => {
                    taken = message.room();
                    self.take(message)?;
                    self.meter.go_on()?;
                    if !Room::is_exceeded_by(taken) {
                        // The workers go on while a commit is made.
                        room.give_back(std::mem::take(&mut taken));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Some(transactions) = &mut self.transactions {
                transactions.commit_if_due()?;
            }
            if taken > 0 {
                room.give_back(taken);
            }
        }
        self.transactions.map_or(Ok(()), Transactions::commit)
    }

    fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Started { task, wanted } => {
                self.started.insert(task, self.names.want(&wanted));
                Ok(())
            }
            Message::Deleted { task } => {
                if let Some(task) = self.tasks.get(task) {
                    self.report.files += 1;
                    self.meter.add(1, task.file.size);
                }
                Ok(())
            }
            Message::Part(part) => self.part(*part),
            Message::Failed { task, reason } => {
                self.failed(task, reason);
                Ok(())
            }
            Message::Broken(error) => Err(error),
        }
    }

    fn part(&mut self, part: Part) -> Result<()> {
        let Some(task) = self.tasks.get(part.task) else {
            return Ok(());
        };
        let (number, last, added, offset) =
            (part.task, part.last, part.added, part.source.row.offset);
        let read_before = match self.files.get(&number) {
            Some(FileState::Refused) => return Ok(()),
            Some(FileState::Open(open)) => open.read_to,
            None => 0,
        };
        let target = part.target.clone();
        match self.write(task, part) {
            Ok(mut open) => {
                open.added = added;
                open.read_to = offset;
                self.meter.add(0, offset.saturating_sub(read_before));
                if last {
                    self.close(task, &open, &target);
                    self.files.remove(&number);
                } else {
                    self.files.insert(number, FileState::Open(open));
                }
                Ok(())
            }
            Err(Error::Conflict { .. }) => {
                self.close_early(number, task);
                self.report
                    .add_file_problem(task.file.name_path(), OVERTAKEN);
                Ok(())
            }
            Err(error @ (Error::InvalidKey { .. } | Error::TooLarge { .. })) => {
                self.close_early(number, task);
                self.report
                    .add_skipped(task.file.name_path(), error.to_string());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a part with its file's state, and says where the file goes.
    fn write(&mut self, task: &LinesTask, part: Part) -> Result<OpenFile> {
        let Part {
            task: number,
            target,
            chunk,
            mut source,
            problems,
            ..
        } = part;
        let open = match self.files.get(&number) {
            Some(FileState::Open(open)) => open.clone(),
            _ => self.open(number, task, &target)?,
        };
        if let Some(transactions) = &mut self.transactions {
            let bulk = transactions.bulk()?;
            if let Some(chunk) = chunk {
                bulk.write_chunk(open.number, &chunk)?;
            }
            source.row.session = open.number;
            bulk.write_source(&source)?;
        }
        self.report.add_problems(problems);
        Ok(open)
    }

    /// Finds or makes the session of a file.
    fn open(&mut self, number: usize, task: &LinesTask, target: &Target) -> Result<OpenFile> {
        let place = self.started.remove(&number);
        let (session, key) = match target {
            Target::Grown(session, key) => {
                self.check_state(task, key)?;
                (*session, key.clone())
            }
            Target::New { wanted, .. } => {
                self.check_state(task, wanted)?;
                self.create(task, wanted, place)?
            }
        };
        self.places.push(Place {
            key: key.clone(),
            number: session,
            file: task.file.path.clone(),
            is_new: matches!(target, Target::New { .. }),
        });
        Ok(OpenFile {
            number: session,
            key,
            added: Added::default(),
            read_to: 0,
        })
    }

    fn create(
        &mut self,
        task: &LinesTask,
        wanted: &SessionKey,
        place: Option<u64>,
    ) -> Result<(u64, SessionKey)> {
        let place = place.unwrap_or_else(|| self.names.want(wanted));
        if let Some(transactions) = &mut self.transactions {
            let comer = Comer {
                wanted,
                path: &paths::to_bytes(&task.file.path),
                living: None,
            };
            self.marks.lift(transactions.bulk()?, &comer)?;
        }
        if place == 0
            && let Some(number) = self.make_room(task, wanted)?
        {
            return Ok((number, wanted.clone()));
        }
        self.report.sessions += 1;
        let Some(transactions) = &mut self.transactions else {
            return Ok((0, wanted.clone()));
        };
        self.names.create(transactions.bulk()?, wanted, place)
    }

    /// A session of the wanted name that has no lines of its own: if it is empty, the file's lines
    /// go to it; if its records were made from a document, an older form of the same session, it
    /// gets another name. Lines that somebody else has added are left where they are.
    fn make_room(&mut self, task: &LinesTask, wanted: &SessionKey) -> Result<Option<u64>> {
        let sources = self.store.sources();
        let number = match &mut self.transactions {
            // Most names are free, which the transaction knows without a snapshot of its own.
            Some(transactions) => transactions.bulk()?.number_of(wanted)?,
            None => sources.number_of(wanted)?,
        };
        let Some(number) = number else {
            return Ok(None);
        };
        let Some(row) = sources.row(number)? else {
            return Ok(None);
        };
        let origins = sources.of_session(number)?;
        if origins
            .iter()
            .any(|origin| origin.row.kind == SourceKind::Lines)
        {
            return Ok(None);
        }
        if row.next == 0 {
            return Ok(Some(number));
        }
        if origins
            .iter()
            .any(|origin| origin.row.next_sequence == row.next)
        {
            let reason = match &mut self.transactions {
                Some(transactions) => {
                    let key = session_names::rename(transactions.bulk()?, number, wanted)?;
                    format!("goes before a document of the same session, which is `{key}` now")
                }
                None => "would go before a document of the same session, which would get another \
                         name"
                    .to_owned(),
            };
            self.report.add_file_problem(task.file.name_path(), reason);
        }
        Ok(None)
    }

    /// Another process may have imported the file since this one looked.
    fn check_state(&mut self, task: &LinesTask, key: &SessionKey) -> Result<()> {
        let Some(transactions) = &mut self.transactions else {
            return Ok(());
        };
        let newest = transactions
            .bulk()?
            .newest(&paths::to_bytes(&task.file.path))?;
        if newest == task.previous {
            return Ok(());
        }
        let place = |source: &Option<Source>| source.as_ref().map_or(0, |s| s.row.next_sequence);
        let (expected, actual) = (place(&task.previous), place(&newest));
        Err(Error::Conflict {
            key: key.clone(),
            expected,
            actual,
        })
    }

    /// A file is read to its end.
    fn close(&mut self, task: &LinesTask, open: &OpenFile, target: &Target) {
        self.count(task, open);
        match target {
            Target::Grown(..) => {
                self.report.sessions_grown += u64::from(open.added.bytes > 0);
            }
            Target::New {
                replaces: Some(replaced),
                ..
            } => {
                let key = self.transactions.is_some().then_some(&open.key);
                self.report
                    .add_generation(task.file.name_path(), key, replaced);
            }
            Target::New { replaces: None, .. } => {}
        }
    }

    fn count(&mut self, task: &LinesTask, open: &OpenFile) {
        self.report.files += 1;
        self.report.add(open.added);
        self.meter
            .add(1, task.file.size.saturating_sub(open.read_to));
    }

    /// A file cannot be taken, or not to its end.
    fn failed(&mut self, number: usize, reason: Option<String>) {
        let Some(task) = self.tasks.get(number) else {
            return;
        };
        self.started.remove(&number);
        let state = self.files.remove(&number);
        let path = task.file.name_path();
        match (state, reason) {
            (Some(FileState::Refused), _) => {}
            (Some(FileState::Open(open)), reason) => {
                self.count(task, &open);
                let reason = reason.unwrap_or_default();
                let reason = format!("{reason}; what was read is kept, the next import goes on");
                self.report.add_file_problem(path, reason);
            }
            (None, Some(reason)) => self.skip(task, path, &reason),
            (None, None) if task.file.named => {
                self.skip(task, path, "not recognised as sessions; name its agent");
            }
            (None, None) => self.meter.add(1, task.file.size),
        }
    }

    fn skip(&mut self, task: &LinesTask, path: &Path, reason: &str) {
        self.report.paths_failed += u64::from(task.file.named);
        self.report.add_skipped(path, reason);
        self.meter.add(1, task.file.size);
    }

    /// Takes nothing more of a file.
    fn close_early(&mut self, number: usize, task: &LinesTask) {
        if let Some(FileState::Open(open)) = self.files.insert(number, FileState::Refused) {
            self.count(task, &open);
        }
    }
}
