//! Whole homes of agents: lines in `.json` files, and what the files beside sessions tell of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use scrollback::{ListQuery, RedbStore, SessionKey, Store, Summary};

use crate::deleted::again_in;
use crate::harness::{Home, export_as_lines, files_below};
use crate::import::{content_of, open, run_in, sessions};

/// Where Gemini CLI keeps a session in one document.
pub(crate) const CHAT: &str = "in/.gemini/tmp/ab12/chats/session-1.json";

/// Where ggcode keeps sessions.
pub(crate) const GGCODE: &str = "in/.ggcode/sessions";

/// What agents' own writers wrote: `tests/make`.
pub(crate) const MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/agents");

/// A document of Gemini CLI with these messages of the user.
pub(crate) fn chat(texts: &[&str], updated: &str) -> String {
    let messages: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| {
            format!(
                "{{\"id\":\"m{number}\",\"timestamp\":\"2026-04-03T10:0{number}:00.000Z\",\
                 \"type\":\"user\",\"content\":\"{text}\"}}"
            )
        })
        .collect();
    format!(
        "{{\n  \"sessionId\": \"g-1\",\n  \"projectHash\": \"ab12\",\n  \"startTime\": \
         \"2026-04-03T10:00:00.000Z\",\n  \"lastUpdated\": \"{updated}\",\n  \"messages\": [{}]\n}}",
        messages.join(",\n")
    )
}

/// A time.
pub(crate) const EARLY: &str = "2026-04-03T11:00:00.000Z";
/// A later time.
pub(crate) const LATE: &str = "2026-04-03T12:00:00.000Z";

/// The name of a session.
pub(crate) fn key(agent: &str, id: &str) -> SessionKey {
    SessionKey::new(agent, id).unwrap()
}

