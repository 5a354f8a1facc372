//! The messages of a record, with the ids that lines do not hold.

use crate::agents::Dialect;
use crate::model::message::Message;
use crate::model::record::RecordView;

/// The messages of a record. Those whose line holds no id are named by the record's place.
pub(crate) fn messages_of(dialect: &dyn Dialect, record: RecordView<'_>) -> Vec<Message> {
    let mut messages = dialect.stored_messages(record);
    for (at, message) in messages.iter_mut().enumerate() {
        if message.id.is_none() {
            message.id = Some(place(record.sequence, at));
        }
    }
    messages
}

/// The id of a message that has none: where its record stands, and which of the record's messages
/// it is.
pub(crate) fn place(sequence: u64, at: usize) -> String {
    match at {
        0 => format!("#{sequence}"),
        _ => format!("#{sequence}.{at}"),
    }
}
