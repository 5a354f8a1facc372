//! Saving whole sessions: the parts of a caller's copy that the store does not have yet are appended,
//! and nothing else happens to what is stored.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::Stamps;
use super::addition::{Addition, Intent};
use super::exceptions::Talk;
use super::lines::{self, microseconds};
use super::message_ids::place;
use super::query::Expect;
use super::sessions::{Primitives, all_exceptions, read_lines};
use crate::agents::{self, Dialect};
use crate::codec::session_row::{Given, SessionRow};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::TITLE_BYTES_MAX;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;
use crate::model::session::Session;
use crate::model::text::title_line;

/// What a store has of a session that is saved.
#[derive(Debug)]
struct Stored {
    /// Its fields as its lines have them, without messages.
    session: Session,
    /// What was given to it beside its lines.
    given: Given,
    /// Its messages, hidden ones too, by the ids that their lines hold, or else by their places.
    messages: HashMap<String, Message>,
    /// Sequence number of its next record.
    next: u64,
    /// Whether it has a header line.
    has_header: bool,
}

/// The lines of a save.
#[derive(Debug, Default)]
struct Saved {
    lines: Vec<Vec<u8>>,
    /// Which message of the caller's copy went into which of the lines.
    placed: Vec<(usize, Range<usize>)>,
}

/// Saves a session, and tries again if somebody else appended meanwhile.
pub(crate) fn save(store: &impl Primitives, session: &mut Session) -> Result<()> {
    let dialect = agents::of_agent(session.key.agent());
    loop {
        let stored = match store.row(&session.key)? {
            Some(row) => Some(stored(store, &session.key, &row)?),
            None => None,
        };
        let now = lines::now(store.stamps())?;
        let mut saved = lines_of_save(dialect, stored.as_ref(), session, now, store.stamps())?;
        let lines = if dialect.has_message_ids() {
            std::mem::take(&mut saved.lines)
        } else {
            // Looked at again below, for the places of messages.
            saved.lines.clone()
        };
        let addition = Addition {
            key: session.key.clone(),
            expect: Expect::Sequence(stored.map_or(0, |stored| stored.next)),
            batch_id: None,
            lines,
            intent: Intent::Save {
                now_us: now.timestamp_micros(),
            },
            change: None,
        };
        match store.add(addition) {
            // Somebody has appended meanwhile: what they said is compared as well, and then once
            // more.
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
            Ok(appended) => {
                session.updated_at = Some(appended.updated_at);
                if !dialect.has_message_ids() {
                    name_by_place(dialect, session, &saved, appended.first);
                }
                return Ok(());
            }
        }
    }
}

/// Reads what the store has of a session.
fn stored(store: &impl Primitives, key: &SessionKey, row: &SessionRow) -> Result<Stored> {
    let dialect = agents::of_agent(key.agent());
    let mut messages = HashMap::new();
    let mut has_header = row.header_sequence.is_some();
    let mut talk = Talk::new(all_exceptions(store, key, 0)?);
    let session = read_lines(store, key, row, 0, &mut |record| {
        has_header |= dialect.has_scattered_meta() && record.header.kind == RecordKind::Meta;
        // Hidden ones too: a copy that was loaded before a truncation has them.
        talk.take(dialect, record, true);
        Ok(())
    })?;
    for (sequence, message) in talk.into_messages() {
        let id = message.id.clone();
        messages.insert(id.unwrap_or_else(|| place(sequence, 0)), message);
    }
    Ok(Stored {
        session,
        given: row.given.clone(),
        messages,
        next: row.next,
        has_header,
    })
}

impl Stored {
    /// Whether the store had a message that the caller names by its place: a compaction may have
    /// removed it since the caller looked.
    fn had_place(&self, dialect: &dyn Dialect, id: &str) -> bool {
        let place = id.strip_prefix('#').unwrap_or_default();
        let (sequence, at) = place.split_once('.').unwrap_or((place, "0"));
        let sequence = sequence.parse::<u64>();
        !dialect.has_message_ids()
            && sequence.is_ok_and(|sequence| sequence < self.next)
            && at.parse::<u64>().is_ok()
    }
}