/// Sets the time of a file's last change.
pub(crate) fn set_mtime(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// The texts of a session's messages.
pub(crate) fn said(store: &RedbStore, key: &SessionKey) -> Vec<String> {
    let session = store.load(key).unwrap();
    session
        .messages
        .iter()
        .map(scrollback::Message::plain_text)
        .collect()
}

/// Exports everything to a folder.
pub(crate) fn export(home: &Home, store: &RedbStore) -> PathBuf {
    let out = home.path().join("out");
    export_as_lines(store, &out);
    out
}

/// Every file of `in` is among the files of an export, byte for byte.
pub(crate) fn assert_all_come_back(home: &Home, store: &RedbStore) {
    let out = export(home, store);
    let exported: Vec<Vec<u8>> = files_below(&out)
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    for path in files_below(&home.path().join("in")) {
        let content = fs::read(&path).unwrap();
        assert!(exported.contains(&content), "{} is missing", path.display());
    }
}

/// A session of ggcode, and a row of its index.
fn ggcode(id: &str, title: &str) -> (String, String) {
    let time = "2026-04-03T11:45:00+02:00";
    let lines = format!(
        "{{\"type\":\"meta\",\"session_id\":\"{id}\",\"title\":\"New session\",\"created_at\":\
         \"{time}\",\"updated_at\":\"{time}\"}}\n{{\"type\":\"message\",\"session_id\":\"{id}\",\
         \"created_at\":\"0001-01-01T00:00:00Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\
         \"message\":{{\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":\"hi\"}}]}}}}\n"
    );
    let row = format!(
        "{{\"id\":\"{id}\",\"title\":\"{title}\",\"created_at\":\"{time}\",\
         \"updated_at\":\"2026-05-01T00:00:00Z\",\"msg_count\":1}}"
    );
    (lines, row)
}

fn titles(store: &RedbStore) -> Vec<String> {
    sessions(store)
        .into_iter()
        .map(|summary| summary.title)
        .collect()
}

#[test]
fn hazard_3_5_4_title_and_time_that_only_the_index_has_are_taken() {
    let home = Home::new();
    let (lines, row) = ggcode("20260403-094500-4ef5ec8110305427", "From the index");
    let (_, ghost) = ggcode("20260403-094500-0000000000000000", "Ghost");
    let (_, again) = ggcode("20260403-094500-4ef5ec8110305427", "A second row");
    home.write(
        &format!("{GGCODE}/20260403-094500-4ef5ec8110305427.jsonl"),
        lines,
    );
    home.write(
        &format!("{GGCODE}/index.json"),
        format!("[{ghost},{row},{again}]"),
    );
    let store = open(&home);
    run_in(&home, &store);
    let summary = sessions(&store).remove(0);
    assert_eq!(summary.title, "From the index");
    assert_eq!(summary.updated_at.to_rfc3339(), "2026-05-01T00:00:00+00:00");
    assert_eq!(sessions(&store).len(), 1, "a stale row makes no session");
    assert_all_come_back(&home, &store);

    // The index went with its last session; asked for again, both come back.
    store.delete(&summary.key).unwrap();
    assert_eq!(titles(&store), Vec::<String>::new());
    let report = again_in(&home, &store);
    assert_eq!((report.sessions, report.unchanged), (1, 0), "{report:?}");
    assert_eq!(titles(&store), ["From the index"]);
    // While there is another session, the index stays, and is not opened again.
    let (other, _) = ggcode("20260403-094500-4ef5ec8110305428", "Other");
    home.write(
        &format!("{GGCODE}/20260403-094500-4ef5ec8110305428.jsonl"),
        other,
    );
    run_in(&home, &store);
    store.delete(&summary.key).unwrap();
    let report = again_in(&home, &store);
    assert_eq!((report.sessions, report.unchanged), (1, 2), "{report:?}");
    assert_eq!(titles(&store), ["hi", "From the index"]);
}

#[test]
fn an_index_tells_only_of_sessions_in_its_own_folder() {
    let home = Home::new();
    let id = "20260403-094500-4ef5ec8110305427";
    let (lines, row) = ggcode(id, "One");
    let (_, other) = ggcode(id, "Two");
    home.write(&format!("in/a/.ggcode/sessions/{id}.jsonl"), &lines);
    home.write("in/a/.ggcode/sessions/index.json", format!("[{row}]"));
    home.write(&format!("in/b/.ggcode/sessions/{id}.jsonl"), &lines);
    home.write("in/c/.ggcode/sessions/index.json", format!("[{other}]"));
    let store = open(&home);
    run_in(&home, &store);
    // The same session lies in both; the index of a folder without it says nothing.
    assert_eq!(titles(&store), ["One"]);
}

#[test]
fn hazard_3_5_1_a_corrupt_index_is_kept_and_told_and_hides_nothing() {
    let home = Home::new();
    let id = "20260403-094500-4ef5ec8110305427";
    home.write(&format!("{GGCODE}/{id}.jsonl"), ggcode(id, "").0);
    home.write(&format!("{GGCODE}/index.json"), "[{\"id\":\"a\"}]{\"id\"");
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.attachments, report.problems.len()),
        (1, 1, 1),
        "{report:?}"
    );
    assert!(report.problems[0].path.ends_with("index.json"));
    assert_all_come_back(&home, &store);
}

const LEADER: &str = "7f9c1d2e-0000-4000-8000-000000000001";

#[test]
fn a_json_file_of_lines_is_read_as_lines_even_an_empty_one() {
    let home = Home::new();
    let start = format!(
        "{{\"type\":\"session_start\",\"uuid\":\"{LEADER}\",\"project\":\"/w/shop\",\"provider\":\
         \"p\",\"model\":\"m\",\"timestamp\":\"2026-04-03T11:15:00+02:00\"}}\n"
    );
    let user =
        "{\"type\":\"user\",\"content\":\"Fix it\",\"timestamp\":\"2026-04-03T11:15:04+02:00\"}\n";
    let folder = "in/.jcode/sessions";
    let path = home.write(&format!("{folder}/{LEADER}.json"), start.clone() + user);
    let empty = LEADER.replace('1', "2");
    home.write(&format!("{folder}/{empty}.json"), "");
    home.write(&format!("{folder}/session.json"), "{\"sessions\": {}}");
    home.write(&format!("{folder}/session.json.tmp"), "{");
    home.write(&format!("{folder}/projects.json"), "{}");
    home.write(
        &format!("{folder}/overflow/{LEADER}/call_7.txt"),
        "all of it",
    );
    home.write(
        &format!("{folder}/{LEADER}/subagents/agent-bob.jsonl"),
        user,
    );
    home.write("in/elsewhere/package.json", "{\"type\":\"user\"}");
    set_mtime(&path, 1_700_000_000);
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.files, report.sessions, report.messages),
        (7, 3, 2),
        "{report:?}"
    );
    assert_eq!(report.problems, []);
    let leader = key("jcode", LEADER);
    assert_eq!(
        content_of(&store, &leader),
        (start.clone() + user).as_bytes()
    );
    assert!(store.summary(&key("jcode", &empty)).is_ok());
    assert!(
        store
            .summary(&key("jcode", &format!("{LEADER}/bob")))
            .is_ok()
    );
    fs::remove_dir_all(home.path().join("in/elsewhere")).unwrap();
    assert_all_come_back(&home, &store);

    home.write(
        &format!("{folder}/{LEADER}.json"),
        start.clone() + user + user,
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions_grown, report.records, report.unchanged),
        (1, 1, 6),
        "{report:?}"
    );
    // Other bytes behind the same size and time: on Unix the time of any change tells.
    set_mtime(&path, 1_700_000_000);
    run_in(&home, &store);
    home.write(
        &format!("{folder}/{LEADER}.json"),
        (start + user + user).replace('F', "f"),
    );
    set_mtime(&path, 1_700_000_000);
    let unchanged = if cfg!(unix) { 6 } else { 7 };
    assert_eq!(run_in(&home, &store).unchanged, unchanged);
    assert_eq!(run_in(&home, &store).unchanged, 7);
}

