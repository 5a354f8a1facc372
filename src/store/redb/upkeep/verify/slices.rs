//! A verification in one snapshot, or in several: so that it does not keep what others remove.

use std::time::Instant;

use super::depth::Depth;
use super::page_slices::SLICE;
use super::records::{Read, Reading};
use super::{Checker, Found, page_slices};
use crate::model::error::Result;
use crate::store::query::VerifyReport;
use crate::store::redb::engine::panics::guard;
use crate::store::redb::tables::snapshot::Snapshot;
use crate::store::{Progress, Step, Watcher};

/// Checks the store as a snapshot shows it.
pub(crate) fn verify(
    snapshot: &Snapshot<'_>,
    depth: Depth<'_>,
    progress: &mut Watcher<'_>,
) -> Result<VerifyReport> {
    let mut checker = Checker::over(snapshot, Found::new(depth));
    let are_read = checker.step(Checker::sessions)?;
    checker.rest(are_read, progress)?;
    checker.pages()?;
    Ok(checker.found.report)
}

/// How often a session is begun again of which others removed records meanwhile; then it is read in one
/// snapshot.
const TRIES: u32 = 3;

impl<'d> Checker<'_, '_, 'd> {
    /// Reads on in a session, with the row that this snapshot has. Whether that was all, or it is gone.
    fn some_of(
        &mut self,
        number: u64,
        reading: &mut Option<Reading<'d>>,
        tries: &mut u32,
        until: Option<Instant>,
    ) -> Result<bool> {
        let Some(row) = self.row_now(number)? else {
            return Ok(true);
        };
        self.found.rows.insert(number, row.clone());
        let mut now = match reading.take() {
            None => match self.begin(number, row.clone()) {
                Ok(begun) => begun,
                Err(error) => return self.note(error, Some(number)).map(|()| true),
            },
            Some(mut begun) => {
                // What was appended is read on; what was rewritten is read from the start.
                if begun.go_on(row.clone()) {
                    begun
                } else {
                    *tries += 1;
                    let order = self.snapshot.order(number, &row)?;
                    begun.begin_again(row.clone(), order)?
                }
            }
        };
        match self.read(number, &mut now, until)? {
            // Records of two snapshots may not fit together although each was right: once more, in one.
            Read::All if now.may_be_of_two_times() => {
                *tries = TRIES;
                let order = self.snapshot.order(number, &row)?;
                let mut again = now.begin_again(row, order)?;
                if self.read(number, &mut again, None)? == Read::All {
                    self.end(number, again);
                }
            }
            Read::All => self.end(number, now),
            Read::Damaged => {}
            Read::Some => {
                *reading = Some(now);
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Checks a store that others write to. After a second of reading, the next records are read in another
/// snapshot (`records`), and the next pages (`page_slices`); all that is compared across sessions
/// is in one. Where a session's row cannot be read, one snapshot is taken for everything.
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
        checker.pages()?;
        return Ok(checker.found.report);
    }
    let mut found = checker.found;
    let rows = std::mem::take(&mut found.rows);
    // The rows are counted once more in the last snapshot.
    found.report = VerifyReport::default();
    let total = rows.values().map(|row| row.bytes).sum();
    let mut since = Instant::now();
    for number in rows.keys() {
        // A session that is read for longer than a slice goes on in the next one.
        let (mut reading, mut tries) = (None, 0);
        loop {
            if since.elapsed() >= SLICE {
                // Not two at a time.
                drop(snapshot);
                snapshot = match take() {
                    Ok(taken) => taken,
                    Err(error) => return found.ended(error),
                };
                since = Instant::now();
            }
            let until = (tries < TRIES).then(|| since + SLICE);
            let mut checker = Checker::over(&snapshot, found);
            let mut is_over = true;
            checker.step(|checker| {
                is_over = checker.some_of(*number, &mut reading, &mut tries, until)?;
                Ok(())
            })?;
            found = checker.found;
            if is_over {
                break;
            }
            let done = found.report.bytes.min(total);
            Progress::at(Step::Verifying, done, total).tell(progress)?;
        }
        let done = found.report.bytes.min(total);
        Progress::at(Step::Verifying, done, total).tell(progress)?;
    }
    drop(snapshot);
    let snapshot = match take() {
        Ok(taken) => taken,
        Err(error) => return found.ended(error),
    };
    found.checked = rows.into_keys().collect();
    // Read anew: what is compared across sessions has to be of one moment.
    found.rows.clear();
    let mut checker = Checker::over(&snapshot, found);
    let are_read = checker.step(Checker::sessions)?;
    checker.rest(are_read, progress)?;
    checker.pages_of_engine()?;
    let found = checker.found;
    drop(snapshot);
    let bytes = found.report.bytes;
    let mut go_on = || Progress::at(Step::Verifying, bytes, bytes).tell(progress);
    let wrong = match guard(|| page_slices::walk(take, &mut go_on)) {
        Ok(wrong) => wrong,
        Err(error) => return found.ended(error),
    };
    let snapshot = match take() {
        Ok(taken) => taken,
        Err(error) => return found.ended(error),
    };
    let mut checker = Checker::over(&snapshot, found);
    for (table, key, detail) in wrong {
        checker.problem(table, key, detail, None);
    }
    Ok(checker.found.report)
}
