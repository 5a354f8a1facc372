//! The database of `OpenCode`: its sessions come into the store, and only what is new of them later.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use scrollback::report::ImportReport;
use scrollback::{RedbStore, Store};

use crate::deleted::again_in;
use crate::harness::Home;
use crate::homes::{key, said};
use crate::import::{open, run_in, sessions};

pub(crate) const TABLES: &str = "
    CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, slug TEXT NOT NULL,
        directory TEXT NOT NULL, title TEXT NOT NULL, version TEXT NOT NULL,
        time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL,
        time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL,
        time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);";

fn place(home: &Home) -> PathBuf {
    let folder = home.path().join("in/.local/share/opencode");
    fs::create_dir_all(&folder).unwrap();
    folder.join("opencode.db")
}

fn database(home: &Home) -> Connection {
    let database = Connection::open(place(home)).unwrap();
    database.execute_batch(TABLES).unwrap();
    database
}

fn add_session(database: &Connection, id: &str) {
    let sql = format!(
        "INSERT INTO session VALUES ('{id}','p1','slug','/w/shop','Title of {id}','1.14.46',
            1775206860000,1775206860000);"
    );
    database.execute_batch(&sql).unwrap();
}

fn add_message(database: &Connection, session: &str, number: i64, text: &str) {
    let at = 1_775_206_860_000 + number * 1000;
    let sql = format!(
        r#"INSERT INTO message VALUES ('{session}-m{number}','{session}',{at},{at},
            '{{"role":"user","time":{{"created":{at}}}}}');
        INSERT INTO part VALUES ('{session}-p{number}','{session}-m{number}','{session}',{at},{at},
            '{{"type":"text","text":"{text}"}}');
        UPDATE session SET time_updated = {at} WHERE id = '{session}';"#
    );
    database.execute_batch(&sql).unwrap();
}

fn run(home: &Home, store: &RedbStore) -> ImportReport {
    run_in(home, store)
}

#[test]
fn opencode_database_gives_its_sessions_and_is_not_kept() {
    let home = Home::new();
    let database = database(&home);
    for id in ["ses_1", "ses_2"] {
        add_session(&database, id);
        add_message(&database, id, 1, "one");
        add_message(&database, id, 2, "two");
    }
    drop(database);
    let before = fs::read(place(&home)).unwrap();
    let store = open(&home);
    let report = run(&home, &store);
    assert_eq!(
        (
            report.files,
            report.sessions,
            report.messages,
            report.attachments
        ),
        (1, 2, 4, 0),
        "{report:?}"
    );
    assert_eq!(report.problems, []);
    let first = key("opencode", "ses_1");
    assert_eq!(said(&store, &first), ["one", "two"]);
    let summary = store.summary(&first).unwrap();
    assert_eq!(summary.project.as_deref(), Some("/w/shop"));
    assert_eq!(summary.title, "Title of ses_1");
    assert_eq!(
        fs::read(place(&home)).unwrap(),
        before,
        "it is never written to"
    );
    let out = crate::homes::export(&home, &store);
    let mut names: Vec<String> = crate::harness::files_below(&out)
        .iter()
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["ses_1.jsonl", "ses_2.jsonl"]);
    let report = run(&home, &store);
    assert_eq!(
        (report.unchanged, report.files, report.records),
        (1, 1, 0),
        "{report:?}"
    );
}

#[test]
fn a_database_that_grew_adds_only_what_is_new() {
    let home = Home::new();
    let database = database(&home);
    for id in ["ses_1", "ses_2"] {
        add_session(&database, id);
        add_message(&database, id, 1, "one");
    }
    let store = open(&home);
    run(&home, &store);
    add_message(&database, "ses_1", 2, "two");
    add_session(&database, "ses_3");
    add_message(&database, "ses_3", 1, "three");
    let report = run(&home, &store);
    assert_eq!(
        (
            report.sessions,
            report.sessions_grown,
            report.messages,
            report.generations
        ),
        (1, 1, 2, 0),
        "{report:?}"
    );
    assert_eq!(said(&store, &key("opencode", "ses_1")), ["one", "two"]);
    assert_eq!(said(&store, &key("opencode", "ses_2")), ["one"]);
    assert_eq!(sessions(&store).len(), 3);
    // Nothing changes but the file itself.
    database.execute_batch("CREATE TABLE other (x)").unwrap();
    let report = run(&home, &store);
    assert_eq!(
        (report.records, report.sessions_grown, report.unchanged),
        (0, 0, 0),
        "{report:?}"
    );
    assert_eq!(run(&home, &store).unchanged, 1);
}

