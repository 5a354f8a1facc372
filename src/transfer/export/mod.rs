//! Export: sessions out of a store, as lines byte for byte, or as Markdown.
//!
//! An export as lines is decided on first ([`plan`]: which file goes where, [`sidecars`]: an agent's
//! own files about sessions that were changed here) and then written, file by file.

mod file_names;
mod format;
mod item;
mod place;
mod plan;
mod sidecars;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use self::file_names::Targets;
pub use self::format::ExportFormat;
use self::item::{Counted, Item, write_lines};
use self::plan::{Plan, newest_first};
use super::files::atomic::ExportFolder;
use super::files::paths;
use super::progress::Meter;
use super::report::ImportProblem;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::session::Summary;
use crate::store::{Ingest, IngestStore, ListQuery, Source, Watcher};

/// What an export wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportReport {
    /// Files written.
    pub files: u64,
    /// Sessions written.
    pub sessions: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Files that are not there because what is stored of them is damaged:
    /// [`verify`](crate::RedbStore::verify) tells more.
    pub problems: Vec<ImportProblem>,
}

/// Writes one session to `out`. Returns bytes written.
///
/// As lines: all of its records, byte for byte, hidden ones too. A session that was imported from
/// one document and not continued since gives the newest content of that document.
///
/// # Errors
///
/// [`Error::NotFound`], [`Error::Corrupt`], or [`Error::Output`] if `out` fails.
pub fn export_session(
    store: &dyn Ingest,
    key: &SessionKey,
    format: ExportFormat,
    out: &mut dyn Write,
) -> Result<u64> {
    let store = store.ingest().0;
    let mut out = Counted { out, bytes: 0 };
    match format {
        ExportFormat::Markdown => store.export_markdown(key, &mut out)?,
        ExportFormat::Jsonl => {
            let summary = store.summary(key)?;
            match document_of(store, &summary)? {
                Some(document) => {
                    let (number, name) = (document.row.session, &document.row.name);
                    store.sources().read_attachment(number, name, &mut out)?;
                }
                None => write_lines(store, key, &mut out)?,
            }
        }
    }
    out.flush().map_err(|source| Error::Output { source })?;
    Ok(out.bytes)
}

/// Writes sessions to files under `folder`: all of the store, or those in `keys`.
///
/// As lines, each file that was imported goes to `folder/<agent>/` and its path relative to the
/// folder that was imported, with its time of change; sidecars as well. What nobody
/// changed since is the same, byte for byte. A session that was continued has its new lines at the
/// end of its file; one that came from a single document has its lines in a file beside that.
///
/// A session that was made through the API is named as its agent would name it, and goes to the
/// folder that the agent's imported sessions have in common, if there is one, or else to
/// `folder/<agent>/`; a session of an agent that names no files is `<id>.jsonl` there. Letters that
/// are not safe in a name are percent-encoded. The agent's meta file of a session that was changed
/// is written anew, and so are the rows of changed sessions in the agent's index, unless only some
/// sessions are exported: an index is about all of them.
///
/// Files that would land on one path are kept apart by `~2`, `~3` before their extension; the
/// newest content of a path has it plain. As Markdown, each session goes to
/// `folder/<agent>/<id>.md`.
///
/// Each file is there whole or not at all, readable by its owner only, and replaces one of the
/// same name, so that an export can be repeated. Nothing is written outside of `folder`, whatever
/// sessions and files are called: links in it are not followed (it may be one itself). `progress` is told at most every 50 ms, and
/// at the end.
///
/// # Durability
///
/// The files are left to the system to put on disk, since waiting for each takes longer than
/// writing it. After a failure of power, export again.
///
/// # Errors
///
/// [`Error::Io`] with the path of the file that cannot be written, the store's errors, and
/// [`Error::Cancelled`]; files that were written before stay, each of them whole. [`Error::NotFound`] for a key that is not there. A session that
/// is damaged is none, but one of [`problems`](ExportReport::problems): the others are written.
pub fn export_all(
    store: &dyn Ingest,
    keys: Option<&[SessionKey]>,
    format: ExportFormat,
    folder: &Path,
    progress: &mut Watcher<'_>,
) -> Result<ExportReport> {
    let store = store.ingest().0;
    // All keys are looked up before a file is written: one that is not there stops it all.
    let wanted = keys
        .map(|keys| {
            keys.iter()
                .map(|key| store.summary(key))
                .collect::<Result<Vec<_>>>()
        })
        .transpose()?;
    let items = match format {
        ExportFormat::Jsonl => line_items(store, wanted)?,
        ExportFormat::Markdown => {
            let summaries = wanted.map_or_else(|| every_session(store), Ok)?;
            let mut targets = Targets::default();
            summaries
                .into_iter()
                .map(|summary| Item::transcript(summary, &mut targets))
                .collect()
        }
    };
    let mut meter = Meter::new(progress);
    let bytes_total = items.iter().map(|item| item.bytes).sum();
    meter.begin(items.len() as u64, bytes_total);

    let mut report = ExportReport::default();
    let mut sessions = HashSet::new();
    let folder = ExportFolder::open(folder)?;
    for item in items {
        meter.go_on()?;
        let mut fill = |out: &mut dyn Write| item.write(store, format, out);
        match folder.write(&item.names, item.mtime_ns, &mut fill) {
            Ok(bytes) => {
                report.files += 1;
                report.bytes += bytes;
                // A session may have several files: the contents that its file had.
                report.sessions += u64::from(item.session != 0 && sessions.insert(item.session));
            }
            Err(error) => match item.pass_over(store, keys.is_some(), error) {
                Ok(()) => {}
                Err(error) if error.is_corruption() => {
                    report.problems.push(problem(&item, &error));
                }
                Err(error) => return Err(error),
            },
        }
        meter.add(1, item.bytes);
    }
    meter.finish();
    Ok(report)
}

