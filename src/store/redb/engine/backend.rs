//! The file under the database, with waits that end: redb waits for a lock of another process (the
//! writer's, or the header's, which readers take too) without a limit, and does not know who holds
//! it. `try_begin_write` of redb would end one of these waits: not that for the header, nor those of an
//! opening and of a compaction, and it cannot tell another process from a thread of this one.
//!
//! A lock is taken by whoever tries at the right moment, so a process that writes without a pause
//! would take it again and again. Therefore whoever wants to write takes another lock first, the turn,
//! and gives it back once it has the writer's: a process that has just written cannot take the turn from
//! the one that has it. Among those that wait for the turn, the longer one has waited the more often
//! it tries.
//!
//! Beside the store lies a small file that names the process that holds the lock: only a hint for
//! the error of one that waited too long, and never read for anything else. Its content is not
//! made durable, and it may be deleted at any time.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::locks::{self, Whole};
use super::note::Note;
use super::reserve::Reserve;
use crate::store::Options;

/// How long a lock is waited for while others wait for this process.
const HURRIED: Duration = Duration::from_millis(100);

/// Longest pause between two tries for a lock.
const PAUSE_MAX: Duration = Duration::from_millis(2);

/// Pause between two tries for the turn, of one that has just come and of one that waits already.
const TURN_PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_micros(400));

/// After that long one waits already.
const TURN_PATIENCE: Duration = Duration::from_millis(20);

/// Whether locks are waited for only briefly: others wait for this process meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hurry(Arc<AtomicBool>);

impl Hurry {
    /// From now on, or no longer.
    pub(crate) fn set(&self, hurried: bool) {
        self.0.store(hurried, Ordering::Release);
    }
}

/// The file of a store.
#[derive(Debug)]
pub(crate) struct Backend {
    file: FileBackend,
    /// The lock of the whole of it, as it was taken before.
    whole: Whole,
    wait: Duration,
    hurry: Hurry,
    note: Mutex<Note>,
    reserve: Reserve,
}

impl Backend {
    /// Over the open file of a store, whose lock of the whole is `whole`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn new(
        file: File,
        whole: Whole,
        note: Note,
        reserve: Reserve,
        options: &Options,
        hurry: &Hurry,
    ) -> io::Result<Self> {
        let file = FileBackend::new(file).map_err(|error| match error {
            redb::DatabaseError::Storage(redb::StorageError::Io(error)) => error,
            error => io::Error::other(error),
        })?;
        Ok(Self {
            file,
            whole,
            wait: options.lock_wait,
            hurry: hurry.clone(),
            note: Mutex::new(note),
            reserve,
        })
    }

    fn note(&self) -> MutexGuard<'_, Note> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self, began: Instant) -> bool {
        let wait = if self.hurry.0.load(Ordering::Acquire) {
            self.wait.min(HURRIED)
        } else {
            self.wait
        };
        began.elapsed() >= wait
    }

    /// Tries for a lock until it is there or the wait is over.
    fn lock(
        &self,
        began: Instant,
        mut attempt: impl FnMut() -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let mut pause = Duration::from_micros(100);
        while !attempt()? {
            if self.is_over(began) {
                return Err(BackendError::Io(io::ErrorKind::TimedOut.into()));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }

    /// Takes the writer's lock when it is this process's turn.
    fn lock_writer(&self, byte: Bound<u64>) -> Result<(), BackendError> {
        let began = Instant::now();
        let has_turn = self.take_turn(began)?;
        let locked = self.lock(began, || self.file.try_lock_range(byte, byte));
        // Given back whether the lock came or not: a turn that is kept would stop every other
        // writer.
        if has_turn {
            self.file.unlock_range(locks::TURN, locks::TURN)?;
        }
        locked
    }

    /// Waits for the turn. `false` where there are no turns: then whoever tries gets the lock.
    fn take_turn(&self, began: Instant) -> Result<bool, BackendError> {
        loop {
            match self.file.try_lock_range(locks::TURN, locks::TURN) {
                Ok(true) => return Ok(true),
                Ok(false) if self.is_over(began) => {
                    return Err(BackendError::Io(io::ErrorKind::TimedOut.into()));
                }
                Ok(false) => {}
                Err(_) => return Ok(false),
            }
            let (first, later) = TURN_PAUSES;
            let is_new = began.elapsed() < TURN_PATIENCE;
            thread::sleep(if is_new { first } else { later });
        }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> Result<u64, io::Error> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        // Before the space is needed: what is behind the file's end is not allocated by this.
        if len > self.file.len()? {
            self.reserve.keep(len);
        }
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.file.write(offset, data)
    }

    fn close(&self) -> Result<(), io::Error> {
        // While its locks are still held: behind them the note may be that of the next process.
        self.note().remove();
        let closed = self.file.close();
        self.whole.give_back();
        closed
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let locked = self.file.try_lock_range(start, end)?;
        // The exclusive mode locks the file's start last, and never lets go of it.
        if locked && start == Bound::Unbounded {
            self.note().write();
        }
        Ok(locked)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        // The writer's lock is a single byte; the other one, of the header, is held for no time.
        if start == end {
            self.lock_writer(start)?;
            self.note().write();
            return Ok(());
        }
        self.lock(Instant::now(), || self.file.try_lock_range(start, end))
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(Instant::now(), || {
            self.file.try_lock_shared_range(start, end)
        })
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
