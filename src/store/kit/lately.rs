//! What was written last, remembered: an append to one of these sessions needs no read.
//!
//! What is remembered may be old by the time that it is used. So it is only ever used to commit under the
//! version that it is of, and any answer but a done commit is made again from what is stored.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::course_row::Note;
use crate::codec::session_row::SessionRow;
use crate::model::key::SessionKey;
use crate::store::course::Course;

/// Most sessions that are remembered.
const SESSIONS_MAX: usize = 256;

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
    /// Sessions that somebody here writes to now, or waits to.
    turns: Mutex<HashMap<SessionKey, Arc<Mutex<()>>>>,
}

#[derive(Default)]
struct Held {
    entries: HashMap<SessionKey, (u64, Entry)>,
    clock: u64,
}

impl Lately {
    /// Calls `work` while nobody else here adds to that session: each finds what the one before has left,
    /// where all at once would be in each other's way.
    pub(crate) fn in_turn<T>(&self, key: &SessionKey, work: impl FnOnce() -> T) -> T {
        let turns = || self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let own = Arc::clone(turns().entry(key.clone()).or_default());
        let turn = own.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work();
        drop(turn);
        let mut turns = turns();
        // One is the map's.
        if Arc::strong_count(&own) == 2 {
            turns.remove(key);
        }
        done
    }

    /// Takes out what is remembered of a session: who uses it puts back what it has become.
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
    use super::*;

    #[test]
    fn one_at_a_time_adds_to_a_session_and_nothing_is_left_of_the_queue() {
        let lately = Lately::default();
        let (key, other) = (
            SessionKey::native("a").unwrap(),
            SessionKey::native("b").unwrap(),
        );
        let inside = std::sync::atomic::AtomicU32::new(0);
        let (order, ordering) = (&inside, std::sync::atomic::Ordering::SeqCst);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        lately.in_turn(&key, || {
                            assert_eq!(order.fetch_add(1, ordering), 0);
                            std::thread::yield_now();
                            order.fetch_sub(1, ordering);
                        });
                    }
                });
            }
        });
        // Others wait for nobody.
        lately.in_turn(&key, || lately.in_turn(&other, || ()));
        assert!(lately.turns.lock().unwrap().is_empty());
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
