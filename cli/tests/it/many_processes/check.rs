//! What has to be true when all of them have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use scrollback::{Error, RedbStore, ScanQuery, SessionKey, Store as _, StoreExt as _};

use super::journal::{self, Entry};
use super::line::{self, Line};

/// What became of the batches, and how long things took.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) acknowledged: u64,
    /// Batches that a successor sent again after a kill, and that were there already.
    pub(super) replayed: u64,
    /// Batches without an answer: of those that are in the store, all records are.
    pub(super) unknown: u64,
    pub(super) unknown_there: u64,
    pub(super) conflicts: u64,
    pub(super) thrown_away: u64,
    /// How often something was done, and the longest time that it took.
    pub(super) took: BTreeMap<String, (u64, Duration)>,
}

/// What the writers say of one session.
#[derive(Default)]
struct Claims {
    /// First and last sequence number of each batch that was acknowledged.
    acknowledged: BTreeMap<(usize, u64), (u64, u64)>,
    tried: BTreeSet<(usize, u64)>,
    refused: BTreeSet<(usize, u64)>,
}

/// What the journals say by now.
pub(super) fn so_far(logs: &Path, slots: usize) -> Outcome {
    let mut outcome = Outcome::default();
    claims(logs, slots, &mut outcome);
    outcome
}

/// Holds the store against the journals. `archived` are all lines that compactions wrote out.
pub(super) fn check(
    store: &RedbStore,
    logs: &Path,
    archived: &BTreeSet<Vec<u8>>,
    slots: usize,
) -> Outcome {
    let mut outcome = Outcome::default();
    let archived: BTreeSet<Line> = archived
        .iter()
        .filter(|line| line.starts_with(b"{\"role\":\"user\",\"content\":\"") && is_of_writer(line))
        .map(|line| Line::read(line))
        .collect();
    let claims = claims(logs, slots, &mut outcome);
    for (session, claims) in &claims {
        let key = SessionKey::new("jsonl", session.as_str()).unwrap();
        let is_compacted = line::shared().contains(&key);
        check_session(
            store,
            &key,
            claims,
            is_compacted.then_some(&archived),
            &mut outcome,
        );
    }
    check_thrown_away(store, logs);
    outcome
}

/// Lines of the writers have four numbers and a text of letters; the imported ones have not.
fn is_of_writer(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').count() == 5
}

fn claims(logs: &Path, slots: usize, outcome: &mut Outcome) -> BTreeMap<String, Claims> {
    let mut claims: BTreeMap<String, Claims> = BTreeMap::new();
    for entry in std::fs::read_dir(logs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        for entry in journal::entries(&path) {
            match entry {
                Entry::Took(what, time) => {
                    let (count, longest) = outcome.took.entry(what).or_default();
                    *count += 1;
                    *longest = time.max(*longest);
                }
                Entry::Deleted(_) => outcome.thrown_away += 1,
                _ => {}
            }
        }
    }
    for slot in 0..slots {
        for entry in journal::entries(&journal::path(logs, "writer", slot)) {
            match entry {
                Entry::Try { session, batch, .. } => {
                    let claims = claims.entry(session).or_default();
                    claims.tried.insert((slot, batch));
                    claims.refused.remove(&(slot, batch));
                }
                Entry::Acknowledged {
                    session,
                    batch,
                    first,
                    last,
                    replayed,
                } => {
                    outcome.acknowledged += 1;
                    outcome.replayed += u64::from(replayed);
                    let acknowledged = &mut claims.entry(session).or_default().acknowledged;
                    let before = acknowledged.insert((slot, batch), (first, last));
                    assert_eq!(before, None, "acknowledged twice");
                }
                Entry::Refused { session, batch } => {
                    outcome.conflicts += 1;
                    claims
                        .entry(session)
                        .or_default()
                        .refused
                        .insert((slot, batch));
                }
                Entry::Unknown { .. } => outcome.unknown += 1,
                _ => {}
            }
        }
    }
    claims
}

