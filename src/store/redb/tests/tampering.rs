//! Tampering that no checksum and no count shows: lines, records and segments are changed through
//! the store's own writing, so that only the digest chain can tell. Every position of a store with
//! packed and unpacked records is tried, in every way; each time a deep verification names the
//! session, and a plain one does not.

use super::sweeps::disk::Disk;

use crate::codec::chain::{Chain, digest_of};
use crate::codec::segment::{Packer, Segment};
use crate::codec::session_row::SessionRow;
use crate::model::key::SessionKey;
use crate::model::record::{Record, RecordFlags};
use crate::store::query::{Expect, NewRecord, VerifyReport};
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::segments;
use crate::store::{Mode, Options, Store as _};

/// Fewest cases that the sweep has to try.
const CASES_MIN: usize = 1_000;

/// The segments of a session, each with its records.
type Segments = Vec<Vec<Record>>;

fn key(number: u64) -> SessionKey {
    SessionKey::new("jsonl", format!("s{number}")).unwrap()
}

/// Sessions 1 and 2: two sealed segments and a tail each, at the same sequence numbers.
fn store() -> RedbStore {
    let options = Options::default().with_mode(Mode::Exclusive);
    let store = RedbStore::over(Disk::default(), options).unwrap();
    for number in [1, 2] {
        for from in [0, 40, 110, 150] {
            let to = match from {
                150 => 160,
                from => from + 40,
            };
            let lines: Vec<NewRecord> = (from..to)
                .map(|n| {
                    let text = format!("line {n} of {number} ").repeat(1 + n % 5);
                    NewRecord::line(format!("{{\"role\":\"user\",\"content\":\"{text}\"}}"))
                })
                .collect();
            store
                .append(&key(number), Expect::Any, None, &lines)
                .unwrap();
        }
    }
    store
}

fn read(store: &RedbStore, number: u64) -> (SessionRow, Segments) {
    store
        .write(|writer| {
            let table = writer.records()?;
            let (mut held, mut from) = (Segments::new(), 0);
            while let Some(found) = segments::starting_from(&table, number, from, writer.counts())?
            {
                from = found.segment.last_sequence() + 1;
                held.push(found.segment.records().map(Segment::owned).collect());
            }
            drop(table);
            Ok((writer.row(number)?, held))
        })
        .unwrap()
}

/// Puts other segments in the place of a session's, with checksums and counts that fit.
fn put(store: &RedbStore, number: u64, row: &SessionRow, held: &Segments) {
    let mut row = row.clone();
    let all = || held.iter().flatten();
    row.records = all().count() as u64;
    row.bytes = all().map(|record| record.line.len() as u64).sum();
    row.messages = all().map(|record| u64::from(record.header.messages)).sum();
    row.next = all().last().unwrap().sequence + 1;
    let damaged = |record: &&Record| record.header.flags.contains(RecordFlags::DAMAGED);
    row.malformed = all().filter(damaged).count() as u64;
    store
        .write(|writer| {
            let mut table = writer.records()?;
            table
                .retain_in((number, 0, 0)..=(number, u64::MAX, u32::MAX), |_, _| false)
                .unwrap();
            for records in held {
                let mut packer = Packer::default();
                for record in records {
                    packer.push(record.sequence, record.header, &record.line);
                }
                if let Some(sealed) = packer.seal() {
                    segments::insert(&mut table, number, &sealed, None)?;
                }
            }
            drop(table);
            let old = writer.row(number)?;
            writer.put_row(number, Some(&old), &row)
        })
        .unwrap();
}

/// The chain of what is in the segments, as an attacker can make it.
fn chain_of(held: &Segments) -> Chain {
    let mut chain = Chain::starting_at(0);
    for record in held.iter().flatten() {
        chain.push(&digest_of(&record.line));
    }
    chain
}

fn deep(store: &RedbStore) -> VerifyReport {
    store
        .verify_deep(&[], &mut crate::store::unwatched)
        .unwrap()
}

/// The place of a record among the segments.
fn place(held: &Segments, mut at: usize) -> (usize, usize) {
    for (segment, records) in held.iter().enumerate() {
        if at < records.len() {
            return (segment, at);
        }
        at -= records.len();
    }
    panic!("no such record");
}

fn swap_lines(held: &mut Segments, one: usize, other: usize) -> bool {
    let (one, other) = (place(held, one), place(held, other));
    let line = held[one.0][one.1].line.clone();
    let line = std::mem::replace(&mut held[other.0][other.1].line, line);
    let is_other = line != held[other.0][other.1].line;
    held[one.0][one.1].line = line;
    is_other
}

