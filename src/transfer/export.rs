//! Export: sessions out of a store, as lines byte for byte, or as Markdown.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use super::atomic::ExportFolder;
use super::paths;
use super::progress::{Meter, Progress};
use super::target::Targets;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::session::Summary;
use crate::store::{ListQuery, RedbStore, ScanQuery, Source, Sources, Store as _, StoreExt as _};

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// The lines, byte for byte.
    #[default]
    Jsonl,
    /// A transcript.
    Markdown,
}

/// What an export wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Files written.
    pub files: u64,
    /// Sessions written.
    pub sessions: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Writes one session to `out`. Returns bytes written.
///
/// As lines: all of its records, byte for byte, hidden ones too. A session that was imported from
/// one document gives the newest content of that document.
///
/// # Errors
///
/// [`Error::NotFound`], [`Error::Corrupt`], or [`Error::Output`] if `out` fails.
pub fn export_session(
    store: &RedbStore,
    key: &SessionKey,
    format: ExportFormat,
    out: &mut dyn Write,
) -> Result<u64> {
    let mut out = Counted { out, bytes: 0 };
    match format {
        ExportFormat::Markdown => store.export_markdown(key, &mut out)?,
        ExportFormat::Jsonl => {
            let summary = store.summary(key)?;
            if summary.record_count > 0 {
                write_lines(store, key, &mut out)?;
            } else if let Some(document) = document_of(store, summary.number)? {
                let (number, name) = (document.row.session, &document.row.name);
                store.sources().read_attachment(number, name, &mut out)?;
            }
        }
    }
    out.flush().map_err(|source| Error::Output { source })?;
    Ok(out.bytes)
}

/// Writes sessions to files under `folder`: all of the store, or those in `keys`.
///
/// As lines, each file that was imported goes to `folder/<agent>/` and its path relative to the
/// folder that was imported, with its time of change; files beside sessions as well. What was made
/// through the API goes to `folder/<agent>/<id>.jsonl`, the id percent-encoded. Files that would
/// land on one path are kept apart by `~2`, `~3` before their extension; the newest content of a
/// path has it plain. As Markdown, each session goes to `folder/<agent>/<id>.md`.
///
/// Each file is there whole or not at all, readable by its owner only, and replaces one of the
/// same name, so that an export can be repeated. Nothing is written outside of `folder`: links in
/// it are not followed. `progress` is called at most every 50 ms, and at the end.
///
/// # Durability
///
/// The files are left to the system to put on disk, since waiting for each takes longer than
/// writing it. After a failure of power, export again.
///
/// # Errors
///
/// [`Error::Io`] with the path of the file that cannot be written, and the store's errors; files
/// that were written before stay. [`Error::NotFound`] for a key that is not there.
pub fn export_all(
    store: &RedbStore,
    keys: Option<&[SessionKey]>,
    format: ExportFormat,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<ExportReport> {
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
            summaries
                .into_iter()
                .map(|summary| Item::of_session(summary, "md"))
                .collect()
        }
    };
    let mut meter = Meter::new(progress);
    let bytes_total = items.iter().map(|item| item.bytes).sum();
    let files_total = items.len() as u64;
    meter.begin(Progress {
        files: 0,
        files_total,
        bytes: 0,
        bytes_total,
    });

    let mut report = ExportReport::default();
    let mut sessions = HashSet::new();
    let mut targets = Targets::default();
    let mut folder = ExportFolder::open(folder)?;
    for item in items {
        let names = targets.claim(&item.names);
        let mut fill = |out: &mut dyn Write| item.write(store, format, out);
        match folder.write(&names, item.mtime_ns, &mut fill) {
            Ok(bytes) => {
                report.files += 1;
                report.bytes += bytes;
                report.sessions += u64::from(item.session != 0 && sessions.insert(item.session));
            }
            Err(error) => item.pass_over(store, keys.is_some(), error)?,
        }
        meter.add(1, item.bytes);
    }
    meter.finish();
    Ok(report)
}

/// A file to write.
struct Item {
    /// Where it should go, name by name.
    names: Vec<Vec<u8>>,
    content: Content,
    /// Store number of the session; 0 if there is none.
    session: u64,
    mtime_ns: Option<i64>,
    bytes: u64,
}

