//! Step 7: summary rows of version 5, which say when the store last wrote to their session.
//!
//! Older rows stay as they are, and say nothing of it, until their session changes: when somebody last wrote to one
//! is nowhere to be found.

use redb::WriteTransaction;

use crate::model::error::Result;

/// Changes no table: the new number alone keeps out readers that do not know these rows.
#[expect(clippy::unnecessary_wraps, reason = "every step has this form")]
pub(super) fn run(_txn: &WriteTransaction) -> Result<()> {
    Ok(())
}
