//! The forms that OpenCode keeps sessions in besides its first tables: those that later versions add in
//! the same database, and the tree of files that was before it.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use scrollback::report::ImportReport;
use scrollback::{ImportOptions, ListQuery, RedbStore, SessionKey, Store as _, import};

use crate::harness::Home;
use crate::import::open;

const DATA: &str = "in/.local/share/opencode";

fn run(home: &Home, store: &RedbStore) -> ImportReport {
    let options = ImportOptions::default();
    import(
        store,
        &[home.path().join("in")],
        &options,
        &mut scrollback::unwatched,
    )
    .unwrap()
}

fn texts(store: &RedbStore, id: &str) -> Vec<String> {
    let key = SessionKey::new("opencode", id).unwrap();
    let messages = store.load(&key).unwrap().messages.into_iter();
    messages
        .map(|message| format!("{}: {}", message.role.word(), message.plain_text()))
        .collect()
}

fn database(home: &Home) -> Connection {
    let path = home.write(&format!("{DATA}/opencode.db"), "");
    fs::remove_file(&path).unwrap();
    Connection::open(path).unwrap()
}

const FIRST: &str = r#"
    CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT, title TEXT, version TEXT, time_created INTEGER, time_updated INTEGER, time_archived INTEGER);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, data TEXT);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, data TEXT);
    INSERT INTO session VALUES ('ses_1', '/w', 'Frozen', '1', 1795168800000, 1795168860000, NULL);
    INSERT INTO session VALUES ('ses_2', '/w', 'Stayed', '1', 1795168800000, 1795168860000, 1795168870000);
    INSERT INTO message VALUES ('m1', 'ses_1', 1, '{"role":"user"}'), ('m2', 'ses_2', 1, '{"role":"user"}');
    INSERT INTO part VALUES ('p1', 'm1', 'ses_1', '{"type":"text","text":"old words"}'), ('p2', 'm2', 'ses_2', '{"type":"text","text":"other words"}');
"#;

const LATER: &str = r#"
    CREATE TABLE session_message (id TEXT PRIMARY KEY, session_id TEXT, type TEXT, seq INTEGER, time_created INTEGER, data TEXT);
    INSERT INTO session_message VALUES
        ('n2', 'ses_1', 'assistant', 2, 1, '{"time":{"created":1795168902000},"model":{"id":"model-y"},"content":[{"type":"reasoning","text":"hm"},{"type":"tool","id":"c1","name":"read","state":{"status":"error","input":{"p":1},"error":{"message":"gone"}}},{"type":"text","text":"new answer"}],"tokens":{"input":5,"output":6,"cache":{"read":1,"write":2}}}'),
        ('n1', 'ses_1', 'user', 1, 2, '{"time":{"created":1795168901000},"text":"new words","files":[]}'),
        ('n3', 'ses_1', 'idle', 3, 3, '{"outcome":"succeeded"}'),
        ('n4', 'ses_1', 'user', 4, 4, 'no json');
"#;

#[test]
fn each_session_is_read_from_the_table_that_it_goes_on_in() {
    let home = Home::new();
    let database = database(&home);
    database.execute_batch(FIRST).unwrap();
    database.execute_batch(LATER).unwrap();
    let store = open(&home);
    let report = run(&home, &store);
    assert_eq!(report.sessions, 2, "{report:?}");
    assert_eq!(
        texts(&store, "ses_1"),
        ["user: new words", "assistant: new answer", "user: "]
    );
    assert_eq!(texts(&store, "ses_2"), ["user: other words"]);
    let key = SessionKey::new("opencode", "ses_1").unwrap();
    let summary = store.summary(&key).unwrap();
    assert_eq!(
        (summary.model.as_deref(), summary.title.as_str()),
        (Some("model-y"), "Frozen")
    );
    let answer = &store.load(&key).unwrap().messages[1];
    assert_eq!(answer.content.len(), 4, "{answer:?}");
    let usage = answer.usage.as_ref().unwrap();
    assert_eq!((usage.input_tokens, usage.cache_write_tokens), (5, 2));
    let put_away = SessionKey::new("opencode", "ses_2").unwrap();
    assert!(store.summary(&put_away).unwrap().archived_by_agent && !summary.archived);

    // A row more is a message more, and nothing twice.
    let row =
        r#"INSERT INTO session_message VALUES ('n5', 'ses_1', 'user', 5, 5, '{"text":"more"}')"#;
    database.execute_batch(row).unwrap();
    database
        .execute_batch("UPDATE session SET time_updated = time_updated + 1")
        .unwrap();
    drop(database);
    let report = run(&home, &store);
    assert_eq!((report.sessions, report.messages), (0, 1), "{report:?}");
    assert_eq!(texts(&store, "ses_1").last().unwrap(), "user: more");
}

