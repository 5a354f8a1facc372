//! From records to messages: of one record, and of a session, paged from both ends.

use std::collections::VecDeque;
use std::ops::{Bound, RangeBounds};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::exceptions::Exceptions;
use super::message_ids::messages_of;
use super::search::exceptions_of;
use super::{Direction, ScanQuery, Store, view};
use crate::agents;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::record::{Record, RecordHeader};

/// Records that are read at a time: a few, since whoever asks for the last ten messages should not
/// wait for a thousand.
const PAGE: usize = 256;

impl Record {
    /// What the record says, by the rules of its session's agent: one message, none for a line
    /// that carries none, several only where a line is damaged.
    ///
    /// They are as [`Store::load`] gives them: a message whose line holds no id is named by its
    /// place, `#12` for record 12.
    ///
    /// ```
    /// use scrollback::{MemoryStore, Message, Role, Session, Store, StoreExt, ScanQuery};
    ///
    /// let store = MemoryStore::default();
    /// let mut session = Session::native("chat-1")?;
    /// store.append_message(&mut session, Message::text(Role::User, "hello"))?;
    /// let page = store.scan(&session.key, &ScanQuery::default())?;
    /// let said: Vec<Message> =
    ///     page.records.iter().flat_map(|record| record.messages(session.key.agent())).collect();
    /// assert_eq!(said, session.messages);
    /// # Ok::<(), scrollback::Error>(())
    /// ```
    pub fn messages(&self, agent: &str) -> Vec<Message> {
        // The header knows: most lines of some agents carry no message, and need no reading.
        match self.header.messages {
            0 => Vec::new(),
            _ => messages_of(agents::of_agent(agent), self.view()),
        }
    }
}

impl RecordHeader {
    /// The time that the line states.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        self.time_us.and_then(DateTime::from_timestamp_micros)
    }
}

/// A message, and where it stands in its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredMessage {
    /// The sequence number of its record: what [`Store::hide_before`] and
    /// [`StoreExt::fork`](super::StoreExt::fork) take.
    pub sequence: u64,
    /// The message; as JSON its fields.
    #[serde(flatten)]
    pub message: Message,
}

/// An iterator over the messages of a session, from both ends; see
/// [`StoreExt::messages`](super::StoreExt::messages).
#[derive(Debug)]
#[must_use = "nothing is read until it is asked for"]
pub struct Messages<'s, S: ?Sized> {
    store: &'s S,
    key: SessionKey,
    /// The first record that nobody has read yet; `None` stands for the oldest.
    first: Option<u64>,
    /// The last one; `None` stands for the newest.
    last: Option<u64>,
    /// Whether the two are records, and not yet bounds that were asked for.
    found: bool,
    /// Whether all between the two has been read.
    read: bool,
    front: Buffer,
    back: Buffer,
    exceptions: Exceptions,
}

/// What was read at one end and not yet given, oldest first.
#[derive(Debug, Default)]
struct Buffer {
    records: VecDeque<Record>,
    /// Messages of the record that is being given: before the records at the front, behind them at
    /// the back.
    messages: VecDeque<StoredMessage>,
}

impl<'s, S: Store + ?Sized> Messages<'s, S> {
    /// Over the messages whose records have sequence numbers in a range.
    pub(crate) fn new(store: &'s S, key: SessionKey, range: &impl RangeBounds<u64>) -> Self {
        let low = match range.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => before.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let high = match range.end_bound() {
            Bound::Included(last) => Some(Some(*last)),
            Bound::Excluded(end) => end.checked_sub(1).map(Some),
            Bound::Unbounded => Some(None),
        };
        let is_empty = low.is_none() || high.is_none();
        let (low, high) = (low.unwrap_or_default(), high.unwrap_or_default());
        Self {
            store,
            key,
            // The oldest needs no look at where it is.
            first: Some(low).filter(|low| *low > 0),
            last: high,
            found: false,
            read: is_empty || high.is_some_and(|high| high < low),
            front: Buffer::default(),
            back: Buffer::default(),
            exceptions: Exceptions::default(),
        }
    }

