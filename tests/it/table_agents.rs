//! Agents that keep sessions in databases by named tables: what their own writers wrote, databases that grow or
//! are written anew, rows in the log, hostile ones, and what never gets out.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use scrollback::{Message, RedbStore, Role, Store as _, StoreExt as _};

use crate::harness::{Home, files_below};
use crate::homes::{MADE, export, key};
use crate::import::{open, run_clean, run_in, sessions};

/// Puts what a writer wrote where its agent keeps it.
fn made(home: &Home, file: &str, place: &str) {
    let bytes = fs::read(Path::new(MADE).join(file)).unwrap();
    home.write(&format!("in/{place}"), bytes);
}

/// A database with these tables and rows.
fn database(home: &Home, place: &str, sql: &str) -> (Connection, PathBuf) {
    let path = home.path().join("in").join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(sql).unwrap();
    (connection, path)
}

/// Who says what in a session: calls and answers as their names and texts.
pub(crate) fn talk(store: &RedbStore, agent: &str, id: &str) -> Vec<(Role, String)> {
    let session = store.load(&key(agent, id)).unwrap();
    let said = |message: &Message| match message.plain_text() {
        text if text.is_empty() => message.tool_text(),
        text => text,
    };
    let messages = session.messages.iter();
    messages
        .map(|message| (message.role, said(message)))
        .collect()
}

/// What all rows of a session took: input and output.
pub(crate) fn took(store: &RedbStore, agent: &str, id: &str) -> (u64, u64) {
    let mut sum = (0, 0);
    for one in store.view(&key(agent, id), scrollback::ScanQuery::default()) {
        let one = one.unwrap();
        let all = one.messages.iter().chain(&one.about);
        for usage in all.filter_map(|message| message.usage) {
            sum = (sum.0 + usage.input_tokens, sum.1 + usage.output_tokens);
        }
    }
    sum
}

/// Whether a text is in any file of an export.
fn gets_out(home: &Home, store: &RedbStore, text: &str) -> bool {
    let out = export(home, store);
    let files = files_below(&out);
    let has = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap();
        memchr::memmem::find(&bytes, text.as_bytes()).is_some()
    };
    files.iter().any(has)
}

#[test]
fn what_hermes_wrote_is_read_and_what_is_no_talk_never_gets_out() {
    let home = Home::new();
    made(&home, "hermes/state.db", ".hermes/state.db");
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (3, 8), "{report:?}");
    assert_eq!(report.problems, []);
    let first = "20261120_100000_abcd12";
    let said = talk(&store, "hermes", first);
    let roles: Vec<Role> = said.iter().map(|(role, _)| *role).collect();
    assert_eq!(
        roles,
        [Role::User, Role::Assistant, Role::Tool, Role::Assistant]
    );
    assert_eq!(said[0].1, "name the hues");
    // A text that looks like JSON is what was said.
    assert_eq!(said[3].1, r#"{"hues": ["red", "green"]}"#);
    assert_eq!(took(&store, "hermes", first), (100, 19));
    let summary = store.summary(&key("hermes", first)).unwrap();
    assert_eq!(summary.title, "Three hues");
    assert_eq!(summary.project.as_deref(), Some("/w/shop"));
    for (id, is_subagent) in [
        ("20261120_100001_abcd13", true),
        ("20261120_100002_abcd14", false),
    ] {
        let summary = store.summary(&key("hermes", id)).unwrap();
        assert_eq!(summary.parent.as_deref(), Some(first), "{id}");
        assert_eq!(summary.subagent, is_subagent, "{id}");
    }
    assert!(gets_out(&home, &store, "name the hues"));
    assert!(
        !gets_out(&home, &store, "k-1"),
        "a key in the settings of a model"
    );
    assert_eq!(run_in(&home, &store).records, 0);
}

