//! Locks between processes, one file a lock: it ends with its process, however that ends. The file
//! names whoever has it, as a hint, and goes when the lock is given back. It must not know what is locked.
//!
//! - What a killed process leaves is an empty or short file that locks nothing; the next one takes it.
//! - A file is removed only by whoever has its lock; whoever gets the lock of one that was removed meanwhile
//!   sees that its name leads elsewhere, and tries anew.
//! - What else lies under a lock's name (a link, a second name, somebody's file) is neither followed
//!   nor touched: then there is no lock, and an error.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::model::error::{Error, Result};
use crate::system::{has_one_name, is_gone, is_same_file, private};

/// The length of a lock's file: the process's number and a line feed.
const BYTES: u64 = 11;

/// How often a lock that somebody has is tried for again.
const PAUSE: Duration = Duration::from_millis(3);

/// For how long a file may be exchanged under us, beyond the wait, before that is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(in crate::transfer) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock of a file, which is made if it is not there. Waits so long for another one.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`], which names whoever has it; [`Error::Io`] if the file cannot be made, is something else,
    /// or lies on a file system that takes no locks.
    pub(in crate::transfer) fn take(path: &Path, what: &str, wait: Duration) -> Result<Self> {
        let failed = |source| Error::Io {
            action: "take the lock",
            path: path.to_owned(),
            source,
        };
        let began = Instant::now();
        loop {
            let Some(file) = open(path).map_err(failed)? else {
                if began.elapsed() > wait + PATIENCE {
                    return Err(failed(in_the_way()));
                }
                continue;
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if began.elapsed() < wait => {
                    thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy {
                        reason: format!("{} is at work on {what}", holder(&file)),
                    });
                }
                Err(TryLockError::Error(error)) => {
                    use io::ErrorKind::{InvalidInput, Unsupported};
                    // Where there are none nobody has it. Where one cannot be had, somebody may.
                    if matches!(error.kind(), Unsupported | InvalidInput) {
                        drop(fs::remove_file(path));
                    }
                    return Err(failed(no_locks(&error)));
                }
            }
            if leads_to(path, &file) {
                let mut lock = Self {
                    path: path.to_owned(),
                    file,
                };
                // A hint for others: without it they do not know who it is.
                drop(lock.sign());
                return Ok(lock);
            }
        }
    }

    fn sign(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        writeln!(self.file, "{:>10}", std::process::id())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if leads_to(&self.path, &self.file) {
            // What stays locks nobody out.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Opens a lock's file; `None` if it was exchanged in between.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let there = match fs::symlink_metadata(path) {
        Ok(there) if is_plain(&there) => Some(there),
        Ok(_) => return Err(in_the_way()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private(options.create_new(true));
            None
        }
        Err(error) => return Err(error),
    };
    match (options.open(path), there) {
        // The name leads to another file than was looked at: nothing is written there, and it is
        // tried anew.
        (Ok(file), Some(there)) if !is_same_file(&there, &file.metadata()?) => Ok(None),
        (Ok(file), _) => match words(&file)? {
            Ok(_) => Ok(Some(file)),
            Err(Foreign) => Err(in_the_way()),
        },
        (Err(error), Some(_)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        (Err(error), None) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        (Err(error), _) => Err(error),
    }
}

/// Whether it can be a lock's file: one name, and no longer than one.
fn is_plain(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.len() <= BYTES && has_one_name(metadata)
}

/// What is no lock's file.
struct Foreign;

/// The process that a lock's file names; `None` if it names none.
fn words(mut file: &File) -> io::Result<std::result::Result<Option<u32>, Foreign>> {
    let mut text = Vec::new();
    file.rewind()?;
    match file.take(BYTES + 1).read_to_end(&mut text) {
        Ok(_) => {}
        // Where locks keep readers out too.
        Err(_) if cfg!(windows) => return Ok(Ok(None)),
        Err(error) => return Err(error),
    }
    let text = String::from_utf8(text).unwrap_or_else(|_| "?".to_owned());
    let is_ours = text
        .bytes()
        .all(|byte| matches!(byte, b' ' | b'\n') || byte.is_ascii_digit());
    Ok(if is_ours {
        Ok(text.trim().parse().ok())
    } else {
        Err(Foreign)
    })
}

/// Who has a lock, in words. What the file says is not believed further than the process can be seen.
fn holder(file: &File) -> String {
    match words(file) {
        Ok(Ok(Some(process))) if !is_gone(process) => format!("process {process}"),
        _ => "another process".to_owned(),
    }
}

/// Whether a path leads to an open file.
fn leads_to(path: &Path, file: &File) -> bool {
    let (there, open) = (fs::symlink_metadata(path), file.metadata());
    matches!((there, open), (Ok(there), Ok(open)) if is_same_file(&there, &open))
}

fn in_the_way() -> io::Error {
    io::Error::new(
        io::ErrorKind::AlreadyExists,
        "something else is under the lock's name; move it away",
    )
}

fn no_locks(error: &io::Error) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!(
            "the file system takes no locks ({error}), and without them two runs at once would \
             lose lines; use a folder on a local disk"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path) -> Result<Lock> {
        Lock::take(path, "it", Duration::ZERO)
    }

    #[test]
    fn the_second_one_is_told_who_has_it_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let first = take(&path).unwrap();
        let busy = take(&path).unwrap_err();
        let who = format!("process {} is at work on it", std::process::id());
        assert!(
            matches!(&busy, Error::Busy { reason } if *reason == who),
            "{busy:?}"
        );
        drop(first);
        assert!(!path.exists());
        // What a killed one leaves, and one that was killed before it signed.
        for left in ["      4711\n", "", "    "] {
            fs::write(&path, left).unwrap();
            drop(take(&path).unwrap());
            assert!(!path.exists());
        }
    }

    #[test]
    fn one_at_a_time_has_it_however_many_try() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let inside = std::sync::atomic::AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let lock = Lock::take(&path, "it", Duration::from_secs(60)).unwrap();
                        let order = std::sync::atomic::Ordering::SeqCst;
                        assert_eq!(inside.fetch_add(1, order), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, order);
                        drop(lock);
                    }
                });
            }
        });
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_else_lies_there_is_neither_followed_nor_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("a.lock"), folder.path().join("precious"));
        for text in ["", "7", "short", "longer than a lock's file is"] {
            for kind in ["link", "second name", "file"] {
                fs::write(&precious, text).unwrap();
                match kind {
                    "link" => std::os::unix::fs::symlink(&precious, &path).unwrap(),
                    "second name" => fs::hard_link(&precious, &path).unwrap(),
                    _ if text.len() > 1 => fs::write(&path, text).unwrap(),
                    _ => continue,
                }
                let refused = take(&path).unwrap_err();
                assert!(matches!(refused, Error::Io { .. }), "{kind}: {refused:?}");
                assert_eq!(fs::read_to_string(&path).unwrap(), text, "{kind}");
                assert_eq!(fs::read_to_string(&precious).unwrap(), text, "{kind}");
                fs::remove_file(&path).unwrap();
            }
        }
    }
}
