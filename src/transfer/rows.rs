//! One session of a database: what of it is new becomes records.

use super::classify::DATABASE_AGENT;
use super::derived::{self, Derived};
use super::keep::{Failure, Keeper};
use super::names;
use super::paths;
use super::places::Place;
use super::plan::DatabaseTask;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::dialect::{self, DocumentLines};
use crate::error::Result;
use crate::model::key::SessionKey;
use crate::provider::opencode::DatabaseSession;
use crate::store::{SessionBuilder, Source, Sources};

/// What is stored of a session.
struct Stored {
    number: u64,
    key: SessionKey,
    row: SessionRow,
}

/// What is to be done with a session.
enum Step<'l> {
    /// It has nothing new.
    Nothing(Stored),
    /// These lines are new.
    Grown(Stored, Vec<&'l [u8]>),
    /// It goes to a session of its own.
    New(Option<SessionKey>),
}

/// A builder, the lines for it, the session if it is there, and the one that it is not to replace.
type Begun<'l> = (
    SessionBuilder,
    Vec<&'l [u8]>,
    Option<(u64, SessionKey)>,
    Option<SessionKey>,
);

/// Takes one session of a database.
pub(super) fn take(
    keeper: &mut Keeper<'_, '_>,
    places: &mut Vec<Place>,
    task: &DatabaseTask,
    session: &DatabaseSession,
) -> std::result::Result<(), Failure> {
    let wanted = names::key_of(DATABASE_AGENT, &session.id)?;
    let path = [
        paths::to_bytes(&task.file.path).as_slice(),
        b"#",
        session.id.as_bytes(),
    ]
    .concat();
    let sources = keeper.store.sources();
    let previous = sources.newest(&path)?;
    let content = &session.document;
    let step = step(&sources, previous.as_ref(), content)?;
    if let Step::Nothing(stored) = step {
        places.push(place(task, stored.number, stored.key, false));
        return Ok(());
    }
    let mtime_us = task.file.mtime_ns.div_euclid(1000);
    let (builder, lines, there, replaces) = begin(step, &wanted, content, mtime_us);
    let Derived {
        chunk,
        added,
        problems,
    } = derived::build(builder, lines.into_iter(), session.project.as_deref());
    let next = chunk.row.next;
    let is_new = there.is_none();
    let (number, key) = match (&mut keeper.transactions, there) {
        (None, there) => there.unwrap_or((0, wanted)),
        (Some(transactions), there) => {
            let bulk = transactions.bulk()?;
            let (number, key) = match there {
                Some(there) => there,
                None => names::create(bulk, &wanted, 1)?,
            };
            bulk.write_chunk(number, &chunk)?;
            (number, key)
        }
    };
    let generation = match &previous {
        Some(previous) => previous.generation + u32::from(is_new && replaces.is_some()),
        None => 1,
    };
    let row = row_of(task, content, number, &key, next);
    keeper.note(&Source {
        path,
        generation,
        row,
    })?;
    let report = &mut *keeper.report;
    report.sessions += u64::from(is_new);
    report.sessions_grown += u64::from(!is_new);
    report.add(added);
    let name = task.file.name_path();
    for reason in problems {
        report.add_file_problem(name, format!("session `{}`: {reason}", session.id));
    }
    if let Some(replaced) = &replaces {
        let key = (number != 0).then_some(&key);
        report.add_generation(name, key, replaced);
    }
    places.push(place(task, number, key, is_new));
    if let Some(transactions) = &mut keeper.transactions {
        transactions.commit_if_due()?;
    }
    Ok(())
}

/// Begins with what is new.
fn begin<'l>(
    step: Step<'l>,
    wanted: &SessionKey,
    content: &'l DocumentLines,
    mtime_us: i64,
) -> Begun<'l> {
    let dialect = dialect::of_agent(DATABASE_AGENT);
    let (stored, lines, replaces) = match step {
        Step::Nothing(stored) => (Some(stored), Vec::new(), None),
        Step::Grown(stored, lines) => (Some(stored), lines, None),
        Step::New(replaces) => (None, derived::all(content).collect(), replaces),
    };
    if let Some(Stored { number, key, row }) = stored {
        let builder = SessionBuilder::resume(row, dialect, None, mtime_us);
        (builder, lines, Some((number, key)), replaces)
    } else {
        let builder = SessionBuilder::new(wanted, dialect, mtime_us);
        (builder, lines, None, replaces)
    }
}

fn place(task: &DatabaseTask, number: u64, key: SessionKey, is_new: bool) -> Place {
    Place {
        key,
        number,
        file: task.file.path.clone(),
        is_new,
    }
}

/// Compares a session with what is stored of it.
fn step<'l>(
    sources: &Sources<'_>,
    previous: Option<&Source>,
    content: &'l DocumentLines,
) -> Result<Step<'l>> {
    let Some(previous) = previous else {
        return Ok(Step::New(None));
    };
    let number = previous.row.session;
    let (Some(row), Some(key)) = (sources.row(number)?, sources.key(number)?) else {
        return Ok(Step::New(None));
    };
    let stored = Stored { number, key, row };
    let known = usize::try_from(previous.row.lines).unwrap_or(usize::MAX);
    let Some((_, rest)) = content
        .lines
        .split_at_checked(known)
        .filter(|(start, _)| derived::hash_of(start) == previous.row.hash)
    else {
        return Ok(Step::New(Some(stored.key)));
    };
    let is_touched = stored.row.next != previous.row.next_sequence;
    let last = sources.last_record(number)?;
    let has_trailer = content.trailer.is_none()
        || is_touched
        || last.map(|record| record.line) == content.trailer;
    if rest.is_empty() && has_trailer {
        return Ok(Step::Nothing(stored));
    }
    if is_touched {
        // Somebody else has added to it: what is new cannot follow on what was read.
        return Ok(Step::New(Some(stored.key)));
    }
    let lines = rest.iter().chain(&content.trailer).map(Vec::as_slice);
    Ok(Step::Grown(stored, lines.collect()))
}

/// The state of a session: it is exported as a file beside the database.
fn row_of(
    task: &DatabaseTask,
    content: &DocumentLines,
    number: u64,
    key: &SessionKey,
    next: u64,
) -> SourceRow {
    let folder = match task.file.relative.iter().rposition(|byte| *byte == b'/') {
        Some(end) => task.file.relative.get(..=end).unwrap_or_default(),
        None => &[],
    };
    let name = format!("{}.jsonl", paths::file_safe(key.id()));
    let bytes = content.lines.iter().map(|line| line.len() as u64).sum();
    SourceRow {
        agent: DATABASE_AGENT.to_owned(),
        kind: SourceKind::Lines,
        session: number,
        name: String::new(),
        relative: [folder, name.as_bytes()].concat(),
        size: bytes,
        mtime_ns: task.file.mtime_ns,
        offset: bytes,
        lines: content.lines.len() as u64,
        tail_offset: bytes,
        hash: derived::hash_of(&content.lines),
        next_sequence: next,
        complete: true,
    }
}
