//! Import: files and folders into a store.
//!
//! 1. The folders are searched for files that may matter (`discover`).
//! 2. Each file is compared with its state in the store (`plan`); unchanged ones are not opened.
//! 3. Workers read the others and pack their lines (`worker`); one writer stores the parts, each
//!    with the state of its file in the same transaction (`writer`).
//! 4. Sessions that are one document follow (`documents`), and those in databases (`databases`).
//! 5. Then sidecars are kept whole (`sidecars`), when the sessions that they belong to are
//!    there, and what they tell of sessions is put beside their lines (`sidecar_facts`).
//!
//! A stop at any moment leaves whole parts, and the next import goes on there.

mod classify;
mod database_session;
mod databases;
mod deleted;
mod derived;
mod discover;
pub(super) mod document_place;
mod documents;
mod file_stat;
mod first_lines;
mod found;
mod homes;
mod identify;
mod identity;
mod keep;
mod opened;
mod outlet;
mod owners;
mod part;
mod plan;
mod reading;
mod resume;
mod room;
mod session_names;
pub(super) mod sidecar_facts;
mod sidecars;
mod taking;
mod tasks;
mod transaction;
mod unpacked;
mod worker;
mod writer;

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;

use self::databases::DatabaseWriter;
use self::deleted::Marks;
use self::documents::DocumentWriter;
use self::keep::Keeper;
use self::outlet::Outlet;
use self::owners::FoundSessions;
use self::plan::Plan;
use self::room::Room;
use self::session_names::Names;
use self::sidecars::SidecarWriter;
use self::transaction::Transactions;
use self::worker::Queue;
use self::writer::LinesWriter;
use super::progress::Meter;
use super::report::ImportReport;
use crate::agents::{self, Agent};
use crate::model::error::{Error, Result};
use crate::model::with::with_methods;
use crate::provider;
use crate::store::{self, Ingest, IngestStore, Source, Watcher};

/// Most threads that read files at the same time.
const WORKERS_MAX: usize = 8;

/// Rounds in which files are compared again, since another process was faster with their sessions.
const OVERTAKEN_ROUNDS: usize = 3;

/// How to import.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Take every session file for one of this agent, instead of finding out. Its name, or another
    /// that is taken for it: see [`KnownAgent`](crate::KnownAgent).
    pub agent: Option<String>,
    /// Read and report everything, write nothing.
    pub dry_run: bool,
    /// Take sessions that were deleted here too, and lift their marks.
    pub again: bool,
}

with_methods! { ImportOptions =>
    /// The same, with every session file taken for one of this agent.
    with_agent(agent: impl Into<String>) agent = Some(agent.into());

    /// The same, writing nothing.
    with_dry_run(dry_run: bool) dry_run = dry_run;

    /// The same, taking sessions that were deleted here too.
    with_again(again: bool) again = again;
}

/// Imports files and folders.
///
/// Folders are searched whole, hidden folders included, except `.git` and `node_modules`. Taken
/// are files of lines (`.jsonl`, `.ndjson`, and `.json` where an agent writes lines there), documents,
/// databases and sidecars that an agent's format knows; anything else is passed over
/// without a word, unless it was named itself. Symbolic links are followed, and a file is taken once,
/// however many ways lead to it.
///
/// A session in one JSON document is kept whole, and its records are made from it; one of more than
/// 64 MiB is kept without records. Of a database (feature `sqlite`) every session is read, and
/// the file itself is never kept: it may hold credentials. Below an agent's home its own rules decide alone
/// what is a session, what is kept beside one, and what is neither. What an agent's index and meta files tell of sessions (title,
/// summary, aliases, hidden lines, times) is put beside the lines, each time that a file says something
/// new; files of more than 16 MiB are only kept.
///
/// A session that was deleted here stays away, grown or not, wherever its file lies by now:
/// [`deleted`](ImportReport::deleted) counts it, [`ImportOptions::again`] takes it in.
///
/// Importing again adds only what is new: a file with the same size and time is not opened, one
/// that has grown is read on, and one that changed otherwise is kept as a new session beside the
/// old one. A file that is gone changes nothing. Sessions of these files that an older version has read
/// are read again ([`RedbStore::reread`](crate::RedbStore::reread)).
/// `progress` is told at most every 50 ms, and at
/// the end, when it is too late to cancel.
///
/// # Durability
///
/// Written in transactions of about 16 MiB, or 250 ms. When this returns `Ok` all is on disk; after
/// an error, what was committed before it is, and the next import goes on there.
///
/// # Errors
///
/// [`Error::UnknownAgent`] for an agent without a format, the store's errors, and
/// [`Error::Cancelled`]: what was committed before stays, and the next import goes on there. That a path is
/// not there or a file cannot be read is none: the report tells
/// ([`paths_failed`](ImportReport::paths_failed), [`skipped`](ImportReport::skipped)).
pub fn import(
    store: &dyn Ingest,
    paths: &[PathBuf],
    options: &ImportOptions,
    progress: &mut Watcher<'_>,
) -> Result<ImportReport> {
    let forced = options
        .agent
        .as_deref()
        .map(agents::told_or_unknown)
        .transpose()?;
    // Transactions of an import stay open between calls of the store, so the boundary where a
    // panic over damaged pages becomes an error is here.
    let store = store.ingest().0;
    store::guard(|| import_for(store, paths, (forced, options), progress))
}

