//! OpenCode's database as a provider reads it: rows in the WAL are seen, nothing in the folder is
//! made or changed, and databases that are damaged or hostile are an error or a counted skip.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::provider::{Places, ProviderSession, SessionProvider};
use scrollback::{Error, Role};

use crate::harness::Home;
use crate::providers::provider_at;

/// The tables as OpenCode makes them.
const TABLES: &str = "
    CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, parent_id TEXT, slug TEXT NOT NULL, directory TEXT NOT NULL, title TEXT NOT NULL, version TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);";

/// The rows of a session with a question and an answer.
fn rows(session: &str, minute: i64) -> String {
    let at = 1_775_206_860_000 + minute * 60_000;
    format!(
        r#"INSERT INTO session VALUES ('{session}','p1',NULL,'slug','/w/shop','Title of {session}','1.14.46',{at},{at}+5000);
        INSERT INTO message VALUES ('{session}-m2','{session}',{at}+1000,0,'{{"role":"assistant","parentID":"{session}-m1","time":{{"created":{at}}},"modelID":"big","tokens":{{"input":9,"output":4,"cache":{{"read":1,"write":2}}}}}}');
        INSERT INTO message VALUES ('{session}-m1','{session}',{at},0,'{{"role":"user","time":{{"created":{at}}}}}');
        INSERT INTO part VALUES ('{session}-p2','{session}-m2','{session}',0,0,'{{"type":"tool","tool":"read","callID":"c1","state":{{"status":"completed","input":{{"path":"x"}},"output":"data"}}}}');
        INSERT INTO part VALUES ('{session}-p3','{session}-m2','{session}',0,0,'{{"type":"text","text":"answer"}}');
        INSERT INTO part VALUES ('{session}-p1','{session}-m1','{session}',0,0,'{{"type":"text","text":"question"}}');"#
    )
}

/// A place for a database in a home.
fn place(home: &Home) -> PathBuf {
    let folder = home.path().join(".local/share/opencode");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("opencode.db")
}

/// A database with one session that is saved, in WAL mode, held open.
fn live(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "wal")
        .unwrap();
    connection
        .pragma_update(None, "wal_autocheckpoint", 0)
        .unwrap();
    connection.execute_batch(TABLES).unwrap();
    connection.execute_batch(&rows("ses_1", 0)).unwrap();
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    connection.execute_batch(&rows("ses_2", 1)).unwrap();
    connection
}

/// The bytes of every file in a database's folder.
fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

fn provider(path: &Path) -> Arc<dyn SessionProvider> {
    provider_at("opencode", path)
}

fn ids(path: &Path) -> Vec<String> {
    let listing = provider(path).list_all().unwrap();
    assert!(listing.problems.is_empty(), "{:?}", listing.problems);
    listing
        .sessions
        .into_iter()
        .map(|session| session.id)
        .collect()
}

fn texts(session: &ProviderSession) -> Vec<&str> {
    let messages = session.messages.iter();
    messages.map(|message| message.content.as_str()).collect()
}

/// Reads everything, twice.
fn read_all(path: &Path, expected: &[&str]) {
    for _ in 0..2 {
        assert_eq!(ids(path), expected);
        assert_eq!(provider(path).list_projects().unwrap(), ["/w/shop"]);
        for id in expected {
            let session = provider(path).read_session(id).unwrap();
            assert_eq!(texts(&session), ["question", "answer"]);
        }
    }
}

