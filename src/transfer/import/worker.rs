//! Reads files of lines away from the store: several workers take files from one queue, and hand
//! packed chunks to the one writer.
//!
//! - Memory is bounded: a worker holds one chunk, and there is [`Room`](super::room::Room) for some on their way.
//! - What a file is depends on what is stored under its id, so files that may be of one session are read
//!   one after another: a round reads at most one of each, and is committed before the next one.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::deleted::Marks;
use super::opened::Opened;
use super::outlet::{Outlet, Over};
use super::part::Message;
use super::tasks::LinesTask;
use crate::agents::Agent;
use crate::model::key::SessionKey;
use crate::store::IngestStore;

/// Files that a worker opens at a time, at most: each is open until it is read.
const FILES_AT_ONCE: usize = 16;

/// Bytes of files that a worker opens at a time; a larger one alone, so that the others have something to do.
const BYTES_AT_ONCE: u64 = 256 * 1024;

/// What makes two files one of which may have to wait for the other.
type Claim = (SessionKey, Vec<u8>);

/// The files of a round that are still to be read.
pub(super) struct Queue<'a> {
    waiting: Mutex<Waiting<'a>>,
    /// Somebody's turn has come, or nobody's will.
    turned: Condvar,
    store: &'a dyn IngestStore,
    forced: Option<&'static dyn Agent>,
    /// Whether there is any session that a new file may be.
    has_sessions: bool,
    marks: &'a Marks,
}

#[derive(Default)]
struct Waiting<'a> {
    files: VecDeque<(usize, &'a LinesTask)>,
    /// What the files of this round claim.
    claimed: HashSet<Claim>,
    /// Files for a later round.
    deferred: Vec<usize>,
    /// How many times files were given out.
    given: u64,
    /// How many of those times their sessions were claimed.
    turns: u64,
    /// Whether a worker has ended before its turn: nobody's comes any more.
    is_over: bool,
}

/// A file, with what opening it has told: nothing if it holds no lines of any known format.
type Opening<'a> = (
    (usize, &'a LinesTask),
    std::result::Result<Option<Opened<'a>>, String>,
);

