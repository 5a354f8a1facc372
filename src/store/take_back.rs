//! Taking the last message back, by the calls of any store: a line that says so is appended, and nothing is
//! removed.

use super::addition::check_next;
use super::exceptions::Exceptions;
use super::query::{Appended, Direction, Expect, ScanQuery};
use super::search::{Reads, first_of};
use crate::agents;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::RecordFlags;
use crate::model::session::Summary;

/// Takes back the last message that is shown and was not taken back, with what stands behind it: by a line that
/// `append` writes where the next record has a number.
pub(super) fn last<R: Reads + ?Sized>(
    reads: &R,
    key: &SessionKey,
    expect: Expect,
    append: &dyn Fn(u64, Vec<u8>) -> Result<Appended>,
) -> Result<Option<Appended>> {
    loop {
        let summary = reads.session(key)?;
        let next = summary.next_sequence;
        if let Expect::Sequence(expected) = expect {
            check_next(key, expected, next)?;
        }
        let Some(lines) = lines_behind(reads, &summary)? else {
            return Ok(None);
        };
        let line = agents::of_agent(key.agent()).write_taken_back(lines)?;
        // The number of lines counts from the place of the new one: nothing may come between.
        match append(next, line) {
            Err(Error::Conflict { .. }) if expect == Expect::Any => {}
            answer => return answer.map(Some),
        }
    }
}

/// How many lines there are from the last message on that is shown and live, with the terminator that an append
/// would write first.
fn lines_behind<R: Reads + ?Sized>(reads: &R, summary: &Summary) -> Result<Option<u64>> {
    let key = &summary.key;
    let exceptions = Exceptions::of(reads.told(key, 0, u64::MAX)?);
    let backward = ScanQuery::default().with_direction(Direction::Backward);
    let mut place = summary.next_sequence;
    let found = first_of(reads, key, backward, &mut |record| {
        if record.sequence < summary.mark {
            return Some(None);
        }
        let is_last = record.sequence.saturating_add(1) == summary.next_sequence;
        if is_last && record.header.flags.contains(RecordFlags::UNTERMINATED) {
            place += 1;
        }
        let shown = exceptions.shown(record.sequence, record.header.messages);
        let is_it = shown > 0 && exceptions.is_live(record.sequence);
        is_it.then(|| Some(place.saturating_sub(record.sequence)))
    })?;
    Ok(found.flatten())
}
