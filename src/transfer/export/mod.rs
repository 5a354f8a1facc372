//! Export: sessions out of a store, as lines byte for byte, as Markdown, or as pages.
//!
//! An export as lines is decided on first ([`plan`]: which file goes where, [`sidecars`]: an agent's
//! own files about sessions that were changed here) and then written, file by file ([`run`]).

mod file_names;
mod format;
#[cfg(feature = "html")]
mod html;
mod item;
mod older;
mod outcome;
#[cfg(feature = "html")]
mod pages;
mod place;
mod plan;
mod run;
mod sidecars;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use self::file_names::Targets;
pub use self::format::ExportFormat;
use self::item::{Counted, write_lines};
pub(super) use self::item::{Item, Seen};
pub use self::outcome::ExportReport;
use self::outcome::told;
use self::plan::{Plan, is_document, newest_first, reached};
use self::run::Run;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::session::Summary;
use crate::store::{Ingest, IngestStore, ListQuery, Source, Watcher};

/// How to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The form.
    pub format: ExportFormat,
    /// Give files their old times, also where their agent deletes files by it.
    pub keep_times: bool,
}

impl Default for ExportOptions {
    /// As lines, for agents to read.
    fn default() -> Self {
        Self {
            format: ExportFormat::Jsonl,
            keep_times: false,
        }
    }
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
        #[cfg(feature = "html")]
        ExportFormat::Html => {
            html::write_session(store, key, &mut out)?;
        }
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
/// folder that was imported, with its time of change (today's, where the agent deletes files by
/// their time); sidecars as well. What nobody
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
/// What a file held before, and the older contents of a session, lie below `folder/.older/N/`, where no
/// agent looks, and are listed in `.older/list.json`; an import of the folder takes them as older. Sessions that would land on one path
/// are kept apart by `~2`, `~3` before their extension, which the report tells. As Markdown, each session goes to
/// `folder/<agent>/<id>.md`; as HTML, to `folder/<agent>/<id>.html`, and `folder/index.html` leads to them.
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
    let options = ExportOptions {
        format,
        ..ExportOptions::default()
    };
    export_all_as(store, keys, &options, folder, progress)
}

/// As [`export_all`], with more to choose.
///
/// ```
/// use scrollback::{ExportOptions, Options, RedbStore, Session, Store, export_all_as, unwatched};
///
/// let home = tempfile::tempdir()?;
/// let store = RedbStore::open(home.path().join("sessions.redb"), Options::default())?;
/// store.save(&mut Session::native("chat-1")?)?;
/// let mut options = ExportOptions::default();
/// options.keep_times = true;
/// let report = export_all_as(&store, None, &options, &home.path().join("out"), &mut unwatched)?;
/// assert_eq!(report.sessions, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
///
/// As [`export_all`].
///
/// # Errors
///
/// Those of [`export_all`].
pub fn export_all_as(
    store: &dyn Ingest,
    keys: Option<&[SessionKey]>,
    options: &ExportOptions,
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
    let was_asked_for = keys.is_some();
    let (items, notes) = match options.format {
        #[cfg(feature = "html")]
        ExportFormat::Html => {
            let sessions = wanted.map_or_else(|| every_session(store), Ok)?;
            return pages::export(store, sessions, was_asked_for, folder, progress);
        }
        ExportFormat::Jsonl => line_items(store, wanted)?,
        ExportFormat::Markdown => {
            let sessions = wanted.map_or_else(|| every_session(store), Ok)?;
            let mut targets = Targets::default();
            let items = sessions
                .iter()
                .map(|summary| Item::transcript(summary, options.format, &mut targets));
            (items.collect(), Notes::new())
        }
    };
    let bytes = items.iter().map(|item| item.bytes).sum();
    // The folder is made only now: what fails before leaves nothing behind.
    let mut run = Run::begin(store, folder, was_asked_for, (items.len(), bytes), progress)?;
    for (names, reason) in notes {
        run.report.notes.push(told(&names, reason));
    }
    for item in items {
        let mut seen = item.seen();
        // With its old time, an agent that deletes old sessions would delete what was just written
        // for it.
        let mtime_ns = item
            .mtime_ns
            .filter(|_| options.keep_times || !item.is_deleted_by_time());
        let mut fill = |out: &mut dyn Write| item.write(store, out, &mut seen);
        if run.write(&item, mtime_ns, &mut fill)?
            && let Some(reason) = seen.longest.and_then(|longest| longest.reason())
        {
            run.report.notes.push(told(&item.names, reason));
        }
    }
    Ok(run.end())
}

/// What is told of files: where they go, and what whoever reads them should know.
pub(super) type Notes = Vec<(Vec<Vec<u8>>, String)>;

/// The files of an export as lines.
pub(super) fn line_items(
    store: &dyn IngestStore,
    wanted: Option<Vec<Summary>>,
) -> Result<(Vec<Item>, Notes)> {
    let snapshot = store.sources();
    let mut sources = Vec::new();
    snapshot.for_each(&mut |source| {
        sources.push(source);
        Ok(())
    })?;
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
        // A copy's content is that of another place, and is written there.
        .filter(|source| !source.row.is_copy())
        .collect();
    let (newest, older) = newest_first(chosen);
    // For all of them before any is placed: whether a session was changed since its files were read
    // shows by the highest number.
    for source in newest.iter().chain(&older) {
        let home = plan.homes.entry(source.row.session).or_default();
        home.imported = home.imported.max(source.row.next_sequence);
    }
    for source in newest.iter().filter(|source| is_document(source)) {
        let home = plan.homes.entry(source.row.session).or_default();
        home.told = home.told.max(Some(reached(source)));
    }
    plan.take_orders()?;
    for (source, is_older) in newest
        .into_iter()
        .map(|source| (source, false))
        .chain(older.into_iter().map(|source| (source, true)))
    {
        plan.take_source(source, is_older)?;
    }
    let has_all = wanted.is_none();
    let sessions = wanted.map_or_else(|| every_session(store), Ok)?;
    for summary in &sessions {
        plan.take_session((summary, None), &sources)?;
        for (content, older) in older_contents(store, summary)? {
            plan.take_session((&older, Some(content)), &sources)?;
        }
    }
    sidecars::take(&mut plan, &sessions, has_all)?;
    plan.list_older()?;
    Ok((plan.items, plan.notes))
}

/// The other contents of a session's id: they are written too.
fn older_contents(store: &dyn IngestStore, summary: &Summary) -> Result<Vec<(u32, Summary)>> {
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
            let content = row.content;
            let summary = row.into_summary(number).map_err(|error| Error::Corrupt {
                table: "sessions",
                key: format!("session {number}"),
                detail: error.to_string(),
            })?;
            Ok((content, summary))
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
    let documents = sources
        .iter()
        .filter(|source| summary.record_count == 0 || source.row.next_sequence > 0);
    let (newest, _) = newest_first(documents.collect());
    let newest = newest.into_iter().max_by_key(|source| reached(source));
    let is_all = |source: &Source| {
        summary.record_count == 0 || source.row.next_sequence == summary.next_sequence
    };
    Ok(newest
        .filter(|newest| !has_lines && is_all(newest))
        .cloned())
}
