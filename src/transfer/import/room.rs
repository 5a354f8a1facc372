//! How much may be on its way from the workers to the writer: enough that no worker waits while the
//! writer commits, and bounded in bytes, so that memory is bounded whatever the parts hold. Workers
//! that read very long lines take turns too.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that may be on their way. A part that is larger goes alone.
///
/// A commit of 16 MiB takes some tens of milliseconds, in which the workers pack less than that.
const ROOM_BYTES: u64 = 16 * 1024 * 1024;

/// Room for what is on its way.
#[derive(Debug, Default)]
pub(super) struct Room {
    state: Mutex<State>,
    given_back: Condvar,
    /// Held by the worker that reads a very long line.
    long_line: Mutex<()>,
}

/// The turn of the one worker that holds a very long line.
pub(super) type Turn<'r> = MutexGuard<'r, ()>;

#[derive(Debug, Default)]
struct State {
    taken: u64,
    is_closed: bool,
}

impl Room {
    /// Takes room for so many bytes; waits until there is some. False if nobody wants them any more.
    pub(super) fn take(&self, bytes: u64) -> bool {
        // A part that is larger than all the room goes when nothing else is on its way; else it
        // would wait for ever.
        let is_full =
            |now: &mut State| !now.is_closed && now.taken > 0 && now.taken + bytes > ROOM_BYTES;
        let mut state = self
            .given_back
            .wait_while(self.state(), is_full)
            .unwrap_or_else(PoisonError::into_inner);
        state.taken += bytes;
        !state.is_closed
    }

    /// Gives room back.
    pub(super) fn give_back(&self, bytes: u64) {
        let mut state = self.state();
        state.taken = state.taken.saturating_sub(bytes);
        drop(state);
        self.given_back.notify_all();
    }

    /// Whether a part takes more than there is: its room is given back when it is committed, since
    /// until then it is in memory.
    pub(super) fn is_exceeded_by(bytes: u64) -> bool {
        bytes > ROOM_BYTES
    }

    /// Waits until no part that exceeds it is on its way: for a worker that would read another one.
    pub(super) fn settle(&self) {
        let is_exceeded = |now: &mut State| !now.is_closed && Self::is_exceeded_by(now.taken);
        drop(self.given_back.wait_while(self.state(), is_exceeded));
    }

    /// Waits until no other worker holds a very long line: two of them are more memory than an
    /// import may take. Whoever has the turn may wait for room, since the writer waits for no turn.
    pub(super) fn turn(&self) -> Turn<'_> {
        self.long_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer, as long as it is there: when it ends, however it does, nobody waits for room.
#[derive(Debug)]
pub(super) struct Open<'r>(pub &'r Room);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_does_not_fit_waits_for_room_and_goes_alone() {
        let room = Room::default();
        assert!(room.take(ROOM_BYTES));
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            scope.spawn(|| sender.send(room.take(2 * ROOM_BYTES)));
            let waited = receiver.recv_timeout(Duration::from_millis(20));
            assert_eq!(waited, Err(RecvTimeoutError::Timeout));
            room.give_back(ROOM_BYTES);
            assert_eq!(receiver.recv(), Ok(true));
        });
    }

    #[test]
    fn a_part_that_exceeds_the_room_is_waited_for() {
        let room = Room::default();
        assert!(room.take(ROOM_BYTES));
        room.settle();
        room.give_back(ROOM_BYTES);
        assert!(room.take(ROOM_BYTES + 1));
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                room.settle();
                sender.send(())
            });
            let waited = receiver.recv_timeout(Duration::from_millis(20));
            assert_eq!(waited, Err(RecvTimeoutError::Timeout));
            room.give_back(ROOM_BYTES + 1);
            assert_eq!(receiver.recv(), Ok(()));
        });
    }

    #[test]
    fn nobody_waits_once_the_writer_is_gone() {
        let room = Room::default();
        let open = Open(&room);
        assert!(room.take(1));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| room.take(ROOM_BYTES));
            drop(open);
            assert!(!waiting.join().unwrap());
        });
        assert!(!room.take(1));
    }
}
