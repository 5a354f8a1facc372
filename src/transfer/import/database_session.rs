//! One session of a database: what of it is new becomes records.

use std::collections::HashSet;

use super::classify;
use super::deleted::Comer;
use super::derived::{self, Content, Known, Stored, Taken, Way};
use super::keep::{Failure, Keeper};
use super::owners::FoundSession;
use super::session_names;
use super::tasks::DatabaseTask;
use crate::agents::database::{DatabaseSession, Databases};
use crate::agents::{Agent, DocumentLines, Placed};
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::record::{RecordFlags, RecordKind};
use crate::store::{Source, Sources};
use crate::transfer::files::paths;

/// What is to be done with a session.
enum Step {
    /// It has nothing new.
    Nothing(Box<Stored>),
    /// It goes there.
    Store(Way),
}

/// Takes one session of a database. Returns whether it is this database's.
pub(super) fn take(
    keeper: &mut Keeper<'_, '_>,
    (places, taken): (&mut Vec<FoundSession>, &mut HashSet<SessionKey>),
    task: &DatabaseTask,
    session: &DatabaseSession,
) -> std::result::Result<bool, Failure> {
    let wanted = session_names::key_of(task.agent.agent(), &session.id)?;
    let path = [
        paths::to_bytes(&task.file.path).as_slice(),
        b"#",
        session.id.as_bytes(),
    ]
    .concat();
    hold(keeper, taken.contains(&wanted))?;
    let sources = keeper.store.sources();
    // A session has a source of its own, so that one that did not change costs one look.
    let previous = sources.newest(&path)?;
    let content = &session.document;
    let databases = task.agent.databases();
    let is_older = databases.is_some_and(Databases::are_there)
        && classify::is_in_tree(task.agent, task.file.name_path());
    if is_older && previous.is_none() && keeper.number_of(&wanted)?.is_some() {
        // It went on in a database: what lies here is what it was before.
        return Ok(false);
    }
    // A copy of a database, or one that was moved, has no source at this path, but sessions that
    // are stored already.
    let mut step = step(task.agent, sources, previous.as_ref(), content)?;
    if previous.is_none()
        && let Some(elsewhere) = elsewhere(task.agent, sources, &wanted, content)?
    {
        step = elsewhere;
    }
    let way = match step {
        Step::Nothing(stored) => {
            if previous.is_none() {
                let row = row_of(task, content, stored.number, &stored.key, stored.row.next);
                keeper.note(&Source {
                    path,
                    generation: 1,
                    row,
                })?;
            }
            places.push(place(task, stored.number, stored.key, false));
            return Ok(true);
        }
        Step::Store(way) => way,
    };
    // What goes on is of the same generation; so is what is made again after it was deleted here.
    let replaces = matches!(way, Way::New(Some(_)));
    let living = previous.as_ref().filter(|_| replaces);
    // Only where a session would be made: one that is there goes on growing.
    if matches!(way, Way::New(_)) && is_deleted(keeper, (&wanted, &path), living)? {
        return Ok(true);
    }
    let generation = match &previous {
        Some(previous) => previous.generation + u32::from(replaces),
        None => 1,
    };
    let placed = Placed {
        project: session.project.clone(),
        ..Placed::default()
    };
    let lines = Content {
        agent: task.agent,
        lines: content,
        placed: &placed,
        mtime_us: task.file.mtime_ns.div_euclid(1000),
    };
    let Taken {
        number,
        key,
        is_new,
        next,
        problems,
    } = derived::store(keeper, (&wanted, &task.file), &lines, way)?;
    taken.insert(wanted);
    let row = row_of(task, content, number, &key, next);
    keeper.note(&Source {
        path,
        generation,
        row,
    })?;
    tell(keeper, task, session, problems);
    places.push(place(task, number, key, is_new));
    // A database may hold thousands of sessions, and other processes wait as long as a transaction
    // is open.
    if let Some(transactions) = &mut keeper.transactions {
        transactions.commit_if_due()?;
    }
    Ok(true)
}