#[test]
fn what_lies_in_the_write_ahead_log_alone_is_found() {
    let home = Home::new();
    let database = database(&home);
    database.pragma_update(None, "journal_mode", "wal").unwrap();
    database
        .pragma_update(None, "wal_autocheckpoint", 0)
        .unwrap();
    add_session(&database, "ses_1");
    add_message(&database, "ses_1", 1, "one");
    let store = open(&home);
    let report = run(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.attachments),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(run(&home, &store).unchanged, 1);
    let file = fs::metadata(place(&home)).unwrap();
    add_message(&database, "ses_1", 2, "two");
    assert_eq!(fs::metadata(place(&home)).unwrap().len(), file.len());
    let report = run(&home, &store);
    assert_eq!(
        (report.sessions_grown, report.messages),
        (1, 1),
        "{report:?}"
    );
    assert_eq!(said(&store, &key("opencode", "ses_1")), ["one", "two"]);
}

#[test]
fn a_changed_message_of_a_database_makes_another_content_of_the_session() {
    let home = Home::new();
    let database = database(&home);
    add_session(&database, "ses_1");
    add_message(&database, "ses_1", 1, "one");
    add_message(&database, "ses_1", 2, "two");
    let store = open(&home);
    run(&home, &store);
    let edit = r#"UPDATE part SET data = '{"type":"text","text":"uno"}' WHERE id = 'ses_1-p1'"#;
    database.execute_batch(edit).unwrap();
    let report = run(&home, &store);
    assert_eq!((report.generations, report.sessions), (1, 0), "{report:?}");
    assert_eq!(said(&store, &key("opencode", "ses_1~1")), ["one", "two"]);
    assert_eq!(said(&store, &key("opencode", "ses_1")), ["uno", "two"]);
    assert_eq!(sessions(&store).len(), 1);
    add_message(&database, "ses_1", 3, "three");
    let report = run(&home, &store);
    assert_eq!(
        (report.generations, report.sessions_grown),
        (0, 1),
        "{report:?}"
    );
    let now = said(&store, &key("opencode", "ses_1"));
    assert_eq!(now, ["uno", "two", "three"]);
}

/// Writes the answer to message 1, as far as it has got.
fn answer(database: &Connection, session: &str, texts: &[&str]) {
    let at = 1_775_206_861_500_i64;
    let sql = format!(
        r#"INSERT OR REPLACE INTO message VALUES ('{session}-m1a','{session}',{at},{at},
            '{{"role":"assistant","time":{{"created":{at}}},"tokens":{{"input":{}}}}}');"#,
        texts.len()
    );
    database.execute_batch(&sql).unwrap();
    for (number, text) in texts.iter().enumerate() {
        let sql = format!(
            r#"INSERT OR REPLACE INTO part VALUES ('{session}-q{number}','{session}-m1a','{session}',
                {at},{at},'{{"type":"text","text":"{text}"}}');"#
        );
        database.execute_batch(&sql).unwrap();
    }
}