/// The lines that a save appends. Completes `session`: ids, times, title.
fn lines_of_save(
    dialect: &dyn Dialect,
    stored: Option<&Stored>,
    session: &mut Session,
    now: DateTime<Utc>,
    stamps: &Stamps,
) -> Result<Saved> {
    if session.title.trim().is_empty() {
        session.title = derived_title(dialect, &session.key, &session.messages);
    }
    let known = stored.and_then(|stored| stored.session.created_at);
    let created = session
        .created_at
        .map(microseconds)
        .or(known)
        .unwrap_or(now);
    session.created_at = Some(created);
    session.updated_at = Some(now);

    // Before they are compared: lines keep microseconds, and a finer time would count as a change.
    for message in &mut session.messages {
        message.time = message.time.map(microseconds);
    }
    let is_new = new_messages(dialect, stored, session)?;
    let mut saved = Saved::default();
    let mut latest = None;
    for (at, message) in session.messages.iter_mut().enumerate() {
        if !is_new.get(at).copied().unwrap_or(true) {
            continue;
        }
        lines::complete(message, dialect, stamps)?;
        latest = latest.max(message.time);
        let first = saved.lines.len();
        let written = dialect.write_message(&session.key, message)?;
        saved.lines.extend(written);
        saved.placed.push((at, first..saved.lines.len()));
    }
    // The time of update has to be in some line: in the last message, or else in a header.
    let header = header_to_write(stored, session);
    let same =
        stored.is_some_and(|stored| stored.has_header && same_header(&stored.session, &header));
    let is_first = stored.is_none_or(|stored| stored.next == 0);
    if (!same || latest.is_none_or(|latest| latest < now))
        && let Some(written) = dialect.write_meta(&header, is_first)?
    {
        let mut lines: Vec<Vec<u8>> = lines::split(&written).collect();
        let before = lines.len();
        lines.append(&mut saved.lines);
        saved.lines = lines;
        for (_, range) in &mut saved.placed {
            *range = range.start + before..range.end + before;
        }
    }
    lines::check_lengths(&saved.lines)?;
    Ok(saved)
}

/// Which messages of the caller's copy are new. They have to stand behind all that are stored: what
/// was put in before those, or in their place, could only be stored elsewhere.
fn new_messages(
    dialect: &dyn Dialect,
    stored: Option<&Stored>,
    session: &Session,
) -> Result<Vec<bool>> {
    let key = &session.key;
    let mut is_new = Vec::with_capacity(session.messages.len());
    let mut by_id: HashMap<&str, &Message> = HashMap::new();
    // A changed message is told before one that stands in a wrong place.
    let (mut inserted, mut has_new) = (None, false);
    for message in &session.messages {
        let is_stored = is_stored(dialect, stored, key, message)?;
        let id = message.id.as_deref();
        if let (Some(id), Some(twin)) = (id, id.and_then(|id| by_id.insert(id, message))) {
            if twin != message && !same_lines(dialect, key, twin, message) {
                return Err(Error::MessageChanged {
                    key: key.clone(),
                    id: id.to_owned(),
                });
            }
            // The same message twice is stored once.
            is_new.push(false);
            continue;
        }
        if is_stored && has_new {
            inserted = inserted.or(id);
        }
        has_new |= !is_stored;
        is_new.push(!is_stored);
    }
    match inserted {
        Some(before) => Err(Error::MessageInserted {
            key: key.clone(),
            before: before.to_owned(),
        }),
        None => Ok(is_new),
    }
}

/// Whether the store has a message of the caller's copy.
fn is_stored(
    dialect: &dyn Dialect,
    stored: Option<&Stored>,
    key: &SessionKey,
    message: &Message,
) -> Result<bool> {
    let (Some(stored), Some(id)) = (stored, &message.id) else {
        return Ok(false);
    };
    match stored.messages.get(id) {
        Some(there) if there == message || same_lines(dialect, key, there, message) => Ok(true),
        Some(_) => Err(Error::MessageChanged {
            key: key.clone(),
            id: id.clone(),
        }),
        None => Ok(stored.had_place(dialect, id)),
    }
}