fn check_session(
    store: &RedbStore,
    key: &SessionKey,
    claims: &Claims,
    archived: Option<&BTreeSet<Line>>,
    outcome: &mut Outcome,
) {
    if claims.acknowledged.is_empty() && store.summary(key).is_err() {
        // The first try was cut off.
        return;
    }
    let records: Vec<(u64, Line)> = store
        .records(key, ScanQuery::default())
        .map(|record| record.unwrap())
        .map(|record| (record.sequence, Line::read(&record.line)))
        .collect();
    let next = store.summary(key).unwrap().next_sequence;
    let oldest = records.first().map_or(next, |(sequence, _)| *sequence);
    if archived.is_none() {
        assert_eq!(oldest, 0, "{key}: something was removed");
    }
    for ((sequence, _), wanted) in records.iter().zip(oldest..) {
        assert_eq!(*sequence, wanted, "{key}: a gap");
    }
    assert_eq!(
        oldest + records.len() as u64,
        next,
        "{key}: the end is missing"
    );
    let lines: Vec<Line> = records.iter().map(|(_, line)| *line).collect();
    line::check_whole(&lines, archived.is_some());
    let once: BTreeSet<Line> = lines.iter().copied().collect();
    assert_eq!(once.len(), lines.len(), "{key}: something is there twice");

    // Acknowledged: there, in the place that was told, or in the archive.
    let mut before = BTreeMap::new();
    for ((slot, batch), (first, last)) in &claims.acknowledged {
        let batch_lines = Line::batch(*slot, *batch);
        assert_eq!(last - first + 1, batch_lines.len() as u64, "{key}");
        assert!(
            before.insert(*slot, *first) < Some(*first),
            "{key}: out of order"
        );
        for (line, sequence) in batch_lines.into_iter().zip(*first..) {
            let stored = sequence
                .checked_sub(oldest)
                .and_then(|place| lines.get(usize::try_from(place).unwrap()));
            match (stored, archived) {
                (Some(stored), _) => assert_eq!(*stored, line, "{key}, record {sequence}"),
                (None, Some(archived)) if sequence < oldest => assert!(
                    archived.contains(&line),
                    "{key}, record {sequence}: neither there nor archived: {line:?}"
                ),
                (None, _) => panic!("{key}, record {sequence}: acknowledged and lost: {line:?}"),
            }
        }
    }
    // Not acknowledged: there whole (which `check_whole` found) only if it was tried, and never
    // if the store had said no.
    for line in &lines {
        let batch = (line.slot, line.batch);
        if claims.acknowledged.contains_key(&batch) {
            continue;
        }
        assert!(
            claims.tried.contains(&batch),
            "{key}: nobody wrote {line:?}"
        );
        assert!(
            !claims.refused.contains(&batch),
            "{key}: refused, but there: {line:?}"
        );
        outcome.unknown_there += u64::from(line.part + 1 == line.parts);
    }
}

fn check_thrown_away(store: &RedbStore, logs: &Path) {
    let entries = journal::entries(&journal::path(logs, "churner", 0));
    let is_there = |id: &str| match store.summary(&SessionKey::new("jsonl", id).unwrap()) {
        Ok(summary) => {
            assert_eq!(summary.record_count, 5, "{id}");
            true
        }
        Err(Error::NotFound { .. }) => false,
        Err(error) => panic!("{id}: {error}"),
    };
    let is_deleting = |id: &str| entries.contains(&Entry::Deleting(id.to_owned()));
    for entry in &entries {
        match entry {
            Entry::Deleted(id) => assert!(!is_there(id), "{id} is deleted, and there"),
            Entry::Made(id) if id.starts_with("throw-") && !is_deleting(id) => {
                assert!(is_there(id), "{id} is lost");
            }
            _ => {}
        }
    }
}
