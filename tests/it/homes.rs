//! Whole homes of agents: lines in `.json` files, and what the files beside sessions tell of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use scrollback::{
    Expect, ExportFormat, ImportOptions, ListQuery, NewRecord, RedbStore, SessionKey, Store,
    Summary, export_all, import,
};

use crate::harness::Home;
use crate::import::{content_of, open, run_in, sessions};
use crate::matrix::files_below;

/// Where Gemini CLI keeps a session in one document.
pub(crate) const CHAT: &str = "in/.gemini/tmp/ab12/chats/session-1.json";

/// Where picoclaw keeps sessions.
const PICOCLAW: &str = "in/.picoclaw/workspace/sessions";

/// Where ggcode keeps sessions.
const GGCODE: &str = "in/.ggcode/sessions";

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
        .map(|message| message.plain_text())
        .collect()
}

/// Exports everything to a folder.
pub(crate) fn export(home: &Home, store: &RedbStore) -> PathBuf {
    let out = home.path().join("out");
    export_all(store, None, ExportFormat::Jsonl, &out, &mut |_| {}).unwrap();
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

#[test]
fn a_dry_run_counts_documents_and_sidecars_the_same() {
    let home = Home::new();
    home.write(CHAT, chat(&["one", "two"], EARLY));
    home.write("in/.gemini/tmp/ab12/chats/session-2.json", "{");
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "A note.", 0),
    );
    home.write(&format!("{PICOCLAW}/web_2.json"), legacy("web:2", &["old"]));
    home.write(&format!("{PICOCLAW}/web_2.jsonl"), says(&["old", "new"]));
    home.write(&format!("{GGCODE}/index.json"), "[{");
    let options = ImportOptions {
        agent: None,
        dry_run: true,
    };
    let store = open(&home);
    let dry = import(&store, &[home.path().join("in")], &options, &mut |_| {}).unwrap();
    assert_eq!(sessions(&store).len(), 0);
    let real = run_in(&home, &store);
    assert_eq!(dry, real);
    assert_eq!(real.sessions, sessions(&store).len() as u64);
}

/// Lines of picoclaw.
fn says(texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n"))
        .collect()
}

/// A meta file of picoclaw.
fn meta(key: &str, summary: &str, skip: u64) -> String {
    meta_at(key, summary, skip, "2026-04-03T11:29:00.5+02:00")
}

fn meta_at(key: &str, summary: &str, skip: u64, updated: &str) -> String {
    format!(
        "{{\n  \"key\": \"{key}\",\n  \"summary\": \"{summary}\",\n  \"skip\": {skip},\n  \
         \"count\": 4,\n  \"created_at\": \"2026-04-03T11:20:00.9+02:00\",\n  \
         \"updated_at\": \"{updated}\"\n}}"
    )
}

/// An old session of picoclaw, in one document.
fn legacy(key: &str, texts: &[&str]) -> String {
    let messages = says(texts).trim_end().replace('\n', ",\n    ");
    format!(
        "{{\n  \"key\": \"{key}\",\n  \"messages\": [\n    {messages}\n  ],\n  \"summary\": \
         \"Legacy summary.\",\n  \"created\": \"2026-04-03T02:40:00+02:00\",\n  \
         \"updated\": \"2026-04-03T04:20:00+02:00\"\n}}"
    )
}

#[test]
fn hazard_4_5_1_an_old_document_never_replaces_newer_lines() {
    let home = Home::new();
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two", "three"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.meta.json"),
        meta("telegram:1", "", 0),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["an OLD one"]),
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.attachments),
        (1, 3, 2),
        "{report:?}"
    );
    let live = key("picoclaw", "telegram:1");
    assert_eq!(said(&store, &live), ["one", "two", "three"]);
    assert_eq!(store.properties(&live).unwrap().summary, "");
    assert_eq!(store.attachments(&live).unwrap().len(), 2);

    // It is put back, changed, and the session goes on.
    home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["even", "older"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two", "three", "four"]),
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.generations, report.messages),
        (0, 0, 1),
        "{report:?}"
    );
    assert_eq!(said(&store, &live), ["one", "two", "three", "four"]);
    assert_eq!(store.properties(&live).unwrap().summary, "");
    assert_all_come_back(&home, &store);
}

#[test]
fn hazard_4_5_1_lines_that_come_after_their_old_document_get_the_name() {
    let home = Home::new();
    let old = home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["one"]),
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (1, 1), "{report:?}");
    let live = key("picoclaw", "telegram:1");
    assert_eq!(said(&store, &live), ["one"]);
    assert_eq!(store.properties(&live).unwrap().summary, "Legacy summary.");
    let created = store.summary(&live).unwrap().created_at;
    assert_eq!(created.to_rfc3339(), "2026-04-03T00:40:00+00:00");

    // picoclaw's own migration.
    fs::rename(&old, old.with_extension("json.migrated")).unwrap();
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.meta.json"),
        meta("telegram:1", "New.", 0),
    );
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.generations), (1, 0), "{report:?}");
    assert_eq!(
        report.problems[0].reason,
        "goes before a document of the same session, which is `picoclaw:telegram:1~2` now"
    );
    assert_eq!(said(&store, &live), ["one", "two"]);
    assert_eq!(store.properties(&live).unwrap().summary, "New.");
    let before = key("picoclaw", "telegram:1~2");
    assert_eq!(said(&store, &before), ["one"]);
    assert_eq!(
        store.properties(&before).unwrap().summary,
        "Legacy summary."
    );
    assert_all_come_back(&home, &store);
    let report = run_in(&home, &store);
    assert_eq!((report.unchanged, report.files), (3, 3), "{report:?}");
}

