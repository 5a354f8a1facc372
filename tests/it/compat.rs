//! A stored store of each released format opens, verifies, and exports what it must.
//!
//! `cargo test --test it compat -- --ignored` writes the fixture of the present format anew; that
//! is only ever done before a format is released.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::DateTime;
use redb::{Database, ReadableDatabase as _, TableDefinition};
use scrollback::{
    Error, Expect, ExportFormat, ImportOptions, ListQuery, Message, Mode, NewRecord, Options,
    Properties, PropertiesChange, RawJson, RedbStore, Role, Session, SessionKey, Store,
    export_session, import,
};
use uuid::Uuid;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn options() -> Options {
    let ids = AtomicU64::new(1);
    Options::default()
        .with_mode(Mode::Exclusive)
        .with_clock(|| DateTime::from_timestamp(1_780_000_000, 123_456_000).unwrap())
        .with_ids(move || Uuid::from_u128(u128::from(ids.fetch_add(1, Ordering::SeqCst))))
}

/// Everything that the store holds, as text.
fn exported(store: &RedbStore) -> String {
    let mut text = String::new();
    let page = store.list(&ListQuery::default()).unwrap();
    assert!(page.next.is_none());
    for summary in page.sessions {
        let mut lines = Vec::new();
        export_session(store, &summary.key, ExportFormat::Jsonl, &mut lines).unwrap();
        let attachments = store.attachments(&summary.key).unwrap();
        writeln!(
            text,
            "# {} | {} | {} | {} | mark {} of {} | {} messages, {} hidden | {:?}\n{}",
            summary.key,
            summary.title,
            summary.created_at.to_rfc3339(),
            summary.updated_at.to_rfc3339(),
            summary.mark,
            summary.next_sequence,
            summary.message_count,
            summary.hidden_count,
            attachments,
            String::from_utf8(lines).unwrap(),
        )
        .unwrap();
    }
    text
}

/// A copy of the store of a format, and the folder that it goes with.
fn copied(format: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("store.redb");
    std::fs::copy(fixture(&format!("{format}/store.redb")), &copy).unwrap();
    (folder, copy)
}

/// Opens the store of a format, for reading and then for writing, and compares all that it holds.
fn opens(format: &str) {
    let (_folder, copy) = copied(format);
    let expected = std::fs::read_to_string(fixture(&format!("{format}/export.txt"))).unwrap();
    for writable in [false, true] {
        let store = if writable {
            RedbStore::open(&copy, Options::default()).unwrap()
        } else {
            RedbStore::open_read_only(&copy, Options::default()).unwrap()
        };
        assert_eq!(exported(&store), expected);
        let report = store.verify(&mut scrollback::unwatched).unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        assert_eq!(
            (report.sessions, report.attachments, report.sources),
            (3, 1, 2)
        );
    }
}

#[test]
fn a_store_of_format_1_opens_verifies_and_exports_the_same() {
    opens("v1");
}

#[test]
fn a_store_of_format_2_opens_verifies_and_exports_the_same() {
    opens("v2");
    let (_folder, copy) = copied("v2");
    let store = RedbStore::open_read_only(&copy, Options::default()).unwrap();
    let key = SessionKey::native("long").unwrap();
    assert_eq!(store.properties(&key).unwrap(), properties());
    let alias = SessionKey::native("telegram:1").unwrap();
    assert_eq!(store.by_alias(&alias).unwrap(), Some(key));
}

