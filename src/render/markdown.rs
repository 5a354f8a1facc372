//! placeholder
use crate::model::message::Message;
use crate::model::session::Summary;
use std::io::{self, Write};
/// Writes the head of a session.
pub(crate) fn write_head(_out: &mut dyn Write, _summary: &Summary) -> io::Result<()> {
    unimplemented!()
}
/// Writes one message.
pub(crate) fn write_message(_out: &mut dyn Write, _message: &Message) -> io::Result<()> {
    unimplemented!()
}
