//! A home of picoclaw on disk: what an import makes of it, and what an export gives back when it
//! was continued here.

use std::fs;
use std::sync::Arc;

use scrollback::picoclaw::{SessionStore, StoreSessions};
use scrollback::{Options, RedbStore, Store};

use super::{add, history, key, lines, texts};
use crate::harness::Home;

pub(super) const FOLDER: &str = "home/.picoclaw/workspace/sessions";

/// Lines of the user with these texts.
pub(super) fn said(texts: &[&str]) -> String {
    let lines = texts
        .iter()
        .map(|text| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n"));
    lines.collect::<Vec<_>>().concat()
}

pub(super) fn meta(key: &str, summary: &str, skip: u64, count: u64) -> String {
    format!(
        "{{\n  \"key\": \"{key}\",\n  \"summary\": \"{summary}\",\n  \"skip\": {skip},\n  \
         \"count\": {count},\n  \"created_at\": \"2026-04-03T11:20:00.918273645+02:00\",\n  \
         \"updated_at\": \"2026-04-03T11:29:00.564738291+02:00\"\n}}"
    )
}

fn legacy(key: &str, text: &str) -> String {
    format!(
        "{{\n  \"key\": \"{key}\",\n  \"messages\": [\n    {{\n      \"role\": \"user\",\n      \
         \"content\": \"{text}\"\n    }}\n  ],\n  \"summary\": \"Old.\",\n  \"created\": \
         \"2026-04-03T02:40:00Z\",\n  \"updated\": \"2026-04-03T04:20:00Z\"\n}}"
    )
}

pub(super) fn write(home: &Home, name: &str, content: &str) {
    home.write(&format!("{FOLDER}/{name}"), content);
}

/// Imports the home.
pub(super) fn imported(home: &Home) -> (StoreSessions, Arc<RedbStore>) {
    home.import("home");
    let store = Arc::new(RedbStore::open(home.store_path(), Options::default()).unwrap());
    (StoreSessions::new(store.clone()), store)
}

/// What an export writes of a file.
pub(super) fn exported(home: &Home, name: &str) -> String {
    let out = home.path().join("out");
    if out.exists() {
        fs::remove_dir_all(&out).unwrap();
    }
    home.export("out");
    let folder = out.join("picoclaw/.picoclaw/workspace/sessions");
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_home_comes_in_with_its_marks_and_summaries_and_goes_out_as_it_was() {
    let home = Home::new();
    write(&home, "slack_1.jsonl", &said(&["1", "2", "3"]));
    write(&home, "slack_1.meta.json", &meta("slack:1", "Two.", 2, 3));
    write(
        &home,
        "web_2.meta.json",
        &meta("web:2", "Before any.", 0, 0),
    );
    let (sessions, _) = imported(&home);
    assert_eq!(history(&sessions, "slack:1"), ["3"]);
    assert_eq!(sessions.get_summary("slack:1"), "Two.");
    assert_eq!(sessions.get_summary("web:2"), "Before any.");
    let full = sessions.full_history("slack:1").unwrap();
    assert_eq!(texts(&full), ["1", "2", "3"]);
    for name in ["slack_1.jsonl", "slack_1.meta.json", "web_2.meta.json"] {
        let there = fs::read_to_string(home.path().join(FOLDER).join(name)).unwrap();
        assert_eq!(exported(&home, name), there, "{name}");
    }
}

#[test]
fn a_session_goes_on_here_and_goes_back_as_the_go_program_reads_it() {
    let home = Home::new();
    write(&home, "slack_1.jsonl", &said(&["1", "2", "3"]));
    write(&home, "slack_1.meta.json", &meta("slack:1", "One.", 1, 3));
    let (sessions, _) = imported(&home);
    add(&sessions, "slack:1", &["4 < 5"]);
    sessions.truncate_history("slack:1", 2);
    sessions.set_summary("slack:1", "Two & more.");
    let written = exported(&home, "slack_1.jsonl");
    let (before, added) = written.split_at(said(&["1", "2", "3"]).len());
    assert_eq!(before, said(&["1", "2", "3"]));
    let start = r#"{"role":"user","content":"4 \u003c 5","created_at":""#;
    assert!(added.starts_with(start), "{added}");
    let meta = exported(&home, "slack_1.meta.json");
    let start = "{\n  \"key\": \"slack:1\",\n  \"summary\": \"Two \\u0026 more.\",\n  \"skip\": 2,\n  \
                 \"count\": 4,\n  \"created_at\": \"2026-04-03T11:20:00.918273645+02:00\",\n  \
                 \"updated_at\": \"20";
    assert!(
        meta.starts_with(start) && meta.ends_with("Z\"\n}"),
        "{meta}"
    );
}

#[test]
fn hazard_4_5_1_an_old_document_never_replaces_newer_lines() {
    let home = Home::new();
    write(&home, "telegram_1.json", &legacy("telegram:1", "old"));
    write(&home, "telegram_1.jsonl", &said(&["new 1", "new 2"]));
    write(
        &home,
        "telegram_1.meta.json",
        &meta("telegram:1", "New.", 0, 2),
    );
    let (sessions, _) = imported(&home);
    home.import("home");
    assert_eq!(history(&sessions, "telegram:1"), ["new 1", "new 2"]);
    assert_eq!(sessions.get_summary("telegram:1"), "New.");
    // It is put back from a backup, later.
    write(&home, "telegram_1.json", &legacy("telegram:1", "older"));
    home.import("home");
    assert_eq!(history(&sessions, "telegram:1"), ["new 1", "new 2"]);
    assert_eq!(sessions.get_summary("telegram:1"), "New.");
}

#[test]
fn import_of_own_legacy_json_makes_a_session_of_it() {
    let home = Home::new();
    write(&home, "telegram_7.json", &legacy("telegram:7", "once"));
    write(&home, "gone.json.migrated", &legacy("gone", "no"));
    let (sessions, store) = imported(&home);
    assert_eq!(history(&sessions, "telegram:7"), ["once"]);
    assert_eq!(sessions.get_summary("telegram:7"), "Old.");
    let summary = store.summary(&key("telegram:7")).unwrap();
    assert_eq!(summary.created_at.to_rfc3339(), "2026-04-03T02:40:00+00:00");
    assert!(store.summary(&key("gone")).is_err());
}

#[test]
fn hazard_4_5_2_a_meta_file_beside_an_old_document_is_no_session() {
    let home = Home::new();
    write(&home, "telegram_1.jsonl", &said(&["1", "2"]));
    write(&home, "telegram_1.meta.json", &meta("telegram:1", "", 0, 2));
    let (sessions, _) = imported(&home);
    assert_eq!(history(&sessions, "telegram:1"), ["1", "2"]);
    assert_eq!(sessions.list_sessions().unwrap().len(), 1);
}

#[test]
fn hazard_4_5_7_a_corrupt_meta_file_hides_nothing() {
    let home = Home::new();
    write(&home, "web_b.jsonl", &said(&["1", "2"]));
    write(&home, "web_b.meta.json", "{\"key\": \"web:b\", \"su");
    let (sessions, _) = imported(&home);
    add(&sessions, "web:b", &["3"]);
    assert_eq!(history(&sessions, "web:b"), ["1", "2", "3"]);
}

#[test]
fn hazard_4_5_8_sessions_of_one_file_name_are_exported_apart() {
    let home = Home::new();
    write(&home, "telegram_9.jsonl", &said(&["1"]));
    write(&home, "telegram_9.meta.json", &meta("telegram:9", "", 0, 1));
    let (sessions, _) = imported(&home);
    add(&sessions, "telegram/9", &["apart"]);
    assert_eq!(history(&sessions, "telegram:9"), ["1"]);
    assert_eq!(exported(&home, "telegram_9.jsonl"), said(&["1"]));
    assert!(exported(&home, "telegram_9~2.jsonl").contains("apart"));
    let meta = exported(&home, "telegram_9~2.meta.json");
    assert!(meta.starts_with("{\n  \"key\": \"telegram/9\""), "{meta}");
}

#[test]
fn hazard_4_5_9_a_skip_beyond_the_end_hides_no_new_message() {
    let home = Home::new();
    write(&home, "web_s.jsonl", &said(&["1", "2"]));
    write(&home, "web_s.meta.json", &meta("web:s", "", 900, 2));
    let (sessions, _) = imported(&home);
    assert_eq!(history(&sessions, "web:s"), [""; 0]);
    add(&sessions, "web:s", &["3"]);
    assert_eq!(history(&sessions, "web:s"), ["3"]);
}

#[test]
fn hazard_4_5_11_a_torn_tail_and_blank_lines_shift_nothing() {
    let home = Home::new();
    let torn = format!("{}{{\"role\":\"user\",\"content\":\"incomple", said(&["1"]));
    write(&home, "web_t.jsonl", &torn);
    write(&home, "web_t.meta.json", &meta("web:t", "", 0, 2));
    // An empty line does not count, one of spaces does.
    let blank = format!("\n{}   \n\n{}", said(&["1"]), said(&["2", "3"]));
    write(&home, "web_k.jsonl", &blank);
    write(&home, "web_k.meta.json", &meta("web:k", "", 3, 4));
    let (sessions, store) = imported(&home);
    let counted = store.summary(&key("web:k")).unwrap();
    assert_eq!((counted.message_count, counted.malformed_count), (3, 1));
    add(&sessions, "web:t", &["after"]);
    assert_eq!(history(&sessions, "web:t"), ["1", "after"]);
    assert_eq!(lines(&*store, "web:t").concat().matches('\n').count(), 3);
    assert_eq!(history(&sessions, "web:k"), ["3"]);
}

#[test]
fn hazard_4_5_7_a_damaged_meta_file_is_whole_again_when_its_session_goes_on() {
    let home = Home::new();
    for name in ["web_a", "web_b"] {
        write(&home, &format!("{name}.jsonl"), &said(&["1"]));
        let damaged = format!("{{\"key\": \"{}\", \"summ", name.replace('_', ":"));
        write(&home, &format!("{name}.meta.json"), &damaged);
    }
    let (sessions, store) = imported(&home);
    add(&sessions, "web:a", &["2"]);
    drop((sessions, store));
    let written = exported(&home, "web_a.meta.json");
    assert!(written.contains("\"key\": \"web:a\""), "{written}");
    assert!(written.contains("\"count\": 2"), "{written}");
    // Nothing was done to the other one.
    assert!(exported(&home, "web_b.meta.json").ends_with("\"summ"));
}

#[test]
fn a_meta_file_written_here_has_the_name_of_the_lines_that_it_is_about() {
    let home = Home::new();
    // The file's name is the start of the key.
    write(&home, "a.jsonl", &said(&["1"]));
    write(&home, "a.meta.json", &meta("a.b", "", 0, 1));
    let (sessions, store) = imported(&home);
    add(&sessions, "a.b", &["2"]);
    drop((sessions, store));
    let written = exported(&home, "a.meta.json");
    assert!(written.contains("\"count\": 2"), "{written}");
    let folder = home
        .path()
        .join("out/picoclaw/.picoclaw/workspace/sessions");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
}

#[test]
fn a_summary_given_to_a_session_in_the_old_form_reaches_its_export() {
    let home = Home::new();
    write(&home, "web_o.json", &legacy("web:o", "x"));
    write(&home, "web_p.json", &legacy("web:p", "y"));
    let (sessions, store) = imported(&home);
    sessions.set_summary("web:o", "New.");
    drop((sessions, store));
    assert!(exported(&home, "web_o.jsonl").contains("\"x\""));
    let written = exported(&home, "web_o.meta.json");
    assert!(written.contains("\"summary\": \"New.\""), "{written}");
    // picoclaw would read the old form again, over the new one.
    assert_eq!(exported(&home, "web_o.json.migrated"), legacy("web:o", "x"));
    assert_eq!(exported(&home, "web_p.json"), legacy("web:p", "y"));
    let folder = home
        .path()
        .join("out/picoclaw/.picoclaw/workspace/sessions");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 4);
}
