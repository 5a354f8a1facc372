//! What a chunk of an import makes of the row of its session: in every store.

use crate::codec::chain::{Chain, Digest};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::RecordHeader;
use crate::store::builder::SessionChunk;
use crate::store::fold::take_out;

/// Refuses a chunk if somebody else has added to the session since it was begun: its numbers are taken.
pub(crate) fn check_base(row: &SessionRow, chunk: &SessionChunk) -> Result<()> {
    if row.next == chunk.base_next {
        return Ok(());
    }
    Err(Error::Conflict {
        key: SessionKey::new(row.agent.as_str(), row.id.as_str())?,
        expected: chunk.base_next,
        actual: row.next,
    })
}

/// Takes a record out of what is left of a row, which is replaced by one of a chunk. `hidden` are its
/// messages that are shown elsewhere.
pub(crate) fn take_replaced(
    left: &mut SessionRow,
    (at, header, bytes): (u64, &RecordHeader, u64),
    hidden: u32,
) {
    let shown = header.messages.saturating_sub(hidden);
    take_out(left, header, shown, bytes);
    // What comes in their place has not been hidden by anybody.
    if at < left.mark {
        left.hidden = left.hidden.saturating_sub(u64::from(shown));
    }
}

/// Takes messages that are shown elsewhere from now on out of the hidden ones.
pub(crate) fn take_moved(left: &mut SessionRow, chunk: &SessionChunk, old_next: u64) {
    for moved in chunk.course.moved() {
        if moved.first < left.mark && moved.first < old_next {
            left.hidden = left.hidden.saturating_sub(u64::from(moved.messages));
        }
    }
}

/// The row of a session after a chunk: `old` as it was, and what is left of that beneath the chunk. The name is
/// the one that was free; marks and batches are not the builder's to change.
pub(crate) fn row_after(old: &SessionRow, left: &SessionRow, chunk: &SessionChunk) -> SessionRow {
    SessionRow {
        agent: old.agent.clone(),
        id: old.id.clone(),
        attachments: old.attachments,
        mark: left.mark,
        hidden: left.hidden,
        records: left.records + chunk.added.records,
        messages: left.messages + chunk.added.messages,
        bytes: left.bytes + chunk.added.bytes,
        malformed: left.malformed + chunk.added.malformed,
        batches: old.batches.clone(),
        given: old.given.clone(),
        chain: left.chain,
        content: old.content,
        contents: old.contents,
        reordered: old.reordered,
        exceptions: left.exceptions,
        blocks: left.blocks,
        written_us: old.written_us,
        ..chunk.row.clone()
    }
}

/// Takes a chunk's lines into the chain of their session, and into that of its file so far: the two are
/// one where nothing but the file's lines is stored.
pub(crate) fn digest_of_file(
    chain: &mut Chain,
    chunk: &SessionChunk,
    file: Option<Digest>,
) -> Option<Digest> {
    let mut file = file.map(|digest| Chain {
        digest,
        ..Chain::starting_at(0)
    });
    // As long as the two are one, each line is hashed into one of them only.
    let is_same = file.is_some_and(|file| file.digest == chain.digest);
    let open = chunk
        .digests
        .len()
        .checked_sub(1)
        .filter(|_| chunk.row.unterminated);
    for (at, line) in chunk.digests.iter().enumerate() {
        chain.push(line);
        match &mut file {
            // An unterminated line is not compared.
            Some(_) if open == Some(at) => {}
            Some(file) if is_same => file.digest = chain.digest,
            Some(file) => file.push(line),
            None => {}
        }
    }
    file.map(|file| file.digest)
}