#[test]
fn what_llm_wrote_is_the_same_talk_in_its_old_tables_and_its_new_ones() {
    let place = ".config/io.datasette.llm/logs.db";
    let mut talks = Vec::new();
    for file in ["llm/conversations.db", "llm/threads.db"] {
        let home = Home::new();
        made(&home, file, place);
        let store = open(&home);
        run_clean(&home, &store, 1);
        let summary = sessions(&store).remove(0);
        let id = summary.key.id().to_owned();
        assert_eq!(summary.title, "name the hues", "{file}");
        assert_eq!(took(&store, "llm", &id), (30, 15), "{file}");
        let session = store.load(&summary.key).unwrap();
        let models: Vec<_> = session
            .messages
            .iter()
            .filter_map(|one| one.model.clone())
            .collect();
        assert_eq!(models, ["model-x"; 3]);
        talks.push(talk(&store, "llm", &id));
        assert_eq!(run_in(&home, &store).records, 0);
    }
    let expected = [
        (Role::User, "name the hues"),
        (Role::Assistant, "Let me read the file."),
        (Role::Tool, "red green"),
        (Role::Assistant, "red, green"),
        (Role::User, "thank you"),
        (Role::Assistant, "You are welcome."),
    ];
    for talk in talks {
        let talk: Vec<_> = talk
            .iter()
            .map(|(role, text)| (*role, text.as_str()))
            .collect();
        assert_eq!(talk, expected);
    }
}

const GOOSE: &str = "
    CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT, user_set_name BOOLEAN DEFAULT 0,
        session_type TEXT, working_dir TEXT, created_at TIMESTAMP, updated_at TIMESTAMP,
        extension_data TEXT, accumulated_input_tokens INTEGER, accumulated_output_tokens INTEGER,
        model_config_json TEXT, parent_session_id TEXT);
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT, session_id TEXT,
        role TEXT, content_json TEXT, created_timestamp INTEGER,
        timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, tokens INTEGER, metadata_json TEXT);
    CREATE TABLE usage_ledger (session_id TEXT, created_timestamp INTEGER, model TEXT,
        input_tokens INTEGER, output_tokens INTEGER);
    CREATE TABLE credentials (name TEXT, secret TEXT);
    INSERT INTO credentials VALUES ('key', 'INVENTED-SECRET');
    INSERT INTO sessions VALUES ('g1', 'CLI Session', 0, 'user', '/w/shop', '2026-11-20 10:00:00',
        '2026-11-20 10:00:03', '{\"token\": \"INVENTED-SECRET\"}', 100, 19,
        '{\"model_name\": \"m\", \"api_key\": \"INVENTED-SECRET\"}', NULL);";

const GOOSE_PLACE: &str = ".local/share/goose/sessions/sessions.db";

fn goose_says(database: &Connection, id: &str, role: &str, text: &str, metadata: &str) {
    let content = format!(r#"[{{"type":"text","text":"{text}"}}]"#);
    let sql = "INSERT INTO messages (message_id, session_id, role, content_json, created_timestamp, metadata_json)
        VALUES (?1, 'g1', ?2, ?3, 1795168800, ?4)";
    database
        .execute(sql, [id, role, &content, metadata])
        .unwrap();
}

#[test]
fn a_database_that_goes_on_in_its_log_and_is_compacted_stays_one_session() {
    let home = Home::new();
    let (database, path) = database(&home, GOOSE_PLACE, GOOSE);
    let seen = r#"{"userVisible":true,"agentVisible":true}"#;
    goose_says(&database, "m1", "user", "one", seen);
    goose_says(&database, "m2", "assistant", "two", seen);
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (1, 2), "{report:?}");
    let summary = sessions(&store).remove(0);
    assert_eq!(summary.title, "one", "a name that says nothing is none");
    assert_eq!(summary.model.as_deref(), Some("m"));
    assert_eq!(took(&store, "goose", "g1"), (100, 19));

    // In the log alone, with the program still there.
    database.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    goose_says(&database, "m3", "user", "three", seen);
    database
        .execute_batch(
            "UPDATE sessions SET name = 'Hues', user_set_name = 1, updated_at = '2026-11-20 10:00:09';
            INSERT INTO usage_ledger VALUES ('g1', 1, 'm', 70, 7), ('g1', 2, 'n', 5, 1);",
        )
        .unwrap();
    let report = run_in(&home, &store);
    assert_eq!(
        (
            report.sessions,
            report.sessions_grown,
            report.messages,
            report.generations
        ),
        (0, 1, 1, 0),
        "{report:?}"
    );
    assert_eq!(sessions(&store)[0].title, "Hues");
    // The ledger holds, and not the sum beside it too.
    assert_eq!(took(&store, "goose", "g1"), (75, 8));

    // A compaction writes every row anew, and hides what it has summed up from the model.
    database.execute_batch("DELETE FROM messages").unwrap();
    let hidden = r#"{"userVisible":true,"agentVisible":false}"#;
    for (id, role, text) in [
        ("m1", "user", "one"),
        ("m2", "assistant", "two"),
        ("m3", "user", "three"),
    ] {
        goose_says(&database, id, role, text, hidden);
    }
    goose_says(
        &database,
        "m4",
        "user",
        "They counted.",
        r#"{"userVisible":false,"agentVisible":true}"#,
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.generations),
        (0, 1, 0),
        "{report:?}"
    );
    let session = store.load(&key("goose", "g1")).unwrap();
    let injected: Vec<bool> = session
        .messages
        .iter()
        .map(|message| message.injected)
        .collect();
    assert_eq!(injected, [false, false, false, true]);
    assert!(!gets_out(&home, &store, "INVENTED-SECRET"));

    // A copy elsewhere has the same sessions.
    drop(database);
    let copy = home.path().join("in/backup/goose/sessions");
    fs::create_dir_all(&copy).unwrap();
    fs::copy(&path, copy.join("sessions.db")).unwrap();
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.records), (0, 0), "{report:?}");
}