/// Lets no other process store anything from here on. What this run has written of the same id is made durable
/// first: what is stored is compared.
fn hold(keeper: &mut Keeper<'_, '_>, is_taken: bool) -> Result<()> {
    let Some(transactions) = &mut keeper.transactions else {
        return Ok(());
    };
    if is_taken {
        transactions.commit()?;
    }
    transactions.bulk().map(drop)
}

/// Whether the session that a content would become was deleted. If that is asked for again, its mark is
/// lifted.
fn is_deleted(
    keeper: &mut Keeper<'_, '_>,
    (wanted, path): (&SessionKey, &[u8]),
    living: Option<&Source>,
) -> std::result::Result<bool, Failure> {
    let comer = Comer {
        wanted,
        path,
        living: living.map(|living| living.generation),
    };
    if keeper.marks.passes(&comer) {
        return Ok(true);
    }
    if let Some(transactions) = &mut keeper.transactions {
        keeper.marks.lift(transactions.bulk()?, &comer)?;
    }
    Ok(false)
}

/// Tells what is wrong with the lines of a session.
fn tell(
    keeper: &mut Keeper<'_, '_>,
    task: &DatabaseTask,
    session: &DatabaseSession,
    problems: Vec<String>,
) {
    for reason in problems {
        let reason = format!("session `{}`: {reason}", session.id);
        let path = task.file.name_path();
        keeper.report.add_file_problem(path, reason);
    }
}

fn place(task: &DatabaseTask, number: u64, key: SessionKey, is_new: bool) -> FoundSession {
    FoundSession {
        key,
        number,
        file: task.file.path.clone(),
        is_new,
    }
}

/// Compares a session with what is stored of it.
fn step(
    dialect: &dyn Agent,
    sources: &dyn Sources,
    previous: Option<&Source>,
    content: &DocumentLines,
) -> Result<Step> {
    let Some(previous) = previous else {
        return Ok(Step::Store(Way::New(None)));
    };
    let number = previous.row.session;
    // Its session was deleted here: whether it stays away is for the marks to say.
    let (Some(row), Some(key)) = (sources.row(number)?, sources.key(number)?) else {
        return Ok(Step::Store(Way::New(None)));
    };
    let stored = Box::new(Stored { number, key, row });
    let Some(known) = known(sources, &previous.row, (&stored.row, content))? else {
        return Ok(Step::Store(Way::New(Some(stored.key))));
    };
    // Records that somebody appended here stand where the new lines would get their numbers.
    let is_touched = stored.row.next != previous.row.next_sequence;
    Ok(match known.continued(content, dialect) {
        Some(goes_on) if !goes_on.has_news => Step::Nothing(stored),
        // Only the trailer: it can wait.
        Some(goes_on) if is_touched && goes_on.kept == content.lines.len() => Step::Nothing(stored),
        Some(goes_on) if !is_touched => Step::Store(Way::Grown(stored, goes_on)),
        // Or else somebody has added to it: what is new cannot follow on what was read.
        _ => Step::Store(Way::New(Some(stored.key))),
    })
}

/// A session that is stored already, of another database or another state of this one: a copy of a
/// database has the same sessions.
fn elsewhere(
    dialect: &dyn Agent,
    sources: &dyn Sources,
    wanted: &SessionKey,
    content: &DocumentLines,
) -> Result<Option<Step>> {
    for filed in sources.filed(wanted)?.0 {
        let (number, row) = (filed.number, filed.row);
        let mut newest: Vec<&Source> = filed
            .sources
            .iter()
            .filter(|source| source.row.kind == SourceKind::Lines)
            .collect();
        // The state that was read furthest comes first: against an earlier one, what came later
        // from the other database would look like something that was appended here.
        newest.sort_by_key(|source| std::cmp::Reverse(source.row.next_sequence));
        for source in newest {
            match step(dialect, sources, Some(source), content)? {
                Step::Store(Way::New(_)) => {}
                found => return Ok(Some(found)),
            }
        }
        // An older state than any that was noted: a backup of the database, for one.
        if let Some(key) = sources.key(number)?
            && is_beginning(sources, (number, &row), content)?
        {
            return Ok(Some(Step::Nothing(Box::new(Stored { number, key, row }))));
        }
    }
    Ok(None)
}

