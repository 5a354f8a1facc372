//! The pages of sessions, and the index page that leads to them.

use std::io::Write;
use std::path::Path;

use super::html::{Days, write_session};
use super::item::{Counted, Item};
use super::outcome::{ExportReport, problem};
use crate::model::error::{Error, Result};
use crate::model::session::Summary;
use crate::render::html::{Listed, write_index};
use crate::store::IngestStore;
use crate::transfer::export::file_names::Targets;
use crate::transfer::files::atomic::ExportFolder;
use crate::transfer::progress::Meter;

/// The index page.
const INDEX: &[u8] = b"index.html";

/// Writes the pages of sessions, and the index.
pub(super) fn export(
    store: &dyn IngestStore,
    sessions: Vec<Summary>,
    was_asked_for: bool,
    folder: &Path,
    mut meter: Meter<'_>,
) -> Result<ExportReport> {
    let mut targets = Targets::default();
    targets.claim(&[INDEX.to_vec()]);
    let bytes = sessions.iter().map(|summary| summary.bytes).sum();
    meter.begin(sessions.len() as u64, bytes);
    let folder = ExportFolder::open(folder)?;
    let mut report = ExportReport::default();
    let mut listed = Vec::with_capacity(sessions.len());
    for summary in sessions {
        meter.go_on()?;
        let item = Item::transcript(summary.clone(), "html", &mut targets);
        let mut days = Days::new();
        let mut fill = |out: &mut dyn Write| {
            let mut out = Counted { out, bytes: 0 };
            days = write_session(store, &summary.key, &mut out)?;
            Ok(out.bytes)
        };
        match folder.write(&item.names, None, &mut fill) {
            Ok(bytes) => {
                report.files += 1;
                report.sessions += 1;
                report.bytes += bytes;
                listed.push(Listed {
                    summary,
                    names: item.names.clone(),
                    tokens: days,
                });
            }
            Err(error) => match item.pass_over(store, was_asked_for, error) {
                Ok(()) => {}
                Err(error) if error.is_corruption() => {
                    report.problems.push(problem(&item, &error));
                }
                Err(error) => return Err(error),
            },
        }
        meter.add(1, item.bytes);
    }
    let mut fill = |out: &mut dyn Write| {
        let mut out = Counted { out, bytes: 0 };
        write_index(&mut out, &listed).map_err(|source| Error::Output { source })?;
        Ok(out.bytes)
    };
    report.bytes += folder.write(&[INDEX.to_vec()], None, &mut fill)?;
    report.files += 1;
    meter.finish();
    Ok(report)
}