/// What goes into a file.
enum Content {
    Session(SessionKey),
    Attachment(String),
}

impl Item {
    /// The file of a session that has no path of its own.
    fn of_session(summary: Summary, extension: &str) -> Self {
        let name = format!("{}.{extension}", paths::file_safe(summary.key.id()));
        Self {
            names: vec![summary.key.agent().as_bytes().to_vec(), name.into_bytes()],
            session: summary.number,
            mtime_ns: None,
            bytes: summary.bytes,
            content: Content::Session(summary.key),
        }
    }

    /// The file of a source.
    fn of_source(source: SourceRow, key: Option<SessionKey>) -> Self {
        let mut names = vec![source.agent.into_bytes()];
        names.extend(paths::plain_components(&source.relative));
        if names.len() == 1 {
            let name = key.as_ref().map_or(source.name.as_str(), SessionKey::id);
            names.push(paths::file_safe(name).into_bytes());
        }
        let content = match key {
            Some(key) if source.kind == SourceKind::Lines => Content::Session(key),
            _ => Content::Attachment(source.name),
        };
        let (session, mtime_ns, bytes) = (source.session, Some(source.mtime_ns), source.offset);
        Self {
            names,
            content,
            session,
            mtime_ns,
            bytes,
        }
    }

    /// Goes on behind a file of which there is nothing, if another process has deleted its session
    /// since the export began. What is still there and was not found is damage.
    fn pass_over(&self, store: &RedbStore, was_asked_for: bool, error: Error) -> Result<()> {
        let Error::NotFound { wanted } = &error else {
            return Err(error);
        };
        if self.session == 0 || store.sources().key(self.session)?.is_some() {
            let table = match self.content {
                Content::Session(_) => "session_keys",
                Content::Attachment(_) => "attachments",
            };
            return Err(Error::Corrupt {
                table,
                key: format!("session {}, `{wanted}`", self.session),
                detail: "it is there, but was not found under its name".to_owned(),
            });
        }
        if was_asked_for { Err(error) } else { Ok(()) }
    }

    fn write(&self, store: &RedbStore, format: ExportFormat, out: &mut dyn Write) -> Result<u64> {
        let mut out = Counted { out, bytes: 0 };
        match (&self.content, format) {
            (Content::Session(key), ExportFormat::Jsonl) => write_lines(store, key, &mut out)?,
            (Content::Session(key), ExportFormat::Markdown) => {
                store.export_markdown(key, &mut out)?;
            }
            (Content::Attachment(name), _) => {
                store
                    .sources()
                    .read_attachment(self.session, name, &mut out)?;
            }
        }
        Ok(out.bytes)
    }
}

/// The files of an export as lines: the newest contents first, so that they get the plain names.
fn line_items(store: &RedbStore, wanted: Option<Vec<Summary>>) -> Result<Vec<Item>> {
    let numbers: Option<HashSet<u64>> = wanted
        .as_ref()
        .map(|wanted| wanted.iter().map(|summary| summary.number).collect());
    let mut sources = Vec::new();
    let snapshot = store.sources();
    snapshot.for_each(&mut |source| {
        if numbers
            .as_ref()
            .is_none_or(|numbers| numbers.contains(&source.row.session))
        {
            sources.push(source);
        }
        Ok(())
    })?;
    let (mut of_lines, mut of_documents) = (HashSet::new(), HashSet::new());
    let mut items = Vec::new();
    for source in newest_first(sources) {
        if let Some(item) = source_item(&snapshot, source.row)? {
            match item.content {
                Content::Session(_) => of_lines.insert(item.session),
                Content::Attachment(_) => of_documents.insert(item.session),
            };
            items.push(item);
        }
    }
    let sessions = wanted.map_or_else(|| every_session(store), Ok)?;
    let has_no_file = |summary: &Summary| {
        let is_document = summary.record_count == 0 && of_documents.contains(&summary.number);
        !is_document && !of_lines.contains(&summary.number)
    };
    let without_file = sessions.into_iter().filter(has_no_file);
    items.extend(without_file.map(|summary| Item::of_session(summary, "jsonl")));
    Ok(items)
}

