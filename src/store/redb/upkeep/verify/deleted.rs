//! Verification of the marks of sessions that were deleted.

use redb::ReadableTable as _;

use super::Checker;
use crate::model::error::Result;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::deleted;

impl Checker<'_, '_, '_> {
    /// Every mark is what was written. A session of its name may be there again.
    pub(crate) fn deleted(&mut self) -> Result<()> {
        let Some(table) = deleted::open(self.snapshot)? else {
            return Ok(());
        };
        let read = storage("verify the marks");
        for entry in table.iter().map_err(&read)? {
            let (key, value) = entry.map_err(&read)?;
            if let Err(error) = deleted::check(key.value(), value.value()) {
                self.note(error, None)?;
            }
        }
        Ok(())
    }
}
