//! Files that are being written one by one, and what comes of each.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use super::item::Item;
use super::outcome::{ExportReport, problem};
use crate::model::error::Result;
use crate::store::{IngestStore, Watcher};
use crate::transfer::files::atomic::ExportFolder;
use crate::transfer::progress::Meter;

/// An export that writes.
pub(super) struct Run<'a> {
    store: &'a dyn IngestStore,
    folder: ExportFolder,
    meter: Meter<'a>,
    /// Whether sessions were named, so that one that goes meanwhile is missed.
    was_asked_for: bool,
    /// Store numbers of the sessions that have a file. One may have several: the contents that its file had.
    sessions: HashSet<u64>,
    /// What came of it so far.
    pub report: ExportReport,
}

impl<'a> Run<'a> {
    /// Into a folder, of so many files with so many bytes in all.
    pub(super) fn begin(
        store: &'a dyn IngestStore,
        folder: &Path,
        was_asked_for: bool,
        (files, bytes): (usize, u64),
        progress: &'a mut Watcher<'a>,
    ) -> Result<Self> {
        let mut meter = Meter::new(progress);
        meter.begin(files as u64, bytes);
        Ok(Self {
            store,
            folder: ExportFolder::open(folder)?,
            meter,
            was_asked_for,
            sessions: HashSet::new(),
            report: ExportReport::default(),
        })
    }

    /// Writes a file; whether it is there then. What is damaged is told in the report, and what somebody has deleted
    /// meanwhile is passed over.
    pub(super) fn write(
        &mut self,
        item: &Item,
        mtime_ns: Option<i64>,
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
    ) -> Result<bool> {
        self.meter.go_on()?;
        let written = self.folder.write(&item.names, mtime_ns, fill);
        let is_there = written.is_ok();
        match written {
            Ok(bytes) => {
                self.report.files += 1;
                self.report.bytes += bytes;
                let is_new = item.session != 0 && self.sessions.insert(item.session);
                self.report.sessions += u64::from(is_new);
            }
            Err(error) => match item.pass_over(self.store, self.was_asked_for, error) {
                Ok(()) => {}
                // A damaged session costs its own file and no other.
                Err(error) if error.is_corruption() => {
                    self.report.problems.push(problem(item, &error));
                }
                Err(error) => return Err(error),
            },
        }
        self.meter.add(1, item.bytes);
        Ok(is_there)
    }

    /// Writes a file about the others, and ends.
    #[cfg(feature = "html")]
    pub(super) fn end_with(
        mut self,
        names: &[Vec<u8>],
        fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
    ) -> Result<ExportReport> {
        self.report.bytes += self.folder.write(names, None, fill)?;
        self.report.files += 1;
        Ok(self.end())
    }

    /// Ends it, behind all files.
    pub(super) fn end(self) -> ExportReport {
        self.meter.finish();
        self.report
    }
}
