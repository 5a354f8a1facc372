//! Giving space back to the file system: the one thing that needs the database for itself, and is
//! in nobody's way until it has it.

use crate::model::error::{Error, Result};
use crate::store::Reclaimed;
use crate::store::redb::engine::Engine;
use crate::store::redb::engine::errors::failed;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::handle::Handle;
use crate::store::redb::engine::note::{self, Holds};
use crate::store::redb::engine::who;

impl Engine {
    /// Gives space back to the file system. Nobody waits for it in vain: until it has the database
    /// for itself, reads and writes go on, and then it gives up rather than wait for somebody else.
    pub(crate) fn reclaim(&self) -> Result<Reclaimed> {
        let bytes_before = self.disk_bytes()?;
        let mut refused = Some("the store is being written".to_owned());
        // Another process's write is waited for here, where that is in nobody's way.
        match self.begin_write().map(drop) {
            Ok(()) => {
                if let Some(mut handle) = self.alone(self.options.lock_wait) {
                    // Everybody in this process waits from here on: other processes' locks are
                    // waited for only briefly.
                    self.watch.hurry.set(true);
                    let done = self.compact(&mut handle);
                    self.watch.hurry.set(false);
                    if let Some(named) = &self.named {
                        // A compaction makes commits of its own: the number of the last one tells
                        // nothing any more.
                        named.look_anew();
                    }
                    refused = done?;
                }
            }
            Err(Error::Busy { reason }) => refused = Some(reason),
            Err(error) => return Err(error),
        }
        Ok(Reclaimed {
            bytes_before,
            bytes_after: self.disk_bytes()?,
            refused,
        })
    }

    /// What keeps the database from being had alone, and who that may be.
    fn in_use(&self) -> String {
        let reason = "the store is being read or written elsewhere";
        match who::has_open(&self.place) {
            Some(others) => format!("{reason}; open in {others}"),
            None => reason.to_owned(),
        }
    }

    /// Compacts the file, and tells why not if that cannot be done now.
    fn compact(&self, handle: &mut Handle) -> Result<Option<String>> {
        let database = match handle {
            Handle::Writer(database) => database,
            Handle::Reader(_) => return Err(self.read_only()),
            Handle::Closed => return Err(failed("it is closed")),
        };
        loop {
            match database.compact() {
                // Pages were moved: another go may move more.
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(redb::CompactionError::TransactionInProgress) => {
                    return Ok(Some(self.in_use()));
                }
                Err(redb::CompactionError::Storage(redb::StorageError::Io(error)))
                    if error.kind() == std::io::ErrorKind::TimedOut =>
                {
                    let reason = note::holder(&self.place, Holds::Writer, &self.options);
                    return Ok(Some(reason));
                }
                Err(error) => return Err(storage("give space back")(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::store::Options;

    fn open(path: &Path, wait: u64) -> Result<Engine> {
        let options = Options::default().with_lock_wait(Duration::from_millis(wait));
        Engine::open(path, &options)
    }

    #[test]
    fn readers_do_not_wait_behind_a_reclaim_that_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        // Two handles on one file exclude each other like two processes.
        let (engine, other) = (open(&path, 800).unwrap(), open(&path, 800).unwrap());
        let held = other.begin_write().unwrap();
        let ended = AtomicBool::new(false);
        let (reads, longest) = thread::scope(|scope| {
            let writer = scope.spawn(|| engine.begin_write().map(drop));
            thread::sleep(Duration::from_millis(100));
            // Each waits for the other process, or for the thread that does.
            let reclaims = [0, 1].map(|_| scope.spawn(|| engine.reclaim()));
            let alone = scope.spawn(|| engine.alone(engine.options.lock_wait).is_some());
            let reader = scope.spawn(|| {
                let (mut reads, mut longest) = (0, Duration::ZERO);
                while !ended.load(Ordering::Acquire) {
                    let began = Instant::now();
                    drop(engine.begin_read().unwrap());
                    longest = longest.max(began.elapsed());
                    reads += 1;
                    thread::sleep(Duration::from_millis(1));
                }
                (reads, longest)
            });
            assert!(matches!(writer.join().unwrap(), Err(Error::Busy { .. })));
            for reclaim in reclaims {
                let refused = reclaim.join().unwrap().unwrap().refused.unwrap();
                assert!(refused.starts_with("process "), "{refused}");
            }
            let _either = alone.join().unwrap();
            ended.store(true, Ordering::Release);
            reader.join().unwrap()
        });
        let is_undisturbed = reads > 50 && longest < Duration::from_millis(500);
        assert!(is_undisturbed, "{reads} reads, the longest {longest:?}");
        drop(held);
        assert_eq!(engine.reclaim().unwrap().refused, None);
    }

    #[test]
    fn a_reclaim_that_has_the_database_does_not_wait_for_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let (engine, other) = (open(&path, 60_000).unwrap(), open(&path, 60_000).unwrap());
        let held = other.begin_write().unwrap();
        let began = Instant::now();
        engine.watch.hurry.set(true);
        let refused = engine
            .compact(&mut engine.alone(engine.options.lock_wait).unwrap())
            .unwrap();
        engine.watch.hurry.set(false);
        assert!(refused.is_some() && began.elapsed() < Duration::from_secs(20));
        drop(held);
        // Somebody who reads, here or in another process, is no failure either.
        for reader in [&engine, &other] {
            let reading = reader.begin_read().unwrap();
            let refused = engine.reclaim().unwrap().refused;
            assert!(refused.is_some_and(|reason| reason.contains("read")));
            drop(reading);
        }
        assert_eq!(engine.reclaim().unwrap().refused, None);
    }
}