#[test]
fn an_answer_that_grows_in_a_live_database_stays_one_message() {
    let home = Home::new();
    let database = database(&home);
    database.pragma_update(None, "journal_mode", "wal").unwrap();
    for id in ["ses_1", "ses_2"] {
        add_session(&database, id);
        add_message(&database, id, 1, "why");
    }
    let store = open(&home);
    let first = key("opencode", "ses_1");
    for texts in [&[][..], &["be"], &["because"], &["because", "of it"]] {
        answer(&database, "ses_1", texts);
        // It also notes what the answer changed with the question.
        let note = format!(
            r#"UPDATE message SET data = '{{"role":"user","summary":{}}}' WHERE id = 'ses_1-m1'"#,
            texts.len()
        );
        database.execute_batch(&note).unwrap();
        let report = run(&home, &store);
        assert_eq!(report.generations, 0, "{report:?}");
        assert_eq!(report.messages, if texts.is_empty() { 3 } else { 0 });
        let again = run(&home, &store);
        assert_eq!((again.records, again.sessions_grown), (0, 0), "{again:?}");
    }
    assert_eq!(sessions(&store).len(), 2);
    let session = store.load(&first).unwrap();
    let blocks = session.messages.iter().flat_map(|message| &message.content);
    let texts: Vec<String> = blocks.map(|block| format!("{block:?}")).collect();
    let wanted = ["why", "because", "of it"].map(|text| format!("Text {{ text: {text:?} }}"));
    assert_eq!(texts, wanted);
    assert_eq!(store.summary(&first).unwrap().message_count, 2);

    // What was hidden here stays so, but what changes in it is shown.
    store.truncate(&first, 0).unwrap();
    add_message(&database, "ses_2", 2, "two");
    run(&home, &store);
    let summary = store.summary(&first).unwrap();
    assert_eq!((summary.message_count, summary.hidden_count), (2, 2));
    add_message(&database, "ses_1", 3, "and");
    assert_eq!(run(&home, &store).generations, 0);
    assert_eq!(said(&store, &first), ["and"]);
    let summary = store.summary(&first).unwrap();
    assert_eq!((summary.message_count, summary.hidden_count), (3, 2));
}

#[test]
fn a_session_of_a_database_that_was_deleted_here_comes_back_when_it_is_asked_for() {
    let home = Home::new();
    let database = database(&home);
    for id in ["ses_1", "ses_2"] {
        add_session(&database, id);
        add_message(&database, id, 1, "one");
    }
    drop(database);
    let store = open(&home);
    run(&home, &store);
    let gone = key("opencode", "ses_2");
    store.delete(&gone).unwrap();
    let report = run(&home, &store);
    assert_eq!((report.sessions, report.unchanged), (0, 1), "{report:?}");
    // Changed, it is read, and the session passed over.
    let changed = Connection::open(place(&home)).unwrap();
    add_message(&changed, "ses_1", 2, "two");
    drop(changed);
    let report = run(&home, &store);
    assert_eq!(
        (report.sessions, report.sessions_grown, report.deleted),
        (0, 1, 1)
    );
    assert_eq!(run(&home, &store).unchanged, 1);
    // A mark that is lifted is enough, though the file is as it was.
    store.forget_deleted(&gone).unwrap();
    assert_eq!(run(&home, &store).sessions, 1);
    store.delete(&gone).unwrap();
    let report = again_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.generations),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(said(&store, &key("opencode", "ses_2")), ["one"]);
}

#[test]
fn a_database_that_is_damaged_is_told_each_time_and_not_kept() {
    let home = Home::new();
    fs::write(place(&home), b"SQLite format 3\0 and nothing more").unwrap();
    home.write("in/opencode-notes.db", "no database at all");
    let store = open(&home);
    for _ in 0..2 {
        let report = run(&home, &store);
        assert_eq!(
            (
                report.files,
                report.sessions,
                report.attachments,
                report.skipped
            ),
            (1, 0, 0, 1),
            "{report:?}"
        );
        let reason = &report.problems[0].reason;
        assert!(
            reason.starts_with("its sessions cannot be read"),
            "{reason}"
        );
    }
    assert_eq!(store.files().unwrap(), []);
}

/// What must be nowhere.
const SECRET: &str = "INVENTED-SECRET-OF-A-TABLE";

