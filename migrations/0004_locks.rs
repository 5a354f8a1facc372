//! Step 4: other locks.
//!
//! redb 4.5 made its locks for several processes final, and they are not those of 4.3 and 4.4, which
//! builds up to format 3 use: one of those and a newer one would write to the same file at the same
//! time, and neither would notice. So builds of format 3 must not open a store that newer ones use, and
//! the engine runs this step only while nobody else has the store open.

use redb::WriteTransaction;

use crate::model::error::Result;

/// Changes no table: the new number alone keeps out builds with the old locks.
#[expect(clippy::unnecessary_wraps, reason = "every step has this form")]
pub(super) fn run(_txn: &WriteTransaction) -> Result<()> {
    Ok(())
}
