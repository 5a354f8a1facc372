//! How far an import or an export is, told now and then.

use std::time::{Duration, Instant};

/// Time between two tellings, at least.
const INTERVAL: Duration = Duration::from_millis(50);

/// How far an import or an export is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files dealt with; while the search goes on, files found.
    pub files: u64,
    /// Files in all; 0 while the search goes on.
    pub files_total: u64,
    /// Bytes dealt with.
    pub bytes: u64,
    /// Bytes to deal with.
    pub bytes_total: u64,
}

/// Counts, and tells the caller at most every 50 ms, and once at the end.
pub(super) struct Meter<'a> {
    tell: &'a mut dyn FnMut(Progress),
    told: Option<Instant>,
    now: Progress,
}

impl<'a> Meter<'a> {
    /// Starts at nothing.
    pub(super) fn new(tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self {
            tell,
            told: None,
            now: Progress::default(),
        }
    }

    /// So many files were found so far.
    pub(super) fn found(&mut self, files: u64) {
        self.now.files = files;
        self.tick();
    }

    /// The search is over: there is so much to do, of which some is done.
    pub(super) fn begin(&mut self, start: Progress) {
        self.now = start;
        self.tick();
    }

    /// So many files and bytes were dealt with.
    pub(super) fn add(&mut self, files: u64, bytes: u64) {
        self.now.files += files;
        self.now.bytes += bytes;
        self.tick();
    }

    /// Tells the end.
    pub(super) fn finish(self) {
        (self.tell)(self.now);
    }

    fn tick(&mut self) {
        if self.told.is_none_or(|told| told.elapsed() >= INTERVAL) {
            self.told = Some(Instant::now());
            (self.tell)(self.now);
        }
    }
}