/// The file of a source, unless its session was deleted.
fn source_item(snapshot: &Sources<'_>, source: SourceRow) -> Result<Option<Item>> {
    if source.session == 0 {
        // A database that was only read has a row without a name, and no content here.
        let is_kept = !source.name.is_empty();
        return Ok(is_kept.then(|| Item::of_source(source, None)));
    }
    let key = snapshot.key(source.session)?;
    Ok(key.map(|key| Item::of_source(source, Some(key))))
}

/// Sources with the newest content of every path first, in the order of the paths; then the older
/// ones, newer before older.
fn newest_first(sources: Vec<Source>) -> Vec<Source> {
    let (mut newest, mut older): (Vec<Source>, Vec<Source>) = (Vec::new(), Vec::new());
    for source in sources {
        match newest.last_mut() {
            Some(last) if last.path == source.path => {
                older.push(std::mem::replace(last, source));
            }
            _ => newest.push(source),
        }
    }
    older.sort_by(|left, right| {
        left.path
            .cmp(&right.path)
            .then(right.generation.cmp(&left.generation))
    });
    newest.extend(older);
    newest
}

/// Every session of the store.
fn every_session(store: &RedbStore) -> Result<Vec<Summary>> {
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

/// The newest content of the document that a session was imported from, if it was.
fn document_of(store: &RedbStore, number: u64) -> Result<Option<Source>> {
    let mut newest: Option<Source> = None;
    let mut has_lines = false;
    store.sources().for_each(&mut |source| {
        if source.row.session == number {
            has_lines |= source.row.kind == SourceKind::Lines;
            if newest
                .as_ref()
                .is_none_or(|newest| newest.generation < source.generation)
            {
                newest = Some(source);
            }
        }
        Ok(())
    })?;
    Ok(newest.filter(|_| !has_lines))
}

/// Writes all lines of a session.
fn write_lines(store: &RedbStore, key: &SessionKey, out: &mut Counted<'_>) -> Result<()> {
    for record in store.records(key, ScanQuery::default()) {
        out.write_all(&record?.line)
            .map_err(|source| Error::Output { source })?;
    }
    Ok(())
}

/// A writer that counts.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;

    #[test]
    fn a_hostile_relative_path_stays_in_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let store = RedbStore::open(root.path().join("s.redb"), Options::default()).unwrap();
        let mut bulk = store.bulk().unwrap();
        for (number, relative) in [
            "../../../out.txt",
            "/etc/absolute",
            "a/../../b",
            "..",
            "",
            "x\0y/z",
        ]
        .iter()
        .enumerate()
        {
            let name = format!("name {number}");
            let content = number.to_string();
            bulk.write_attachment(0, &name, &mut content.as_bytes())
                .unwrap();
            let row = SourceRow {
                agent: "jsonl".to_owned(),
                kind: SourceKind::Attachment,
                session: 0,
                name,
                relative: relative.as_bytes().to_vec(),
                size: 1,
                mtime_ns: -1,
                offset: 1,
                lines: 0,
                tail_offset: 1,
                hash: 0,
                next_sequence: 0,
                complete: true,
            };
            let path = format!("/in/{number}").into_bytes();
            bulk.write_source(&Source {
                path,
                generation: 1,
                row,
            })
            .unwrap();
        }
        bulk.commit().unwrap();
        let folder = root.path().join("deep/out");
        let report = export_all(&store, None, ExportFormat::Jsonl, &folder, &mut |_| {}).unwrap();
        assert_eq!(report.files, 6);
        let mut names: Vec<String> = walkdir::WalkDir::new(&folder)
            .into_iter()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                entry
                    .path()
                    .strip_prefix(&folder)
                    .unwrap()
                    .display()
                    .to_string()
            })
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "jsonl/a/b",
                "jsonl/etc/absolute",
                "jsonl/name%203",
                "jsonl/name%204",
                "jsonl/out.txt",
                "jsonl/z",
            ]
        );
        let beside = std::fs::read_dir(root.path().join("deep")).unwrap().count();
        assert_eq!(beside, 1);
    }
}
