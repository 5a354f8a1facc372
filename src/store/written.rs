//! When a store last wrote to a session, as its row has it: what counts as a write, and how the time goes on. Which
//! clock that is, and where rows are stored, is the stores' business.

use chrono::{DateTime, Utc};

use super::carried::normal_row;
use crate::codec::session_row::SessionRow;

/// Notes in a row that its session is written to now. The time never goes back: clocks of processes differ, and one
/// that is behind, or stands still, has it go on by a microsecond, so that whoever kept it sees that there was a
/// write.
pub(crate) fn stamp(row: &mut SessionRow, before: Option<&SessionRow>, now_us: i64) {
    // What is behind the last time that there is could not be read again.
    let last_us = DateTime::<Utc>::MAX_UTC.timestamp_micros();
    let before_us = before.and_then(|before| before.written_us);
    let after_us = before_us.max(row.written_us);
    let next_us = after_us.map_or(now_us, |us| now_us.max(us.saturating_add(1)));
    row.written_us = Some(next_us.min(last_us));
}

/// The same, unless the row says what it said before: how records are laid out is nothing that was written.
pub(crate) fn stamp_changed(row: &mut SessionRow, before: Option<&SessionRow>, now_us: i64) {
    if !before.is_some_and(|before| says_the_same(before, row)) {
        stamp(row, before, now_us);
    }
}

fn says_the_same(one: &SessionRow, other: &SessionRow) -> bool {
    // First, since nearly every write brings records: the whole comparison copies both rows.
    one.next == other.next && normal_row(one) == normal_row(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;

    fn row() -> SessionRow {
        SessionRow::new(&SessionKey::native("s").unwrap(), 5)
    }

    #[test]
    fn a_write_moves_the_time_on_whatever_the_clock_says() {
        let mut now = row();
        stamp(&mut now, None, 100);
        assert_eq!(now.written_us, Some(100));
        for (clock, expected) in [(90, 101), (101, 102), (500, 500), (0, 501)] {
            let before = now.clone();
            stamp(&mut now, Some(&before), clock);
            assert_eq!(now.written_us, Some(expected), "{clock}");
        }
        // A row that was made anew goes on where the stored one was.
        let mut anew = row();
        stamp(&mut anew, Some(&now), 7);
        assert_eq!(anew.written_us, Some(502));
    }

    #[test]
    fn the_last_time_there_is_can_be_read_again() {
        let mut row = row();
        for clock in [i64::MAX, DateTime::<Utc>::MAX_UTC.timestamp_micros(), 0] {
            let before = row.clone();
            stamp(&mut row, Some(&before), clock);
            let summary = row.clone().into_summary(1).unwrap();
            assert!(summary.written_at.is_some(), "{clock}");
        }
    }

    #[test]
    fn a_row_that_says_what_it_said_was_not_written_to() {
        let before = SessionRow {
            written_us: Some(100),
            ..row()
        };
        let mut same = SessionRow {
            tail_bytes: 9,
            blocks: 2,
            ..before.clone()
        };
        stamp_changed(&mut same, Some(&before), 500);
        assert_eq!(same.written_us, Some(100));
        let changes: [fn(&mut SessionRow); 4] = [
            |row| row.next = 1,
            |row| row.mark = 1,
            |row| row.given.pinned = true,
            |row| row.reader = 3,
        ];
        for change in changes {
            let mut changed = before.clone();
            change(&mut changed);
            stamp_changed(&mut changed, Some(&before), 500);
            assert_eq!(changed.written_us, Some(500));
        }
        let mut new = row();
        stamp_changed(&mut new, None, 500);
        assert_eq!(new.written_us, Some(500));
    }
}