/// Whether two messages are the same lines: a format may have no field for all that a message of
/// the caller's holds.
fn same_lines(dialect: &dyn Dialect, key: &SessionKey, one: &Message, other: &Message) -> bool {
    let write = |message| dialect.write_message(key, message).ok();
    write(one).is_some_and(|lines| Some(lines) == write(other))
}

/// The session's fields. Its messages are not copied: they may be many.
fn without_messages(session: &Session) -> Session {
    Session {
        key: session.key.clone(),
        title: session.title.clone(),
        project: session.project.clone(),
        model: session.model.clone(),
        parent: session.parent.clone(),
        forked: session.forked,
        created_at: session.created_at,
        updated_at: session.updated_at,
        extra: session.extra.clone(),
        messages: Vec::new(),
    }
}

/// The session's fields for a header line. What was given to the session is no part of its lines:
/// where the caller's copy still has it, the line says what the lines before it say.
fn header_to_write(stored: Option<&Stored>, session: &Session) -> Session {
    let mut header = without_messages(session);
    let Some(Stored {
        session: own,
        given,
        ..
    }) = stored
    else {
        return header;
    };
    if given.title.as_deref() == Some(header.title.as_str()) {
        header.title.clone_from(&own.title);
    }
    if given.project.is_some() && given.project == header.project {
        header.project.clone_from(&own.project);
    }
    if given.parent.is_some() && given.parent == header.parent {
        header.parent.clone_from(&own.parent);
    }
    header
}

/// Names the messages that were written by their places, as a load does, where their lines hold no
/// ids.
fn name_by_place(dialect: &dyn Dialect, session: &mut Session, saved: &Saved, first: u64) {
    for (at, range) in &saved.placed {
        let lines = saved.lines.get(range.clone()).unwrap_or_default();
        let written = lines
            .iter()
            .zip(range.clone())
            .find_map(|(line, place)| Some((dialect.messages(line).into_iter().next()?, place)));
        if let (Some((written, line)), Some(message)) = (written, session.messages.get_mut(*at)) {
            message.id = written.id.or_else(|| Some(place(first + line as u64, 0)));
        }
    }
}

/// Creates a session with its header line, if it is not there.
pub(crate) fn ensure_meta(store: &impl Primitives, session: &Session) -> Result<bool> {
    if store.row(&session.key)?.is_some() {
        return Ok(false);
    }
    let dialect = agents::of_agent(session.key.agent());
    let mut header = without_messages(session);
    let now = lines::now(store.stamps())?;
    header.created_at = Some(header.created_at.map_or(now, microseconds));
    header.updated_at = Some(now);
    let written = dialect.write_meta(&header, true)?.unwrap_or_default();
    let lines: Vec<Vec<u8>> = lines::split(&written).collect();
    lines::check_lengths(&lines)?;
    let addition = Addition {
        key: session.key.clone(),
        expect: Expect::Any,
        batch_id: None,
        lines,
        intent: Intent::Create,
        change: None,
    };
    match store.add(addition) {
        Ok(_) => Ok(true),
        // Somebody was faster, and the session is there: all that was asked for.
        Err(Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The title that the session's first user message gives it, by the rule of its agent.
fn derived_title(dialect: &dyn Dialect, key: &SessionKey, messages: &[Message]) -> String {
    messages
        .iter()
        .filter(|message| message.role == Role::User)
        // Written and described as it will be stored: so the title is the one that its line gives.
        .map(|message| match dialect.write_message(key, message) {
            Ok(lines) => lines
                .iter()
                .find_map(|line| dialect.describe(line).facts.title)
                .map(|offer| title_line(&offer.text, TITLE_BYTES_MAX))
                .unwrap_or_default(),
            Err(_) => title_line(&message.plain_text(), TITLE_BYTES_MAX),
        })
        .find(|title| !title.is_empty())
        .unwrap_or_default()
}

fn same_header(stored: &Session, session: &Session) -> bool {
    stored.title == session.title
        && stored.project == session.project
        && stored.model == session.model
        && stored.parent == session.parent
        && stored.created_at == session.created_at
        && stored.extra == session.extra
}
