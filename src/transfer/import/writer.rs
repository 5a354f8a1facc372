//! The one writer of an import: takes the parts of files from the workers and puts them into the
//! store, each with the state of its file in the same transaction.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use super::deleted::{Comer, Marks};
use super::homes;
use super::keep::OVERTAKEN;
use super::owners::FoundSession;
use super::part::{FileState, Message, Part, Target};
use super::room::{self, Room};
use super::session_names::Names;
use super::tasks::LinesTask;
use super::transaction::Transactions;
use crate::codec::chain::{Chain, Digest};
use crate::codec::file_order::FileOrder;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{Bulk, Source};
use crate::transfer::files::paths;
use crate::transfer::progress::Meter;
use crate::transfer::report::Added;
use crate::transfer::report::ImportReport;

/// Notes the home of a file whose id is not unique, and by which first lines it is known in another one.
fn note_home(
    bulk: &mut dyn Bulk,
    (task, open): (&LinesTask, &OpenFile),
    wanted: &SessionKey,
    first: Option<&[u8; 16]>,
) -> Result<()> {
    let plain = homes::plain_key(&bulk.row(open.number)?)?;
    if let Some(first) = first {
        bulk.put_home(wanted, &homes::beginning_of(first), plain.id())?;
    }
    bulk.put_home(wanted, &homes::home_of(&task.file.path), plain.id())
}

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
    pub places: &'w mut Vec<FoundSession>,
    /// The names that new files want.
    pub names: Names,
    /// What was deleted.
    pub marks: &'w Marks,
    /// New files that are being read and have no session yet: their places among those that want
    /// the same name.
    pub started: HashMap<usize, u64>,
    /// Files of which a part was taken, or refused.
    pub files: HashMap<usize, Progress>,
    /// Files that another process was faster with: they are compared again in the next round.
    pub overtaken: &'w mut Vec<usize>,
    /// Whether there is no other round for those.
    pub is_last_round: bool,
}

