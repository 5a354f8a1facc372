//! The commit queue: what several threads want to write at the same time goes into one commit.
//!
//! It has no thread of its own. The first thread that comes leads: it writes its own item at once. What comes
//! meanwhile waits, and the one that waits longest leads next and writes all that is there. So
//! nobody waits for more than two commits, the one that runs and the next, unless more comes
//! together than one commit takes. It knows nothing of stores: `work` does the writing.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Most items in one commit.
const ITEMS_MAX: usize = 4096;

/// Most bytes in one commit, unless a single item has more.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Items of type `T` that wait, with answers of type `R`.
pub(crate) struct CommitQueue<T, R> {
    state: Mutex<State<T, R>>,
}

struct State<T, R> {
    /// In the order in which they came. While somebody leads only.
    waiting: VecDeque<Arc<Waiter<T, R>>>,
    led: bool,
}

/// One item, and where its owner waits.
struct Waiter<T, R> {
    item: T,
    bytes: usize,
    slot: Mutex<Slot<R>>,
    changed: Condvar,
}

enum Slot<R> {
    Waiting,
    /// The owner is to lead.
    Lead,
    Answered(R),
    /// The thread that led stopped without an answer.
    Abandoned,
}

/// What an owner hears.
enum News<R> {
    Answer(R),
    /// It is to lead.
    Lead,
    /// There will be no answer.
    None,
}

impl<T, R> std::fmt::Debug for CommitQueue<T, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = locked(&self.state).waiting.len();
        f.debug_struct("CommitQueue")
            .field("waiting", &waiting)
            .finish()
    }
}

impl<T, R> Default for CommitQueue<T, R> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                led: false,
            }),
        }
    }
}

impl<T, R> CommitQueue<T, R> {
    /// Gives in an item of `bytes` bytes and waits for its answer. `work` writes items, in their
    /// order, and answers each in the same order; whose `work` it is differs from commit to
    /// commit. `None` if `work` panicked in another thread, or gave too few answers.
    pub(crate) fn submit(
        &self,
        item: T,
        bytes: usize,
        work: impl FnOnce(&[&T]) -> Vec<R>,
    ) -> Option<R> {
        let place = Arc::new(Waiter {
            item,
            bytes,
            slot: Mutex::new(Slot::Waiting),
            changed: Condvar::new(),
        });
        let mut state = locked(&self.state);
        state.waiting.push_back(Arc::clone(&place));
        // Whoever comes while a batch is written waits, and the leader of the next takes all that wait.
        if state.led {
            drop(state);
            match place.wait() {
                News::Answer(answer) => return Some(answer),
                News::None => return None,
                News::Lead => {}
            }
            state = locked(&self.state);
        }
        state.led = true;
        // Before the lock is given back: if `work` panics, the next one is told to lead all the
        // same.
        let batch = Batch {
            queue: self,
            places: take(&mut state.waiting),
        };
        drop(state);
        let items: Vec<&T> = batch.places.iter().map(|place| &place.item).collect();
        let mut own = None;
        for (other, answer) in batch.places.iter().zip(work(&items)) {
            if Arc::ptr_eq(other, &place) {
                own = Some(answer);
            } else {
                other.tell(Slot::Answered(answer));
            }
        }
        own
    }
}

/// Takes what goes into one commit from the front: at least one item.
fn take<T, R>(waiting: &mut VecDeque<Arc<Waiter<T, R>>>) -> Vec<Arc<Waiter<T, R>>> {
    let (mut bytes, mut count) = (0_usize, 0);
    for place in waiting.iter().take(ITEMS_MAX) {
        bytes = bytes.saturating_add(place.bytes);
        if count > 0 && bytes > BYTES_MAX {
            break;
        }
        count += 1;
    }
    waiting.drain(..count).collect()
}

/// What one commit writes. However it ends, the next one leads, and nobody waits for ever.
struct Batch<'q, T, R> {
    queue: &'q CommitQueue<T, R>,
    places: Vec<Arc<Waiter<T, R>>>,
}

