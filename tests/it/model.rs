//! Any sequence of store operations on a file agrees with the store in memory, across reopen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use scrollback::{
    Direction, Error, Expect, ListQuery, MemoryStore, Message, NewRecord, Options, Record,
    RedbStore, Role, ScanQuery, Session, SessionKey, Store, StoreExt, Summary,
};
use uuid::Uuid;

#[derive(Clone, Debug)]
enum Op {
    Append {
        session: u8,
        expect: Option<u8>,
        batch: Option<u8>,
        messages: Vec<String>,
    },
    Lines {
        session: u8,
        lines: Vec<Vec<u8>>,
    },
    Save {
        session: u8,
        title: String,
        drop_first: bool,
        add: Option<String>,
    },
    EnsureMeta {
        session: u8,
    },
    Truncate {
        session: u8,
        keep: u64,
    },
    Compact {
        session: u8,
        through: Option<u64>,
        archive: bool,
    },
    Delete {
        session: u8,
    },
    Cleanup {
        before: i64,
    },
    Reclaim,
    Reopen,
}

fn ops() -> impl Strategy<Value = Op> {
    let session = 0..4_u8;
    let text = "[a-z \\PC]{0,30}";
    let line = prop_oneof![
        "[ -~]{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(
            any::<u8>().prop_filter("no line feed", |b| *b != b'\n'),
            0..40
        ),
        (0..2_000_usize).prop_map(|length| vec![b'x'; length]),
    ];
    prop_oneof![
        4 => (session.clone(), prop::option::of(0..9_u8), prop::option::of(0..5_u8),
              prop::collection::vec(text, 0..4))
            .prop_map(|(session, expect, batch, messages)| Op::Append { session, expect, batch, messages }),
        3 => (session.clone(), prop::collection::vec(line, 1..80))
            .prop_map(|(session, lines)| Op::Lines { session, lines }),
        2 => (session.clone(), "[a-z]{0,5}", any::<bool>(), prop::option::of(text))
            .prop_map(|(session, title, drop_first, add)| Op::Save { session, title, drop_first, add }),
        1 => session.clone().prop_map(|session| Op::EnsureMeta { session }),
        2 => (session.clone(), 0..6_u64).prop_map(|(session, keep)| Op::Truncate { session, keep }),
        2 => (session.clone(), prop::option::of(0..60_u64), any::<bool>())
            .prop_map(|(session, through, archive)| Op::Compact { session, through, archive }),
        1 => session.prop_map(|session| Op::Delete { session }),
        1 => (0..60_i64).prop_map(|before| Op::Cleanup { before }),
        1 => Just(Op::Reclaim),
        1 => Just(Op::Reopen),
    ]
}

/// A clock that a test sets, and ids that count.
fn options(clock: &Arc<AtomicI64>) -> Options {
    let (clock, ids) = (Arc::clone(clock), AtomicU64::new(0));
    Options {
        clock: Arc::new(move || {
            DateTime::<Utc>::from_timestamp(1_700_000_000 + clock.load(Ordering::SeqCst), 0)
                .unwrap()
        }),
        ids: Arc::new(move || Uuid::from_u128(u128::from(ids.fetch_add(1, Ordering::SeqCst)))),
        ..Options::default()
    }
}

fn key(session: u8) -> SessionKey {
    // One session of an agent whose format is only read.
    if session == 3 {
        SessionKey::new("codex", "s3").unwrap()
    } else {
        SessionKey::native(format!("s{session}")).unwrap()
    }
}