#[test]
fn tables_of_secrets_are_in_no_store_and_no_export() {
    let home = Home::new();
    let database = database(&home);
    add_session(&database, "ses_1");
    add_message(&database, "ses_1", 1, "one");
    let secrets = format!("CREATE TABLE account (token); INSERT INTO account VALUES ('{SECRET}')");
    database.execute_batch(&secrets).unwrap();
    drop(database);
    let store = open(&home);
    assert_eq!(run(&home, &store).sessions, 1);
    assert_eq!(store.files().unwrap(), []);
    let out = crate::homes::export(&home, &store);
    for file in crate::harness::files_below(&out) {
        let bytes = fs::read(&file).unwrap();
        assert!(
            memchr::memmem::find(&bytes, SECRET.as_bytes()).is_none(),
            "{file:?}"
        );
    }
}

#[test]
fn sessions_of_a_database_that_cannot_be_read_are_told_each_time() {
    let home = Home::new();
    let database = database(&home);
    add_session(&database, "ses_1");
    add_message(&database, "ses_1", 1, "one");
    database
        .execute_batch("INSERT INTO session VALUES ('','p1','s','/w','t','v',1,1)")
        .unwrap();
    let store = open(&home);
    for sessions in [1, 0] {
        let report = run(&home, &store);
        assert_eq!(
            (report.sessions, report.skipped),
            (sessions, 1),
            "{report:?}"
        );
        assert_eq!(report.problems[0].reason, "1 sessions without an id");
    }
    database
        .execute_batch("DELETE FROM session WHERE id = ''")
        .unwrap();
    assert_eq!(run(&home, &store).skipped, 0);
    assert_eq!(run(&home, &store).unchanged, 1);
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_write_ahead_log_is_not_followed() {
    let home = Home::new();
    let database = database(&home);
    add_session(&database, "ses_1");
    add_message(&database, "ses_1", 1, "one");
    drop(database);
    let secret = home.write("elsewhere/secret", "a secret");
    let mut log = place(&home).into_os_string();
    log.push("-wal");
    std::os::unix::fs::symlink(secret, &log).unwrap();
    let store = open(&home);
    let report = run(&home, &store);
    assert_eq!(report.attachments, 0, "{report:?}");
    let out = crate::homes::export(&home, &store);
    let files = crate::harness::files_below(&out);
    assert!(
        !files
            .iter()
            .any(|file| fs::read(file).unwrap() == b"a secret")
    );
}

#[test]
fn what_is_left_out_of_a_session_is_told_with_its_part() {
    let home = Home::new();
    let database = database(&home);
    add_session(&database, "ses_1");
    add_message(&database, "ses_1", 1, "one");
    add_message(&database, "ses_1", 2, "two");
    database
        .execute_batch(
            "UPDATE part SET data = zeroblob(135000000) WHERE id = 'ses_1-p1';
            UPDATE part SET data = x'ff' WHERE id = 'ses_1-p2';
            INSERT INTO session VALUES ('','p1','s','/w','t','v',1,1);",
        )
        .unwrap();
    drop(database);
    let store = open(&home);
    let report = run(&home, &store);
    let reasons: Vec<_> = report
        .problems
        .iter()
        .map(|problem| problem.reason.as_str())
        .collect();
    assert_eq!(
        reasons[..3],
        [
            "session `ses_1`: message `ses_1-m1`, part `ses_1-p1`: has 135000000 bytes, the limit \
             is 134217728; it is left out",
            "session `ses_1`: message `ses_1-m2`, part `ses_1-p2`: has bytes that are not UTF-8; \
             they are replaced",
            "1 sessions without an id",
        ]
    );
    assert_eq!(report.sessions, 1);
}

#[test]
fn a_view_without_end_is_a_problem() {
    let home = Home::new();
    let database = database(&home);
    database
        .execute_batch(
            "DROP TABLE session;
            CREATE VIEW session AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r)
            SELECT 'id'||n AS id, '/d' AS directory FROM r;",
        )
        .unwrap();
    drop(database);
    let store = open(&home);
    let report = run(&home, &store);
    assert_eq!((report.sessions, report.skipped), (0, 1), "{report:?}");
    assert_eq!(report.problems.len(), 1, "{report:?}");
    let reason = &report.problems[0].reason;
    assert!(reason.ends_with("`session` is no table"), "{reason}");
}
