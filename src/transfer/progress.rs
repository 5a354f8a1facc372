//! Counts files and bytes, and tells of them now and then.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::model::error::{Error, Result};
use crate::store::{Progress, Step, Watcher};

/// Time between two tellings, at least.
const INTERVAL: Duration = Duration::from_millis(50);

/// Counts, and tells the caller at most every 50 ms, and once at the end.
pub(super) struct Meter<'a> {
    watcher: &'a mut Watcher<'a>,
    told: Option<Instant>,
    now: Progress,
    cancelled: bool,
}

impl<'a> Meter<'a> {
    /// Starts with a search for files.
    pub(super) fn new(watcher: &'a mut Watcher<'a>) -> Self {
        Self {
            watcher,
            told: None,
            now: Progress::of(Step::Searching),
            cancelled: false,
        }
    }

    /// So many files were found so far. Returns whether to go on.
    pub(super) fn found(&mut self, files: u64) -> bool {
        self.now.files = files;
        self.tick();
        !self.cancelled
    }

    /// The search is over: there are so many files, of so many bytes in all.
    pub(super) fn begin(&mut self, files_total: u64, total: u64) {
        self.now = Progress {
            total,
            files_total,
            ..Progress::of(Step::Transferring)
        };
        self.tick();
    }

    /// So many files and bytes were dealt with.
    pub(super) fn add(&mut self, files: u64, bytes: u64) {
        self.now.files += files;
        self.now.done += bytes;
        self.tick();
    }

    /// Whether to go on. Asked where the work can stop.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] once somebody who was told has said so.
    pub(super) fn go_on(&self) -> Result<()> {
        if self.cancelled {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Tells the end, when nothing is left to be stopped.
    pub(super) fn finish(mut self) {
        self.tell();
    }

    fn tick(&mut self) {
        if self.told.is_none_or(|told| told.elapsed() >= INTERVAL) {
            self.told = Some(Instant::now());
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.cancelled |= (self.watcher)(self.now) == ControlFlow::Break(());
    }
}