/// Whether all lines are those that a session begins with: those of an older state of it.
fn is_beginning(
    sources: &dyn Sources,
    (number, row): (u64, &SessionRow),
    content: &DocumentLines,
) -> Result<bool> {
    let settled = content.lines.len().saturating_sub(content.open);
    let wanted = content.lines.get(..settled).unwrap_or_default();
    let records = sources.records(number, 0, row.next.min(settled as u64))?;
    let stored = records.iter().map(|record| record.line.as_slice());
    Ok(records.len() == settled && stored.eq(wanted.iter().map(Vec::as_slice)))
}

/// What is stored of the content before, if the new one begins with its settled lines.
fn known(
    sources: &dyn Sources,
    previous: &SourceRow,
    (row, content): (&SessionRow, &DocumentLines),
) -> Result<Option<Known>> {
    let (mut settled, mut bytes) = (0, 0);
    for line in &content.lines {
        if bytes >= previous.tail_offset {
            break;
        }
        settled += 1;
        bytes += line.len() as u64;
    }
    let start = content.lines.get(..settled).unwrap_or_default();
    // What will not change any more is known by its hash alone: it is not read from the store.
    if bytes != previous.tail_offset || derived::hash_of(start) != previous.hash {
        return Ok(None);
    }
    let first = derived::records_of(start);
    let records = sources.records(previous.session, first, previous.next_sequence)?;
    let (mut open, mut continues) = (Vec::<Vec<u8>>::new(), false);
    let mut trailer = None;
    for record in records {
        // Facts about the whole session stand behind its messages, and come anew each time.
        let is_trailer =
            record.sequence + 1 == previous.next_sequence && record.header.kind == RecordKind::Meta;
        let flags = record.header.flags;
        // A line of over 128 MiB was stored in several records, and is put together again for the
        // comparison.
        match open.last_mut().filter(|_| continues) {
            _ if is_trailer => trailer = Some(record.line),
            Some(last) => last.extend(record.line),
            None => open.push(record.line),
        }
        continues = flags.contains(RecordFlags::CONTINUES);
    }
    let all = usize::try_from(previous.lines).unwrap_or(usize::MAX);
    if row.mark > first && settled + open.len() < all {
        // Hidden messages have been removed: they count as they are.
        let Some(same) = content.lines.get(settled..all) else {
            return Ok(None);
        };
        open = same.to_vec();
    }
    Ok(Some(Known {
        settled,
        open,
        trailer,
    }))
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
    let settled = content.lines.len().saturating_sub(content.open);
    let settled = content.lines.get(..settled).unwrap_or_default();
    let bytes_of = |lines: &[Vec<u8>]| lines.iter().map(|line| line.len() as u64).sum();
    let bytes = bytes_of(&content.lines);
    // No file of lines exists whose number or time of change could tell anything, so these stay 0.
    SourceRow {
        agent: task.agent.agent().to_owned(),
        kind: SourceKind::Lines,
        session: number,
        name: String::new(),
        relative: [folder, name.as_bytes()].concat(),
        size: bytes,
        mtime_ns: task.file.mtime_ns,
        offset: bytes,
        lines: content.lines.len() as u64,
        tail_offset: bytes_of(settled),
        hash: derived::hash_of(settled),
        next_sequence: next,
        complete: true,
        revision: 0,
        inode: 0,
        changed_ns: 0,
    }
}
