//! How a compaction begins: how far it goes, and the file of what it is going to remove.

use std::io::Write;

use super::StoreExt as _;
use super::order::Order;
use super::query::ScanQuery;
use super::sessions::Primitives;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::record::RecordKind;

/// Of two records the one that is read first.
pub(crate) fn earlier(order: Option<&Order>, one: u64, other: u64) -> u64 {
    if place(order, one) <= place(order, other) {
        one
    } else {
        other
    }
}

fn place(order: Option<&Order>, sequence: u64) -> u64 {
    order.map_or(sequence, |order| order.place(sequence))
}

/// The record before which a compaction ends: the one that is asked for, if it is hidden, or the first that is
/// visible. What stands before it is written to `archive`.
pub(crate) fn begin(
    store: &impl Primitives,
    key: &SessionKey,
    through: Option<u64>,
    archive: Option<&mut dyn Write>,
) -> Result<u64> {
    let row = store.row_of(key)?;
    let order = store.order(key, &row)?;
    let order = order.as_ref();
    // No further than the mark, whatever is asked for: what is visible stays.
    let end = through.map_or(row.mark, |through| earlier(order, through, row.mark));
    if let Some(archive) = archive {
        let failed = |source| Error::Output { source };
        for record in store.records(key, ScanQuery::default()) {
            let record = record?;
            if place(order, record.sequence) >= place(order, end) {
                break;
            }
            // Header lines are not removed.
            if record.header.kind != RecordKind::Meta {
                archive.write_all(&record.line).map_err(failed)?;
            }
        }
        archive.flush().map_err(failed)?;
    }
    Ok(end)
}