#[test]
fn hazard_4_5_1_what_was_said_here_after_an_old_document_keeps_its_name() {
    let home = Home::new();
    home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["one"]),
    );
    let store = open(&home);
    run_in(&home, &store);
    let live = key("picoclaw", "telegram:1");
    let mine = NewRecord::line(says(&["mine"]));
    store.append(&live, Expect::Any, None, &[mine]).unwrap();
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.meta.json"),
        meta("telegram:1", "", 0),
    );
    run_in(&home, &store);
    assert_eq!(said(&store, &live), ["one", "mine"]);
    assert_eq!(
        said(&store, &key("picoclaw", "telegram:1~2")),
        ["one", "two"]
    );
}

#[test]
fn per_session_meta_file_hides_lines_and_gives_summary_and_key() {
    let home = Home::new();
    let lines = format!("{}\n   \n{}", says(&["one", "two"]), says(&["three"]));
    home.write(&format!("{PICOCLAW}/telegram_1_2.jsonl"), &lines);
    let file = format!("{PICOCLAW}/telegram_1_2.meta.json");
    home.write(&file, meta("telegram:1/2", "They met.", 2));
    let store = open(&home);
    run_in(&home, &store);
    let live = key("picoclaw", "telegram:1/2");
    assert_eq!(store.properties(&live).unwrap().summary, "They met.");
    let hidden = |store: &RedbStore| {
        let summary = store.summary(&live).unwrap();
        summary.message_count - summary.hidden_count
    };
    assert_eq!(hidden(&store), 1);
    let created = store.summary(&live).unwrap().created_at.timestamp_millis();
    assert_eq!(created, 1_775_208_000_900);

    // A mark that was moved here is not undone by an import of nothing new, ...
    store.truncate(&live, 3).unwrap();
    store.truncate(&live, 0).unwrap();
    run_in(&home, &store);
    assert_eq!(hidden(&store), 0);
    // ... nor by a file that says the same of it again.
    home.write(
        &file,
        meta_at("telegram:1/2", "They met.", 2, "2026-04-03T12:00:00+02:00"),
    );
    run_in(&home, &store);
    assert_eq!(hidden(&store), 0);
    home.write(&file, meta("telegram:1/2", "They met again.", 1));
    run_in(&home, &store);
    assert_eq!(hidden(&store), 2);
    assert_eq!(store.properties(&live).unwrap().summary, "They met again.");
}

#[test]
fn a_meta_file_without_lines_is_a_session_that_later_lines_go_to() {
    let home = Home::new();
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "Set before.", 0),
    );
    home.write(&format!("{PICOCLAW}/web_2.meta.json"), meta("web:2", "", 0));
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.attachments), (1, 2), "{report:?}");
    let live = key("picoclaw", "web:1");
    assert_eq!(store.properties(&live).unwrap().summary, "Set before.");
    assert_all_come_back(&home, &store);
    assert_eq!(run_in(&home, &store).unchanged, 2);

    home.write(&format!("{PICOCLAW}/web_1.jsonl"), says(&["one", "two"]));
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "Set before.", 1),
    );
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (0, 2), "{report:?}");
    assert_eq!(said(&store, &live).len(), 1);
    assert_eq!(store.properties(&live).unwrap().summary, "Set before.");
    assert_eq!(sessions(&store).len(), 1);
}

#[test]
fn hazard_4_5_7_a_corrupt_meta_file_is_kept_and_told_and_its_session_is_read() {
    let home = Home::new();
    home.write(&format!("{PICOCLAW}/web_1.jsonl"), says(&["one"]));
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        "{\"key\": \"web:1\", \"summ",
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.problems.len()),
        (1, 1, 1),
        "{report:?}"
    );
    assert_eq!(
        report.problems[0].reason,
        "is not JSON; kept whole, and nothing in it is used"
    );
    assert_all_come_back(&home, &store);

    // Once it can be read, the session is found under its key as well.
    let there = sessions(&store).remove(0).key;
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "Again.", 0),
    );
    run_in(&home, &store);
    assert_eq!(sessions(&store).len(), 1);
    assert_eq!(store.properties(&there).unwrap().summary, "Again.");
    if there != key("picoclaw", "web:1") {
        assert_eq!(
            store.by_alias(&key("picoclaw", "web:1")).unwrap(),
            Some(there)
        );
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

    // It comes back with its title, though the index has not changed and is not opened.
    store.delete(&summary.key).unwrap();
    assert_eq!(titles(&store), Vec::<String>::new());
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.unchanged), (1, 1), "{report:?}");
    assert_eq!(titles(&store), ["From the index"]);
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
    assert_eq!(titles(&store), ["One", "hi"]);
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
    // Other bytes behind the same size and time: only a reading would see them.
    set_mtime(&path, 1_700_000_000);
    run_in(&home, &store);
    home.write(
        &format!("{folder}/{LEADER}.json"),
        (start + user + user).replace('F', "f"),
    );
    set_mtime(&path, 1_700_000_000);
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
    home.write(&format!("{folder}/8f09a69e9fed88db/notes.txt"), "mine");
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
    let query = ListQuery {
        project: Some("8f09a69e9fed88db".to_owned()),
        ..ListQuery::default()
    };
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
    home.write(&format!("{folder}/stray-file"), "x");
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