impl<'a> Queue<'a> {
    /// Some files, in their order.
    pub(super) fn new(
        tasks: impl Iterator<Item = (usize, &'a LinesTask)>,
        (store, has_sessions): (&'a dyn IngestStore, bool),
        forced: Option<&'static dyn Agent>,
        marks: &'a Marks,
    ) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                files: tasks.collect(),
                ..Waiting::default()
            }),
            turned: Condvar::new(),
            store,
            forced,
            has_sessions,
            marks,
        }
    }

    /// Reads files until none are left or nobody listens any more.
    pub(super) fn work(&self, outlet: &Outlet<'_>) {
        // Its pages are touched once, and not for each file.
        let mut buffer = Vec::new();
        while let Some(files) = self.next(outlet) {
            for (task, file) in files {
                let store = (self.store, self.has_sessions, self.marks);
                if file.read(task, store, outlet, &mut buffer).is_err() {
                    return;
                }
            }
        }
        // Whether anybody still listens makes no difference now.
        let _taken = outlet.flush().is_ok();
    }

    /// The files that have to wait for the next round.
    pub(super) fn deferred(self) -> Vec<usize> {
        let waiting = self.waiting.into_inner();
        waiting.unwrap_or_else(PoisonError::into_inner).deferred
    }

    /// The next files, opened. Their sessions are claimed in the order of the files, one worker after the
    /// other; so the writer hears the names in that order too.
    fn next(&self, outlet: &Outlet<'_>) -> Option<Vec<(usize, Opened<'a>)>> {
        loop {
            let (turn, files) = self.give_out()?;
            // Whatever ends this one before its turn ends the others' waiting.
            let mut claiming = Claiming {
                queue: self,
                is_done: false,
            };
            let opened = files
                .into_iter()
                .map(|file| (file, Opened::open(file.1, self.forced)));
            let opened: Vec<Opening<'a>> = opened.collect();
            let mut waiting = self
                .turned
                .wait_while(self.waiting(), |now| !now.is_over && now.turns != turn)
                .unwrap_or_else(PoisonError::into_inner);
            if waiting.is_over {
                return None;
            }
            let claimed = waiting.claim(opened, outlet).ok()?;
            waiting.turns += 1;
            drop(waiting);
            claiming.is_done = true;
            self.turned.notify_all();
            if !claimed.is_empty() {
                return Some(claimed);
            }
        }
    }

    /// Some files that nobody has looked at, and whose turn they are. `None` if there are none.
    fn give_out(&self) -> Option<(u64, Vec<(usize, &'a LinesTask)>)> {
        let mut waiting = self.waiting();
        let mut bytes = 0;
        let is_more = |(_, task): &&(usize, &LinesTask)| {
            bytes += task.file.size;
            bytes <= BYTES_AT_ONCE
        };
        let count = waiting.files.iter().take(FILES_AT_ONCE);
        let count = count.take_while(is_more).count().max(1);
        let count = count.min(waiting.files.len());
        let files: Vec<_> = waiting.files.drain(..count).collect();
        if files.is_empty() {
            return None;
        }
        let turn = waiting.given;
        waiting.given += 1;
        Some((turn, files))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<'a>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Waiting<'a> {
    /// Those of some files that can be read now, each known to the writer; the others wait for a later round,
    /// or are none.
    fn claim(
        &mut self,
        opened: Vec<Opening<'a>>,
        outlet: &Outlet<'_>,
    ) -> std::result::Result<Vec<(usize, Opened<'a>)>, Over> {
        let mut claimed = Vec::with_capacity(opened.len());
        for ((number, task), opened) in opened {
            let reason = match opened {
                Ok(Some(file)) => {
                    // Both have to be free: its home's, and that of copies which begin alike.
                    let claims = file.claims();
                    if claims.iter().any(|claim| self.claimed.contains(claim)) {
                        self.deferred.push(number);
                        continue;
                    }
                    self.claimed.extend(claims);
                    if task.previous.is_none() {
                        outlet.send(Message::Started {
                            task: number,
                            wanted: file.wanted().clone(),
                        })?;
                    }
                    claimed.push((number, file));
                    continue;
                }
                Ok(None) => None,
                Err(reason) => Some(reason),
            };
            outlet.send(Message::Failed {
                task: number,
                reason,
            })?;
        }
        // Before the next worker's turn.
        outlet.flush()?;
        Ok(claimed)
    }
}

/// A worker that is about to claim its files.
struct Claiming<'q, 'a> {
    queue: &'q Queue<'a>,
    is_done: bool,
}

impl Drop for Claiming<'_, '_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.queue.waiting().is_over = true;
            self.queue.turned.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;
    use crate::store::MemoryStore;
    use crate::transfer::import::found::FoundFile;
    use crate::transfer::import::room::Room;

    /// So many files of one line each.
    fn tasks(folder: &std::path::Path, count: usize) -> Vec<LinesTask> {
        let task = |number| {
            let path = folder.join(format!("{number:03}.jsonl"));
            let line = b"{\"role\":\"user\",\"content\":\"hi\"}\n";
            std::fs::write(&path, line).unwrap();
            LinesTask {
                file: FoundFile {
                    path,
                    link: None,
                    relative: Vec::new(),
                    size: line.len() as u64,
                    mtime_ns: 0,
                    inode: 0,
                    changed_ns: 0,
                    named: false,
                    is_older: false,
                },
                previous: None,
            }
        };
        (0..count).map(task).collect()
    }

    #[test]
    fn names_are_told_in_the_order_of_the_files_however_many_open_them() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = tasks(folder.path(), 20 * FILES_AT_ONCE + 3);
        let store = MemoryStore::default();
        let marks = Marks::new(Vec::new(), false);
        let queue = Queue::new(tasks.iter().enumerate(), (&store, false), None, &marks);
        let room = Room::default();
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            for _ in 0..4 {
                let outlet = Outlet::new(sender.clone(), &room);
                let queue = &queue;
                scope.spawn(move || while queue.next(&outlet).is_some() {});
            }
        });
        drop(sender);
        let told = receiver.into_iter().flatten().map(|message| match message {
            Message::Started { task, .. } => task,
            other => panic!("{other:?}"),
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            (0..tasks.len()).collect::<Vec<_>>()
        );
    }

    /// Its first lines were read with those of others, when it was opened.
    #[test]
    fn a_file_that_was_written_anew_since_it_was_opened_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = tasks(folder.path(), 1);
        let store = MemoryStore::default();
        let marks = Marks::new(Vec::new(), false);
        let queue = Queue::new(tasks.iter().enumerate(), (&store, false), None, &marks);
        let room = Room::default();
        let (sender, receiver) = channel();
        let outlet = Outlet::new(sender, &room);
        let (task, file) = queue.next(&outlet).unwrap().remove(0);
        // A line of 31 bytes before.
        std::fs::write(&tasks[0].file.path, b"{\"a\":123}\n".repeat(5)).unwrap();
        let read = file.read(task, (&store, false, &marks), &outlet, &mut Vec::new());
        assert!(read.is_ok() && outlet.flush().is_ok());
        drop(outlet);
        let parts = receiver
            .into_iter()
            .flatten()
            .filter_map(|message| match message {
                Message::Part(part) => Some((part.added.records, part.offset)),
                _ => None,
            });
        assert_eq!(parts.collect::<Vec<_>>(), [(5, 50)]);
    }

    #[test]
    fn nobody_waits_for_the_turn_of_a_worker_that_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = tasks(folder.path(), 2 * FILES_AT_ONCE);
        let store = MemoryStore::default();
        let marks = Marks::new(Vec::new(), false);
        let queue = Queue::new(tasks.iter().enumerate(), (&store, false), None, &marks);
        let (sender, _receiver) = channel();
        let room = Room::default();
        assert_eq!(queue.give_out().map(|(turn, _)| turn), Some(0));
        thread::scope(|scope| {
            let outlet = Outlet::new(sender, &room);
            let queue = &queue;
            let waiting = scope.spawn(move || queue.next(&outlet).is_none());
            drop(Claiming {
                queue,
                is_done: false,
            });
            assert!(waiting.join().unwrap());
        });
    }
}
