//! Writing through an engine: read, decide, commit, and again where somebody else was faster.

use super::draft::Draft;
use super::engine::Engine;
use super::lately::{Entry, Lately};
use crate::codec::chain;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::addition::{self, Added, Addition, Outcome};
use crate::store::course::Course;
use crate::store::properties::Claims;
use crate::store::query::Appended;
use crate::store::shared_commit::unknown;

/// How often a call begins again, alone with its session as far as the engine can do that, before it is
/// answered that the store is busy.
const ATTEMPTS: usize = 64;

/// Batches that are looked at for each that is noted: two, so that they do not become more.
const LOOKED_AT: usize = 2;

/// How many batches of a session that is remembered are noted before as many and more are looked at together:
/// each look is a way to where they are stored.
const UNLOOKED: u32 = 64;

/// What a call decides from what it reads.
pub(crate) type Work<'w, T> = dyn FnMut(&mut Draft<'_>) -> Result<T> + 'w;

/// Lets `work` write a draft, and commits it. Where something was not as it had been seen, `work` is
/// called again.
pub(crate) fn write<T>(engine: &dyn Engine, key: &SessionKey, work: &mut Work<'_, T>) -> Result<T> {
    // First without keeping anybody else out: mostly nobody writes to the same session.
    if let Some(done) = once(engine, work)? {
        return Ok(done);
    }
    for _ in 0..ATTEMPTS {
        let mut done = None;
        engine.alone(key, &mut |engine| {
            done = once(engine, work)?;
            Ok(())
        })?;
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(Error::Busy {
        reason: format!("others write to session `{key}` all the time"),
    })
}

/// One attempt; `None` if others were faster.
fn once<T>(engine: &dyn Engine, work: &mut Work<'_, T>) -> Result<Option<T>> {
    let mut draft = Draft::over(engine);
    let done = match work(&mut draft) {
        // What others wrote between two reads is no damage.
        Err(Error::Corrupt { .. }) if draft.is_old()? => return Ok(None),
        done => done?,
    };
    let changes = draft.into_changes()?;
    let is_done = changes.is_empty() || engine.commit(&changes)?;
    Ok(is_done.then_some(done))
}

/// Adds lines to a session, which is created if need be.
pub(crate) fn add(engine: &dyn Engine, addition: &Addition) -> Result<Appended> {
    match engine.lately() {
        Some(lately) => lately.submit(addition, |all| together(engine, all, lately)),
        None => anew(engine, addition).map(|(appended, _)| appended),
    }
}

/// Additions to one session, in their order: in one commit as far as that is possible, or else each in its
/// own.
fn together(engine: &dyn Engine, all: &[&Addition], lately: &Lately) -> Vec<Result<Appended>> {
    let done = match remembered(engine, all, lately) {
        Ok(done) => done,
        Err(error) if all.len() == 1 => return vec![Err(error)],
        Err(error @ Error::CommitUnknown { .. }) => return unknown(error, all.len()),
        // Nothing was written. Where the server is away or busy, the others do not wait for it again.
        Err(error) if error.is_retryable() => {
            let reason = error.to_string();
            let busy = || {
                Err(Error::Busy {
                    reason: reason.clone(),
                })
            };
            return all.iter().map(|_| busy()).collect();
        }
        Err(_) => Vec::new(),
    };
    let rest = all.get(done.len()..).unwrap_or_default();
    let rest = rest.iter().map(|addition| alone(engine, addition, lately));
    done.into_iter().map(Ok).chain(rest).collect()
}

/// One addition, by what is stored; and remembers the session.
fn alone(engine: &dyn Engine, addition: &Addition, lately: &Lately) -> Result<Appended> {
    if let Some(appended) = remembered(engine, &[addition], lately)?.pop() {
        return Ok(appended);
    }
    let (appended, entry) = anew(engine, addition)?;
    if let Some(entry) = entry {
        lately.put(&addition.key, entry);
    }
    Ok(appended)
}

/// Writes the first ones of some additions to one session in one commit, by what is remembered of it. Returns
/// what those were answered that were written: none of them, where something was not as it is remembered.
fn remembered(engine: &dyn Engine, all: &[&Addition], lately: &Lately) -> Result<Vec<Appended>> {
    let mut done = Vec::new();
    let key = all.first().map(|addition| &addition.key);
    let Some((key, entry)) = key.and_then(|key| Some((key, lately.take(key)?))) else {
        return Ok(done);
    };
    let mut draft = Draft::over(engine);
    draft.hold_as(entry.number, entry.version, &entry.row)?;
    let mut known = Some(entry);
    for addition in all {
        match add_to(&mut draft, addition, &mut known) {
            Ok((appended, Some(entry))) => {
                done.push(appended);
                known = Some(entry);
            }
            // It was there: that is decided by what is stored, and nothing of it is in the draft.
            Ok((_, None)) => {
                known = None;
                break;
            }
            // So is a refusal, which may have left something in it.
            Err(_) => return Ok(Vec::new()),
        }
    }
    if done.is_empty() || !engine.commit(&draft.into_changes()?)? {
        return Ok(Vec::new());
    }
    if let Some(entry) = known {
        lately.put(key, entry);
    }
    Ok(done)
}

/// The same, by what is stored.
fn anew(engine: &dyn Engine, addition: &Addition) -> Result<Answer> {
    let mut noted = None;
    let appended = write(engine, &addition.key, &mut |draft| {
        let (appended, entry) = add_to(draft, addition, &mut None)?;
        noted = entry;
        Ok(appended)
    })?;
    if appended.replayed {
        engine.settle(&addition.key)?;
    }
    Ok((appended, noted))
}

/// What an addition is answered, and the session after it; `None` for one that was there already.
type Answer = (Appended, Option<Entry>);

/// One addition, in a draft. `known` is what is remembered of the session.
fn add_to(draft: &mut Draft<'_>, addition: &Addition, known: &mut Option<Entry>) -> Result<Answer> {
    let there: Option<(u64, SessionRow)> = match known {
        Some(entry) => Some((entry.number, entry.row.clone())),
        None => draft.session(&addition.key)?,
    };
    // Whoever goes on with a session carries its course along: it is read from the store once.
    let (was_known, mut open_block, unlooked) = match known {
        Some(entry) => (true, std::mem::take(&mut entry.open_block), entry.unlooked),
        None => (false, Vec::new(), 0),
    };
    let older = match (&there, addition.batch_id) {
        // In the commit: one that is there is found by what is stored then.
        (Some((number, row)), Some(id)) if was_known => {
            draft.expect_no_batch(*number, row, id.as_u128());
            None
        }
        (Some((number, row)), Some(id)) => draft.older_batch(*number, row, id.as_u128())?,
        _ => None,
    };
    let stamps = draft.engine().stamps();
    let old = there.as_ref().map(|(_, row)| row);
    let outcome = addition::add_to(old, addition, older, stamps, || match (&there, known) {
        (_, Some(entry)) => Ok(std::mem::take(&mut entry.course)),
        (Some((number, row)), None) => Ok(draft.course(*number, row)?.before(None)),
        (None, None) => Ok(Course::default()),
    })?;
    let Added {
        mut row,
        made,
        course,
        now,
        appended,
        left,
        now_us,
    } = match outcome {
        Outcome::Replayed(appended) => return Ok((appended, None)),
        Outcome::Added(added) => *added,
    };
    let number = match &there {
        Some((number, _)) => *number,
        None => draft.engine().new_number()?,
    };
    // Only where notes come, which go on in the last block: each read is a way to a server.
    if let (Some((number, row)), false) = (&there, was_known || course.notes.is_empty()) {
        open_block = draft.open_block(*number, row)?;
    }
    let mut unlooked = unlooked;
    if let Some(left) = left {
        draft.note_older_batch(number, left, now_us)?;
        let remembers = draft.engine().lately().is_some();
        if unlooked > 0 {
            unlooked -= 1;
        } else if remembers {
            draft.forget_batches(number, (left.id, now_us), 2 * UNLOOKED as usize)?;
            unlooked = UNLOOKED;
        } else {
            draft.forget_batches(number, (left.id, now_us), LOOKED_AT)?;
        }
    }
    for record in &made {
        row.chain.push(&chain::digest_of(&record.line));
    }
    let open_block = draft.write_course((number, &mut row), &course, open_block)?;
    // Each append is a cell of its own here: there is no tail that a later one seals.
    (row.tail_first, row.tail_bytes) = (row.next, 0);
    draft.put_records(number, &made);
    draft.put_row(number, &row)?;
    if let Some(change) = &addition.change {
        draft.change_properties(number, change, Claims::Exclusive)?;
    }
    let entry = Entry {
        number,
        version: draft.version_after(number),
        // As it was written: a time far ahead of the clock is another one there.
        row: draft.row(number)?,
        course: now,
        open_block,
        unlooked,
    };
    Ok((appended, Some(entry)))
}
