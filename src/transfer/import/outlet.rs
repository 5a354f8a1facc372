//! The way from those who read files to the one who writes: bounded, and closed when either end is gone.

use std::cell::RefCell;
use std::sync::mpsc::Sender;

use super::part::Message;
use super::room::Room;

/// Messages that are held back at most: each wakes the writer, which is more than most of them cost it.
const HELD_MAX: usize = 32;

/// The way to the writer, of one worker.
#[derive(Debug)]
pub(super) struct Outlet<'r> {
    /// The channel.
    sender: Sender<Vec<Message>>,
    /// Room in it.
    pub room: &'r Room,
    /// What goes with the next one that takes room, or with [`flush`](Self::flush).
    held: RefCell<Vec<Message>>,
}

impl<'r> Outlet<'r> {
    /// One that holds nothing yet.
    pub(super) const fn new(sender: Sender<Vec<Message>>, room: &'r Room) -> Self {
        Self {
            sender,
            room,
            held: RefCell::new(Vec::new()),
        }
    }

    /// The way of another worker.
    pub(super) fn another(&self) -> Self {
        Self::new(self.sender.clone(), self.room)
    }

    /// Hands a message over: at once if it takes room, else soon.
    pub(super) fn send(&self, message: Message) -> std::result::Result<(), Over> {
        let room = message.room();
        if room > 0 && !self.room.take(room) {
            return Err(Over);
        }
        let mut held = self.held.borrow_mut();
        held.push(message);
        let is_due = room > 0 || held.len() >= HELD_MAX;
        drop(held);
        if is_due { self.flush() } else { Ok(()) }
    }

    /// Hands over what is held back.
    pub(super) fn flush(&self) -> std::result::Result<(), Over> {
        let held = self.held.take();
        if held.is_empty() {
            return Ok(());
        }
        self.sender.send(held).map_err(|_| Over)
    }
}

/// An end of the channel to the writer was dropped: the import is over.
pub(super) struct Over;
