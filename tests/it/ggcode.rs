//! ggcode: a home is imported, continued and exported, and read as the Go program reads it; and
//! what went wrong in it (the hazards of its version 1.0.9) does not happen here.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use scrollback::{
    Block, Error, Expect, ExportFormat, ImportOptions, ListQuery, Message, NewRecord, Options,
    RawJson, RedbStore, Role, Session, SessionKey, Store, StoreExt as _, export_all, import,
};

use crate::go_ggcode as go;
use crate::harness::{Home, export_as_lines};

/// Where a ggcode home keeps its sessions, and where an export of it has them.
const SESSIONS: &str = "home/.ggcode/sessions";
const EXPORTED: &str = "out/ggcode/.ggcode/sessions";

/// A store whose clock starts at 2026-06-01 and goes on by a second with every look.
pub(crate) fn open(home: &Home) -> RedbStore {
    let seconds = AtomicI64::new(1_780_272_000);
    let clock =
        move || DateTime::from_timestamp(seconds.fetch_add(1, Ordering::Relaxed), 0).unwrap();
    let options = Options::default().with_clock(clock);
    RedbStore::open(home.store_path(), options).unwrap()
}

pub(crate) fn key(id: &str) -> SessionKey {
    SessionKey::new("ggcode", id).unwrap()
}

