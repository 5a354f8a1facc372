//! A verification in one snapshot, or in several: so that it does not keep what others remove.

use std::time::{Duration, Instant};

use super::depth::Depth;
use super::{Checker, Found};
use crate::model::error::Result;
use crate::store::query::VerifyReport;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::{Progress, Step, Watcher};

/// How long one snapshot is read: what is written meanwhile takes new space for so long.
const SLICE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 1_000 });

/// Checks the store as a snapshot shows it.
pub(crate) fn verify(
    snapshot: &Snapshot<'_>,
    depth: Depth<'_>,
    progress: &mut Watcher<'_>,
) -> Result<VerifyReport> {
    let mut checker = Checker::over(snapshot, Found::new(depth));
    let are_read = checker.step(Checker::sessions)?;
    checker.rest(are_read, progress)?;
    Ok(checker.found.report)
}

/// Checks a store that others write to. Each session is checked in one snapshot, and after a second
/// the next ones in another; all that is compared across sessions, and the pages, in a last one.
/// Where a session's row cannot be read, one snapshot is taken for everything.
pub(crate) fn verify_in_slices<'s>(
    take: &dyn Fn() -> Result<Snapshot<'s>>,
    depth: Depth<'_>,
    progress: &mut Watcher<'_>,
) -> Result<VerifyReport> {
    let mut snapshot = take()?;
    let mut checker = Checker::over(&snapshot, Found::new(depth));
    let are_read = checker.step(Checker::sessions)?;
    if !are_read || !checker.found.report.problems.is_empty() {
        checker.rest(are_read, progress)?;
        return Ok(checker.found.report);
    }
    let mut found = checker.found;
    let rows = std::mem::take(&mut found.rows);
    found.report = VerifyReport::default();
    let total = rows.values().map(|row| row.bytes).sum();
    let mut since = Instant::now();
    for number in rows.keys() {
        if since.elapsed() >= SLICE {
            // Not two at a time.
            drop(snapshot);
            snapshot = match take() {
                Ok(taken) => taken,
                Err(error) => return found.ended(error),
            };
            since = Instant::now();
        }
        let mut checker = Checker::over(&snapshot, found);
        checker.step(|checker| checker.session(*number))?;
        found = checker.found;
        let done = found.report.bytes.min(total);
        Progress::at(Step::Verifying, done, total).tell(progress)?;
    }
    drop(snapshot);
    let snapshot = match take() {
        Ok(taken) => taken,
        Err(error) => return found.ended(error),
    };
    found.checked = rows.into_keys().collect();
    found.rows.clear();
    let mut checker = Checker::over(&snapshot, found);
    let are_read = checker.step(Checker::sessions)?;
    checker.rest(are_read, progress)?;
    Ok(checker.found.report)
}
