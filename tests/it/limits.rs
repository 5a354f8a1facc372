//! Every limit of `scrollback::limits`, at it and one past it. The two that take files of more
//! than 100 MB are ignored by default: `cargo test -- --ignored limits` runs them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use scrollback::limits::{
    AGENT_BYTES_MAX, ALIASES_MAX, APPEND_RECORDS_MAX, ATTACHMENT_BYTES_MAX, FACT_BYTES_MAX,
    GIVEN_BYTES_MAX, ID_BYTES_MAX, LINE_BYTES_MAX, LINE_MESSAGES_MAX, SCOPE_BYTES_MAX,
    SEGMENT_BYTES, SEGMENT_RECORDS, SUMMARY_BYTES_MAX, TAIL_BYTES, TAIL_RECORDS, TITLE_BYTES_MAX,
    UNPACKED_BYTES_MAX,
};
use scrollback::report::ImportReport;
use scrollback::{
    Error, Expect, ImportOptions, ListQuery, MemoryStore, NewRecord, Options, PropertiesChange,
    RawJson, RecordFlags, RedbStore, ScanQuery, Session, SessionKey, Store, StoreExt as _,
};

use crate::harness::Home;

fn redb(home: &Home) -> RedbStore {
    RedbStore::open(home.store_path(), Options::default()).unwrap()
}

/// The same test on both stores.
fn on_both(test: impl Fn(&dyn Store)) {
    let home = Home::new();
    test(&redb(&home));
    assert!(
        redb(&home)
            .verify(&mut scrollback::unwatched)
            .unwrap()
            .is_clean()
    );
    test(&MemoryStore::default());
}

fn key(id: &str) -> SessionKey {
    SessionKey::new("example", id).unwrap()
}

/// All lines of a session, in order.
fn lines(store: &dyn Store, key: &SessionKey) -> Vec<Vec<u8>> {
    store
        .records(key, ScanQuery::default())
        .map(|record| record.unwrap().line)
        .collect()
}

fn append(store: &dyn Store, key: &SessionKey, records: &[NewRecord]) {
    store.append(key, Expect::Any, None, records).unwrap();
}

/// A line of exactly so many bytes, with its terminator.
fn line_of(bytes: usize) -> Vec<u8> {
    let empty = "{\"role\":\"user\",\"content\":\"\"}\n".len();
    format!(
        "{{\"role\":\"user\",\"content\":\"{}\"}}\n",
        "a".repeat(bytes - empty)
    )
    .into_bytes()
}

/// Imports one file and gives the store, the session's key and the report.
fn import(home: &Home, file: PathBuf) -> (RedbStore, SessionKey, ImportReport) {
    let store = redb(home);
    let options = ImportOptions::default();
    let report = scrollback::import(&store, &[file], &options, &mut scrollback::unwatched).unwrap();
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    let key = listed.first().expect("nothing was imported").key.clone();
    (store, key, report)
}

#[test]
fn an_id_has_at_most_its_bytes() {
    // Bytes count, not characters.
    let longest = "é".repeat(ID_BYTES_MAX / 2);
    assert_eq!(longest.len(), ID_BYTES_MAX);
    assert!(matches!(key(&longest).id().len(), ID_BYTES_MAX));
    let refused = SessionKey::new("example", format!("{longest}a"));
    assert!(matches!(refused, Err(Error::InvalidKey { .. })));
    assert!(matches!(
        SessionKey::native(""),
        Err(Error::InvalidKey { .. })
    ));
    on_both(|store| {
        // Two ids that differ in their last byte alone stay apart.
        let (one, other) = (
            "x".repeat(ID_BYTES_MAX - 1) + "1",
            "x".repeat(ID_BYTES_MAX - 1) + "2",
        );
        append(store, &key(&one), &[NewRecord::line(line_of(60))]);
        append(store, &key(&other), &[NewRecord::line(line_of(61))]);
        assert_eq!(lines(store, &key(&one)), [line_of(60)]);
        assert_eq!(lines(store, &key(&other)), [line_of(61)]);
    });
}

