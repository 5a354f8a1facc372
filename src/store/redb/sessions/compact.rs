//! Compaction of one session: removes what lies below the mark, and packs what stays.

use crate::codec::segment::Packer;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::limits::SEGMENT_BYTES;
use crate::model::record::{RecordFlags, RecordKind};
use crate::store::fold;
use crate::store::order::Order;
use crate::store::query::Compacted;
use crate::store::rechain::Rechain;
use crate::store::redb::tables::segments::{self, Edge, Found};
use crate::store::redb::tables::writer::Writer;

/// A segment at least so full is left alone if nothing of it goes.
const FULL_BYTES: usize = SEGMENT_BYTES / 2;

/// Removes the records of a session below `end`, header lines excepted, and packs the rest. Costs a
/// read of the session, so its digest chain is checked, and begun anew over what stays. What is removed
/// keeps its place in the session's file order, so that its file is known by its lines all the same.
pub(crate) fn compact(
    writer: &Writer<'_>,
    number: u64,
    old: &SessionRow,
    end: u64,
) -> Result<Compacted> {
    let order = writer.file_order(number)?.filter(|_| old.reordered);
    let order = order.map(|order| Order::of(&order, old.next));
    // The mark is a place in the session's own order, where it has one, and not a number.
    let is_before = |sequence: u64| match &order {
        Some(order) => order.place(sequence) < order.place(end),
        None => sequence < end,
    };
    let mut row = old.clone();
    let mut compacted = Compacted::default();
    let mut table = writer.records()?;
    let mut packer = Packer::default();
    let mut edge = Edge::default();
    let hidden = writer.moved_messages(number, old)?;
    let mut rechain = Rechain::of(old);
    // Of the last record that stays: what comes next ends a line that lacks its end.
    let mut unterminated = false;
    let mut from = 0;
    while let Some(found) = segments::starting_from(&table, number, from, writer.counts())? {
        // Past its last record, since what is packed anew goes in between.
        from = found.segment.last_sequence() + 1;
        // In an order of its own a segment behind `end` may hold records that go.
        if order.is_none() && stays(&found, end) {
            for (sequence, header, line) in found.segment.records() {
                rechain.take(sequence, line, true);
                unterminated = header.flags.contains(RecordFlags::UNTERMINATED);
            }
            // What was packed comes before the segment that stays, and cannot go on behind it.
            if let Some(sealed) = packer.seal() {
                segments::insert(&mut table, number, &sealed, Some(&mut edge))?;
            }
            continue;
        }
        // Before it is packed anew: what stays may get the same key.
        segments::remove(&mut table, number, found.first)?;
        for (sequence, header, line) in found.segment.records() {
            let goes = is_before(sequence) && header.kind != RecordKind::Meta;
            rechain.take(sequence, line, !goes);
            if goes {
                // Messages that are shown with another record were not counted with this one.
                let hidden = hidden.get(&sequence).copied().unwrap_or(0);
                let shown = header.messages.saturating_sub(hidden);
                fold::count_out(&mut row, &header, shown, line.len(), &mut compacted);
                continue;
            }
            // An unterminated line stays alone, so that an import can replace it.
            unterminated = header.flags.contains(RecordFlags::UNTERMINATED);
            if (unterminated || packer.is_full_for(sequence, line.len()))
                && let Some(sealed) = packer.seal()
            {
                segments::insert(&mut table, number, &sealed, Some(&mut edge))?;
            }
            packer.push(sequence, header, line);
        }
    }
    if let Some(sealed) = packer.seal() {
        segments::insert(&mut table, number, &sealed, Some(&mut edge))?;
    }
    drop(table);
    writer.forget_exceptions(number, &mut row, end)?;
    // Fails where the lines are not those of the old chain: what was tampered with is not made
    // good.
    row.chain = rechain.finish(number)?;
    row.unterminated = unterminated;
    row.tail_first = row.next;
    row.tail_bytes = 0;
    writer.put_row(number, Some(old), &row)?;
    Ok(compacted)
}

/// Whether a segment is full enough to stay, and nothing of it goes.
fn stays(found: &Found, end: u64) -> bool {
    found.first >= end && found.segment.line_bytes() >= FULL_BYTES
}