pub(crate) fn take(home: &Home, store: &RedbStore) {
    let folder = [home.path().join("home")];
    let report = import(
        store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(report.skipped, 0, "{report:?}");
}

/// Exports everything; gives the folder of ggcode's sessions.
pub(crate) fn give(home: &Home, store: &RedbStore) -> PathBuf {
    let out = home.path().join("out");
    export_as_lines(store, &out);
    home.path().join(EXPORTED)
}

pub(crate) fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

pub(crate) fn append(store: &RedbStore, key: &SessionKey, message: Message) {
    let record = NewRecord::message(message);
    store.append(key, Expect::Any, None, &[record]).unwrap();
}

pub(crate) fn meta_line(id: &str, title: &str) -> String {
    format!(
        "{{\"type\":\"meta\",\"session_id\":\"{id}\",\"title\":\"{title}\",\"vendor\":\"zai\",\
         \"endpoint\":\"coding\",\"model\":\"glm-5\",\
         \"created_at\":\"2026-04-03T11:45:00.1002003+02:00\",\
         \"updated_at\":\"2026-04-03T11:52:00.4005006+02:00\"}}\n"
    )
}

pub(crate) fn message_line(id: &str, text: &str) -> String {
    format!(
        "{{\"type\":\"message\",\"session_id\":\"{id}\",\"created_at\":\"0001-01-01T00:00:00Z\",\
         \"updated_at\":\"0001-01-01T00:00:00Z\",\"message\":{{\"role\":\"user\",\"content\":\
         [{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}\n"
    )
}

pub(crate) fn row(id: &str, title: &str) -> String {
    format!(
        "  {{\n    \"id\": \"{id}\",\n    \"title\": \"{title}\",\n    \
         \"created_at\": \"2026-04-03T11:45:00.1002003+02:00\",\n    \
         \"updated_at\": \"2026-04-03T11:52:00.4005006+02:00\",\n    \"msg_count\": 1,\n    \
         \"vendor\": \"zai\",\n    \"endpoint\": \"coding\",\n    \"model\": \"glm-5\"\n  }}"
    )
}

/// A home with the sessions `a` and `b`, and rows for these and for one that is gone.
fn two_sessions(home: &Home) -> String {
    for id in ["a", "b"] {
        let lines = meta_line(id, &format!("Title of {id}")) + &message_line(id, id);
        home.write(&format!("{SESSIONS}/{id}.jsonl"), lines);
    }
    let rows = ["a", "gone", "b"].map(|id| row(id, &format!("Title of {id}")));
    let index = format!("[\n{}\n]", rows.join(",\n"));
    home.write(&format!("{SESSIONS}/index.json"), &index);
    index
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn feature_resume_and_append_is_read_by_the_go_program() {
    let home = Home::new();
    let index = two_sessions(&home);
    let store = open(&home);
    take(&home, &store);
    let before = read(&home.path().join(SESSIONS), "a.jsonl");

    let mut answer = Message::new(Role::Assistant);
    answer.content = vec![
        Block::Text {
            text: "Look: <&>".into(),
        },
        Block::ToolUse {
            id: Some("t1".into()),
            name: "calc".into(),
            input: Some(RawJson::parse(r#"{"b":1.0,"a":1e400,"a":2}"#).unwrap()),
        },
    ];
    append(&store, &key("a"), answer);
    let mut session = store.load(&key("a")).unwrap();
    session.title = "A new title".into();
    let cost = RawJson::parse(r#"{"usd":2.50,"big":12345678901234567890}"#).unwrap();
    session.extra.push(("cost".into(), cost));
    session.messages.push(user("and then?"));
    store.save(&mut session).unwrap();
    let records = store.summary(&key("a")).unwrap().record_count;
    store.save(&mut session).unwrap();
    assert!(store.summary(&key("a")).unwrap().record_count <= records + 2);

    let folder = give(&home, &store);
    assert!(
        read(&folder, "a.jsonl").starts_with(&before),
        "lines were rewritten"
    );
    assert_eq!(
        read(&folder, "b.jsonl"),
        read(&home.path().join(SESSIONS), "b.jsonl")
    );
    let session = go::load(&folder, "a").unwrap();
    assert_eq!(session.bad, 0);
    assert_eq!(session.texts(), ["a", "Look: <&>", "and then?"]);
    let call = &session.messages[1].content.as_ref().unwrap()[1];
    assert_eq!(
        (call.tool_name.as_str(), call.tool_id.as_str()),
        ("calc", "t1")
    );
    assert_eq!(
        call.input.as_ref().unwrap().get(),
        r#"{"b":1.0,"a":1e400,"a":2}"#
    );
    assert_eq!(
        session.cost.as_deref(),
        Some(r#"{"usd":2.50,"big":12345678901234567890}"#)
    );
    assert_eq!(session.title, "A new title");
    assert_eq!(
        (session.vendor.as_str(), session.endpoint.as_str()),
        ("zai", "coding")
    );
    assert_eq!(session.model, "glm-5");
    let created: DateTime<Utc> = "2026-04-03T09:45:00.100200Z".parse().unwrap();
    assert_eq!(session.created_at.unwrap(), created);

    // Of the index only the row of the session that was changed is another one.
    let rows = go::index(&folder).unwrap();
    assert_eq!(rows[0].title, "A new title");
    assert_eq!((rows[0].msg_count, rows[0].vendor.as_str()), (3, "zai"));
    assert_eq!(
        rows[0].updated_at,
        store.summary(&key("a")).unwrap().updated_at
    );
    let tail = index
        .split_once(",\n")
        .and_then(|_| index.find(&row("gone", "Title of gone")));
    let exported = read(&folder, "index.json");
    assert!(exported.ends_with(&index[tail.unwrap()..]), "{exported}");
    assert_eq!(go::list(&folder).unwrap().len(), 2);
}

#[test]
fn feature_new_sessions_go_where_the_go_program_looks_for_them() {
    let home = Home::new();
    two_sessions(&home);
    let store = open(&home);
    take(&home, &store);
    let mut session = Session::new(key("20260601-120000-0123456789abcdef"));
    session.extra = vec![("vendor".into(), RawJson::parse("\"zai\"").unwrap())];
    session.messages = vec![user("A new session")];
    store.save(&mut session).unwrap();
    let folder = give(&home, &store);
    let ids = go::list(&folder).unwrap();
    assert_eq!(ids.len(), 3);
    let rows = go::index(&folder).unwrap();
    let row = rows.last().unwrap();
    assert_eq!(row.id, "20260601-120000-0123456789abcdef");
    assert_eq!(
        (row.title.as_str(), row.vendor.as_str()),
        ("A new session", "zai")
    );
    assert_eq!((row.msg_count, rows.len()), (1, 4));
    assert_eq!(row.created_at, session.created_at.unwrap());
    assert_eq!((row.endpoint.as_str(), row.model.as_str()), ("", ""));
    let loaded = go::load(&folder, &row.id).unwrap();
    assert_eq!((loaded.bad, loaded.texts()), (0, vec!["A new session"]));

    // It comes back as what it is.
    let again = Home::new();
    let other = open(&again);
    let folders = [home.path().join("out")];
    import(
        &other,
        &folders,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    let back = other.load(&session.key).unwrap();
    assert_eq!(
        (back.title, back.messages),
        (session.title, session.messages)
    );
}

#[test]
fn what_was_not_changed_is_exported_byte_for_byte() {
    let home = Home::new();
    let index = two_sessions(&home);
    let store = open(&home);
    take(&home, &store);
    let folder = give(&home, &store);
    assert_eq!(read(&folder, "index.json"), index);
    let time = |folder: &Path| {
        std::fs::metadata(folder.join("a.jsonl"))
            .unwrap()
            .modified()
    };
    assert_eq!(
        time(&folder).unwrap(),
        time(&home.path().join(SESSIONS)).unwrap()
    );
}

#[test]
fn feature_index_row_counts_what_a_compaction_left() {
    let home = Home::new();
    two_sessions(&home);
    let store = open(&home);
    take(&home, &store);
    let mut session = Session::new(key("20260601-120000-0123456789abcdef"));
    session.messages = vec![user("one"), user("two"), user("three")];
    store.save(&mut session).unwrap();
    for keep in [1, 0] {
        store.truncate(&session.key, keep).unwrap();
        store.compact(&session.key, None, None).unwrap();
        let folder = give(&home, &store);
        let rows = go::index(&folder).unwrap();
        let row = rows.iter().find(|row| row.id == session.key.id()).unwrap();
        let loaded = go::load(&folder, &row.id).unwrap();
        assert_eq!(loaded.texts().len() as u64, keep);
        assert_eq!(row.msg_count, i64::try_from(keep).unwrap());
    }
}

#[test]
fn without_an_index_and_without_a_change_there_is_none() {
    let home = Home::new();
    home.write(
        &format!("{SESSIONS}/a.jsonl"),
        meta_line("a", "A") + &message_line("a", "x"),
    );
    let store = open(&home);
    take(&home, &store);
    let folder = give(&home, &store);
    assert!(!folder.join("index.json").exists());
    append(&store, &key("a"), user("more"));
    give(&home, &store);
    let rows = go::index(&folder).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].title.as_str(), rows[0].msg_count), ("A", 2));
}

#[test]
fn feature_index_rebuild_of_a_corrupt_index_that_a_change_makes_anew() {
    let home = Home::new();
    two_sessions(&home);
    let corrupt = "[\n  {\n    \"id\": \"2026";
    home.write(&format!("{SESSIONS}/index.json"), corrupt);
    let store = open(&home);
    take(&home, &store);
    let folder = give(&home, &store);
    assert_eq!(read(&folder, "index.json"), corrupt);
    append(&store, &key("b"), user("more"));
    give(&home, &store);
    let rows = go::index(&folder).unwrap();
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.msg_count))
        .collect();
    // In the order in which they were stored.
    told.sort_unstable();
    assert_eq!(told, [("a", 1), ("b", 2)]);
}

#[test]
fn chosen_sessions_take_no_index_with_them() {
    let home = Home::new();
    two_sessions(&home);
    let store = open(&home);
    take(&home, &store);
    append(&store, &key("b"), user("more"));
    let out = home.path().join("some");
    export_all(
        &store,
        Some(&[key("b")]),
        ExportFormat::Jsonl,
        &out,
        &mut scrollback::unwatched,
    )
    .unwrap();
    let files = crate::harness::files_below(&out);
    assert_eq!(files, [out.join("ggcode/.ggcode/sessions/b.jsonl")]);
}

#[test]
fn feature_markdown_export_has_the_layout_of_ggcode() {
    let home = Home::new();
    let store = open(&home);
    let mut message = user("Which?");
    message.content.push(Block::ToolResult {
        id: Some("t".into()),
        name: None,
        output: "x\n```\ny".into(),
        is_error: true,
        images: Vec::new(),
    });
    let mut session = Session::new(key("s-1"));
    session.title = "A title".into();
    session.messages = vec![message];
    store.save(&mut session).unwrap();
    let mut out = Vec::new();
    store.export_markdown(&session.key, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("# A title\n\n**Session:** s-1\n**Created:** 2026-06-01T00:00:0"));
    assert!(
        text.ends_with(
            "**Messages:** 1\n\n---\n\n## User\n\nWhich?\n\n\
             **Tool Result** (error=true):\n````\nx\n```\ny\n````\n\n---\n\n"
        ),
        "{text}"
    );
}

#[test]
fn feature_markdown_has_the_times_and_the_header_line_of_ggcode() {
    let home = Home::new();
    let store = open(&home);
    home.write(
        "in/.ggcode/sessions/s-1.jsonl",
        "{\"type\":\"meta\",\"session_id\":\"s-1\",\"title\":\"Loop\",\"vendor\":\"zai\",\
         \"endpoint\":\"coding\",\"model\":\"glm-5\",\"created_at\":\"2026-04-03T11:45:00.1002003+02:00\",\
         \"updated_at\":\"2026-04-03T11:52:00.4005006+02:00\"}\n",
    );
    crate::import::run_in(&home, &store);
    let mut out = Vec::new();
    store.export_markdown(&key("s-1"), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "# Loop\n\n**Session:** s-1\n**Created:** 2026-04-03T11:45:00+02:00\n\
         **Updated:** 2026-04-03T11:52:00+02:00\n**Vendor:** zai / coding / glm-5\n\
         **Messages:** 0\n\n---\n\n"
    );
}

#[test]
fn the_first_message_of_a_session_brings_its_header_line() {
    let home = Home::new();
    let store = open(&home);
    let mut session =
        scrollback::ggcode::ggcode_session(&store.options().stamps, "zai", "coding", "glm-5")
            .unwrap();
    session.project = Some("/w/shop".to_owned());
    session.title = "Loops".to_owned();
    store.append_message(&mut session, user("Which?")).unwrap();
    store.append_message(&mut session, user("And?")).unwrap();
    let loaded = store.load(&session.key).unwrap();
    assert_eq!(
        (
            loaded.title.as_str(),
            loaded.model.as_deref(),
            loaded.project.as_deref()
        ),
        ("Loops", Some("glm-5"), Some("/w/shop"))
    );
    let extra: Vec<&str> = loaded.extra.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        extra.contains(&"vendor") && extra.contains(&"endpoint"),
        "{extra:?}"
    );
    let summary = store.summary(&session.key).unwrap();
    assert_eq!((summary.record_count, summary.message_count), (3, 2));
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    let index = std::fs::read_to_string(out.join("ggcode/index.json")).unwrap();
    for part in ["\"Loops\"", "\"zai\"", "\"coding\"", "\"glm-5\""] {
        assert!(index.contains(part), "{part}: {index}");
    }
    // A copy that says nothing brings no line.
    let mut bare = Session::new(key("bare"));
    store.append_message(&mut bare, user("Hm?")).unwrap();
    assert_eq!(store.summary(&bare.key).unwrap().record_count, 1);
}

#[test]
fn feature_list_delete_and_cleanup_strictly_before() {
    let home = Home::new();
    let store = open(&home);
    for id in ["one", "two", "three"] {
        append(&store, &key(id), user(id));
    }
    let query = ListQuery::default().with_agent("ggcode");
    let listed = store.list(&query).unwrap().sessions;
    let ids: Vec<_> = listed.iter().map(|summary| summary.key.id()).collect();
    assert_eq!(ids, ["three", "two", "one"]);
    store.cleanup_older_than(listed[1].updated_at).unwrap();
    assert!(matches!(
        store.load(&key("one")),
        Err(Error::NotFound { .. })
    ));
    assert!(store.load(&key("two")).is_ok());
    store.delete(&key("two")).unwrap();
    assert_eq!(store.list(&query).unwrap().sessions.len(), 1);
}