    fn of(&self, record: Record) -> Result<VecDeque<StoredMessage>> {
        let sequence = record.sequence;
        if record.header.messages == 0 {
            return Ok(VecDeque::new());
        }
        let messages = view::shown(self.store, &self.key, &self.exceptions, record)?.messages;
        let messages = messages.into_iter();
        Ok(messages
            .map(|message| StoredMessage { sequence, message })
            .collect())
    }

    /// The first record from one on in a direction.
    fn from(&self, sequence: u64, direction: Direction) -> Result<Option<u64>> {
        let one = ScanQuery {
            from: Some(sequence),
            direction,
            records_max: 1,
            ..ScanQuery::default()
        };
        let page = self.store.scan(&self.key, &one)?;
        Ok(page.records.first().map(|record| record.sequence))
    }

    /// Finds the records that the bounds mean: a session may be read in another order than that of its
    /// numbers, so that only records tell where a range ends.
    fn find(&mut self) -> Result<()> {
        self.found = true;
        if let Some(low) = self.first {
            self.first = self.from(low, Direction::Forward)?;
            self.read |= self.first.is_none();
        }
        if let Some(high) = self.last {
            self.last = self.from(high, Direction::Backward)?;
            self.read |= self.last.is_none();
            // Nothing is left between bounds that have only removed records between them.
            self.read |= self
                .first
                .is_some_and(|first| self.last.is_some_and(|last| first > high && last < first));
        }
        Ok(())
    }

    /// Reads a page at one end.
    fn read(&mut self, direction: Direction) -> Result<()> {
        if !self.found {
            self.find()?;
            if self.read {
                return Ok(());
            }
        }
        let is_forward = direction == Direction::Forward;
        let (from, end) = if is_forward {
            (self.first, self.last)
        } else {
            (self.last, self.first)
        };
        let query = ScanQuery {
            from,
            direction,
            records_max: PAGE,
            ..ScanQuery::default()
        };
        let page = self.store.scan(&self.key, &query)?;
        let numbers = view::sequences(&page.records);
        let exceptions = exceptions_of(self.store, &self.key, numbers)?;
        self.exceptions.add(exceptions);
        for record in page.records {
            // What the other end has read begins behind this one.
            self.read = end == Some(record.sequence);
            if is_forward {
                self.front.records.push_back(record);
            } else {
                self.back.records.push_front(record);
            }
            if self.read {
                return Ok(());
            }
        }
        match page.next {
            Some(next) if is_forward => self.first = Some(next),
            Some(next) => self.last = Some(next),
            None => self.read = true,
        }
        Ok(())
    }

    /// The next message at one end.
    fn give(&mut self, direction: Direction) -> Result<Option<StoredMessage>> {
        let is_forward = direction == Direction::Forward;
        loop {
            let own = if is_forward {
                &mut self.front
            } else {
                &mut self.back
            };
            if let Some(message) = take(&mut own.messages, is_forward) {
                return Ok(Some(message));
            }
            let mut record = take(&mut own.records, is_forward);
            if record.is_none() && !self.read {
                self.read(direction)?;
                continue;
            }
            // The other end has read the rest.
            let other = if is_forward {
                &mut self.back
            } else {
                &mut self.front
            };
            record = record.or_else(|| take(&mut other.records, is_forward));
            let Some(record) = record else {
                return Ok(take(&mut other.messages, is_forward));
            };
            let messages = self.of(record)?;
            if is_forward {
                self.front.messages = messages;
            } else {
                self.back.messages = messages;
            }
        }
    }

    fn step(&mut self, direction: Direction) -> Option<Result<StoredMessage>> {
        let given = self.give(direction);
        if given.is_err() {
            // Behind a page that cannot be read nothing is given: it would look like all.
            self.read = true;
            self.front = Buffer::default();
            self.back = Buffer::default();
        }
        given.transpose()
    }
}