#[test]
fn a_database_is_read_as_sessions() {
    let home = Home::new();
    let path = place(&home);
    drop(live(&path));
    assert_eq!(
        Places::under(home.path()).home("opencode"),
        Some(path.as_path())
    );
    let provider = provider(&path);
    let session = provider.read_session("ses_1").unwrap();
    let listing = provider.list_sessions("/w/shop").unwrap();
    assert_eq!(listing.sessions[1], session.summary);
    let summary = &session.summary;
    assert_eq!(summary.message_count, 2);
    assert_eq!(summary.summary.as_deref(), Some("Title of ses_1"));
    assert_eq!(summary.first_prompt.as_deref(), Some("question"));
    assert_eq!(
        summary.created_at.unwrap().timestamp_millis(),
        1_775_206_860_000
    );
    assert_eq!(
        summary.updated_at.unwrap().timestamp_millis(),
        1_775_206_865_000
    );
    assert_eq!(session.version.as_deref(), Some("1.14.46"));
    let answer = &session.messages[1];
    assert_eq!(
        (answer.id.as_str(), answer.role),
        ("ses_1-m2", Role::Assistant)
    );
    assert_eq!(answer.parent_id.as_deref(), Some("ses_1-m1"));
    assert_eq!(answer.blocks.len(), 3);
    assert_eq!(answer.usage.unwrap().cache_write_tokens, 2);
    assert!(
        answer
            .raw_json
            .starts_with(b"{\"info\":{\"role\":\"assistant\"")
    );
    let mut seen = 0;
    let scan = provider.scan_messages("ses_1", &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert!(scan.unwrap().stopped && seen == 1);
    for id in ["ses_3", "", "../ses_1", "' OR 1=1 --"] {
        let error = provider.read_session(id).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{id}");
    }
}

#[test]
fn rows_in_the_wal_of_a_live_program_are_seen_and_nothing_is_checkpointed() {
    let home = Home::new();
    let path = place(&home);
    let connection = live(&path);
    let before = files(&path);
    assert_eq!(before.len(), 3, "a database, its WAL and its index");
    read_all(&path, &["ses_2", "ses_1"]);
    let mut after = files(&path);
    // In one process all connections share one WAL index, and the other one may write to it.
    let shared = before["opencode.db-shm"].clone();
    after.insert("opencode.db-shm".to_owned(), shared);
    assert_eq!(after, before);
    connection.execute_batch(&rows("ses_3", 2)).unwrap();
    assert_eq!(ids(&path), ["ses_3", "ses_2", "ses_1"]);
}

/// The program of `a_program_in_another_process_notices_nothing`.
#[test]
#[ignore = "a helper of another test"]
fn writer() {
    let Some(path) = std::env::var_os("SCROLLBACK_TEST_DATABASE").map(PathBuf::from) else {
        return;
    };
    let connection = live(&path);
    let folder = path.parent().unwrap().parent().unwrap();
    std::fs::write(folder.join("ready"), "").unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !folder.join("stop").exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(connection);
}

#[test]
fn a_program_in_another_process_notices_nothing() {
    let home = Home::new();
    let path = place(&home);
    let folder = path.parent().unwrap().parent().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "opencode::writer"])
        .env("SCROLLBACK_TEST_DATABASE", &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !folder.join("ready").exists() {
        assert!(Instant::now() < end, "the writer does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
    let before = files(&path);
    read_all(&path, &["ses_2", "ses_1"]);
    assert!(files(&path) == before, "a file changed");
    std::fs::write(folder.join("stop"), "").unwrap();
    assert!(child.wait().unwrap().success());
    // The program has closed its database: there is no WAL any more, and none is made.
    let before = files(&path);
    assert_eq!(before.len(), 1);
    read_all(&path, &["ses_2", "ses_1"]);
    assert!(files(&path) == before, "a file changed");
}

#[test]
fn files_that_a_dead_program_left_are_read_as_they_lie() {
    let home = Home::new();
    let path = place(&home);
    let connection = live(&path);
    for with_index in [true, false] {
        let copy = Home::new();
        let copied = place(&copy);
        for (name, bytes) in files(&path) {
            if with_index || !name.ends_with("-shm") {
                std::fs::write(copied.with_file_name(name), bytes).unwrap();
            }
        }
        let before = files(&copied);
        read_all(&copied, &["ses_2", "ses_1"]);
        assert!(
            files(&copied) == before,
            "a file changed; index: {with_index}"
        );
    }
    drop(connection);
}

#[test]
fn a_database_without_a_wal_is_read_in_either_mode() {
    let home = Home::new();
    let path = place(&home);
    let connection = live(&path);
    connection
        .pragma_update(None, "journal_mode", "delete")
        .unwrap();
    drop(connection);
    let before = files(&path);
    assert_eq!(before.len(), 1);
    read_all(&path, &["ses_2", "ses_1"]);
    assert!(files(&path) == before, "a file changed");
}

#[test]
fn what_is_no_database_of_opencode_is_a_typed_error() {
    let home = Home::new();
    let path = place(&home);
    let mut cases: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"not a database".to_vec(),
        b"SQLite format 3\0".to_vec(),
        [b"SQLite format 3\0", &[0xff; 4096][..]].concat(),
    ];
    for tables in [
        "CREATE TABLE other (a)",
        "CREATE TABLE session (id TEXT)",
        "CREATE TABLE session (a); CREATE TABLE message (id, session_id, data); CREATE TABLE part (message_id, data)",
        "CREATE TABLE session (id); CREATE TABLE message (id, data); CREATE TABLE part (message_id, data)",
        "CREATE TABLE session (id); CREATE TABLE message (id, session_id, data); CREATE TABLE part (data)",
    ] {
        let made = home.path().join("made.db");
        Connection::open(&made)
            .unwrap()
            .execute_batch(tables)
            .unwrap();
        cases.push(std::fs::read(&made).unwrap());
        std::fs::remove_file(&made).unwrap();
    }
    for (at, bytes) in cases.iter().enumerate() {
        std::fs::write(&path, bytes).unwrap();
        let error = provider(&path).list_all().unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{at}: {error:?}");
        assert!(provider(&path).read_session("s").is_err(), "{at}");
        assert!(provider(&path).list_projects().is_err(), "{at}");
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(provider(&path).list_all().is_err());
}

#[test]
fn a_view_without_end_in_the_place_of_a_table_is_refused() {
    let home = Home::new();
    for table in ["session", "message", "part"] {
        let path = place(&home);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection.execute_batch(&rows("ses_1", 0)).unwrap();
        connection
            .execute_batch(&format!(
                "DROP TABLE {table};
                CREATE VIEW {table} AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r)
                SELECT 'id'||n AS id, 'ses_1' AS session_id, 'ses_1-m1' AS message_id, '{{}}' AS data,
                '/d' AS directory, n AS time_created FROM r;"
            ))
            .unwrap();
        drop(connection);
        let provider = provider(&path);
        for error in [
            provider.list_all().unwrap_err(),
            provider.list_projects().unwrap_err(),
            provider.read_session("ses_1").unwrap_err(),
        ] {
            let Error::Io { source, .. } = &error else {
                panic!("{error:?}");
            };
            let expected = format!("`{table}` is no table");
            assert!(source.to_string().contains(&expected), "{error:?}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn damaged_pages_are_errors_and_no_panic() {
    let home = Home::new();
    let path = place(&home);
    drop(live(&path));
    let good = std::fs::read(&path).unwrap();
    for at in (100..good.len()).step_by(97) {
        let mut bad = good.clone();
        for byte in &mut bad[at..(at + 24).min(good.len())] {
            *byte ^= 0x5a;
        }
        std::fs::write(&path, bad).unwrap();
        let provider = provider(&path);
        if let Ok(listing) = provider.list_all() {
            for session in listing.sessions {
                drop(provider.read_session(&session.id));
            }
        }
    }
}

#[test]
fn odd_values_cost_themselves_and_nothing_else() {
    let home = Home::new();
    let path = place(&home);
    let connection = Connection::open(&path).unwrap();
    let tables = TABLES
        .replace(" NOT NULL", "")
        .replace(" TEXT PRIMARY KEY", "");
    connection.execute_batch(&tables).unwrap();
    connection.execute_batch(&rows("ses_1", 0)).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO session (id) VALUES (NULL), (''), ('ses_bare'), (7);
            INSERT INTO session (id, directory) VALUES ('ses_1', '/again');
            INSERT INTO message VALUES (NULL,'ses_1',1,1,'{"role":"user"}');
            INSERT INTO message VALUES ('x1','ses_1',NULL,NULL,NULL);
            INSERT INTO message VALUES ('x2','ses_1','late',NULL,'not json');
            INSERT INTO message VALUES ('x3','ses_1',9e18,NULL,'[1]');
            INSERT INTO message VALUES ('x4','ses_1',1,1,CAST(x'7B22726F6C65223A2275736572FF227D' AS TEXT));
            INSERT INTO message VALUES ('x5','ses_1',1,1,zeroblob(135000000));
            INSERT INTO part VALUES ('big','ses_1-m2','ses_1',1,1,zeroblob(135000000));
            INSERT INTO part VALUES (NULL,'ses_1-m1',NULL,NULL,NULL,NULL);
            INSERT INTO part VALUES ('a','ses_1-m1','ses_1',1,1,'{"type":"text","text":5}');
            INSERT INTO part VALUES ('b','ses_1-m1','ses_1',1,1,x'00ff');
            INSERT INTO part VALUES ('c','nobody','ses_1',1,1,'{}');"#,
        )
        .unwrap();
    drop(connection);
    let provider = provider(&path);
    let listing = provider.list_all().unwrap();
    let problems: Vec<_> = listing
        .problems
        .iter()
        .map(|problem| problem.about.as_str())
        .collect();
    let file = path.display().to_string();
    assert_eq!(
        problems,
        [
            file.as_str(),
            "ses_1, message x5",
            "ses_1, message ses_1-m2, part big"
        ],
        "sessions without an id, and what is too large: {:?}",
        listing.problems
    );
    let mut ids: Vec<_> = listing
        .sessions
        .iter()
        .map(|session| session.id.as_str())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["7", "ses_1", "ses_bare"]);
    let session = provider.read_session("ses_1").unwrap();
    let said: Vec<_> = texts(&session)
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!(said, ["question", "answer"]);
    assert!(
        provider
            .read_session("ses_bare")
            .unwrap()
            .messages
            .is_empty()
    );
    assert!(provider.list_projects().unwrap().contains(&String::new()));
}