/// What was changed in each case, and the segments that it leaves.
fn cases(held: &Segments, others: &Segments) -> Vec<(String, Segments)> {
    let count = held.iter().map(Vec::len).sum::<usize>();
    let mut cases = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Segments) -> bool| {
        let mut changed = held.clone();
        if change(&mut changed) {
            changed.retain(|records| !records.is_empty());
            cases.push((what, changed));
        }
    };
    for at in 0..count {
        let (segment, record) = place(held, at);
        add(format!("a byte of line {at}"), &|held| {
            let line = &mut held[segment][record].line;
            let byte = at * 7 % line.len();
            line[byte] ^= 1 << (at % 8);
            true
        });
        add(format!("line {at} a byte shorter"), &|held| {
            held[segment][record].line.remove(0);
            true
        });
        add(format!("record {at} gone"), &|held| {
            held[segment].remove(record);
            // Without the last one the row's `next` would be another: that is a shorter session.
            true
        });
        add(format!("lines {at} and the next swapped"), &|held| {
            at + 1 < count && swap_lines(held, at, at + 1)
        });
        add(format!("lines {at} and its mirror swapped"), &|held| {
            swap_lines(held, at, count - 1 - at)
        });
        add(format!("line {at} that of the other session"), &|held| {
            let line = others[segment][record].line.clone();
            held[segment][record].line = line;
            true
        });
        add(format!("a line feed moved from line {at}"), &|held| {
            // The same bytes in all, cut into lines elsewhere.
            if record + 1 == held[segment].len() {
                return false;
            }
            let last = held[segment][record].line.pop();
            let next = &mut held[segment][record + 1].line;
            if let Some(byte) = last {
                next.insert(0, byte);
            }
            true
        });
    }
    for segment in 0..held.len() {
        add(format!("segment {segment} of the other session"), &|held| {
            held[segment].clone_from(&others[segment]);
            true
        });
    }
    add("a record more".to_owned(), &|held| {
        let mut record = held.last().unwrap().last().unwrap().clone();
        record.sequence += 1;
        held.push(vec![record]);
        true
    });
    cases
}

#[test]
fn tampering_that_checksums_do_not_show_is_seen_by_a_deep_verification() {
    let store = store();
    let kept = deep(&store).digests;
    assert_eq!(kept.len(), 2);
    let both = [read(&store, 1), read(&store, 2)];
    assert!(both[0].1.len() > 10, "packed and unpacked records");
    let (mut tried, mut unseen_by_plain) = (0, 0);
    for (number, (row, held), others) in [(1, &both[0], &both[1].1), (2, &both[1], &both[0].1)] {
        for (what, changed) in cases(held, others) {
            put(&store, number, row, &changed);
            let plain = store.verify(&mut crate::store::unwatched).unwrap();
            unseen_by_plain += usize::from(plain.is_clean());
            let report = deep(&store);
            let named: Vec<_> = report
                .problems
                .iter()
                .map(|problem| &problem.session)
                .collect();
            assert!(named.contains(&&Some(key(number))), "{what}: {report:?}");
            assert!(
                named.iter().all(|session| **session == Some(key(number))),
                "{what}: {report:?}"
            );
            assert!(
                report
                    .digests
                    .iter()
                    .all(|digest| digest.key != key(number))
            );
            let problem = report.problems.last().unwrap();
            assert_eq!(
                (problem.table, problem.key.as_str()),
                ("records", format!("session {number}").as_str())
            );
            tried += 1;
        }
        put(&store, number, row, held);
    }
    assert!(deep(&store).is_clean());
    assert!(tried >= CASES_MIN, "{tried} cases");
    assert_eq!(unseen_by_plain, tried, "cases that only the chain shows");
}

#[test]
fn a_chain_that_was_made_anew_is_seen_against_a_list() {
    let store = store();
    let kept = deep(&store).digests;
    let (row, held) = read(&store, 1);
    let mut tried = 0;
    for (what, changed) in cases(&held, &read(&store, 2).1).into_iter().step_by(5) {
        let mut tampered = row.clone();
        tampered.chain = chain_of(&changed);
        // A record more is what a session that grew has.
        let grew = what == "a record more";
        put(&store, 1, &tampered, &changed);
        assert!(deep(&store).is_clean(), "{what}");
        let report = store
            .verify_deep(&kept, &mut crate::store::unwatched)
            .unwrap();
        assert_eq!(report.is_clean(), grew, "{what}: {report:?}");
        assert_eq!(report.rewritten, [], "{what}");
        tampered.chain.rewrites += 1;
        put(&store, 1, &tampered, &changed);
        let report = store
            .verify_deep(&kept, &mut crate::store::unwatched)
            .unwrap();
        assert!(report.is_clean(), "{what}: {report:?}");
        assert_eq!(report.rewritten.is_empty(), grew, "{what}");
        tried += 1;
    }
    assert!(tried >= 150, "{tried} cases");
    put(&store, 1, &row, &held);
    store.delete(&key(2)).unwrap();
    let report = store
        .verify_deep(&kept, &mut crate::store::unwatched)
        .unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert_eq!(report.problems[0].session, Some(key(2)));
}

#[test]
fn nothing_of_a_session_that_was_tampered_with_is_removed() {
    let store = store();
    let (row, held) = read(&store, 1);
    for at in [0, 30, 100, 159] {
        let (segment, record) = place(&held, at.min(held.iter().map(Vec::len).sum::<usize>() - 1));
        let mut changed = held.clone();
        changed[segment][record].line[3] ^= 1;
        put(&store, 1, &row, &changed);
        store.truncate(&key(1), 50).unwrap();
        let error = store.compact(&key(1), None, None).unwrap_err();
        assert!(error.is_corruption(), "{error}");
        assert!(
            error.to_string().contains("`records`, key session 1"),
            "{error}"
        );
        assert_eq!(read(&store, 1).1, changed);
        store.truncate(&key(1), u64::MAX).unwrap();
    }
    put(&store, 1, &row, &held);
    store.truncate(&key(1), 50).unwrap();
    store.compact(&key(1), None, None).unwrap();
    assert!(deep(&store).is_clean());
}
