//! Reads files of lines away from the store: several workers take files from one queue, and hand
//! packed chunks to the one writer.
//!
//! - Memory is bounded: a worker holds one chunk, and there is [`Room`](super::room::Room) for some on their way.
//! - What a file is depends on what is stored under its id, so files that may be of one session are read
//!   one after another: a round reads at most one of each, and is committed before the next one.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::deleted::Marks;
use super::opened::Opened;
use super::outlet::Outlet;
use super::part::Message;
use super::tasks::LinesTask;
use crate::agents::Agent;
use crate::model::key::SessionKey;
use crate::store::IngestStore;

/// What makes two files one of which may have to wait for the other.
type Claim = (SessionKey, Vec<u8>);

/// The files of a round that are still to be read.
pub(super) struct Queue<'a> {
    waiting: Mutex<Waiting<'a>>,
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
}

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
        while let Some((task, next)) = self.next(outlet) {
            let store = (self.store, self.has_sessions, self.marks);
            if next.read(task, store, outlet, &mut buffer).is_err() {
                return;
            }
        }
    }

    /// The files that have to wait for the next round.
    pub(super) fn deferred(self) -> Vec<usize> {
        let waiting = self.waiting.into_inner();
        waiting.unwrap_or_else(PoisonError::into_inner).deferred
    }

    /// The next file. Opening it, and telling the writer its session's name, happens under the
    /// lock, so that the writer hears the names in the order of the files.
    fn next(&self, outlet: &Outlet<'_>) -> Option<(usize, Opened<'a>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (number, task) = waiting.files.pop_front()?;
            // Opened before it is given out: whether it has to wait shows by the id in its first
            // lines.
            let message = match Opened::open(task, self.forced) {
                Ok(Some(opened)) => {
                    // Both have to be free: its home's, and that of copies which begin alike.
                    let claims = opened.claims();
                    if claims.iter().any(|claim| waiting.claimed.contains(claim)) {
                        waiting.deferred.push(number);
                        continue;
                    }
                    waiting.claimed.extend(claims);
                    if task.previous.is_some() {
                        return Some((number, opened));
                    }
                    let wanted = opened.wanted().clone();
                    outlet
                        .send(Message::Started {
                            task: number,
                            wanted,
                        })
                        .ok()?;
                    return Some((number, opened));
                }
                Ok(None) => Message::Failed {
                    task: number,
                    reason: None,
                },
                Err(reason) => Message::Failed {
                    task: number,
                    reason: Some(reason),
                },
            };
            outlet.send(message).ok()?;
        }
    }
}