/// Imports the sessions that agents keep in their default places, as far as these are there, and
/// nothing else of their homes: as [`import`] of
/// [`Places::sessions`](crate::provider::Places::sessions).
///
/// ```
/// use scrollback::provider::Places;
/// use scrollback::{ImportOptions, Options, RedbStore, import_places, unwatched};
///
/// let home = tempfile::tempdir()?;
/// let store = RedbStore::open(home.path().join("sessions.redb"), Options::default())?;
/// // `Places::from_environment()` are those of the person who runs the program.
/// let places = Places::under(home.path());
/// let report = import_places(&store, &places, &ImportOptions::default(), &mut unwatched)?;
/// assert_eq!(report.sessions, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
///
/// As [`import`].
///
/// # Errors
///
/// Those of [`import`].
pub fn import_places(
    store: &dyn Ingest,
    places: &provider::Places,
    options: &ImportOptions,
    progress: &mut Watcher<'_>,
) -> Result<ImportReport> {
    let sessions = places.sessions().into_iter();
    let paths: Vec<PathBuf> = sessions.map(|(_, path)| path).collect();
    import(store, &paths, options, progress)
}

fn import_for(
    store: &dyn IngestStore,
    paths: &[PathBuf],
    (forced, options): (Option<&'static dyn Agent>, &ImportOptions),
    progress: &mut Watcher<'_>,
) -> Result<ImportReport> {
    let mut report = ImportReport::default();
    // First of all: what is found out from here on is of this content of the store, and a restore
    // that comes in between is noticed.
    let restored = store.restored_mark()?;
    let mut meter = Meter::new(progress);
    let wanted = discover::Wanted {
        matters: &classify::matters,
        path_bytes_max: store.path_bytes_max(),
    };
    let found = discover::find(paths, wanted, &mut report, &mut |files| meter.found(files));
    meter.go_on()?;
    let marks = Marks::new(store.marks_of_deleted()?, options.again);
    let mut plan = plan::plan(
        found,
        (store.sources(), &marks),
        forced,
        store.own_file(),
        &mut report,
    )?;
    meter.begin(plan.files, plan.bytes);
    // What is unchanged counts as done at once, so that the share that is shown is true.
    let (files, bytes) = (
        report.unchanged + plan.passed,
        plan.unchanged_bytes + plan.passed_bytes,
    );
    meter.add(files, bytes);
    meter.go_on()?;
    if !options.dry_run {
        for number in &plan.behind {
            match store.reread(*number) {
                // What is damaged is for a verification to tell.
                Ok(()) | Err(Error::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
            meter.go_on()?;
        }
    }
    let mut transactions = (!options.dry_run).then(|| Transactions::new(store, restored));
    read_rounds(
        &mut plan,
        (store, forced, &marks),
        &mut transactions,
        (&mut report, &mut meter),
    )?;
    let keeper = Keeper {
        transactions: transactions.as_mut(),
        store,
        report: &mut report,
        marks: &marks,
    };
    // After the lines: a sidecar is put to the session of a file that this run may just have made.
    keep_others(&mut plan, keeper, &mut meter)?;
    if let Some(transactions) = &mut transactions {
        transactions.commit()?;
    }
    report.deleted = marks.passed();
    meter.finish();
    report.sessions_found = plan.sessions();
    remind(store, &mut report)?;
    Ok(report)
}

/// Tells what an earlier version has left in the store that should not stay there.
fn remind(store: &dyn IngestStore, report: &mut ImportReport) -> Result<()> {
    let of_folders = store.sources().of_session(0)?;
    let is_database = |source: &&Source| {
        !source.row.name.is_empty() && agents::is_database_of(&source.row.agent, &source.path)
    };
    report.kept_databases = of_folders.iter().filter(is_database).count() as u64;
    report.scrub_due = store.is_scrub_due()?;
    Ok(())
}

/// Reads the files of lines, round by round: what may be of one session is read one after the other.
fn read_rounds(
    plan: &mut Plan,
    (store, forced, marks): (&dyn IngestStore, Option<&'static dyn Agent>, &Marks),
    transactions: &mut Option<Transactions<'_>>,
    (report, meter): (&mut ImportReport, &mut Meter<'_>),
) -> Result<()> {
    let mut waiting: Vec<usize> = (0..plan.lines.len()).collect();
    let mut has_sessions = store.has_sessions()?;
    let mut overtaken_rounds = 0;
    while !waiting.is_empty() {
        // Deferred files come with the next round: what they are depends on what this one stores.
        let tasks = waiting
            .iter()
            .filter_map(|at| Some((*at, plan.lines.get(*at)?)));
        let queue = Queue::new(tasks, (store, has_sessions), forced, marks);
        let mut overtaken = Vec::new();
        let writer = LinesWriter {
            tasks: &plan.lines,
            transactions: transactions.as_mut(),
            report: &mut *report,
            meter: &mut *meter,
            places: &mut plan.places,
            names: Names::default(),
            marks,
            started: HashMap::new(),
            files: HashMap::new(),
            overtaken: &mut overtaken,
            is_last_round: overtaken_rounds >= OVERTAKEN_ROUNDS,
        };
        read_lines(&queue, waiting.len(), writer)?;
        waiting = queue.deferred();
        // Counted, since two processes that import the same files could be in each other's way for
        // ever.
        overtaken_rounds += usize::from(!overtaken.is_empty());
        waiting.extend(overtaken);
        // In the files' order again, which decides about names.
        waiting.sort_unstable();
        // A deferred file may be of a session that the first round has made.
        has_sessions = true;
    }
    Ok(())
}

/// Reads files of lines with several threads, and writes with this one.
fn read_lines(queue: &Queue<'_>, files: usize, writer: LinesWriter<'_, '_, '_>) -> Result<()> {
    if files == 0 {
        return Ok(());
    }
    let workers = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(WORKERS_MAX);
    let room = Room::default();
    let (sender, receiver) = channel();
    let outlet = Outlet::new(sender, &room);
    thread::scope(|scope| {
        // Workers have to end when the writer does, after an error and a panic too.
        let open = room::Open(&room);
        for number in 0..workers.min(files) {
            let outlet = outlet.another();
            let started = thread::Builder::new()
                .name(format!("import-{number}"))
                .spawn_scoped(scope, move || queue.work(&outlet));
            match started {
                Err(source) if number == 0 => {
                    let source = Box::new(source);
                    return Err(Error::Storage {
                        action: "start a thread",
                        source,
                    });
                }
                // Fewer workers do it too; without the first nobody would read.
                Err(_) => break,
                Ok(_) => {}
            }
        }
        // The writer ends when the last sender is gone, and this one sends nothing.
        drop(outlet);
        writer.run(&receiver, &open)
    })
}

/// Takes what is no file of lines: databases, documents, and then the sidecars, which
/// tell of them.
fn keep_others(plan: &mut Plan, mut keeper: Keeper<'_, '_>, meter: &mut Meter<'_>) -> Result<()> {
    // What was taken before is compared as it is stored, so it has to be.
    if !plan.databases.is_empty() {
        keeper.commit()?;
    }
    let mut databases = DatabaseWriter {
        keeper: keeper.again(),
        places: &mut plan.places,
        taken: HashSet::new(),
    };
    for task in &plan.databases {
        databases.keep(task)?;
        meter.add(1, task.file.size);
        meter.go_on()?;
    }
    // Whose they are is found among all sessions of the import: that is worked out where there are
    // any.
    if plan.documents.is_empty() && plan.whole.is_empty() && plan.kept.is_empty() {
        return Ok(());
    }
    if !plan.documents.is_empty() {
        keeper.commit()?;
    }
    let mut documents = DocumentWriter {
        keeper: keeper.again(),
        places: FoundSessions::new(&plan.places),
        made: Vec::new(),
        taken: HashSet::new(),
    };
    for task in &plan.documents {
        documents.keep(task)?;
        meter.add(1, task.file.size);
        meter.go_on()?;
    }
    let made = documents.made;
    plan.places.extend(made);
    let mut whole = SidecarWriter {
        keeper,
        places: FoundSessions::new(&plan.places),
    };
    for task in &plan.whole {
        whole.keep(task)?;
        meter.add(1, task.file.size);
        meter.go_on()?;
    }
    // An index that is unchanged may name a session whose file has come only now.
    for kept in &plan.kept {
        whole.retell(kept)?;
    }
    Ok(())
}
