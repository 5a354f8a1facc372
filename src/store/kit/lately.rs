//! What was written last, remembered: an append to one of these sessions needs no read.
//!
//! What is remembered may be old by the time that it is used. So it is only ever used to commit under the
//! version that it is of, and any answer but a done commit is made again from what is stored.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::course_row::Note;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::addition::Addition;
use crate::store::course::Course;
use crate::store::query::Appended;
use crate::store::queue::CommitQueue;
use crate::store::shared_commit::stopped;

/// Most sessions that are remembered.
const SESSIONS_MAX: usize = 256;

/// Additions to one session.
type Queue = CommitQueue<Addition, Result<Appended>>;

/// A session that was written.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) version: u64,
    pub(crate) row: SessionRow,
    pub(crate) course: Course,
    /// The notes of its last block, if that goes on.
    pub(crate) open_block: Vec<(u64, Note)>,
    /// How many batches may still be noted before old ones are looked for.
    pub(crate) unlooked: u32,
}

/// The sessions that an engine's store wrote last. For engines to keep, and nothing else.
#[derive(Default)]
pub struct Lately {
    held: Mutex<Held>,
    /// Sessions that somebody here adds to now.
    queues: Mutex<HashMap<SessionKey, Arc<Queue>>>,
}

#[derive(Default)]
struct Held {
    entries: HashMap<SessionKey, (u64, Entry)>,
    clock: u64,
}

impl Lately {
    /// Adds to a session while nobody else here does: what comes meanwhile waits, and goes together into the
    /// next commit. `work` writes additions in their order, and answers each.
    pub(crate) fn submit(
        &self,
        addition: &Addition,
        work: impl FnOnce(&[&Addition]) -> Vec<Result<Appended>>,
    ) -> Result<Appended> {
        let queues = || self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = Arc::clone(queues().entry(addition.key.clone()).or_default());
        let bytes = addition.lines.iter().map(Vec::len).sum();
        let answer = queue.submit(addition.clone(), bytes, work);
        let mut queues = queues();
        // One is the map's.
        if Arc::strong_count(&queue) == 2 {
            queues.remove(&addition.key);
        }
        answer.unwrap_or_else(stopped)
    }

    /// Takes out what is remembered of a session: whoever uses it puts back what it has become.
    pub(crate) fn take(&self, key: &SessionKey) -> Option<Entry> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.entries.remove(key).map(|(_, entry)| entry)
    }

    /// Remembers a session, perhaps in the place of the one that was written longest ago.
    pub(crate) fn put(&self, key: &SessionKey, entry: Entry) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clock += 1;
        let now = held.clock;
        if held.entries.len() >= SESSIONS_MAX && !held.entries.contains_key(key) {
            let oldest = held.entries.iter().min_by_key(|(_, (at, _))| *at);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                held.entries.remove(&oldest);
            }
        }
        held.entries.insert(key.clone(), (now, entry));
    }
}

impl fmt::Debug for Lately {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lately").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::store::addition::Intent;
    use crate::store::query::Expect;

    #[test]
    fn one_at_a_time_adds_to_a_session_and_nothing_is_left_of_the_queue() {
        let lately = Lately::default();
        let addition = |id: &str| Addition {
            key: SessionKey::native(id).unwrap(),
            expect: Expect::Any,
            batch_id: None,
            lines: Vec::new(),
            intent: Intent::Append,
            change: None,
        };
        let appended = || {
            Ok(Appended {
                first: 0,
                last: 0,
                updated_at: chrono::DateTime::UNIX_EPOCH,
                replayed: false,
            })
        };
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let work = |all: &[&Addition]| {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            inside.fetch_sub(1, Ordering::SeqCst);
                            all.iter().map(|_| appended()).collect()
                        };
                        lately.submit(&addition("a"), work).unwrap();
                    }
                });
            }
        });
        // Others wait for nobody.
        let within = |_: &[&Addition]| {
            let other = lately.submit(&addition("b"), |_| vec![appended()]);
            vec![other]
        };
        lately.submit(&addition("a"), within).unwrap();
        assert!(lately.queues.lock().unwrap().is_empty());
    }

    #[test]
    fn so_many_sessions_are_remembered_and_the_oldest_of_more_is_not() {
        let lately = Lately::default();
        let key = |number: usize| SessionKey::native(format!("s-{number}")).unwrap();
        let first = key(0);
        for number in 0..=SESSIONS_MAX {
            let key = key(number);
            let entry = Entry {
                number: number as u64,
                version: 1,
                row: SessionRow::new(&key, 5),
                course: Course::default(),
                open_block: Vec::new(),
                unlooked: 0,
            };
            lately.put(&key, entry);
            if number + 1 == SESSIONS_MAX {
                // As many as there is room for.
                let oldest = lately.take(&first).unwrap();
                lately.put(&first, oldest);
            }
        }
        assert!(lately.take(&key(0)).is_some(), "it was written again");
        assert!(lately.take(&key(1)).is_none());
        assert_eq!(lately.take(&key(2)).map(|entry| entry.number), Some(2));
        assert!(lately.take(&key(2)).is_none(), "it was taken out");
    }
}
