//! Single calls of a store, by example: batches, saves, truncation, lists.

use chrono::Utc;
use scrollback::{
    Direction, Error, Expect, ExportFormat, ListQuery, MemoryStore, Message, NewRecord, Options,
    RedbStore, Role, ScanQuery, Session, SessionKey, Store, export_session,
};
use uuid::Uuid;

#[test]
fn a_batch_that_is_sent_again_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let key = SessionKey::native("s0").unwrap();
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
    session.messages[0] = {
        let mut message = Message::text(Role::User, "other");
        message.id = session.messages[0].id.clone();
        message
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
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
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
    let page = store.list(&ListQuery::default().with_limit(20)).unwrap();
    let after = store.table_reads();
    assert_eq!(page.sessions.len(), 20);
    assert_eq!(after.records - before.records, 0);
    assert_eq!(after.sessions - before.sessions, 20);
    assert_eq!(after.indexes - before.indexes, 21);

    let of_project = ListQuery::default().with_project("/w/p1").with_limit(20);
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

/// How many rows of records some work reads, and how many summary rows.
fn reads_of<T>(store: &RedbStore, work: impl FnOnce() -> T) -> (u64, u64) {
    let before = store.table_reads();
    work();
    let after = store.table_reads();
    (
        after.records - before.records,
        after.sessions - before.sessions,
    )
}

#[test]
fn both_ends_of_a_long_session_take_a_segment_or_two_and_all_of_it_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let key = SessionKey::native("long").unwrap();
    let append = |count: usize| {
        let records: Vec<NewRecord> = (0..count)
            .map(|n| NewRecord::message(Message::text(Role::User, format!("{n:0>500}"))))
            .collect();
        store.append(&key, Expect::Any, None, &records).unwrap();
    };
    (0..20).for_each(|_| append(1_000));
    let ends = |direction| {
        let query = ScanQuery::default()
            .with_direction(direction)
            .with_records_max(20);
        let page = || assert_eq!(store.scan(&key, &query).unwrap().records.len(), 20);
        reads_of(&store, page)
    };
    // Lines that are much alike: a segment is one row, or two where it goes on in the page before.
    let (rows, summaries) = ends(Direction::Forward);
    assert!(rows <= 2 && summaries == 1, "{rows} {summaries}");
    assert!(ends(Direction::Backward).0 <= 2);
    (0..10).for_each(|_| append(1));
    assert!(
        ends(Direction::Backward).0 <= 12,
        "a row for each of a tail"
    );

    let everything = ScanQuery::default()
        .with_records_max(usize::MAX)
        .with_bytes_max(usize::MAX);
    let (rows, _) = reads_of(&store, || store.scan(&key, &everything).unwrap());
    assert!(rows > 60, "{rows}");
    let export = || export_session(&store, &key, ExportFormat::Jsonl, &mut std::io::sink());
    assert_eq!(reads_of(&store, || export().unwrap()).0, rows);
    // It has no header line.
    assert_eq!(reads_of(&store, || store.load(&key).unwrap()).0, rows);
}

/// What is read at a time may end where the session does.
#[test]
fn a_long_last_line_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let key = SessionKey::native("long").unwrap();
    let records = ["a".to_owned(), "b".repeat(2_000_000)]
        .map(|text| NewRecord::message(Message::text(Role::User, text)));
    store.append(&key, Expect::Any, None, &records).unwrap();
    assert_eq!(store.load(&key).unwrap().messages.len(), 2);
    let mut lines = Vec::new();
    export_session(&store, &key, ExportFormat::Jsonl, &mut lines).unwrap();
    assert_eq!(lines.split_inclusive(|byte| *byte == b'\n').count(), 2);
}
