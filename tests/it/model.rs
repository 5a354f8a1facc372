//! Any sequence of store operations on a file agrees with the store in memory, across reopen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use scrollback::report::SessionDigest;
use scrollback::{
    Direction, Expect, ListQuery, MemoryStore, Message, NewRecord, Options, Properties,
    PropertiesChange, RawJson, Record, RedbStore, Role, ScanQuery, Session, SessionKey, Store,
    StoreExt, Summary,
};
use sha2::{Digest as _, Sha256};
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
    DeleteEmpty {
        before: i64,
    },
    Update {
        session: u8,
        change: PropertiesChange,
    },
    HideBefore {
        session: u8,
        sequence: u64,
    },
    Replace {
        session: u8,
        messages: Vec<String>,
    },
    AppendTo {
        session: u8,
        messages: Vec<String>,
    },
    Fork {
        session: u8,
        into: u8,
        through: Option<u64>,
    },
    Reclaim,
    Reopen,
}

/// Other names that sessions quarrel about.
const ALIASES: [&str; 4] = ["a", "b", " a ", "s1"];

/// Any change of properties.
fn change() -> impl Strategy<Value = PropertiesChange> {
    let given = || prop::option::of(prop::option::of("[a-z /]{0,6}"));
    let flag = || prop::option::of(any::<bool>());
    let aliases = prop::collection::vec(prop::sample::select(&ALIASES[..]), 0..4);
    let scope = prop::option::of(prop::option::of(Just(RawJson::parse("{\"v\":1}").unwrap())));
    (
        given(),
        given(),
        given(),
        flag(),
        flag(),
        prop::option::of(aliases),
        prop::option::of("[a-z]{0,9}"),
        scope,
    )
        .prop_map(
            |(title, project, parent, pinned, archived, aliases, summary, scope)| {
                let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
                {
                    let mut change = PropertiesChange::default();
                    change.title = title;
                    change.project = project;
                    change.parent = parent;
                    change.pinned = pinned;
                    change.archived = archived;
                    change.summary = summary;
                    change.aliases = aliases.map(owned);
                    change.scope = scope;
                    change
                }
            },
        )
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
        1 => session.clone().prop_map(|session| Op::Delete { session }),
        1 => (0..60_i64).prop_map(|before| Op::DeleteEmpty { before }),
        4 => (session.clone(), change()).prop_map(|(session, change)| Op::Update { session, change }),
        2 => (session.clone(), 0..90_u64)
            .prop_map(|(session, sequence)| Op::HideBefore { session, sequence }),
        2 => (session.clone(), prop::collection::vec(text, 0..3))
            .prop_map(|(session, messages)| Op::Replace { session, messages }),
        2 => (session.clone(), prop::collection::vec(text, 0..3))
            .prop_map(|(session, messages)| Op::AppendTo { session, messages }),
        2 => (session.clone(), session, prop::option::of(0..90_u64))
            .prop_map(|(session, into, through)| Op::Fork { session, into, through }),
        1 => (0..60_i64).prop_map(|before| Op::Cleanup { before }),
        1 => Just(Op::Reclaim),
        1 => Just(Op::Reopen),
    ]
}

/// A clock that a test sets, and ids that count.
fn options(clock: &Arc<AtomicI64>) -> Options {
    let (clock, ids) = (Arc::clone(clock), AtomicU64::new(0));
    Options::default()
        .with_clock(move || {
            DateTime::<Utc>::from_timestamp(1_700_000_000 + clock.load(Ordering::SeqCst), 0)
                .unwrap()
        })
        .with_ids(move || Uuid::from_u128(u128::from(ids.fetch_add(1, Ordering::SeqCst))))
}

fn key(session: u8) -> SessionKey {
    // One session of an agent whose format is only read.
    if session == 3 {
        SessionKey::new("codex", "s3").unwrap()
    } else {
        SessionKey::native(format!("s{session}")).unwrap()
    }
}

/// Messages of a user.
fn said(texts: &[String]) -> Vec<NewRecord> {
    texts
        .iter()
        .map(|text| NewRecord::message(Message::text(Role::User, text.as_str())))
        .collect()
}

/// Saves a session with another title, without its first message, and with one more.
fn save(
    store: &dyn Store,
    mut held: Session,
    (title, drop_first, add): (&String, bool, Option<&str>),
) -> (String, Session) {
    held.title.clone_from(title);
    if drop_first && !held.messages.is_empty() {
        held.messages.remove(0);
    }
    if let Some(text) = add {
        held.messages.push(Message::text(Role::Assistant, text));
    }
    let saved = store.save(&mut held);
    (format!("{saved:?} {held:?}"), held)
}