#[test]
fn project_scope_by_hash_of_git_root_comes_from_the_folder() {
    let home = Home::new();
    let line =
        "{\"type\":\"user\",\"content\":\"hi\",\"timestamp\":\"2026-04-03T11:30:00+02:00\"}\n";
    let folder = "in/.celeste/sessions";
    home.write(
        &format!("{folder}/8f09a69e9fed88db/1775208600123456790.jsonl"),
        line,
    );
    home.write(
        &format!("{folder}/8f09a69e9fed88db/1775208600123456791.jsonl"),
        "",
    );
    home.write(&format!("{folder}/torn.json"), "{");
    home.write(
        &format!("{folder}/17.json"),
        "{\"id\":\"17\",\"name\":\"Old\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
    );
    home.write(&format!("{folder}/8f09a69e9fed88db/.env"), "secret");
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.attachments),
        (3, 2, 2),
        "{report:?}"
    );
    let query = ListQuery::default().with_project("8f09a69e9fed88db");
    let of_project: Vec<Summary> = store.list(&query).unwrap().sessions;
    assert_eq!(of_project.len(), 2);
    assert_eq!(said(&store, &key("celeste", "17")), ["x"]);
    fs::remove_file(home.path().join(format!("{folder}/8f09a69e9fed88db/.env"))).unwrap();
    assert_all_come_back(&home, &store);
}

#[test]
fn a_file_beside_the_projects_of_claude_code_comes_back_and_an_output_is_no_session() {
    let home = Home::new();
    let id = "0a1b2c3d-0000-4000-8000-000000000001";
    let folder = "in/.claude/projects";
    home.write(&format!("{folder}/-w/sessions-index.json"), "{}");
    home.write(
        &format!("{folder}/-w/{id}.jsonl"),
        crate::import::says("one"),
    );
    // What a tool has put out looks like a session of another agent.
    home.write(
        &format!("{folder}/-w/{id}/tool-results/chat.json"),
        chat(&["no"], EARLY),
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.attachments), (1, 2), "{report:?}");
    assert_all_come_back(&home, &store);
}

#[test]
fn a_stale_index_of_claude_code_is_no_better_than_a_summary_in_the_lines() {
    let home = Home::new();
    let id = "0a1b2c3d-0000-4000-8000-000000000001";
    let other = "0a1b2c3d-0000-4000-8000-000000000002";
    let folder = "in/.claude/projects/-w";
    let titled = r#"{"type":"ai-title","aiTitle":"Now","sessionId":"x"}"#;
    let said = crate::import::says("one");
    home.write(&format!("{folder}/{id}.jsonl"), format!("{said}{titled}\n"));
    home.write(&format!("{folder}/{other}.jsonl"), &said);
    let row =
        |id: &str| format!(r#"{{"sessionId":"{id}","summary":"Before","firstPrompt":"one"}}"#);
    let index = format!(r#"{{"version":1,"entries":[{},{}]}}"#, row(id), row(other));
    home.write(&format!("{folder}/sessions-index.json"), index);
    let store = open(&home);
    run_in(&home, &store);
    let title = |id: &str| store.summary(&key("claude-code", id)).unwrap().title;
    assert_eq!(
        (title(id), title(other)),
        ("Now".to_owned(), "Before".to_owned())
    );
}
