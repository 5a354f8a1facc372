//! The view of a session: its records in their order, each with what it says there. One view for all who
//! show, count or load.

use std::collections::VecDeque;

use serde::Serialize;

use super::course::Course;
use super::exceptions::Exceptions;
use super::search::{exceptions_of, state};
use super::{ScanQuery, Store};
use crate::agents::{self, Agent};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::links::id_hash;
use crate::model::message::{Message, Role};
use crate::model::record::Record;

/// A record of a session, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shown {
    /// The record.
    pub record: Record,
    /// Its messages as they are now: of one that was written again later the last state, with the ids
    /// that [`Store::load`] gives. None where it carries none, or where they are shown elsewhere.
    pub messages: Vec<Message>,
    /// Where its messages are shown, if not here: the sequence number of their first place.
    pub shown_at: Option<u64>,
    /// What a line without messages says of itself, in the fields of a message without content: its
    /// id, the tokens that count here.
    pub about: Option<Message>,
    /// Whether it was not taken back, and is on no branch that was left.
    pub live: bool,
    /// Whether it says that the talk was compacted here: the model goes on with a summary of what was said
    /// before. What was said is all there.
    pub compacted: bool,
}

/// An iterator over the view of a session; see [`StoreExt::view`](super::StoreExt::view).
#[derive(Debug)]
#[must_use = "nothing is read until it is asked for"]
pub struct View<'s, S: ?Sized> {
    store: &'s S,
    key: SessionKey,
    query: ScanQuery,
    page: VecDeque<Record>,
    exceptions: Exceptions,
    is_over: bool,
}

impl<'s, S: Store + ?Sized> View<'s, S> {
    /// As a query selects them.
    pub(crate) fn new(store: &'s S, key: SessionKey, query: ScanQuery) -> Self {
        Self {
            store,
            key,
            query,
            page: VecDeque::new(),
            exceptions: Exceptions::default(),
            is_over: false,
        }
    }

    fn step(&mut self) -> Result<Option<Shown>> {
        loop {
            if let Some(record) = self.page.pop_front() {
                return self.shown(record).map(Some);
            }
            if self.is_over {
                return Ok(None);
            }
            let page = self.store.scan(&self.key, &self.query)?;
            self.is_over = page.next.is_none();
            self.query.from = page.next.or(self.query.from);
            self.exceptions = exceptions_of(self.store, &self.key, sequences(&page.records))?;
            self.page = page.records.into();
        }
    }

    fn shown(&self, record: Record) -> Result<Shown> {
        shown(self.store, &self.key, &self.exceptions, record)
    }
}

impl<S: Store + ?Sized> Iterator for View<'_, S> {
    type Item = Result<Shown>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if next.is_err() {
            // Behind a page that cannot be read nothing is given: it would look like all.
            self.is_over = true;
            self.page.clear();
        }
        next.transpose()
    }
}

/// The numbers of records.
pub(crate) fn sequences(records: &[Record]) -> impl Iterator<Item = u64> + Clone {
    records.iter().map(|record| record.sequence)
}

/// What a record says in the view of its session.
pub(crate) fn shown<S: Store + ?Sized>(
    store: &S,
    key: &SessionKey,
    exceptions: &Exceptions,
    record: Record,
) -> Result<Shown> {
    let dialect = agents::of_agent(key.agent());
    let at = record.sequence;
    let (shown_at, live) = (exceptions.moved_to(at), exceptions.is_live(at));
    let mut shown = Shown {
        messages: Vec::new(),
        shown_at,
        about: None,
        live,
        compacted: is_compaction(dialect, &record),
        record,
    };
    // What it says is shown at the place of the first: here it would be said twice.
    if shown_at.is_some() {
        return Ok(shown);
    }
    if shown.record.header.messages == 0 {
        shown.about = dialect.about_line(&shown.record.line).map(|mut about| {
            about.live = live;
            about.usage = about.usage.filter(|_| exceptions.counts(at));
            about
        });
        return Ok(shown);
    }
    shown.messages = state(store, key, exceptions, shown.record.view())?;
    Ok(shown)
}

fn is_compaction(dialect: &dyn Agent, record: &Record) -> bool {
    let is_talk = matches!(
        record.header.role,
        Some(Role::User | Role::Assistant | Role::Tool)
    );
    let mark = dialect.compaction_mark().filter(|_| !is_talk);
    mark.is_some_and(|mark| memchr::memmem::find(&record.line, mark.as_bytes()).is_some())
}

/// The sequence number of the message of an id: where its course says, or by reading every message.
pub(crate) fn find_by_course<S: Store + ?Sized>(
    store: &S,
    key: &SessionKey,
    id: &str,
    course: &Course,
) -> Result<Option<u64>> {
    match course.place_of(id_hash(id)) {
        Some(sequence) if is_there(store, key, (id, sequence))? => Ok(Some(sequence)),
        _ => find_message(store, key, id),
    }
}

/// The sequence number of the message of an id: every message is read.
pub(crate) fn find_message<S: Store + ?Sized>(
    store: &S,
    key: &SessionKey,
    id: &str,
) -> Result<Option<u64>> {
    for shown in View::new(store, key.clone(), ScanQuery::default()) {
        let shown = shown?;
        let is_it = |message: &Message| message.id.as_deref() == Some(id);
        if shown.messages.iter().any(is_it) {
            return Ok(Some(shown.record.sequence));
        }
    }
    Ok(None)
}

/// Whether the message of an id stands at a place: what an index has led to is looked at.
fn is_there<S: Store + ?Sized>(
    store: &S,
    key: &SessionKey,
    (id, sequence): (&str, u64),
) -> Result<bool> {
    let one = ScanQuery {
        from: Some(sequence),
        records_max: 1,
        ..ScanQuery::default()
    };
    let found = View::new(store, key.clone(), one).next().transpose()?;
    Ok(found.is_some_and(|shown| {
        let is_it = |message: &Message| message.id.as_deref() == Some(id);
        shown.record.sequence == sequence && shown.messages.iter().any(is_it)
    }))
}