fn take<T>(queue: &mut VecDeque<T>, is_forward: bool) -> Option<T> {
    if is_forward {
        queue.pop_front()
    } else {
        queue.pop_back()
    }
}

impl<S: Store + ?Sized> Iterator for Messages<'_, S> {
    type Item = Result<StoredMessage>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Direction::Forward)
    }
}

impl<S: Store + ?Sized> DoubleEndedIterator for Messages<'_, S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(Direction::Backward)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expect, MemoryStore, NewRecord, StoreExt as _};
    use super::*;
    use crate::model::message::Role;

    /// A session of 700 records, every third of which is no message.
    fn long() -> (MemoryStore, SessionKey) {
        let store = MemoryStore::default();
        let key = SessionKey::new("codex", "long").unwrap();
        let lines: Vec<NewRecord> = (0..700)
            .map(|at| match at % 3 {
                0 => NewRecord::line("{}"),
                _ => NewRecord::line(format!(
                    r#"{{"type":"response_item","payload":{{"type":"message","role":"user","content":[{{"type":"input_text","text":"m{at}"}}]}}}}"#
                )),
            })
            .collect();
        store.append(&key, Expect::Any, None, &lines).unwrap();
        (store, key)
    }

    fn sequences(found: impl Iterator<Item = Result<StoredMessage>>) -> Vec<u64> {
        found.map(|one| one.unwrap().sequence).collect()
    }

    #[test]
    fn messages_are_given_from_both_ends_and_each_once() {
        let (store, key) = long();
        let expected: Vec<u64> = (0..700).filter(|at| at % 3 != 0).collect();
        assert_eq!(sequences(store.messages(&key, ..)), expected);
        let mut backward = sequences(store.messages(&key, ..).rev());
        backward.reverse();
        assert_eq!(backward, expected);
        // By turns, one from this end and two from the other, until they meet.
        let mut messages = store.messages(&key, ..);
        let (mut front, mut back) = (Vec::new(), Vec::new());
        while let Some(one) = messages.next() {
            front.push(one.unwrap().sequence);
            back.extend(sequences(messages.by_ref().rev().take(2)));
        }
        assert!(messages.next_back().is_none());
        front.extend(back.into_iter().rev());
        assert_eq!(front, expected);
    }

    #[test]
    fn a_range_bounds_both_ends() {
        let (store, key) = long();
        assert_eq!(sequences(store.messages(&key, 3..8)), [4, 5, 7]);
        assert_eq!(sequences(store.messages(&key, 3..=8).rev()), [8, 7, 5, 4]);
        assert_eq!(sequences(store.messages(&key, 697..)), [697, 698]);
        let after = (Bound::Excluded(4), Bound::Excluded(6));
        assert_eq!(sequences(store.messages(&key, after)), [5]);
        let backwards = (Bound::Included(8), Bound::Included(3));
        for nothing in [
            (Bound::Included(0), Bound::Excluded(0)),
            (Bound::Excluded(u64::MAX), Bound::Unbounded),
            backwards,
        ] {
            assert!(sequences(store.messages(&key, nothing)).is_empty());
        }
        assert!(sequences(store.messages(&key, 700..)).is_empty());
    }

    #[test]
    fn messages_are_those_of_a_load() {
        let (store, key) = long();
        let loaded = store.load(&key).unwrap().messages;
        assert_eq!(loaded[0].id.as_deref(), Some("#1"));
        assert_eq!(loaded[0].role, Role::User);
        let streamed = store.messages(&key, ..).map(|one| one.unwrap().message);
        assert!(streamed.eq(loaded));
    }

    #[test]
    fn a_session_that_is_not_there_is_one_error() {
        let store = MemoryStore::default();
        let key = SessionKey::native("none").unwrap();
        let mut messages = store.messages(&key, ..);
        assert!(messages.next().unwrap().is_err());
        assert!(messages.next().is_none() && messages.next_back().is_none());
    }
}
