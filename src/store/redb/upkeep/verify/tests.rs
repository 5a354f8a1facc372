//! Flips of bits, and ways that lead round, in the pages of a store: each is noticed, and none makes
//! a reader go on for ever.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::store::redb::pages::{Node, PageFile, Shape, place_of, tables};
use crate::store::redb::store::RedbStore;
use crate::store::{Expect, ListQuery, NewRecord, Options, Store as _};

/// Longest time that the reads of one damaged store take. They take some milliseconds.
const ENDLESS: Duration = Duration::from_secs(60);

/// A store of some pages, closed.
fn filled(path: &Path) {
    let store = RedbStore::open(path, Options::default()).unwrap();
    for number in 0..30 {
        let key = SessionKey::native(format!("{number}-{}", "long-".repeat(20))).unwrap();
        let line = |at: u64| {
            let text = (at * 7919 + number).to_string().repeat(20);
            NewRecord::line(format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n"))
        };
        let records: Vec<NewRecord> = (0..4 + number * 6).map(line).collect();
        store.append(&key, Expect::Any, None, &records).unwrap();
        let change = PropertiesChange {
            summary: Some("A summary. ".repeat(20)),
            aliases: Some(vec![format!("alias-{number}")]),
            ..PropertiesChange::default()
        };
        store.update_properties(&key, &change).unwrap();
    }
}

/// A page that the last commit has written.
struct Used {
    /// Its bytes, up to its end.
    bytes: Range<u64>,
    /// Where the numbers of its children stand, if it is a branch.
    children: Option<Range<u64>>,
}

/// The pages that the last commit has written.
fn used(file: &PageFile) -> Vec<Used> {
    let slot = file.header().unwrap().slots()[0].unwrap();
    let mut used = Vec::new();
    let mut roots = Vec::new();
    for root in [slot.user, slot.system].into_iter().flatten() {
        let shape = Shape {
            key: None,
            value: None,
        };
        roots.push((root, shape));
        let tables = tables(file, Some(&root)).unwrap().0;
        roots.extend(
            tables
                .iter()
                .filter_map(|table| Some((table.root?, table.shape))),
        );
    }
    let mut pages: Vec<(u64, Shape)> = roots.iter().map(|(root, s)| (root.page, *s)).collect();
    while let Some((number, shape)) = pages.pop() {
        let place = place_of(number).unwrap();
        let bytes = file.read(place).unwrap();
        let (end, children) = match Node::of(&bytes, shape).unwrap() {
            Node::Leaf(leaf) => (leaf.end().unwrap(), None),
            Node::Branch(branch) => {
                let numbers = (0..branch.children()).filter_map(|at| branch.child(at));
                pages.extend(numbers.map(|(number, _)| (number, shape)));
                let count = branch.children() as u64;
                let start = place.offset + 8 + 16 * count;
                (branch.end().unwrap(), Some(start..start + 8 * count))
            }
        };
        let bytes = place.offset..place.offset + end as u64;
        used.push(Used { bytes, children });
    }
    used
}

/// Reads a store in every way that looks for rows; gives whether it was found to be whole.
fn is_found_whole(path: &Path) -> bool {
    let open = || RedbStore::open_read_only(path, Options::default());
    let verified = open().map(|store| {
        let report = store.verify(&mut crate::store::unwatched);
        // Whatever is damaged in a store that opens is in the report.
        report.unwrap()
    });
    // What they give is the matter of the bad-bytes sweep. Here they have to come to an end.
    if let Ok(store) = open() {
        let _found = store.find("1", 3);
        for summary in store
            .list(&ListQuery::default())
            .map(|page| page.sessions)
            .unwrap_or_default()
        {
            let _loaded = store.load(&summary.key);
        }
    }
    verified.is_ok_and(|report| report.is_clean())
}

/// Does each damage to a copy of a good store; gives how many, and which were not noticed.
fn damaged(
    make: impl FnOnce(&[u8], &[Used]) -> Vec<(u64, Vec<u8>)>,
) -> (usize, Vec<(u64, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    filled(&path);
    let good = fs::read(&path).unwrap();
    let damages = make(&good, &used(&PageFile::open(&path).unwrap()));
    let (count, mut unnoticed) = (damages.len(), Vec::new());
    let (send, results) = mpsc::channel();
    let work = damages.clone();
    std::thread::spawn(move || {
        for (at, new) in work {
            let mut bytes = good.clone();
            let at = usize::try_from(at).unwrap();
            bytes[at..at + new.len()].copy_from_slice(&new);
            fs::write(&path, &bytes).unwrap();
            if send.send(is_found_whole(&path)).is_err() {
                break;
            }
        }
    });
    for damage in damages {
        let (at, new) = &damage;
        let whole = results.recv_timeout(ENDLESS);
        if whole.unwrap_or_else(|_| panic!("no end with {new:?} at byte {at}")) {
            unnoticed.push(damage);
        }
    }
    (count, unnoticed)
}

/// Flips a bit of each byte.
fn flip(good: &[u8], bits: impl Iterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
    bits.map(|bit| {
        let byte = good[usize::try_from(bit / 8).unwrap()];
        (bit / 8, vec![byte ^ (1 << (bit % 8))])
    })
    .collect()
}

/// Flips a bit of every `step`th byte that is in use.
fn bytes_flipped(step: usize) -> (usize, Vec<(u64, Vec<u8>)>) {
    damaged(|good, used| {
        let bytes = used.iter().flat_map(|page| page.bytes.clone());
        flip(good, bytes.step_by(step).map(|at| at * 8 + at % 8))
    })
}

/// Flips every `step`th bit of the pages that lead to others.
fn bits_of_branches_flipped(step: usize) -> (usize, Vec<(u64, Vec<u8>)>) {
    damaged(|good, used| {
        let branches = used.iter().filter(|page| page.children.is_some());
        let bytes = branches.flat_map(|page| page.bytes.clone());
        let bits = bytes.flat_map(|at| at * 8..at * 8 + 8);
        flip(good, bits.step_by(step))
    })
}

#[test]
fn every_flip_in_a_page_is_noticed() {
    let (count, unnoticed) = bytes_flipped(1009);
    assert!(count > 100, "{count}");
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
    let (count, unnoticed) = bits_of_branches_flipped(101);
    assert!(count > 100, "{count}");
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[test]
#[ignore = "every 83rd byte of every page, and every bit of those that lead to others: two minutes"]
fn every_flip_in_a_page_is_noticed_at_length() {
    let (count, unnoticed) = bytes_flipped(83);
    assert!(count > 1500, "{count}");
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
    let (count, unnoticed) = bits_of_branches_flipped(1);
    assert!(count > 10_000, "{count}");
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[test]
fn pages_that_lead_to_themselves_or_to_each_other_end_every_search() {
    let (count, unnoticed) = damaged(|good, used| {
        let branches = || used.iter().filter(|page| page.children.is_some());
        let mut ways = Vec::new();
        for children in branches().filter_map(|page| page.children.clone()) {
            for at in children.step_by(8) {
                for to in branches().map(|page| page.bytes.start / 4096) {
                    let place = usize::try_from(at).unwrap();
                    let new = to.to_le_bytes().to_vec();
                    if good[place..place + 8] != new {
                        ways.push((at, new));
                    }
                }
            }
        }
        ways
    });
    assert!(count > 100, "{count}");
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[test]
fn a_file_that_was_cut_within_its_free_pages_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    filled(&path);
    let good = fs::read(&path).unwrap();
    for cut in [1, 100, 4096, 2 * 4096] {
        fs::write(&path, &good[..good.len() - cut]).unwrap();
        let verified = RedbStore::open_read_only(&path, Options::default())
            .and_then(|store| store.verify(&mut crate::store::unwatched));
        assert!(!verified.is_ok_and(|report| report.is_clean()), "{cut}");
    }
}
