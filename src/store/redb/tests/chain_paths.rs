//! Every path that changes the records of a session keeps its digest chain right: any sequence of
//! them, and after each the chain is that of the lines that a scan gives.

use super::sweeps::disk::Disk;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::agents;
use crate::codec::chain::Chain;
use crate::codec::session_row::SessionRow;
use crate::jsonl::LineReader;
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::store::course::StoredCourse;
use crate::store::ingest::{Bulk as _, IngestStore as _};
use crate::store::query::{Expect, NewRecord, ScanQuery};
use crate::store::redb::store::RedbStore;
use crate::store::{Mode, Options, ReplacedTail, SessionBuilder, Store as _, StoreExt as _};

/// What is done to the one session.
#[derive(Clone, Debug)]
enum Op {
    /// Lines by `append`.
    Append(Vec<String>),
    /// An import goes on: `replaced` last records are read again, then come more; in chunks.
    /// Between the look at the session and the writing, it is perhaps compacted.
    Import {
        replaced: usize,
        lines: Vec<String>,
        is_torn: bool,
        chunks: usize,
        compacted: Option<u64>,
    },
    Truncate(u64),
    Compact(Option<u64>),
    Replace(Vec<String>),
    /// The row becomes one of a store of format 2.
    Age,
}

fn ops() -> impl Strategy<Value = Op> {
    let text = || "[a-z]{0,40}";
    let lines = || prop::collection::vec(text(), 0..30);
    prop_oneof![
        3 => lines().prop_map(Op::Append),
        6 => (0..4_usize, lines(), any::<bool>(), 1..4_usize, prop::option::of(0..40_u64))
            .prop_map(|(replaced, lines, is_torn, chunks, compacted)| Op::Import {
                replaced, lines, is_torn, chunks, compacted,
            }),
        2 => (0..30_u64).prop_map(Op::Truncate),
        2 => prop::option::of(0..90_u64).prop_map(Op::Compact),
        1 => lines().prop_map(Op::Replace),
        1 => Just(Op::Age),
    ]
}

fn line_of(text: &str) -> String {
    // Every other one is a header line, which a compaction keeps.
    let kind = if text.len().is_multiple_of(2) {
        "user"
    } else {
        "meta"
    };
    format!("{{\"type\":\"{kind}\",\"role\":\"user\",\"content\":\"{text}\"}}")
}

fn said(texts: &[String]) -> Vec<NewRecord> {
    texts
        .iter()
        .map(|text| NewRecord::line(line_of(text)))
        .collect()
}

fn key() -> SessionKey {
    SessionKey::new("ggcode", "s").unwrap()
}

fn records(store: &RedbStore) -> Vec<Record> {
    let all = store.records(&key(), ScanQuery::default());
    all.collect::<Result<_, _>>().unwrap()
}

fn row(store: &RedbStore) -> SessionRow {
    store.sources().row(1).unwrap().unwrap()
}

/// An import that goes on with the session, as `transfer` does.
fn import(store: &RedbStore, op: &Op) {
    let Op::Import {
        replaced,
        lines,
        is_torn,
        chunks,
        compacted,
    } = op
    else {
        return;
    };
    let there = records(store);
    // What is read again comes again, if changed: a line that lacks its end does not just go.
    let replaced = if lines.is_empty() { 0 } else { *replaced };
    let tail = &there[there.len() - replaced.min(there.len())..];
    let replaced = tail.first().map(|first| ReplacedTail {
        sequence: first.sequence,
        records: tail
            .iter()
            .map(|record| (record.header, record.line.len() as u64))
            .collect(),
    });
    let dialect = agents::of_agent("ggcode");
    let mut builder =
        SessionBuilder::resume(row(store), StoredCourse::default(), dialect, replaced, 5);
    let mut parts = Vec::new();
    let per_chunk = lines.len().div_ceil(*chunks).max(1);
    for (at, texts) in lines.chunks(per_chunk).enumerate() {
        let mut text: String = texts.iter().map(|text| line_of(text) + "\n").collect();
        if *is_torn && (at + 1) * per_chunk >= lines.len() {
            text.truncate(text.len() - 2);
        }
        let mut reader = LineReader::new(text.as_bytes());
        while let Some(line) = reader.next_line().unwrap() {
            builder.push(&line);
        }
        parts.push(builder.take_chunk());
    }
    if parts.is_empty() {
        parts.push(builder.take_chunk());
    }
    if let Some(keep) = compacted {
        store.truncate(&key(), *keep).unwrap();
        store.compact(&key(), None, None).unwrap();
    }
    let mut bulk = Box::new(store.bulk().unwrap());
    for chunk in &parts {
        bulk.write_chunk(1, chunk, None).unwrap();
    }
    bulk.commit().unwrap();
}

