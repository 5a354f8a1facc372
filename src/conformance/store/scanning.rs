//! Scans: both ways, from anywhere, a page at a time.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, holds, same};
use crate::conformance::subject::{Subject, at, key, message, note, said, session};
use crate::model::message::Role;
use crate::model::record::{RecordFlags, RecordKind};
use crate::store::{Direction, NewRecord, ScanQuery};

const LETTERS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

fn query(from: Option<u64>, direction: Direction) -> ScanQuery {
    ScanQuery {
        from,
        direction,
        ..ScanQuery::default()
    }
}

pub(crate) fn scan_goes_both_ways(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    for (second, text) in (1..).zip(LETTERS) {
        // An append each: records of one append may lie together, and be read together.
        store.say(&key, second, &[text])?;
    }
    let forward = store.page(&key, &query(None, Direction::Forward))?;
    same("forward", &forward, &(vec![0, 1, 2, 3, 4, 5, 6], None))?;
    let backward = store.page(&key, &query(None, Direction::Backward))?;
    same("backward", &backward, &(vec![6, 5, 4, 3, 2, 1, 0], None))
}

pub(crate) fn scan_starts_where_it_is_told(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &LETTERS)?;
    let cases: [(u64, Direction, &[u64]); 7] = [
        (4, Direction::Forward, &[4, 5, 6]),
        (0, Direction::Forward, &[0, 1, 2, 3, 4, 5, 6]),
        (7, Direction::Forward, &[]),
        (u64::MAX, Direction::Forward, &[]),
        (2, Direction::Backward, &[2, 1, 0]),
        (0, Direction::Backward, &[0]),
        (u64::MAX, Direction::Backward, &[6, 5, 4, 3, 2, 1, 0]),
    ];
    for (from, direction, expected) in cases {
        let (came, _) = store.page(&key, &query(Some(from), direction))?;
        same(&format!("{direction:?} from {from}"), &came, expected)?;
    }
    Ok(())
}

pub(crate) fn scan_passes_over_gaps(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a"), message(2, "b")])?;
    store.save(&mut saved)?;
    // The header line of the save stays when the messages behind it go: so there is a gap.
    store.say(&saved.key, 3, &["c", "d"])?;
    let all: Vec<u64> = store
        .records(&saved.key)?
        .iter()
        .map(|r| r.sequence)
        .collect();
    store.truncate(&saved.key, 1)?;
    store.compact(&saved.key, None)?;
    let left: Vec<u64> = store
        .records(&saved.key)?
        .iter()
        .map(|r| r.sequence)
        .collect();
    let gap = all
        .iter()
        .find(|sequence| !left.contains(sequence))
        .copied();
    let (Some(first), Some(last)) = (left.first(), left.last()) else {
        return holds("records", false, "the header and a message", &left);
    };
    let (forward, _) = store.page(&saved.key, &query(gap, Direction::Forward))?;
    same("forward from within a gap", &forward, &[*last])?;
    let (backward, _) = store.page(&saved.key, &query(gap, Direction::Backward))?;
    same("backward from within a gap", &backward, &[*first])
}

pub(crate) fn scan_pages_hold_so_many_records(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &LETTERS)?;
    for direction in [Direction::Forward, Direction::Backward] {
        let mut ask = query(None, direction);
        ask.records_max = 3;
        let mut seen = Vec::new();
        for size in [3, 3, 1] {
            let (page, next) = store.page(&key, &ask)?;
            same(
                &format!("{direction:?}, length of a page"),
                &page.len(),
                &size,
            )?;
            seen.extend(page);
            ask.from = next;
        }
        same(&format!("{direction:?}, the last next"), &ask.from, &None)?;
        if direction == Direction::Backward {
            seen.reverse();
        }
        same(
            &format!("{direction:?}, all pages"),
            &seen,
            &[0, 1, 2, 3, 4, 5, 6],
        )?;
    }
    Ok(())
}

pub(crate) fn scan_pages_hold_so_many_bytes(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = ["1", "2", "3", "4"].map(note);
    store.append(&key, &records)?;
    let length = store.lines(&key)?.concat().len() / records.len();
    // The record that passes the limit is still given: else a line larger than it would end every
    // scan.
    for (bytes_max, expected) in [(1, 1), (length, 1), (length + 1, 2), (2 * length, 2)] {
        let mut ask = query(None, Direction::Forward);
        ask.bytes_max = bytes_max;
        let (page, next) = store.page(&key, &ask)?;
        let step = format!("lines of {length} bytes, at most {bytes_max}");
        same(&step, &page.len(), &expected)?;
        same(&step, &next, &Some(expected as u64))?;
    }
    Ok(())
}

pub(crate) fn scan_without_limits_gives_a_thousand(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.append(&key, &vec![NewRecord::line("{}\n"); 1001])?;
    let (page, next) = store.page(&key, &ScanQuery::default())?;
    same("the first page", &(page.len(), next), &(1000, Some(1000)))?;
    let backward = store.backward(&key)?;
    let expected: Vec<u64> = (0..1001).rev().collect();
    same("all of them, backward", &backward, &expected)
}

pub(crate) fn scan_without_limits_gives_four_mebibytes(make: &MakeStore) -> Checked {
    const MEBIBYTE: usize = 1024 * 1024;
    let store = Subject::new(make);
    let key = key("s")?;
    // With its line feed it is 1 MiB.
    let line = "x".repeat(MEBIBYTE - 1);
    store.append(&key, &vec![NewRecord::line(line); 6])?;
    let (page, next) = store.page(&key, &ScanQuery::default())?;
    same(
        "lines of 1 MiB on a page",
        &(page.len(), next),
        &(4, Some(4)),
    )
}

pub(crate) fn scan_gives_hidden_records_too(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    store.truncate(&key, 0)?;
    let (page, _) = store.page(&key, &ScanQuery::default())?;
    same("forward", &page, &[0, 1])?;
    same("backward", &store.backward(&key)?, &[1, 0])
}

pub(crate) fn records_tell_what_they_are(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = [
        said(1, "a"),
        note("n"),
        NewRecord::line("{broken\n"),
        NewRecord::line("\n"),
    ];
    store.append(&key, &records)?;
    let header = |kind, role, messages, time_us| (kind, role, messages, time_us);
    let time = Some(at(1).timestamp_micros());
    let expected = [
        header(RecordKind::Message, Some(Role::User), 1, time),
        header(RecordKind::Unknown, None, 0, None),
        header(RecordKind::Malformed, None, 0, None),
        header(RecordKind::Blank, None, 0, None),
    ];
    let stored = store.records(&key)?;
    let came: Vec<_> = stored
        .iter()
        .map(|record| record.header)
        .map(|found| header(found.kind, found.role, found.messages, found.time_us))
        .collect();
    same("headers", &came, &expected)?;
    let damaged: Vec<bool> = stored
        .iter()
        .map(|record| record.header.flags.contains(RecordFlags::DAMAGED))
        .collect();
    same("damaged", &damaged, &[false, false, true, false])
}