#[test]
fn a_store_of_format_3_opens_verifies_and_exports_the_same() {
    opens("v3");
    let (_folder, copy) = copied("v3");
    let store = RedbStore::open_read_only(&copy, Options::default()).unwrap();
    let report = store.verify_deep(&[], &mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    let covered: u64 = report.digests.iter().map(|head| head.records).sum();
    assert_eq!((report.digests.len(), covered), (3, report.records));
    assert!(report.digests.iter().all(|head| head.from == 0));
}

#[test]
fn a_store_of_format_4_opens_verifies_and_exports_the_same() {
    opens("v4");
    let of = |format: &str| std::fs::read_to_string(fixture(&format!("{format}/export.txt")));
    assert_eq!(of("v4").unwrap(), of("v3").unwrap());
}

#[test]
fn a_store_of_format_5_opens_verifies_and_exports_the_same() {
    opens("v5");
    let (_folder, copy) = copied("v5");
    assert_eq!(formats(&copy), [5, 5]);
    let of = |format: &str| std::fs::read_to_string(fixture(&format!("{format}/export.txt")));
    assert_eq!(of("v5").unwrap(), of("v4").unwrap());
}

#[test]
fn a_store_of_format_6_opens_verifies_and_exports_the_same() {
    opens("v6");
    let of = |format: &str| std::fs::read_to_string(fixture(&format!("{format}/export.txt")));
    assert_eq!(of("v6").unwrap(), of("v5").unwrap());
    let (_folder, copy) = copied("v6");
    assert_eq!(formats(&copy), [6, 6]);
    let key = SessionKey::native("long").unwrap();
    let written = |store: &RedbStore| {
        let sessions = store.list(&ListQuery::default()).unwrap().sessions;
        let noted = sessions.into_iter();
        let noted = noted.filter_map(|summary| Some((summary.key, summary.written_at?)));
        noted.collect::<Vec<_>>()
    };
    let store = RedbStore::open(&copy, options()).unwrap();
    assert_eq!(written(&store), []);
    // From the next write on, of that session alone.
    store.truncate(&key, 10).unwrap();
    let now = DateTime::from_timestamp(1_780_000_000, 123_456_000).unwrap();
    assert_eq!(written(&store), [(key, now)]);
    drop(store);
    assert_eq!(formats(&copy), [7, 7]);
}

#[test]
fn a_store_of_format_7_opens_verifies_and_exports_the_same() {
    opens("v7");
    let of = |format: &str| std::fs::read_to_string(fixture(&format!("{format}/export.txt")));
    assert_eq!(of("v7").unwrap(), of("v6").unwrap());
    let (_folder, copy) = copied("v7");
    let store = RedbStore::open_read_only(&copy, Options::default()).unwrap();
    for summary in store.list(&ListQuery::default()).unwrap().sessions {
        let written = summary.written_at.unwrap();
        assert_eq!(written.timestamp(), 1_780_000_000, "{}", summary.key);
    }
}

#[test]
fn the_chains_of_an_older_store_cover_what_comes_and_a_compaction_covers_all() {
    for format in ["v1", "v2"] {
        let (_folder, copy) = copied(format);
        let covered = |store: &RedbStore| {
            let report = store.verify_deep(&[], &mut scrollback::unwatched).unwrap();
            assert!(report.is_clean(), "{:?}", report.problems);
            assert_eq!(report.digests.len(), 3);
            report.digests.iter().map(|head| head.records).sum::<u64>()
        };
        let store = RedbStore::open_read_only(&copy, Options::default()).unwrap();
        assert_eq!(covered(&store), 0);
        drop(store);
        let store = RedbStore::open(&copy, Options::default()).unwrap();
        assert_eq!(covered(&store), 0);
        let long = SessionKey::native("long").unwrap();
        let lines = [NewRecord::line("{\"a\":1}"), NewRecord::line("{\"a\":2}")];
        store.append(&long, Expect::Any, None, &lines).unwrap();
        assert_eq!(covered(&store), 2);
        let kept = store
            .verify_deep(&[], &mut scrollback::unwatched)
            .unwrap()
            .digests;
        store.compact(&long, None, None).unwrap();
        let left = store.summary(&long).unwrap().record_count;
        assert_eq!(covered(&store), left);
        // What the list covers has not gone.
        let report = store
            .verify_deep(&kept, &mut scrollback::unwatched)
            .unwrap();
        assert!(
            report.is_clean() && report.rewritten.is_empty(),
            "{report:?}"
        );
    }
}

/// What the session `long` of the fixtures of formats 2 and 3 has beside its lines.
fn properties() -> Properties {
    {
        let mut properties = Properties::default();
        properties.title = Some("Kept beside".into());
        properties.project = Some("/w/given".into());
        properties.parent = Some("short".into());
        properties.pinned = true;
        properties.archived = true;
        properties.summary = "They wrote many messages.".into();
        properties.aliases = vec!["telegram:1".into(), "sk_1".into()];
        properties.scope = Some(RawJson::parse("{\"version\":1.0}").unwrap());
        properties
    }
}

/// The format numbers that a store has.
fn formats(path: &Path) -> [u32; 2] {
    const STORE_INFO: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("store_info");
    let database = Database::open(path).unwrap();
    let table = database
        .begin_read()
        .unwrap()
        .open_table(STORE_INFO)
        .unwrap();
    ["format", "format_readable"].map(|name| {
        let stored = table.get(name).unwrap().unwrap();
        u32::from_le_bytes(stored.value().try_into().unwrap())
    })
}

#[test]
fn a_store_of_format_1_is_read_as_it_is_and_brought_to_this_one_for_writing() {
    let (_folder, copy) = copied("v1");
    let key = SessionKey::native("long").unwrap();
    let alias = SessionKey::native("short").unwrap();
    let change = PropertiesChange::default()
        .with_title("Renamed")
        .with_project("/w/other")
        .with_aliases(["short"]);
    let before = std::fs::read(&copy).unwrap();
    let store = RedbStore::open_read_only(&copy, Options::default()).unwrap();
    assert_eq!(store.properties(&key).unwrap(), Properties::default());
    assert_eq!(store.by_alias(&alias).unwrap(), None);
    assert_eq!(store.find("short", 5).unwrap(), []);
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    let error = store.update_properties(&key, &change).unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
    drop(store);
    assert_eq!(std::fs::read(&copy).unwrap(), before);
    assert_eq!(formats(&copy), [1, 1]);

    // Opening alone migrates; a row of version 1 is written anew when its session changes.
    drop(RedbStore::open(&copy, Options::default()).unwrap());
    assert_eq!(formats(&copy), [7, 7]);
    let store = RedbStore::open(&copy, Options::default()).unwrap();
    let derived = store.summary(&key).unwrap();
    store.update_properties(&key, &change).unwrap();
    let given = store.summary(&key).unwrap();
    assert_eq!(given.title, "Renamed");
    assert_eq!(store.by_alias(&alias).unwrap(), Some(key.clone()));
    let of = |project: &str| {
        let query = ListQuery::default().with_project(project);
        store.list(&query).unwrap().sessions.len()
    };
    assert_eq!((of("/w/demo"), of("/w/other")), (0, 1));
    let back = PropertiesChange::default()
        .without_title()
        .without_project()
        .with_aliases(Vec::<String>::new());
    assert_eq!(
        store.update_properties(&key, &back).unwrap(),
        Properties::default()
    );
    let mut again = store.summary(&key).unwrap();
    assert!(derived.written_at.is_none() && again.written_at.is_some());
    again.written_at = None;
    assert_eq!(again, derived);
    assert_eq!((of("/w/demo"), of("/w/other")), (1, 0));
    assert_eq!(
        exported(&store),
        std::fs::read_to_string(fixture("v1/export.txt")).unwrap()
    );
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
}

#[test]
#[ignore = "writes the fixture anew"]
fn write_the_fixture_of_format_7() {
    let target = fixture("v7/store.redb");
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    drop(std::fs::remove_file(&target));
    let store = RedbStore::open(&target, options()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let sessions = home.path().join(".ggcode/sessions");
    std::fs::create_dir_all(&sessions).unwrap();
    std::fs::write(
        sessions.join("20260401-120000-00aa00aa00aa00aa.jsonl"),
        "{\"type\":\"meta\",\"session_id\":\"20260401-120000-00aa00aa00aa00aa\",\"title\":\"Stored\",\
         \"created_at\":\"2026-04-01T12:00:00Z\",\"updated_at\":\"2026-04-01T12:05:00Z\"}\n\
         {\"type\":\"message\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\",\
         \"text\":\"keep this\"}]}}\n{\"type\":\"mess",
    )
    .unwrap();
    std::fs::write(
        sessions.join("20260401-120000-00aa00aa00aa00aa.lock"),
        "4242\n",
    )
    .unwrap();
    let none = &mut scrollback::unwatched;
    import(
        &store,
        &[home.path().to_owned()],
        &ImportOptions::default(),
        none,
    )
    .unwrap();
    let mut long = Session::native("long").unwrap();
    long.project = Some("/w/demo".into());
    for n in 0..200 {
        long.messages.push(Message::text(
            Role::User,
            format!("message {n}: {}", "words ".repeat(n % 17)),
        ));
    }
    store.save(&mut long).unwrap();
    store.truncate(&long.key, 20).unwrap();
    let batch = Some(Uuid::from_u128(99));
    let lines = [
        NewRecord::line("{\"role\":\"user\",\"content\":\"hi\"}"),
        NewRecord::line("not json"),
    ];
    store
        .append(
            &SessionKey::new("jsonl", "lines").unwrap(),
            Expect::Any,
            batch,
            &lines,
        )
        .unwrap();
    let given = properties();
    let mut change = PropertiesChange::default();
    change.title = Some(given.title);
    change.project = Some(given.project);
    change.parent = Some(given.parent);
    change.pinned = Some(given.pinned);
    change.archived = Some(given.archived);
    change.summary = Some(given.summary);
    change.aliases = Some(given.aliases);
    change.scope = Some(given.scope);

    store.update_properties(&long.key, &change).unwrap();
    store.reclaim().unwrap();
    std::fs::write(fixture("v7/export.txt"), exported(&store)).unwrap();
}