#[test]
fn exported_sessions_of_databases_are_the_same_when_they_come_back() {
    let home = Home::new();
    let (database, _) = database(&home, GOOSE_PLACE, GOOSE);
    goose_says(&database, "m1", "user", "one", "{}");
    made(&home, "hermes/state.db", ".hermes/state.db");
    drop(database);
    let store = open(&home);
    run_in(&home, &store);
    let out = export(&home, &store);
    let other = Home::new();
    for file in files_below(&out) {
        let name = file.file_name().unwrap().to_str().unwrap();
        other.write(&format!("in/any/{name}"), fs::read(&file).unwrap());
    }
    let again = open(&other);
    run_clean(&other, &again, 4);
    for summary in sessions(&store) {
        let key = &summary.key;
        assert_eq!(
            again.load(key).unwrap().messages,
            store.load(key).unwrap().messages
        );
        assert_eq!(again.summary(key).unwrap().title, summary.title);
    }
}

#[test]
fn events_of_openclaw_are_read_from_text_and_packed() {
    let home = Home::new();
    let (database, _) = database(
        &home,
        ".openclaw/agents/main/agent/openclaw-agent.sqlite",
        "CREATE TABLE session_nodes (session_key TEXT PRIMARY KEY, current_session_id TEXT, entry_json TEXT,
            label TEXT, display_name TEXT, archived_at INTEGER) STRICT;
        CREATE TABLE session_windows (session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL,
            previous_session_id TEXT, reason TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
        CREATE TABLE transcript_events (session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT,
            created_at INTEGER NOT NULL, event_zstd BLOB, event_utf8_bytes INTEGER,
            PRIMARY KEY (session_id, seq)) STRICT;
        INSERT INTO session_nodes VALUES ('agent:main:main', 'w2', '{\"token\":\"INVENTED-SECRET\"}', 'Three hues', NULL, NULL);
        INSERT INTO session_windows VALUES ('w1', 'agent:main:main', NULL, 'initial', 1795168800000, 1795168801000),
            ('w2', 'agent:main:main', 'w1', 'reset', 1795168802000, 1795168803000);",
    );
    let event = |id: &str, role: &str, text: &str| {
        format!(
            r#"{{"type":"message","id":"{id}","parentId":null,"timestamp":"2026-11-20T10:00:01.000Z","message":{{"role":"{role}","content":[{{"type":"text","text":"{text}"}}],"usage":{{"input":100,"output":6}}}}}}"#
        )
    };
    let add = |window: &str, at: i64, text: Option<&str>, packed: Option<&[u8]>| {
        let sql = "INSERT INTO transcript_events VALUES (?1, ?2, ?3, 0, ?4, NULL)";
        database.execute(sql, (window, at, text, packed)).unwrap();
    };
    let header = r#"{"type":"session","version":3,"id":"w1","timestamp":"2026-11-20T10:00:00.000Z","cwd":"/w/shop"}"#;
    add("w1", 0, Some(header), None);
    add("w1", 1, Some(&event("e1", "user", "name the hues")), None);
    let packed =
        zstd::bulk::compress(event("e2", "assistant", "red, green").as_bytes(), 1).unwrap();
    add("w1", 2, None, Some(&packed));
    add("w2", 0, Some(&event("e3", "user", "anew")), None);
    // What cannot be unpacked costs itself.
    add("w2", 1, None, Some(b"no zstd"));
    drop(database);
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (2, 3), "{report:?}");
    assert!(
        report.problems[0].reason.contains("cannot be unpacked"),
        "{report:?}"
    );
    let said = talk(&store, "openclaw", "w1");
    assert_eq!(said[1], (Role::Assistant, "red, green".to_owned()));
    let summary = store.summary(&key("openclaw", "w1")).unwrap();
    assert_eq!(
        (summary.title.as_str(), summary.project.as_deref()),
        ("Three hues", Some("/w/shop"))
    );
    let next = store.summary(&key("openclaw", "w2")).unwrap();
    assert_eq!(next.parent.as_deref(), Some("w1"));
    assert!(!gets_out(&home, &store, "INVENTED-SECRET"));
}