#[test]
fn an_imported_session_of_a_longer_id_is_kept_under_a_cut_one() {
    let home = Home::new();
    let line = |id: &str| {
        format!("{{\"scrollback\":1,\"type\":\"session\",\"id\":\"{id}\"}}\n").into_bytes()
    };
    let longest = "x".repeat(ID_BYTES_MAX);
    let longer = longest.clone() + "y";
    // Two files give each id: the second of them gets a number, for which there is no room either.
    for (file, id) in [
        ("1", &longest),
        ("2", &longest),
        ("3", &longer),
        ("4", &longer),
    ] {
        let said = format!(
            "{{\"scrollback\":1,\"type\":\"message\",\"role\":\"user\",\"id\":\"{file}\"}}\n"
        );
        home.write(
            &format!("in/{file}.jsonl"),
            [line(id), said.into_bytes()].concat(),
        );
    }
    let (store, _, report) = import(&home, home.path().join("in"));
    let told = (report.sessions, report.generations, report.skipped);
    assert_eq!(told, (2, 2, 0), "{report:?}");
    let page = store.list(&ListQuery::default()).unwrap();
    let mut ids: Vec<&str> = page.sessions.iter().map(|s| s.key.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2);
    assert!(page.sessions.iter().all(|session| session.contents == 2));
    assert!(ids.iter().all(|id| id.len() <= ID_BYTES_MAX));
    assert!(ids.contains(&longest.as_str()));
}

#[test]
fn an_agent_has_at_most_its_bytes() {
    let longest = "a".repeat(AGENT_BYTES_MAX);
    on_both(|store| {
        let key = SessionKey::new(longest.clone(), "1").unwrap();
        append(store, &key, &[NewRecord::line(line_of(60))]);
        let query = ListQuery::default().with_agent(longest.clone());
        assert_eq!(store.list(&query).unwrap().sessions.len(), 1);
    });
    let refused = SessionKey::new(longest + "a", "1");
    assert!(matches!(refused, Err(Error::InvalidKey { .. })));
}

#[test]
fn a_title_is_kept_whole_up_to_its_limit_and_cut_at_a_character_beyond() {
    on_both(|store| {
        let title = |id: &str, title: &str| {
            let mut session = Session::native(id).unwrap();
            session.title = title.to_owned();
            store.save(&mut session).unwrap();
            store.summary(&session.key).unwrap().title
        };
        let whole = "t".repeat(TITLE_BYTES_MAX);
        assert_eq!(title("whole", &whole), whole);
        let cut = title("cut", &(whole.clone() + "t"));
        assert!(cut.len() <= TITLE_BYTES_MAX, "{}", cut.len());
        assert!(whole.starts_with(cut.trim_end_matches('…')) && cut.len() > TITLE_BYTES_MAX - 4);
        // The limit falls into the middle of a character.
        let wide = title("wide", &("t".to_owned() + &"資".repeat(TITLE_BYTES_MAX)));
        assert!(wide.len() <= TITLE_BYTES_MAX, "{}", wide.len());
        assert!(
            wide.trim_start_matches('t')
                .trim_end_matches('…')
                .chars()
                .all(|c| c == '資')
        );
    });
}

#[test]
fn a_project_is_kept_whole_up_to_its_limit_and_cut_beyond() {
    on_both(|store| {
        let project = |id: &str, bytes: usize| {
            let mut session = Session::native(id).unwrap();
            session.project = Some("/".to_owned() + &"p".repeat(bytes - 1));
            store.save(&mut session).unwrap();
            let full = store.load(&session.key).unwrap().project.unwrap();
            assert_eq!(full.len(), bytes, "the lines keep all of it");
            store.summary(&session.key).unwrap().project.unwrap().len()
        };
        assert_eq!(project("whole", FACT_BYTES_MAX), FACT_BYTES_MAX);
        assert_eq!(project("cut", FACT_BYTES_MAX + 1), FACT_BYTES_MAX);
    });
}

#[test]
fn a_line_with_too_many_messages_is_kept_and_read_up_to_the_limit() {
    for (messages, said) in [
        (LINE_MESSAGES_MAX - 1, "1023 JSON objects on one line"),
        (
            LINE_MESSAGES_MAX + 1,
            "at least 1024 JSON objects on one line",
        ),
    ] {
        let home = Home::new();
        let line = "{\"role\":\"user\",\"content\":\"a\"}".repeat(messages) + "\n";
        let file = home.write("sessions/fused.jsonl", &line);
        let (store, key, report) = import(&home, file);
        assert_eq!((report.records, report.malformed), (1, 1));
        assert_eq!(report.problems[0].reason, said);
        let summary = store.summary(&key).unwrap();
        assert_eq!(
            summary.message_count,
            messages.min(LINE_MESSAGES_MAX) as u64
        );
        assert_eq!(
            store.load(&key).unwrap().messages.len() as u64,
            summary.message_count
        );
        assert_eq!(lines(&store, &key), [line.into_bytes()]);
    }
}