/// What an operation answers, made comparable between stores.
#[expect(clippy::too_many_lines, reason = "one arm for each operation")]
fn run(store: &dyn Store, op: &Op, loaded: &mut BTreeMap<u8, Session>) -> String {
    match op {
        Op::Append {
            session,
            expect,
            batch,
            messages,
        } => {
            let records = said(messages);
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
            let held = loaded
                .remove(session)
                .or_else(|| store.load(&key(*session)).ok())
                .unwrap_or_else(|| Session::new(key(*session)));
            let (answer, held) = save(store, held, (title, *drop_first, add.as_deref()));
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
        Op::DeleteEmpty { before } => {
            let before = DateTime::from_timestamp(1_700_000_000 + before, 0).unwrap();
            format!("{:?}", store.delete_empty(before))
        }
        Op::Update { session, change } => {
            format!("{:?}", store.update_properties(&key(*session), change))
        }
        Op::HideBefore { session, sequence } => {
            format!("{:?}", store.hide_before(&key(*session), *sequence))
        }
        Op::Replace { session, messages } => {
            let records = said(messages);
            format!("{:?}", store.replace_history(&key(*session), &records))
        }
        Op::AppendTo { session, messages } => {
            let mut held = loaded
                .remove(session)
                .unwrap_or_else(|| Session::new(key(*session)));
            let messages = messages
                .iter()
                .map(|text| Message::text(Role::User, text.as_str()))
                .collect();
            let done = store.append_messages(&mut held, messages);
            let answer = format!("{done:?} {held:?}");
            loaded.insert(*session, held);
            answer
        }
        Op::Fork {
            session,
            into,
            through,
        } => format!("{:?}", store.fork(&key(*session), &key(*into), *through)),
        Op::Reclaim | Op::Reopen => String::new(),
    }
}

/// What a store finds by other names and by properties.
fn finds(store: &dyn Store) -> String {
    let mut text = String::new();
    for alias in ALIASES {
        for agent in ["native", "codex"] {
            let alias = SessionKey::new(agent, alias).unwrap();
            writeln!(text, "{:?}", store.by_alias(&alias)).unwrap();
        }
        writeln!(text, "{:?}", store.find(alias, 3)).unwrap();
    }
    for flag in [true, false] {
        let queries = [
            ListQuery::default().with_pinned(flag),
            ListQuery::default().with_archived(flag),
        ];
        for query in queries {
            writeln!(text, "{:?}", store.list(&query)).unwrap();
        }
    }
    for name in ["s0", "s1", "/a", "/"] {
        let parent = ListQuery::default().with_parent(name);
        writeln!(text, "{:?} {:?}", store.list(&parent), store.latest(name)).unwrap();
    }
    text
}

/// Everything that a store shows.
fn contents(store: &dyn Store) -> Vec<(Summary, Vec<Record>, Session, Properties)> {
    let mut all = Vec::new();
    let mut query = ListQuery::default().with_limit(2);
    loop {
        let page = store.list(&query).unwrap();
        for summary in page.sessions {
            let key = summary.key.clone();
            let small = ScanQuery::default().with_records_max(7);
            let forward: Vec<Record> = store
                .records(&key, small)
                .collect::<Result<_, _>>()
                .unwrap();
            let back = small
                .with_direction(Direction::Backward)
                .with_records_max(5);
            let mut backward: Vec<Record> =
                store.records(&key, back).collect::<Result<_, _>>().unwrap();
            backward.reverse();
            assert_eq!(forward, backward);
            let middle = forward.get(forward.len() / 2).map(|record| record.sequence);
            let mut from = small;
            from.from = middle;

            let tail: Vec<Record> = store.records(&key, from).collect::<Result<_, _>>().unwrap();
            assert_eq!(tail, forward[forward.len() / 2..]);
            let session = store.load(&key).unwrap();
            let properties = store.properties(&key).unwrap();
            let visible = summary.message_count - summary.hidden_count;
            assert_eq!(session.messages.len() as u64, visible);
            assert_eq!(session.title, summary.title);
            all.push((summary, forward, session, properties));
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return all,
        }
    }
}

/// Checks the digest chain of every session against its lines, computed here once more, and that
/// the sessions are what they were before, or have grown, or say that records went. Gives the
/// chains for the next time.
fn chains(store: &RedbStore, before: &[SessionDigest]) -> Vec<SessionDigest> {
    let report = store
        .verify_deep(before, &mut scrollback::unwatched)
        .unwrap();
    let is_gone = |detail: &str| detail.starts_with("is not there");
    let wrong = report
        .problems
        .iter()
        .find(|problem| !is_gone(&problem.detail));
    assert_eq!(wrong, None);
    assert_eq!(report.digests.len() as u64, report.sessions);
    for head in &report.digests {
        let mut digest = [0; 32];
        let records = store.records(&head.key, ScanQuery::default());
        let mut count = 0;
        for record in records {
            let line = Sha256::digest(record.unwrap().line);
            digest = Sha256::digest([&digest[..], &line[..]].concat()).into();
            count += 1;
        }
        assert_eq!((head.from, head.records, head.digest), (0, count, digest));
    }
    report.digests
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases::cases(48)))]

    #[test]
    fn a_store_in_a_file_agrees_with_the_one_in_memory(ops in prop::collection::vec(ops(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let clock = Arc::new(AtomicI64::new(0));
        let (for_file, for_memory) = (options(&clock), options(&clock));
        // A new store in a file takes its first id for itself.
        (for_memory.stamps.ids)();
        let memory = MemoryStore::new(for_memory.stamps);
        let mut file = RedbStore::open(&path, for_file.clone()).unwrap();
        let (mut held_file, mut held_memory) = (BTreeMap::new(), BTreeMap::new());
        let mut digests = Vec::new();
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
            digests = chains(&file, &digests);
        }
        drop(file);
        let file = RedbStore::open_read_only(&path, for_file).unwrap();
        prop_assert_eq!(contents(&file), contents(&memory));
        prop_assert_eq!(finds(&file), finds(&memory));
        let report = file.verify(&mut scrollback::unwatched).unwrap();
        prop_assert!(report.is_clean(), "{:?}", report.problems);
    }
}