impl<T, R> Drop for Batch<'_, T, R> {
    fn drop(&mut self) {
        for place in &self.places {
            let unanswered = matches!(*locked(&place.slot), Slot::Waiting);
            if unanswered {
                place.tell(Slot::Abandoned);
            }
        }
        let mut state = locked(&self.queue.state);
        // While the lead is handed on `led` stays set: whoever comes in between waits, and begins no
        // second commit beside it.
        match state.waiting.front() {
            Some(next) => next.tell(Slot::Lead),
            None => state.led = false,
        }
    }
}

impl<T, R> Waiter<T, R> {
    fn wait(&self) -> News<R> {
        let mut slot = locked(&self.slot);
        loop {
            match std::mem::replace(&mut *slot, Slot::Waiting) {
                Slot::Waiting => {
                    slot = self
                        .changed
                        .wait(slot)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Slot::Lead => return News::Lead,
                Slot::Answered(answer) => return News::Answer(answer),
                Slot::Abandoned => return News::None,
            }
        }
    }

    fn tell(&self, news: Slot<R>) {
        *locked(&self.slot) = news;
        self.changed.notify_one();
    }
}

/// A panic of another thread leaves nothing half done here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn everybody_gets_their_own_answer_within_two_commits() {
        let queue = CommitQueue::<(u64, u64), u64>::default();
        let commits = AtomicU64::new(0);
        // Who waited while the last commit ran: the next one has to write them.
        let left = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for thread in 0..16_u64 {
                let (queue, commits, left) = (&queue, &commits, &left);
                scope.spawn(move || {
                    for number in 0..50_u64 {
                        let work = |items: &[&(u64, u64)]| {
                            commits.fetch_add(1, Ordering::SeqCst);
                            for item in std::mem::take(&mut *locked(left)) {
                                assert!(items.contains(&&item), "{item:?} waits on");
                            }
                            thread::sleep(Duration::from_micros(300));
                            let waiting = locked(&queue.state);
                            let waiting = waiting.waiting.iter().map(|place| place.item);
                            locked(left).extend(waiting);
                            items.iter().map(|item| item.0 * 1000 + item.1).collect()
                        };
                        let answer = queue.submit((thread, number), 10, work).unwrap();
                        assert_eq!(answer, thread * 1000 + number);
                    }
                });
            }
        });
        let commits = commits.load(Ordering::SeqCst);
        assert!(commits < 400, "{commits} commits for 800 items");
        assert!(locked(&left).is_empty());
        let state = locked(&queue.state);
        assert!(!state.led && state.waiting.is_empty());
    }

    #[test]
    fn a_commit_takes_no_more_than_its_bound() {
        let place = |bytes| {
            Arc::new(Waiter::<u8, u8> {
                item: 0,
                bytes,
                slot: Mutex::new(Slot::Waiting),
                changed: Condvar::new(),
            })
        };
        let mut waiting: VecDeque<_> = [BYTES_MAX + 1, BYTES_MAX, 1, 1]
            .into_iter()
            .map(place)
            .collect();
        assert_eq!(take(&mut waiting).len(), 1);
        assert_eq!(take(&mut waiting).len(), 1);
        assert_eq!(take(&mut waiting).len(), 2);
        waiting.extend((0..=ITEMS_MAX).map(|_| place(1)));
        assert_eq!(take(&mut waiting).len(), ITEMS_MAX);
        assert_eq!(waiting.len(), 1);
    }

    #[test]
    fn a_panic_of_the_leader_leaves_nobody_waiting() {
        let queue = CommitQueue::<u8, u8>::default();
        let started = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            let leader = scope.spawn(|| {
                queue.submit(1, 1, |_| {
                    started.wait();
                    // The other one is in the queue before this ends.
                    while locked(&queue.state).waiting.is_empty() {
                        thread::yield_now();
                    }
                    panic!("the engine stopped");
                })
            });
            started.wait();
            let follower = scope.spawn(|| queue.submit(2, 1, |items| vec![7; items.len()]));
            assert!(leader.join().is_err());
            assert_eq!(follower.join().unwrap(), Some(7), "it leads itself");
        });
        assert_eq!(queue.submit(3, 1, |_| Vec::new()), None, "no answer");
        assert_eq!(queue.submit(3, 1, |_| vec![9]), Some(9));
    }
}
