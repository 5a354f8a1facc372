//! The file under the database, with waits that end: redb waits for the writer's lock of another
//! process without a limit, and does not know who holds it.
//!
//! Beside the store lies a small file that names the process that holds the lock: only a hint for
//! the error of one that waited too long, and never read for anything else. Its content is not
//! made durable, and it may be deleted at any time.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::super::Options;

/// Longest pause between two tries for a lock.
const PAUSE_MAX: Duration = Duration::from_millis(2);

/// The file of a store, shared with other processes.
#[derive(Debug)]
pub(crate) struct Backend {
    file: FileBackend,
    wait: Duration,
    note: Mutex<Note>,
}

impl Backend {
    /// Over the open file of the store at `path`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn new(file: File, path: &Path, options: &Options) -> io::Result<Self> {
        let file = FileBackend::new(file).map_err(|error| match error {
            redb::DatabaseError::Storage(redb::StorageError::Io(error)) => error,
            error => io::Error::other(error),
        })?;
        Ok(Self {
            file,
            wait: options.lock_wait,
            note: Mutex::new(Note {
                path: note_path(path),
                clock: options.clone(),
                file: None,
            }),
        })
    }

    /// Tries for a lock until it is there or the wait is over.
    fn lock(
        &self,
        mut attempt: impl FnMut() -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        if attempt()? {
            return Ok(());
        }
        let began = Instant::now();
        let mut pause = Duration::from_micros(100);
        while began.elapsed() < self.wait {
            thread::sleep(pause);
            if attempt()? {
                return Ok(());
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(BackendError::Io(io::Error::from(io::ErrorKind::TimedOut)))
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
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.file.write(offset, data)
    }

    fn close(&self) -> Result<(), io::Error> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|| self.file.try_lock_range(start, end))?;
        // The writer's lock is a single byte; the other one, of the header, is held for no time.
        if start == end {
            let mut note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
            note.write();
        }
        Ok(())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.lock(|| self.file.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

/// The file that names who writes.
#[derive(Debug)]
struct Note {
    path: PathBuf,
    clock: Options,
    file: Option<File>,
}

impl Note {
    /// Names this process. What fails here is only missed in an error of somebody else.
    fn write(&mut self) {
        let since = (self.clock.clock)().timestamp_millis();
        let text = format!("{:>10} {since:>16}\n", std::process::id());
        if self.file.is_none() {
            self.file = open_note(&self.path).ok();
        }
        if let Some(file) = &self.file {
            let _missed = write_at_start(file, text.as_bytes());
        }
    }
}

#[cfg(unix)]
fn write_at_start(file: &File, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    io::Seek::rewind(&mut file)?;
    io::Write::write_all(&mut file, bytes)
}

/// Opens the note, for the owner alone.
fn open_note(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn note_path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-writer");
    PathBuf::from(name)
}

/// Who seems to be writing to a store, and since when, in words.
pub(crate) fn holder(store: &Path, options: &Options) -> String {
    let unknown = || "another process is writing to it".to_owned();
    let Ok(text) = std::fs::read_to_string(note_path(store)) else {
        return unknown();
    };
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse::<u32>().ok());
    let since = words.next().and_then(|word| word.parse::<i64>().ok());
    match (pid, since) {
        (Some(pid), Some(since)) => {
            let now = (options.clock)().timestamp_millis();
            let seconds = now.saturating_sub(since).max(0) / 1000;
            format!("process {pid} has been writing to it for {seconds} s")
        }
        _ => unknown(),
    }
}