#[test]
fn a_database_of_later_tables_alone_is_read() {
    let home = Home::new();
    let database = database(&home);
    database
        .execute_batch("CREATE TABLE session_v2 (id TEXT PRIMARY KEY, directory TEXT, title TEXT, time_created INTEGER, time_updated INTEGER);
            INSERT INTO session_v2 VALUES ('ses_1', '/w', 'Newer', 1795168800000, 1795168860000), ('ses_0', '/w', 'Empty', 1, 2)")
        .unwrap();
    database.execute_batch(LATER).unwrap();
    let store = open(&home);
    assert_eq!(run(&home, &store).sessions, 2);
    assert_eq!(texts(&store, "ses_1")[0], "user: new words");
    assert_eq!(texts(&store, "ses_0"), Vec::<String>::new());
}

fn write_tree(home: &Home, messages: &[(&str, &str, i64)], updated: i64) {
    let storage = format!("{DATA}/storage");
    for (role, text, at) in messages {
        let id = format!("msg_{at}");
        home.write(
            &format!("{storage}/message/ses_t/{id}.json"),
            format!("{{\n \"id\":\"{id}\",\"sessionID\":\"ses_t\",\"role\":\"{role}\",\"time\":{{\"created\":{at}}}}}"),
        );
        home.write(
            &format!("{storage}/part/{id}/prt_1.json"),
            format!("{{\"id\":\"prt_1\",\"messageID\":\"{id}\",\"sessionID\":\"ses_t\",\"type\":\"text\",\"text\":\"{text}\"}}"),
        );
    }
    let path = home.write(
        &format!("{storage}/session/0f/ses_t.json"),
        format!("{{\"id\":\"ses_t\",\"projectID\":\"0f\",\"title\":\"Tree\",\"time\":{{\"created\":1,\"updated\":{updated}}}}}"),
    );
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + updated.unsigned_abs());
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

#[test]
fn the_tree_of_files_is_read_and_read_on() {
    let home = Home::new();
    home.write(
        &format!("{DATA}/storage/project/0f.json"),
        r#"{"id":"0f","worktree":"/w/shop"}"#,
    );
    write_tree(
        &home,
        &[("user", "ask", 5), ("assistant", "answer", 12)],
        12,
    );
    home.write(&format!("{DATA}/storage/message/ses_t/msg_13.json"), "torn");
    let store = open(&home);
    let report = run(&home, &store);
    assert_eq!(report.sessions, 1, "{report:?}");
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.reason.contains("msg_13")),
        "{report:?}"
    );
    assert_eq!(texts(&store, "ses_t"), ["user: ask", "assistant: answer"]);
    let sessions = store.list(&ListQuery::default()).unwrap().sessions;
    assert_eq!(sessions[0].project.as_deref(), Some("/w/shop"));
    assert_eq!(run(&home, &store).records, 0);
    write_tree(&home, &[("user", "ask again", 20)], 20);
    let report = run(&home, &store);
    assert_eq!((report.sessions, report.messages), (0, 1), "{report:?}");
    assert_eq!(texts(&store, "ses_t").last().unwrap(), "user: ask again");
}

#[test]
fn what_went_on_in_a_database_is_not_read_from_the_tree() {
    let home = Home::new();
    write_tree(&home, &[("user", "ask", 5)], 12);
    let database = database(&home);
    database
        .execute_batch(&FIRST.replace("ses_1", "ses_t"))
        .unwrap();
    drop(database);
    let store = open(&home);
    for _ in 0..2 {
        run(&home, &store);
        assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 2);
        assert_eq!(texts(&store, "ses_t"), ["user: old words"]);
    }
}
