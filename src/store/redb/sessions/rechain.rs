//! The chain of a session whose last records go.

use redb::{ReadableTable, TableHandle};

use crate::codec::chain::Chain;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::store::rechain::Rechain;
use crate::store::redb::tables::row_counts::ReadCounts;
use crate::store::redb::tables::segments::{self, RecordsKey};

/// The chain of a session over the records before `end`: those from there on are to go.
pub(crate) fn before(
    table: &(impl ReadableTable<RecordsKey, &'static [u8]> + TableHandle),
    (number, row): (u64, &SessionRow),
    end: u64,
    counts: &ReadCounts,
) -> Result<Chain> {
    let mut rechain = Rechain::of(row);
    let mut from = 0;
    while let Some(found) = segments::starting_from(table, number, from, counts)? {
        for (sequence, _, line) in found.segment.records() {
            rechain.take(sequence, line, sequence < end);
        }
        from = found.segment.last_sequence() + 1;
    }
    rechain.finish(number)
}
