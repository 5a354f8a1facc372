//! The pages of sessions, and the index page that leads to them.

use std::io::Write;
use std::path::Path;

use super::file_names::Targets;
use super::format::ExportFormat;
use super::item::{Counted, Item, Seen};
use super::outcome::ExportReport;
use super::run::Run;
use crate::model::error::{Error, Result};
use crate::model::session::Summary;
use crate::render::html::{Listed, write_index};
use crate::store::{IngestStore, Watcher};

/// The index page.
const INDEX: &[u8] = b"index.html";

/// Writes the pages of sessions, and the index.
pub(super) fn export(
    store: &dyn IngestStore,
    sessions: Vec<Summary>,
    was_asked_for: bool,
    folder: &Path,
    progress: &mut Watcher<'_>,
) -> Result<ExportReport> {
    let mut targets = Targets::default();
    // Claimed before any page: whatever an agent is called, its folder is not in the way.
    let index = targets.claim(&[INDEX.to_vec()]);
    let bytes = sessions.iter().map(|summary| summary.bytes).sum();
    let size = (sessions.len(), bytes);
    let mut run = Run::begin(store, folder, was_asked_for, size, progress)?;
    let mut listed = Vec::with_capacity(sessions.len());
    for summary in sessions {
        let item = Item::transcript(&summary, ExportFormat::Html, &mut targets);
        let mut seen = Seen::default();
        let mut fill = |out: &mut dyn Write| item.write(store, out, &mut seen);
        if run.write(&item, None, &mut fill)? {
            listed.push(Listed {
                summary,
                names: item.names,
                tokens: seen.days,
            });
        }
    }
    let mut fill = |out: &mut dyn Write| {
        let mut out = Counted { out, bytes: 0 };
        write_index(&mut out, &listed).map_err(|source| Error::Output { source })?;
        Ok(out.bytes)
    };
    run.end_with(&index, &mut fill)
}