#[test]
fn a_tail_is_sealed_at_its_number_of_records() {
    let home = Home::new();
    let store = redb(&home);
    let rows_of = |records: u64| {
        let key = key(&records.to_string());
        for _ in 0..records {
            append(&store, &key, &[NewRecord::line(line_of(60))]);
        }
        let before = store.table_reads().records;
        assert_eq!(
            lines(&store, &key),
            vec![line_of(60); usize::try_from(records).unwrap()]
        );
        store.table_reads().records - before
    };
    assert_eq!(
        rows_of(TAIL_RECORDS - 1),
        TAIL_RECORDS - 1,
        "one row a record"
    );
    assert!(rows_of(TAIL_RECORDS) < 4, "sealed");
    assert!(rows_of(TAIL_RECORDS + 1) < 5, "sealed, and one after it");
}

#[test]
fn a_tail_is_sealed_at_its_bytes() {
    let home = Home::new();
    let store = redb(&home);
    let half = usize::try_from(TAIL_BYTES / 2).unwrap();
    for (name, second) in [("below", half - 1), ("at", half), ("past", half + 1)] {
        let key = key(name);
        append(&store, &key, &[NewRecord::line(line_of(half))]);
        append(&store, &key, &[NewRecord::line(line_of(second))]);
        append(&store, &key, &[NewRecord::line(line_of(60))]);
        assert_eq!(
            lines(&store, &key),
            [line_of(half), line_of(second), line_of(60)]
        );
    }
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn a_segment_ends_at_its_records_and_at_its_bytes() {
    let small = |count: usize| vec![line_of(40); count];
    let cases = [
        small(SEGMENT_RECORDS - 1),
        small(SEGMENT_RECORDS),
        small(SEGMENT_RECORDS + 1),
        vec![line_of(SEGMENT_BYTES)],
        vec![line_of(SEGMENT_BYTES + 1)],
        vec![line_of(SEGMENT_BYTES / 2); 2],
        vec![
            line_of(SEGMENT_BYTES / 2),
            line_of(SEGMENT_BYTES / 2 + 1),
            line_of(40),
        ],
    ];
    for wanted in cases {
        let home = Home::new();
        let file = home.write("sessions/a.jsonl", wanted.concat());
        let (store, key, report) = import(&home, file);
        assert_eq!(report.records, wanted.len() as u64);
        assert_eq!(lines(&store, &key), wanted);
        let last = ScanQuery::default().with_from(wanted.len() as u64 - 1);
        assert_eq!(store.scan(&key, &last).unwrap().records.len(), 1);
        assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    }
}

#[test]
fn an_append_has_at_most_its_records() {
    on_both(|store| {
        let key = key("many");
        let mut records = vec![NewRecord::line("{}\n"); APPEND_RECORDS_MAX];
        let appended = store
            .append(&key, Expect::Sequence(0), None, &records)
            .unwrap();
        assert_eq!(
            (appended.first, appended.last),
            (0, APPEND_RECORDS_MAX as u64 - 1)
        );
        records.push(NewRecord::line("{}\n"));
        let refused = store.append(&key, Expect::Any, None, &records);
        assert!(
            matches!(refused, Err(Error::TooLarge { limit, .. }) if limit == APPEND_RECORDS_MAX as u64)
        );
        assert_eq!(
            store.summary(&key).unwrap().record_count,
            APPEND_RECORDS_MAX as u64
        );
    });
}

#[test]
fn an_attachment_over_its_limit_is_reported_and_left_where_it_is() {
    let home = Home::new();
    let folder = ".claude/projects/-home-ada-shop";
    let id = "5b1f0000-0000-4000-8000-000000000001";
    home.write(
        &format!("{folder}/{id}.jsonl"),
        format!(
            "{{\"type\":\"user\",\"sessionId\":\"{id}\",\"uuid\":\"5b1f0000-0000-4000-8000-\
             000000000002\",\"parentUuid\":null,\"cwd\":\"/home/ada/shop\",\"timestamp\":\
             \"2026-05-01T10:00:00.000Z\",\"message\":{{\"role\":\"user\",\"content\":\"hello\"}}}}\n"
        ),
    );
    let large = home.write(&format!("{folder}/{id}/tool-results/large.txt"), "");
    // A hole: no byte of it is written.
    File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len(ATTACHMENT_BYTES_MAX + 1)
        .unwrap();
    home.write(&format!("{folder}/{id}/tool-results/small.txt"), "fine");
    let (store, key, report) = import(&home, home.path().join(".claude"));
    assert_eq!(
        (report.sessions, report.attachments, report.skipped),
        (1, 1, 1)
    );
    let problem = report
        .problems
        .iter()
        .find(|problem| problem.path.ends_with("large.txt"));
    let reason = &problem.expect("the large file is not reported").reason;
    assert!(
        reason.contains(&ATTACHMENT_BYTES_MAX.to_string()),
        "{reason}"
    );
    assert_eq!(store.attachments(&key).unwrap().len(), 1);
    assert_eq!(fs::metadata(large).unwrap().len(), ATTACHMENT_BYTES_MAX + 1);
}

#[test]
#[ignore = "writes and reads more than 500 MB"]
fn the_longest_line_is_one_record_and_a_longer_one_is_kept_in_pieces() {
    for (bytes, pieces) in [(LINE_BYTES_MAX, 1), (LINE_BYTES_MAX + 1, 2)] {
        let home = Home::new();
        let wanted = [line_of(60), line_of(bytes), line_of(61)].concat();
        let file = home.write("sessions/long.jsonl", &wanted);
        let (store, key, report) = import(&home, file);
        assert_eq!(report.records, pieces + 2);
        let mut flagged = 0;
        let mut stored = Vec::with_capacity(wanted.len());
        for record in store.records(&key, ScanQuery::default()) {
            let record = record.unwrap();
            flagged += u64::from(record.header.flags.contains(RecordFlags::CONTINUES));
            stored.write_all(&record.line).unwrap();
        }
        assert!(stored == wanted, "{bytes} bytes: other bytes came back");
        assert_eq!(flagged, pieces - 1);
        assert_eq!(report.problems.is_empty(), pieces == 1);
        assert_eq!(report.malformed, pieces - 1);

        let long = NewRecord::line(line_of(bytes));
        let appended = store.append(&key, Expect::Any, None, &[long]);
        assert_eq!(matches!(appended, Err(Error::TooLarge { .. })), pieces > 1);
    }
}

#[test]
#[ignore = "writes and reads more than 250 MB"]
fn the_largest_attachment_is_kept() {
    let home = Home::new();
    let folder = ".claude/projects/-home-ada-shop/5b1f0000-0000-4000-8000-000000000001";
    home.write(
        &format!("{folder}.jsonl"),
        "{\"type\":\"summary\",\"summary\":\"a\"}\n",
    );
    let large = home.write(&format!("{folder}/tool-results/large.txt"), "");
    File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len(ATTACHMENT_BYTES_MAX)
        .unwrap();
    let (store, key, report) = import(&home, home.path().join(".claude"));
    assert_eq!((report.attachments, report.skipped), (1, 0));
    let kept = store.attachments(&key).unwrap();
    assert_eq!(
        kept.iter().map(|kept| kept.bytes).collect::<Vec<_>>(),
        [ATTACHMENT_BYTES_MAX]
    );
}

#[test]
fn properties_have_their_limits() {
    let text = |bytes| "a".repeat(bytes);
    let scope = |bytes| RawJson::parse(format!("\"{}\"", text(bytes - 2))).unwrap();
    let names = |count| (0..count).map(|name| name.to_string()).collect::<Vec<_>>();
    let none = PropertiesChange::default;
    let changes = |more: usize| {
        [
            none().with_title(text(GIVEN_BYTES_MAX + more)),
            none().with_project(text(GIVEN_BYTES_MAX + more)),
            none().with_parent(text(GIVEN_BYTES_MAX + more)),
            none().with_summary(text(SUMMARY_BYTES_MAX + more)),
            none().with_scope(scope(SCOPE_BYTES_MAX + more)),
            none().with_aliases(names(ALIASES_MAX + more)),
            none().with_aliases([text(ID_BYTES_MAX + more)]),
        ]
    };
    on_both(|store| {
        let key = key("limits");
        append(store, &key, &[NewRecord::line("{}")]);
        for change in changes(0) {
            store.update_properties(&key, &change).unwrap();
        }
        let kept = store.properties(&key).unwrap();
        assert_eq!(kept.summary.len(), SUMMARY_BYTES_MAX);
        let alias = SessionKey::new("example", text(ID_BYTES_MAX)).unwrap();
        assert_eq!(store.by_alias(&alias).unwrap(), Some(key.clone()));
        let summary = store.summary(&key).unwrap();
        assert_eq!(summary.title.len(), TITLE_BYTES_MAX);
        assert_eq!(summary.parent.unwrap().len(), FACT_BYTES_MAX);
        for change in changes(1) {
            let error = store.update_properties(&key, &change).unwrap_err();
            assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        }
        assert_eq!(store.properties(&key).unwrap(), kept);
    });
}

#[test]
fn a_compressed_session_is_read_up_to_its_limit() {
    assert!(crate::security::bombs::is_read(UNPACKED_BYTES_MAX));
    assert!(!crate::security::bombs::is_read(UNPACKED_BYTES_MAX + 1));
}