/// The files of an export as lines.
fn line_items(store: &dyn IngestStore, wanted: Option<Vec<Summary>>) -> Result<Vec<Item>> {
    let snapshot = store.sources();
    let mut sources = Vec::new();
    snapshot.for_each(&mut |source| {
        sources.push(source);
        Ok(())
    })?;
    let sources = newest_first(sources);
    let mut plan = Plan::new(store, snapshot);
    let numbers: Option<HashSet<u64>> = wanted
        .as_ref()
        .map(|wanted| wanted.iter().map(|summary| summary.number).collect());
    let chosen: Vec<&Source> = sources
        .iter()
        .filter(|source| {
            numbers
                .as_ref()
                .is_none_or(|numbers| numbers.contains(&source.row.session))
        })
        .collect();
    // For all of them before any is placed: whether a session was changed since its files were read
    // shows by the highest number.
    for source in &chosen {
        let home = plan.homes.entry(source.row.session).or_default();
        home.imported = home.imported.max(source.row.next_sequence);
    }
    plan.take_orders()?;
    for source in chosen {
        plan.take_source(source)?;
    }
    let has_all = wanted.is_none();
    let sessions = wanted.map_or_else(|| every_session(store), Ok)?;
    for summary in &sessions {
        plan.take_session(summary, &sources)?;
        for older in older_contents(store, summary)? {
            plan.take_session(&older, &sources)?;
        }
    }
    sidecars::take(&mut plan, &sessions, has_all)?;
    Ok(plan.items)
}

/// A file that cannot be written, because what is stored of it is damaged.
fn problem(item: &Item, error: &Error) -> ImportProblem {
    let names = item.names.iter();
    ImportProblem {
        path: names.map(|name| paths::from_bytes(name)).collect(),
        line: None,
        offset: None,
        reason: format!("is not written: {error}"),
    }
}

/// The other contents of a session's id: they are written too.
fn older_contents(store: &dyn IngestStore, summary: &Summary) -> Result<Vec<Summary>> {
    if summary.contents < 2 {
        return Ok(Vec::new());
    }
    let sources = store.sources();
    let contents = sources.contents(&summary.key)?.into_iter();
    let others = contents.filter(|(_, number)| *number != summary.number);
    let rows = others.map(|(_, number)| Ok((number, sources.row(number)?)));
    let rows: Vec<(u64, Option<SessionRow>)> = rows.collect::<Result<_>>()?;
    let there = rows
        .into_iter()
        .filter_map(|(number, row)| Some((number, row?)));
    there
        .map(|(number, row)| {
            row.into_summary(number).map_err(|error| Error::Corrupt {
                table: "sessions",
                key: format!("session {number}"),
                detail: error.to_string(),
            })
        })
        .collect()
}

/// Every session of the store.
fn every_session(store: &dyn IngestStore) -> Result<Vec<Summary>> {
    let mut query = ListQuery {
        limit: 1000,
        ..ListQuery::default()
    };
    let mut sessions = Vec::new();
    loop {
        let page = store.list(&query)?;
        sessions.extend(page.sessions);
        query.after = page.next;
        if query.after.is_none() {
            return Ok(sessions);
        }
    }
}

/// The newest content of the document that a session was imported from, if it was and if that is
/// still all that there is.
fn document_of(store: &dyn IngestStore, summary: &Summary) -> Result<Option<Source>> {
    let sources = store.sources().of_session(summary.number)?;
    let has_lines = sources
        .iter()
        .any(|source| source.row.kind == SourceKind::Lines);
    let newest = sources
        .into_iter()
        .filter(|source| summary.record_count == 0 || source.row.next_sequence > 0)
        .max_by_key(|source| (source.row.next_sequence, source.generation));
    let is_all = |source: &Source| {
        summary.record_count == 0 || source.row.next_sequence == summary.next_sequence
    };
    Ok(newest.filter(|newest| !has_lines && is_all(newest)))
}