/// A file of which a part was taken, or refused.
#[derive(Debug)]
pub(super) enum Progress {
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
    /// The plain id that the session is a content of, if it may be one of several.
    plain: Option<SessionKey>,
    /// The digest over the compared lines of the file so far, where it is worked out here.
    digest: Option<Digest>,
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
        receiver: &Receiver<Vec<Message>>,
        room::Open(room): &room::Open<'_>,
    ) -> Result<()> {
        loop {
            // A commit is due by the clock also if no part comes: other processes wait for it.
            let time_left = self.transactions.as_ref().and_then(|open| open.time_left());
            let message = match time_left {
                Some(time) => receiver.recv_timeout(time),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(messages) => {
                    for message in messages {
                        self.take_one(message, room)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.commit_if_due()?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.transactions.map_or(Ok(()), Transactions::commit)
    }

    fn take_one(&mut self, message: Message, room: &Room) -> Result<()> {
        let taken = message.room();
        self.take(message)?;
        self.meter.go_on()?;
        // The workers go on while a commit is made, unless what was taken is in memory until then.
        let is_kept = Room::is_exceeded_by(taken);
        if taken > 0 && !is_kept {
            room.give_back(taken);
        }
        self.commit_if_due()?;
        if is_kept {
            room.give_back(taken);
        }
        Ok(())
    }

    fn commit_if_due(&mut self) -> Result<()> {
        match &mut self.transactions {
            Some(transactions) => transactions.commit_if_due(),
            None => Ok(()),
        }
    }

    fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Started { task, wanted } => {
                self.started.insert(task, self.names.want(&wanted));
                Ok(())
            }
            Message::Deleted { task } => {
                self.started.remove(&task);
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
            Message::Told { task, told } => {
                if let Some(task) = self.tasks.get(task) {
                    self.report
                        .add_file_problem(task.file.name_path(), told.to_owned());
                }
                Ok(())
            }
            Message::Broken(error) => Err(error),
        }
    }

    fn part(&mut self, part: Part) -> Result<()> {
        let Some(task) = self.tasks.get(part.task) else {
            return Ok(());
        };
        let (number, last, added, offset) = (part.task, part.last, part.added, part.offset);
        let read_before = match self.files.get(&number) {
            Some(Progress::Refused) => return Ok(()),
            Some(Progress::Open(open)) => open.read_to,
            None => 0,
        };
        let target = part.target.clone();
        match self.write(task, part) {
            Ok(mut open) => {
                open.added = added;
                open.read_to = offset;
                self.meter.add(0, offset.saturating_sub(read_before));
                if last {
                    // An older content takes no name from a newer one.
                    if !task.file.is_older {
                        self.settle(&open)?;
                    }
                    self.close(task, &open, &target);
                    self.files.remove(&number);
                } else {
                    self.files.insert(number, Progress::Open(open));
                }
                Ok(())
            }
            Err(Error::Conflict { .. }) => {
                // What is stored of a file that was begun stays, and it cannot begin anew in this
                // run: the next import goes on with it.
                let is_begun = self.files.contains_key(&number);
                self.close_early(number, task);
                if is_begun || self.is_last_round {
                    self.report
                        .add_file_problem(task.file.name_path(), OVERTAKEN);
                } else {
                    self.overtaken.push(number);
                }
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
            file,
            source,
            problems,
            ..
        } = part;
        let mut open = if let Some(Progress::Open(open)) = self.files.get(&number) {
            open.clone()
        } else {
            let open = self.open(number, task, &target)?;
            self.check_order(open.number, &target, file.as_ref())?;
            open
        };
        // Lines, order, home and source of a part are one transaction: a kill leaves none of them or all.
        if let Some(transactions) = &mut self.transactions {
            let bulk = transactions.bulk()?;
            // A part after the first goes on from the digest of the one before, which is not stored yet.
            let before = open.digest.or_else(|| {
                let seen = file.as_ref().and_then(|file| file.seen.as_ref());
                Some(seen.map_or(Chain::starting_at(0).digest, |seen| seen.digest))
            });
            if let Some(chunk) = chunk {
                open.digest = bulk.write_chunk(open.number, &chunk, before)?;
            }
            if let Some(file) = file {
                let mut order = file.order;
                if let Some(digest) = file.digest.or(open.digest) {
                    order.digest = digest;
                }
                bulk.write_file_order(open.number, &order)?;
                if let Some((wanted, first)) = &file.weak {
                    note_home(bulk, (task, &open), wanted, first.as_ref())?;
                }
            }
            if let Some(mut source) = source {
                source.row.session = open.number;
                bulk.write_source(&source)?;
            }
        }
        self.report.add_problems(problems);
        Ok(open)
    }

    /// Finds or makes the session of a file.
    fn open(&mut self, number: usize, task: &LinesTask, target: &Target) -> Result<OpenFile> {
        let place = self.started.remove(&number);
        let (session, key, plain) = match target {
            Target::Grown(session, key) => {
                self.check_state(task, key)?;
                // Only an id of several contents has a plain name that may pass to another one of
                // them.
                let plain = match &mut self.transactions {
                    Some(transactions) => {
                        let row = transactions.bulk()?.row(*session)?;
                        (row.contents != 1)
                            .then(|| homes::plain_key(&row))
                            .transpose()?
                    }
                    None => None,
                };
                (*session, key.clone(), plain)
            }
            Target::New {
                wanted,
                contents,
                is_unique,
            } => {
                self.check_state(task, wanted)?;
                self.create(task, wanted, (*contents, *is_unique), place)?
            }
        };
        self.places.push(FoundSession {
            key: key.clone(),
            number: session,
            file: task.file.path.clone(),
            is_new: matches!(target, Target::New { .. }),
        });
        Ok(OpenFile {
            number: session,
            key,
            plain,
            digest: None,
            added: Added::default(),
            read_to: 0,
        })
    }

    /// Makes the session of a file. Returns its number, its key, and the plain id that it is a content
    /// of.
    fn create(
        &mut self,
        task: &LinesTask,
        wanted: &SessionKey,
        (contents, is_unique): (usize, bool),
        place: Option<u64>,
    ) -> Result<(u64, SessionKey, Option<SessionKey>)> {
        if let Some(transactions) = &mut self.transactions {
            let comer = Comer {
                wanted,
                path: &paths::to_bytes(&task.file.path),
                living: None,
            };
            // In the transaction that makes the session: a kill leaves the mark without it, or the
            // session without the mark.
            self.marks.lift(transactions.bulk()?, &comer)?;
        }
        self.report.sessions += u64::from(contents == 0);
        let Some(transactions) = &mut self.transactions else {
            return Ok((0, wanted.clone(), None));
        };
        let bulk = transactions.bulk()?;
        // A number behind the id tells the folders' chats apart; contents are for ids that mean one
        // session.
        if !is_unique {
            let place = place.unwrap_or_else(|| self.names.want(wanted));
            let (number, key) = self.names.create(bulk, wanted, place)?;
            return Ok((number, key, None));
        }
        // Another process may have made one since the file was compared.
        let there = match bulk.contents(wanted)?.len() {
            0 => usize::from(bulk.number_of(wanted)?.is_some()),
            several => several,
        };
        if there != contents {
            return Err(Error::Conflict {
                key: wanted.clone(),
                expected: contents as u64,
                actual: there as u64,
            });
        }
        let (number, key) = bulk.create_content(wanted)?;
        Ok((number, key, Some(wanted.clone())))
    }

    /// Another process may have changed the file's order since it was compared.
    fn check_order(
        &mut self,
        number: u64,
        target: &Target,
        file: Option<&FileState>,
    ) -> Result<()> {
        let (Target::Grown(_, key), Some(file), Some(transactions)) =
            (target, file, &mut self.transactions)
        else {
            return Ok(());
        };
        let now = transactions.bulk()?.file_order(number)?;
        // What was worked out from the source of a session without a row is none yet.
        if now.is_none() || now == file.seen {
            return Ok(());
        }
        let revision =
            |order: Option<&FileOrder>| order.map_or(0, |order| u64::from(order.revision));
        Err(Error::Conflict {
            key: key.clone(),
            expected: revision(file.seen.as_ref()),
            actual: revision(now.as_ref()),
        })
    }

    /// Gives the plain id to the newest of its contents.
    fn settle(&mut self, open: &OpenFile) -> Result<()> {
        if let (Some(plain), Some(transactions)) = (&open.plain, &mut self.transactions) {
            transactions.bulk()?.settle(plain)?;
        }
        Ok(())
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
                wanted, contents, ..
            } if *contents > 0 => {
                let key = self.transactions.is_some().then_some(&open.key);
                self.report
                    .add_generation(task.file.name_path(), key, wanted);
            }
            Target::New { .. } => {}
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
            (Some(Progress::Refused), _) => {}
            (Some(Progress::Open(open)), reason) => {
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
        if let Some(Progress::Open(open)) = self.files.insert(number, Progress::Refused) {
            self.count(task, &open);
        }
    }
}
