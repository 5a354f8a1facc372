//! A database as the lines that an import stores.

use std::path::PathBuf;

use rusqlite::Connection;

use super::*;
use crate::agents::database::each_session;
use crate::agents::dialect::Dialect as _;
use crate::agents::home::no_session;
use crate::model::error::Error;

fn read_bounded(
    path: &Path,
    bounds: Bounds,
    visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<Vec<String>> {
    each_session(&mut Opened::bounded(path, bounds)?, visit)
}

fn read_database(
    path: &Path,
    visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<Vec<String>> {
    read_bounded(path, BOUNDS, visit)
}

fn database(folder: &Path) -> PathBuf {
    let path = folder.join("opencode.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            r#"CREATE TABLE session (id TEXT, project_id TEXT, slug TEXT, directory TEXT, parent_id TEXT, title TEXT, version TEXT, permission TEXT, time_created INTEGER, time_updated INTEGER);
            CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT);
            CREATE TABLE part (id TEXT, message_id TEXT, session_id TEXT, data TEXT);
            INSERT INTO session VALUES ('ses_2','p','two','/w',NULL,'Two','1.4.3',NULL,1776104409999,1776104556405);
            INSERT INTO session VALUES ('ses_1','p','one','/w','ses_0','One','1.4.3','[{"a": 1}]',1776104409588,1776104556405);
            INSERT INTO message VALUES ('msg_1','ses_1',1776104409600,'{"role":"user","cost":0.010,"time":{"created":1776104409600}}');
            INSERT INTO part VALUES ('prt_2','msg_1','ses_1','{"type":"text","text":"b"}');
            INSERT INTO part VALUES ('prt_1','msg_1','ses_1','{"type":"text","text":"a"}');"#,
        )
        .unwrap();
    path
}

#[test]
fn a_database_and_an_export_of_it_give_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path());
    let mut sessions = Vec::new();
    read_database(&path, &mut |session| {
        sessions.push(session);
        Ok(())
    })
    .unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(
        (sessions[0].id.as_str(), sessions[1].id.as_str()),
        ("ses_1", "ses_2")
    );
    assert_eq!(sessions[0].project.as_deref(), Some("/w"));
    let export = r#"{
      "info": {"id": "ses_1", "slug": "one", "projectID": "p", "directory": "/w", "parentID": "ses_0", "title": "One", "version": "1.4.3", "time": {"created": 1776104409588, "updated": 1776104556405}},
      "messages": [{
        "info": {"role": "user", "cost": 0.010, "time": {"created": 1776104409600}, "id": "msg_1", "sessionID": "ses_1"},
        "parts": [
          {"type": "text", "text": "a", "id": "prt_1", "sessionID": "ses_1", "messageID": "msg_1"},
          {"type": "text", "text": "b", "id": "prt_2", "sessionID": "ses_1", "messageID": "msg_1"}]
      }]
    }"#;
    let exported = OpenCode.document_lines(export.as_bytes()).unwrap();
    assert_eq!(sessions[0].document.lines, exported.lines);
    let trailer = String::from_utf8(sessions[0].document.trailer.clone().unwrap()).unwrap();
    assert!(trailer.contains(r#""permission":[{"a":1}]"#), "{trailer}");
}

#[test]
fn the_error_of_a_visit_ends_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path());
    let mut visits = 0;
    let read = read_database(&path, &mut |session| {
        visits += 1;
        Err(no_session("opencode", &session.id))
    });
    assert!(matches!(read, Err(Error::NotFound { .. })));
    assert_eq!(visits, 1);
}

#[test]
fn what_changes_under_a_read_without_locks_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path());
    let writer = Connection::open(&path).unwrap();
    writer.pragma_update(None, "journal_mode", "wal").unwrap();
    drop(writer);
    let mut opened = File::open(&path).unwrap();
    let mut writer = None;
    let mut counts = Vec::new();
    let count: i64 = opened
        .read(|connection| {
            let count =
                connection.query_row("SELECT count(*) FROM session", [], |row| row.get(0))?;
            counts.push(count);
            if writer.is_none() {
                let connection = Connection::open(&path)?;
                connection.execute("INSERT INTO session (id) VALUES ('ses_3')", [])?;
                writer = Some(connection);
            }
            Ok(count)
        })
        .unwrap();
    assert_eq!((count, counts), (3, vec![2, 3]));
}

#[test]
fn what_is_beyond_the_bounds_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path());
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO message VALUES ('msg_2','ses_1',1776104409700,'{"role":"user"}');
            INSERT INTO message VALUES ('msg_3','ses_1',1776104409800,'{"role":"user"}');
            INSERT INTO part VALUES ('prt_3','msg_1','ses_1','{"type":"text","text":"c"}');"#,
        )
        .unwrap();
    drop(connection);
    let read = |rows, bytes| {
        let mut sessions = Vec::new();
        let left_out = read_bounded(&path, Bounds { rows, bytes }, &mut |session| {
            sessions.push(session);
            Ok(())
        });
        (sessions, left_out.unwrap())
    };
    let (sessions, left_out) = read(2, 1 << 20);
    assert_eq!(left_out, [""; 0]);
    assert_eq!(
        sessions[0].problems,
        [
            "has more than 2 messages; the others are left out",
            "message `msg_1`: parts are left out after 2"
        ]
    );
    assert_eq!(sessions[0].document.lines.len(), 3);
    let (sessions, left_out) = read(1, 1 << 20);
    assert_eq!(sessions.len(), 1);
    assert_eq!(
        left_out,
        ["has more than 1 sessions; the others are left out"]
    );
    // The header has some 150 bytes.
    let (sessions, _) = read(100, 200);
    let problems = &sessions[sessions.len() - 1].problems;
    assert_eq!(problems, &[""; 0], "ses_2 has no messages");
    let problems = sessions[0].problems.join("\n");
    assert!(
        problems.contains("message `msg_1`: parts are left out after")
            && problems.contains("is larger than 200 bytes; its messages after the first 1"),
        "{problems}"
    );
    let (sessions, left_out) = read(100, 1 << 20);
    assert_eq!((sessions.len(), left_out.len()), (2, 0));
    assert_eq!(sessions[0].problems, [""; 0]);
}
