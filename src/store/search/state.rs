//! What a record says where it is shown: the state that a later one gives it, or all of its parts.

use super::reads::Reads;
use crate::agents;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::record::{Record, RecordView};
use crate::store::exceptions::{self, Exceptions};
use crate::store::query::ScanQuery;

/// What is to be known of some records.
pub(crate) fn exceptions_of<R: Reads + ?Sized>(
    reads: &R,
    key: &SessionKey,
    sequences: impl Iterator<Item = u64> + Clone,
) -> Result<Exceptions> {
    let (Some(first), Some(last)) = (sequences.clone().min(), sequences.max()) else {
        return Ok(Exceptions::default());
    };
    Ok(Exceptions::of(reads.told(key, first, last)?))
}

/// The messages of a record that is shown at its place, as they are now: in the state that a later one
/// has, or with the parts that later ones add.
pub(crate) fn state<R: Reads + ?Sized>(
    reads: &R,
    key: &SessionKey,
    exceptions: &Exceptions,
    record: RecordView<'_>,
) -> Result<Vec<Message>> {
    let (dialect, at) = (agents::of_agent(key.agent()), record.sequence);
    let Some(by) = exceptions.replaced_by(at) else {
        return Ok(exceptions.messages(dialect, record, at));
    };
    if !dialect.is_in_parts() {
        let last = record_at(reads, key, by)?;
        // Where the later one is not there, what this one says is all that is known.
        let view = last.as_ref().map_or(record, Record::view);
        return Ok(exceptions.messages(dialect, view, at));
    }
    let mut messages = exceptions.messages(dialect, record, at);
    let parts = Exceptions::of(reads.told(key, at, by)?);
    let rest = (at + 1..=by).filter(|place| parts.moved_to(*place) == Some(at));
    for place in rest {
        let part = record_at(reads, key, place)?;
        let said = part.map(|part| parts.messages(dialect, part.view(), at));
        for (message, part) in messages.iter_mut().zip(said.unwrap_or_default()) {
            exceptions::join(message, part);
        }
    }
    Ok(messages)
}

/// One record, if it is there.
pub(crate) fn record_at<R: Reads + ?Sized>(
    reads: &R,
    key: &SessionKey,
    sequence: u64,
) -> Result<Option<Record>> {
    let one = ScanQuery {
        from: Some(sequence),
        records_max: 1,
        ..ScanQuery::default()
    };
    let found = reads.records(key, &one)?.records.into_iter();
    Ok({ found }.find(|record| record.sequence == sequence))
}
