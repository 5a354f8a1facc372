//! Loading: several reads of a store, of which others may write between any two. What comes out is the session as it
//! was at one moment.

use super::exceptions::{Exceptions, Talk};
use super::sessions::{Places, Primitives, read_lines};
use crate::agents;
use crate::codec::session_row::{Given, SessionRow};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::session::Session;

/// How often a session is read that others change meanwhile, before it is given as it was read.
const ATTEMPTS: u32 = 8;

/// Loads a session, as it was when its row was read. Where others have written meanwhile more than lines behind
/// it, it is read again.
pub(crate) fn load(store: &impl Primitives, key: &SessionKey) -> Result<Session> {
    let mut row = store.row_of(key)?;
    let mut attempt = 1;
    loop {
        let read = read(store, key, &row);
        // As late as can be: what was read is of before.
        let now = store.row_of(key)?;
        let is_of_then = match &read {
            Ok((_, of_then)) => row == now || (*of_then && has_only_grown(&row, &now)),
            Err(_) => row == now,
        };
        if is_of_then || attempt == ATTEMPTS {
            return read.map(|(session, _)| session);
        }
        (row, attempt) = (now, attempt + 1);
    }
}

/// Whether nothing has become of a session but that lines were appended to it.
fn has_only_grown(row: &SessionRow, now: &SessionRow) -> bool {
    let fixed = |row: &SessionRow| (row.created_us, row.content, row.mark, row.hidden);
    fixed(row) == fixed(now)
        && !row.unterminated
        && !row.reordered
        && !now.reordered
        && now.next >= row.next
        && now.next - row.next == now.records.wrapping_sub(row.records)
}

/// The session of a row, and whether what is to be known of its records beyond their lines is from no line behind
/// it.
fn read(store: &impl Primitives, key: &SessionKey, row: &SessionRow) -> Result<(Session, bool)> {
    let dialect = agents::of_agent(key.agent());
    let places = Places::of(store, key, row)?;
    let mark = places.of_record(row.mark);
    let from = if row.reordered { 0 } else { row.mark };
    let exceptions = store.exceptions(key, from, u64::MAX)?;
    let by = exceptions.iter().filter_map(|exception| exception.by);
    let is_of_then = by.max().is_none_or(|by| by < row.next);
    let mut talk = Talk::new(Exceptions::of(exceptions));
    let mut session = read_lines(store, key, row, row.mark, &mut |record| {
        if record.sequence < row.next {
            talk.take(dialect, record, places.of_record(record.sequence) >= mark);
        }
        Ok(())
    })?;
    let messages = talk.into_messages().into_iter();
    session.messages = messages.map(|(_, message)| message).collect();
    give(&mut session, &row.given);
    Ok((session, is_of_then))
}

/// Puts what was given to a session in the place of what its lines say.
fn give(session: &mut Session, given: &Given) {
    if let Some(title) = &given.title {
        session.title.clone_from(title);
    }
    if given.project.is_some() {
        session.project.clone_from(&given.project);
    }
    if given.parent.is_some() {
        session.parent.clone_from(&given.parent);
    }
}
