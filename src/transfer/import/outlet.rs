//! The way from those who read files to the one who writes: bounded, and closed when either end is gone.

use std::sync::mpsc::Sender;

use super::part::Message;
use super::room::Room;

/// The way to the writer.
#[derive(Clone, Debug)]
pub(super) struct Outlet<'r> {
    /// The channel.
    pub sender: Sender<Message>,
    /// Room in it.
    pub room: &'r Room,
}

impl Outlet<'_> {
    /// Hands a message over.
    pub(super) fn send(&self, message: Message) -> std::result::Result<(), Over> {
        if self.room.take(message.room()) && self.sender.send(message).is_ok() {
            Ok(())
        } else {
            Err(Over)
        }
    }
}

/// An end of the channel to the writer was dropped: the import is over.
pub(super) struct Over;
