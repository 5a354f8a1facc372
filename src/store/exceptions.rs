//! What is to be known of records beyond their own lines, looked up record by record, and what they
//! say then.

use std::collections::HashMap;

use super::message_ids::messages_of;
use crate::agents::Dialect;
use crate::model::exception::{Exception, ExceptionKind};
use crate::model::message::Message;
use crate::model::record::RecordView;

/// The exceptions of some of a session's records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exceptions {
    points: HashMap<(ExceptionKind, u64), Exception>,
    taken_back: Vec<Exception>,
}

impl Exceptions {
    /// Of these exceptions.
    pub(crate) fn of(all: Vec<Exception>) -> Self {
        let (taken_back, points) = all
            .into_iter()
            .partition(|exception| exception.kind == ExceptionKind::TakenBack);
        let points: Vec<Exception> = points;
        Self {
            points: points
                .into_iter()
                .map(|exception| ((exception.kind, exception.first), exception))
                .collect(),
            taken_back,
        }
    }

    /// Adds those of further records.
    pub(crate) fn add(&mut self, more: Self) {
        self.points.extend(more.points);
        for taken in more.taken_back {
            if !self.taken_back.contains(&taken) {
                self.taken_back.push(taken);
            }
        }
    }

    fn at(&self, kind: ExceptionKind, sequence: u64) -> Option<&Exception> {
        // Most sessions have none.
        if self.points.is_empty() {
            return None;
        }
        self.points.get(&(kind, sequence))
    }

    /// The record whose state a record is shown in.
    pub(crate) fn replaced_by(&self, sequence: u64) -> Option<u64> {
        self.at(ExceptionKind::Replaced, sequence)?.by
    }

    /// Where the messages of a record are shown, if not at its place.
    pub(crate) fn moved_to(&self, sequence: u64) -> Option<u64> {
        self.at(ExceptionKind::Moved, sequence)?.by
    }

    /// How many of a record's messages are shown at its place.
    pub(crate) fn shown(&self, sequence: u64, messages: u32) -> u32 {
        let moved = self.at(ExceptionKind::Moved, sequence);
        messages.saturating_sub(moved.map_or(0, |moved| moved.messages))
    }

    /// Whether a record was not taken back.
    pub(crate) fn is_live(&self, sequence: u64) -> bool {
        let is_in = |taken: &Exception| (taken.first..=taken.last).contains(&sequence);
        !self.taken_back.iter().any(is_in)
    }

    /// Whether the tokens of a record count at its place.
    pub(crate) fn counts(&self, sequence: u64) -> bool {
        self.at(ExceptionKind::Counted, sequence).is_none()
    }

    /// The messages of a record as they are shown at the place of the record `first`: it itself, or
    /// the one that it replaces.
    pub(crate) fn messages(
        &self,
        dialect: &dyn Dialect,
        record: RecordView<'_>,
        first: u64,
    ) -> Vec<Message> {
        let mut messages = messages_of(dialect, record);
        let (is_live, counts) = (self.is_live(first), self.counts(record.sequence));
        for message in &mut messages {
            message.live = is_live;
            if !counts {
                message.usage = None;
            }
        }
        messages
    }
}

/// Adds a part of a message that stands on several lines to what was there before.
pub(crate) fn join(message: &mut Message, part: Message) {
    message.content.extend(part.content);
    message.model = message.model.take().or(part.model);
    message.time = message.time.or(part.time);
    message.usage = message.usage.or(part.usage);
    message.parent_id = message.parent_id.take().or(part.parent_id);
    message.injected &= part.injected;
}

/// The messages of a session's records while these pass by in their order, each with the place where it
/// is shown. What is written again is put where it was first.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    exceptions: Exceptions,
    shown: Vec<(u64, Message)>,
    /// Where in `shown` the messages of a record that is replaced later are.
    waiting: HashMap<u64, (usize, usize)>,
}

impl Talk {
    /// Of records that have these exceptions.
    pub(crate) fn new(exceptions: Exceptions) -> Self {
        Self {
            exceptions,
            ..Self::default()
        }
    }

    /// Takes the next record; messages are given of those that are `visible`.
    pub(crate) fn take(&mut self, dialect: &dyn Dialect, record: RecordView<'_>, visible: bool) {
        if record.header.messages == 0 {
            return;
        }
        let at = record.sequence;
        if let Some(first) = self.exceptions.moved_to(at) {
            let is_part = dialect.is_in_parts();
            // Of several states the last one is shown, of several parts each.
            let is_last = is_part || self.exceptions.replaced_by(first) == Some(at);
            if let Some((start, end)) = self.waiting.get(&first).copied().filter(|_| is_last) {
                let messages = self.exceptions.messages(dialect, record, first);
                let slots = self.shown.get_mut(start..end).unwrap_or_default();
                for (slot, message) in slots.iter_mut().zip(messages) {
                    if is_part {
                        join(&mut slot.1, message);
                    } else {
                        *slot = (first, message);
                    }
                }
            }
            return;
        }
        if !visible {
            return;
        }
        let messages = self.exceptions.messages(dialect, record, at);
        let start = self.shown.len();
        self.shown
            .extend(messages.into_iter().map(|message| (at, message)));
        if self.exceptions.replaced_by(at).is_some() {
            self.waiting.insert(at, (start, self.shown.len()));
        }
    }

    /// The messages, each with its place.
    pub(crate) fn into_messages(self) -> Vec<(u64, Message)> {
        self.shown
    }
}