#[test]
fn a_row_of_crush_that_is_still_written_is_replaced_and_its_folder_is_the_project() {
    let home = Home::new();
    let (database, path) = database(
        &home,
        "w/shop/.crush/crush.db",
        "CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT, message_count INTEGER,
            prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, updated_at INTEGER, created_at INTEGER);
        CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT, role TEXT, parts TEXT, model TEXT,
            created_at INTEGER, updated_at INTEGER, is_summary_message INTEGER DEFAULT 0);
        INSERT INTO sessions VALUES ('c1', NULL, 'Three hues', 2, 100, 6, 0.1, 1795168803, 1795168800);
        INSERT INTO messages VALUES ('a', 'c1', 'user', '[{\"type\":\"text\",\"data\":{\"text\":\"name the hues\"}}]', NULL, 1795168800, 0, 0),
            ('b', 'c1', 'assistant', '[{\"type\":\"text\",\"data\":{\"text\":\"re\"}}]', 'm', 1795168801, 0, 0);",
    );
    let store = open(&home);
    run_in(&home, &store);
    let parts = r#"[{"type":"text","data":{"text":"red, green"}},{"type":"finish","data":{"reason":"end_turn"}}]"#;
    database
        .execute("UPDATE messages SET parts = ?1 WHERE id = 'b'", [parts])
        .unwrap();
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.generations), (0, 0), "{report:?}");
    let said = talk(&store, "crush", "c1");
    assert_eq!(said.len(), 2);
    assert_eq!(said[1].1, "red, green");
    let summary = sessions(&store).remove(0);
    let folder = fs::canonicalize(path.ancestors().nth(2).unwrap()).unwrap();
    assert_eq!(summary.project.as_deref(), folder.to_str());
    assert_eq!(took(&store, "crush", "c1"), (100, 6));
}

#[test]
fn hostile_databases_are_told_and_hide_nothing() {
    for (sql, expected) in [
        // No such tables.
        ("CREATE TABLE t (a)", "sessions.id"),
        // A view runs a program of whoever made it.
        (
            "CREATE TABLE s (id, role); CREATE VIEW sessions AS SELECT * FROM s;
            CREATE TABLE messages (id, session_id, role)",
            "`sessions` is no table",
        ),
        (
            "CREATE TABLE sessions (id TEXT); CREATE TABLE messages (id INTEGER)",
            "messages.session_id",
        ),
    ] {
        let home = Home::new();
        drop(database(&home, GOOSE_PLACE, sql));
        home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hi\"}\n");
        let store = open(&home);
        let report = run_in(&home, &store);
        assert_eq!(report.sessions, 1, "{report:?}");
        assert!(report.problems[0].reason.contains(expected), "{report:?}");
    }
    // Rows with odd values: a part of the session is still there.
    let home = Home::new();
    let (database, _) = database(&home, GOOSE_PLACE, GOOSE);
    database
        .execute_batch(
            "INSERT INTO sessions (id) VALUES (''), (NULL);
            INSERT INTO messages (message_id, session_id, role, content_json) VALUES
                (NULL, 'g1', 'user', 'no json'), ('m', 'g1', NULL, NULL), (7, 'g1', 'user', x'ff00'),
                ('n', 'g1', 'assistant', '[{\"type\":\"toolRequest\"}]');",
        )
        .unwrap();
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(report.sessions, 1, "{report:?}");
    let said = talk(&store, "goose", "g1");
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(said[0].1, "no json");
}