/// The chain is that of the scanned lines, by another computation.
fn check(store: &RedbStore) {
    let chain = row(store).chain;
    let covered: Vec<Record> = records(store)
        .into_iter()
        .filter(|record| record.sequence >= chain.from)
        .collect();
    let mut digest = [0_u8; 32];
    for record in &covered {
        let line = Sha256::digest(&record.line);
        digest = Sha256::digest([&digest[..], &line[..]].concat()).into();
    }
    assert_eq!(
        (chain.records, chain.digest),
        (covered.len() as u64, digest)
    );
}

proptest! {
    // A quarter of the usual number, or of what `PROPTEST_CASES` asks for.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn every_path_keeps_the_chain_that_of_the_lines(ops in prop::collection::vec(ops(), 1..14)) {
        let options = Options::default().with_mode(Mode::Exclusive);
        let store = RedbStore::over(Disk::default(), options).unwrap();
        let mut bulk = Box::new(store.bulk().unwrap());
        prop_assert_eq!(bulk.create(&key()).unwrap(), 1);
        bulk.commit().unwrap();
        for op in &ops {
            let kept = store.verify_deep(&[], &mut crate::store::unwatched).unwrap().digests;
            let before = row(&store).chain;
            match op {
                Op::Append(texts) => {
                    store.append(&key(), Expect::Any, None, &said(texts)).unwrap();
                }
                Op::Import { .. } => import(&store, op),
                Op::Truncate(keep) => drop(store.truncate(&key(), *keep).unwrap()),
                Op::Compact(through) => drop(store.compact(&key(), *through, None).unwrap()),
                Op::Replace(texts) => store.replace_history(&key(), &said(texts)).unwrap(),
                Op::Age => {
                    store
                        .write(|writer| {
                            let old = writer.row(1)?;
                            let chain = Chain::starting_at(old.next);
                            let aged = SessionRow { chain, ..old.clone() };
                            writer.put_row(1, Some(&old), &aged)
                        })
                        .unwrap();
                }
            }
            check(&store);
            let report = store.verify_deep(&kept, &mut crate::store::unwatched).unwrap();
            prop_assert!(report.is_clean(), "{:?}: {:?}", op, report.problems);
            let after = row(&store).chain;
            if after.rewrites == before.rewrites {
                prop_assert!(report.rewritten.is_empty(), "{:?}", op);
            }
            if matches!(op, Op::Compact(_)) {
                prop_assert_eq!(after.from, 0);
            }
        }
    }
}

/// Found by the test above: the row went on saying that the last line lacks its end.
#[test]
fn a_compaction_that_takes_a_torn_last_line_leaves_none_to_be_ended() {
    let store = RedbStore::over(Disk::default(), Options::default()).unwrap();
    let mut bulk = Box::new(store.bulk().unwrap());
    bulk.create(&key()).unwrap();
    bulk.commit().unwrap();
    let torn = Op::Import {
        replaced: 0,
        lines: vec!["a".to_owned()],
        is_torn: true,
        chunks: 1,
        compacted: None,
    };
    import(&store, &torn);
    assert!(row(&store).unterminated);
    store.replace_history(&key(), &[]).unwrap();
    store.compact(&key(), None, None).unwrap();
    assert!(!row(&store).unterminated);
    let report = store
        .verify_deep(&[], &mut crate::store::unwatched)
        .unwrap();
    assert!(report.is_clean(), "{report:?}");
    let line = said(&["next".to_owned()]);
    store.append(&key(), Expect::Any, None, &line).unwrap();
    assert_eq!(records(&store).len(), 1, "no line end of its own");
}