/// What an operation answers, made comparable between stores.
fn run(store: &dyn Store, op: &Op, loaded: &mut BTreeMap<u8, Session>) -> String {
    match op {
        Op::Append {
            session,
            expect,
            batch,
            messages,
        } => {
            let records: Vec<NewRecord> = messages
                .iter()
                .map(|text| NewRecord::message(Message::text(Role::User, text.as_str())))
                .collect();
            let expect = expect.map_or(Expect::Any, |n| Expect::Sequence(u64::from(n)));
            let batch = batch.map(|id| Uuid::from_u128(1_000 + u128::from(id)));
            format!(
                "{:?}",
                store.append(&key(*session), expect, batch, &records)
            )
        }
        Op::Lines { session, lines } => {
            let records: Vec<NewRecord> = lines
                .iter()
                .map(|line| NewRecord::line(line.as_slice()))
                .collect();
            format!(
                "{:?}",
                store.append(&key(*session), Expect::Any, None, &records)
            )
        }
        Op::Save {
            session,
            title,
            drop_first,
            add,
        } => {
            let mut held = loaded
                .remove(session)
                .or_else(|| store.load(&key(*session)).ok())
                .unwrap_or_else(|| Session::new(key(*session)));
            held.title.clone_from(title);
            if *drop_first && !held.messages.is_empty() {
                held.messages.remove(0);
            }
            if let Some(text) = add {
                held.messages
                    .push(Message::text(Role::Assistant, text.as_str()));
            }
            let saved = store.save(&mut held);
            let answer = format!("{saved:?} {held:?}");
            loaded.insert(*session, held);
            answer
        }
        Op::EnsureMeta { session } => {
            format!("{:?}", store.ensure_meta(&Session::new(key(*session))))
        }
        Op::Truncate { session, keep } => format!("{:?}", store.truncate(&key(*session), *keep)),
        Op::Compact {
            session,
            through,
            archive,
        } => {
            let mut written = Vec::new();
            let out: Option<&mut dyn std::io::Write> =
                if *archive { Some(&mut written) } else { None };
            let done = store.compact(&key(*session), *through, out);
            format!("{done:?} {written:?}")
        }
        Op::Delete { session } => format!("{:?}", store.delete(&key(*session))),
        Op::Cleanup { before } => {
            let before = DateTime::from_timestamp(1_700_000_000 + before, 0).unwrap();
            format!("{:?}", store.cleanup_older_than(before))
        }
        Op::Reclaim | Op::Reopen => String::new(),
    }
}

