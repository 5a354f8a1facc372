//! Lines that change earlier ones, with their operations applied, as their agent reads them.
//!
//! The file is read twice: once for where each message that counts stands, then for those
//! messages. So no more than their places, and one line, is in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;

use super::gather::Gather;
use super::lines::{Visit, each_line, without_feed};
use super::message::{self, MessagePlace};
use crate::agents::Dialect;
use crate::agents::home::{SessionFile, failed, open_regular};
use crate::agents::operation::Operation;
use crate::model::error::Result;

/// Where a message stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    offset: u64,
    length: usize,
    place: MessagePlace,
}

/// The messages that count so far, in their order.
#[derive(Debug, Default)]
struct Conversation {
    spots: Vec<(Option<String>, Spot)>,
    by_id: HashMap<String, usize>,
}

impl Conversation {
    /// Adds a message, or puts it where an earlier one of its id stands.
    fn put(&mut self, id: Option<String>, spot: Spot) {
        let there = id.as_ref().and_then(|id| self.by_id.get(id)).copied();
        if let Some((_, old)) = there.and_then(|at| self.spots.get_mut(at)) {
            *old = spot;
            return;
        }
        if let Some(id) = &id {
            self.by_id.insert(id.clone(), self.spots.len());
        }
        self.spots.push((id, spot));
    }

    /// Takes away a message and all behind it; all, if there is none of that id.
    fn rewind(&mut self, id: &str) {
        let length = self.by_id.get(id).copied().unwrap_or(0);
        for (id, _) in self.spots.drain(length..) {
            if let Some(id) = id {
                self.by_id.remove(&id);
            }
        }
    }

    fn clear(&mut self) {
        self.spots.clear();
        self.by_id.clear();
    }
}

/// Reads a session; see `FileProvider::read`.
pub(super) fn read(
    file: &SessionFile,
    dialect: &dyn Dialect,
    gather: &mut Gather,
    visit: Option<&mut Visit<'_>>,
) -> Result<(bool, u64)> {
    let conversation = replayed(file, dialect, gather)?;
    let count = conversation.spots.len() as u64;
    let Some(visit) = visit else {
        return Ok((false, count));
    };
    let mut opened = open_regular(&file.path)?;
    let mut last: (u64, Vec<u8>) = (u64::MAX, Vec::new());
    for (_, spot) in conversation.spots {
        // Several messages may stand on one line.
        if last.0 != spot.offset {
            let line = bytes_at(&mut opened, spot).map_err(|source| failed(&file.path, source))?;
            last = (spot.offset, line);
        }
        let messages = dialect.messages(&last.1);
        // The file may have been rewritten between the two readings.
        let Some(message) = messages.into_iter().nth(spot.place.index) else {
            continue;
        };
        let raw = without_feed(&last.1);
        let message = message::provided(dialect, &file.id, spot.place, raw, message);
        if visit(message).is_break() {
            return Ok((true, count));
        }
    }
    Ok((false, count))
}

fn bytes_at(file: &mut File, spot: Spot) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(spot.offset))?;
    let mut bytes = Vec::new();
    file.take(spot.length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The conversation of a file.
fn replayed(
    file: &SessionFile,
    dialect: &dyn Dialect,
    gather: &mut Gather,
) -> Result<Conversation> {
    let mut conversation = Conversation::default();
    each_line(file, dialect, &mut |(number, offset), bytes, described| {
        let Some(described) = described else {
            gather.add_unread();
            return ControlFlow::Continue(());
        };
        gather.add(described);
        let spot = |index: usize| Spot {
            offset,
            length: bytes.len(),
            place: MessagePlace { number, index },
        };
        match dialect.operation(bytes) {
            Some(Operation::Message(id)) => conversation.put(id, spot(0)),
            Some(Operation::All(ids)) => {
                conversation.clear();
                for (index, id) in ids.into_iter().enumerate() {
                    conversation.put(id, spot(index));
                }
            }
            Some(Operation::Rewind(id)) => conversation.rewind(&id),
            Some(Operation::Nothing) => {}
            None => {
                for (index, message) in dialect.messages(bytes).into_iter().enumerate() {
                    conversation.put(message.id, spot(index));
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(conversation)
}