/// Everything that a store shows.
fn contents(store: &dyn Store) -> Vec<(Summary, Vec<Record>, Session)> {
    let mut all = Vec::new();
    let mut query = ListQuery {
        limit: 2,
        ..ListQuery::default()
    };
    loop {
        let page = store.list(&query).unwrap();
        for summary in page.sessions {
            let key = summary.key.clone();
            let small = ScanQuery {
                records_max: 7,
                ..ScanQuery::default()
            };
            let forward: Vec<Record> = store
                .records(&key, small)
                .collect::<Result<_, _>>()
                .unwrap();
            let back = ScanQuery {
                direction: Direction::Backward,
                records_max: 5,
                ..small
            };
            let mut backward: Vec<Record> =
                store.records(&key, back).collect::<Result<_, _>>().unwrap();
            backward.reverse();
            assert_eq!(forward, backward);
            let middle = forward.get(forward.len() / 2).map(|record| record.sequence);
            let from = ScanQuery {
                from: middle,
                ..small
            };
            let tail: Vec<Record> = store.records(&key, from).collect::<Result<_, _>>().unwrap();
            assert_eq!(tail, forward[forward.len() / 2..]);
            let session = store.load(&key).unwrap();
            all.push((summary, forward, session));
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return all,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::harness::cases(48)))]

    #[test]
    fn a_store_in_a_file_agrees_with_the_one_in_memory(ops in prop::collection::vec(ops(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let clock = Arc::new(AtomicI64::new(0));
        let (for_file, for_memory) = (options(&clock), options(&clock));
        // A new store in a file takes its first id for itself.
        (for_memory.ids)();
        let memory = MemoryStore::new(for_memory);
        let mut file = RedbStore::open(&path, for_file.clone()).unwrap();
        let (mut held_file, mut held_memory) = (BTreeMap::new(), BTreeMap::new());
        for op in &ops {
            clock.fetch_add(1, Ordering::SeqCst);
            match op {
                Op::Reopen => {
                    drop(file);
                    file = RedbStore::open(&path, for_file.clone()).unwrap();
                }
                Op::Reclaim => prop_assert_eq!(file.reclaim().unwrap().refused, None),
                _ => {}
            }
            let answer = run(&file, op, &mut held_file);
            prop_assert_eq!(answer, run(&memory, op, &mut held_memory), "{:?}", op);
        }
        drop(file);
        let file = RedbStore::open_read_only(&path, for_file).unwrap();
        prop_assert_eq!(contents(&file), contents(&memory));
        let report = file.verify(&mut |_, _| {}).unwrap();
        prop_assert!(report.is_clean(), "{:?}", report.problems);
    }
}

#[test]
fn a_batch_that_is_sent_again_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let key = key(0);
    let batch = Some(Uuid::from_u128(7));
    let two = [NewRecord::line("{}"), NewRecord::line("{\"a\":1}\n")];
    let first = store
        .append(&key, Expect::Sequence(0), batch, &two)
        .unwrap();
    assert_eq!((first.first, first.last, first.replayed), (0, 1, false));
    let again = store
        .append(&key, Expect::Sequence(0), batch, &two)
        .unwrap();
    assert_eq!((again.first, again.last, again.replayed), (0, 1, true));
    assert_eq!(store.summary(&key).unwrap().record_count, 2);
    let error = store
        .append(&key, Expect::Sequence(0), None, &two)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                expected: 0,
                actual: 2,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_save_keeps_messages_that_the_callers_copy_lacks() {
    let store = MemoryStore::default();
    let mut session = Session::native("chat").unwrap();
    session.messages.push(Message::text(Role::User, "first"));
    store.save(&mut session).unwrap();
    let mut stale = session.clone();
    session
        .messages
        .push(Message::text(Role::Assistant, "second"));
    store.save(&mut session).unwrap();
    stale.messages.clear();
    stale.messages.push(Message::text(Role::User, "third"));
    store.save(&mut stale).unwrap();
    let texts: Vec<String> = store
        .load(&session.key)
        .unwrap()
        .messages
        .iter()
        .map(Message::plain_text)
        .collect();
    assert_eq!(texts, ["first", "second", "third"]);
    session.messages[0] = Message {
        id: session.messages[0].id.clone(),
        ..Message::text(Role::User, "other")
    };
    let error = store.save(&mut session).unwrap_err();
    assert!(matches!(error, Error::MessageChanged { .. }), "{error}");
}

#[test]
fn truncation_hides_and_shows_again_and_compaction_removes() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let mut session = Session::native("chat").unwrap();
    for n in 0..300 {
        session
            .messages
            .push(Message::text(Role::User, format!("message {n}")));
    }
    store.save(&mut session).unwrap();
    let truncated = store.truncate(&session.key, 4).unwrap();
    assert_eq!((truncated.visible, truncated.hidden), (4, 296));
    assert_eq!(store.load(&session.key).unwrap().messages.len(), 4);
    assert_eq!(store.truncate(&session.key, 1000).unwrap().hidden, 0);
    assert_eq!(store.load(&session.key).unwrap().messages.len(), 300);

    // What is appended after the caller looked, and hidden since, stays.
    let mark = store.truncate(&session.key, 10).unwrap().mark;
    store.truncate(&session.key, 0).unwrap();
    let mut archive = Vec::new();
    let compacted = store
        .compact(&session.key, Some(mark), Some(&mut archive))
        .unwrap();
    assert_eq!((compacted.records, compacted.messages), (290, 290));
    assert_eq!(archive.split_inclusive(|b| *b == b'\n').count(), 290);
    assert_eq!(store.load(&session.key).unwrap().messages.len(), 0);
    store.truncate(&session.key, 1000).unwrap();
    let kept = store.load(&session.key).unwrap();
    assert_eq!(kept.messages, session.messages[290..]);
    // The header line is kept, so the session is still what it was.
    assert_eq!(kept.title, "message 0");
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn a_list_reads_no_record_and_few_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    for n in 0..200 {
        let mut session = Session::native(format!("chat-{n}")).unwrap();
        session.project = Some(format!("/w/p{}", n % 2));
        session.messages.push(Message::text(Role::User, "hello"));
        store.save(&mut session).unwrap();
    }
    let before = store.table_reads();
    let page = store
        .list(&ListQuery {
            limit: 20,
            ..ListQuery::default()
        })
        .unwrap();
    let after = store.table_reads();
    assert_eq!(page.sessions.len(), 20);
    assert_eq!(after.records - before.records, 0);
    assert_eq!(after.sessions - before.sessions, 20);
    assert_eq!(after.indexes - before.indexes, 21);

    let of_project = ListQuery {
        project: Some("/w/p1".into()),
        limit: 20,
        ..ListQuery::default()
    };
    let page = store.list(&of_project).unwrap();
    assert_eq!(store.table_reads().sessions - after.sessions, 20);
    assert!(
        page.sessions
            .iter()
            .all(|session| session.project.as_deref() == Some("/w/p1"))
    );

    let before = store.table_reads();
    let removed = store
        .cleanup_older_than(Utc::now() + chrono::TimeDelta::hours(1))
        .unwrap();
    assert_eq!((removed.sessions, removed.records), (200, 400));
    assert_eq!(store.table_reads().records - before.records, 0);
}
