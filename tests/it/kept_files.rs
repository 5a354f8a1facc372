//! What is kept beside sessions: nothing that was not taken by name, one version of it, and no longer than
//! a session needs it.

use std::fs;
use std::path::Path;

use scrollback::report::ImportReport;
use scrollback::{RedbStore, Store as _};

use crate::harness::Home;
use crate::import::{open, run_in, says, sessions};

const CLAUDE: &str = "in/.claude/projects/-w";
const ID: &str = "0a1b2c3d-0000-4000-8000-000000000001";
const OTHER: &str = "0a1b2c3d-0000-4000-8000-000000000002";

/// How many files are kept, as the statistics, a verification and the list have it.
#[track_caller]
fn kept(store: &RedbStore) -> u64 {
    let told = store.stats().unwrap();
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{report:?}");
    let files = store.files().unwrap();
    assert_eq!(told.total().attachments, report.attachments);
    assert_eq!(files.len() as u64, report.attachments);
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    assert_eq!(told.attachment_bytes, bytes);
    report.attachments
}

#[test]
fn below_a_home_only_what_its_agent_knows_is_kept() {
    let home = Home::new();
    home.write(&format!("{CLAUDE}/{ID}.jsonl"), says("one"));
    home.write(&format!("{CLAUDE}/sessions-index.json"), "{}");
    home.write(&format!("{CLAUDE}/{ID}/tool-results/out.txt"), "put out");
    home.write("in/.claude/history.jsonl", "{\"display\":\"hi\"}\n");
    home.write("in/.codex/history.jsonl", "{\"text\":\"hi\"}\n");
    home.write("in/.kimi-code/session_index.jsonl", "{}\n");
    for junk in [
        "in/.claude/projects/combined.html",
        "in/.claude/projects/-w/cache.db",
        "in/.claude/plugins/data.jsonl",
        "in/.codex/sessions/notes.txt",
        "in/.codex/log/data.jsonl",
        "in/.gemini/tmp/app/cache.db",
        "in/.gemini/tmp/app/shell_history",
        "in/.jcode/sessions/notes.txt",
        "in/.ggcode/sessions/notes.txt",
        "in/.celeste/sessions/8f09a69e9fed88db/notes.txt",
        "in/.picoclaw/workspace/sessions/notes.txt",
        "in/.picoclaw/workspace/project/data.jsonl",
        "in/.local/share/opencode/snapshot/data.jsonl",
    ] {
        home.write(junk, "{\"role\":\"user\",\"content\":\"junk\"}\n");
    }
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.attachments), (1, 5), "{report:?}");
    assert_eq!(kept(&store), 5);
    // Elsewhere every file of lines is taken.
    home.write("in/data/data.jsonl", says("mine"));
    assert_eq!(run_in(&home, &store).sessions, 1);
}

#[test]
fn a_file_that_is_named_is_taken_wherever_it_lies() {
    let home = Home::new();
    let named = home.write("in/.claude/plugins/data.jsonl", says("mine"));
    let store = open(&home);
    assert_eq!(crate::import::run(&store, &[named]).sessions, 1);
}

#[test]
fn one_version_of_a_file_is_kept_and_it_goes_with_the_last_session() {
    let home = Home::new();
    let store = open(&home);
    for version in 0..4 {
        let text: String = (0..=version)
            .map(|number| says(&number.to_string()))
            .collect();
        home.write(&format!("{CLAUDE}/{ID}.jsonl"), text);
        home.write(
            &format!("{CLAUDE}/sessions-index.json"),
            format!("[{version}]"),
        );
        home.write(
            "in/.claude/history.jsonl",
            format!("{{\"display\":\"{version}\"}}\n"),
        );
        home.write(
            &format!("{CLAUDE}/{ID}/tool-results/out.txt"),
            format!("put out {version}"),
        );
        run_in(&home, &store);
        assert_eq!(kept(&store), 3);
    }
    let all = sessions(&store);
    assert_eq!(all.len(), 1);
    home.write(
        &format!("in/.claude/projects/-v/{OTHER}.jsonl"),
        says("other"),
    );
    run_in(&home, &store);
    // The index of the one folder goes with its session; the list of both stays for the other one.
    store.delete(&all[0].key).unwrap();
    let left = store.files().unwrap();
    assert_eq!(left.len(), 1);
    assert!(Path::new(&left[0].name).ends_with(".claude/history.jsonl"));
    assert_eq!(
        (left[0].agent.as_str(), &left[0].session),
        ("claude-code", &None)
    );
    assert_eq!(kept(&store), 1);
    store.delete(&sessions(&store)[0].key).unwrap();
    assert_eq!(kept(&store), 0);
    assert_eq!(store.verify(&mut scrollback::unwatched).unwrap().sources, 0);
}

#[test]
fn an_older_content_of_a_document_goes_when_the_newer_one_says_all_of_it() {
    let home = Home::new();
    let store = open(&home);
    let document = |messages: &[&str]| {
        let messages: Vec<String> = messages
            .iter()
            .enumerate()
            .map(|(number, text)| {
                format!(r#"{{"id":"m{number}","type":"user","timestamp":"2026-04-03T09:00:00Z","content":"{text}"}}"#)
            })
            .collect();
        let messages = messages.join(",");
        format!(
            r#"{{"sessionId":"s","projectHash":"ab","startTime":"2026-04-03T09:00:00Z","lastUpdated":"2026-04-03T09:00:00Z","messages":[{messages}]}}"#
        )
    };
    let path = "in/.gemini/tmp/ab/chats/session-1.json";
    let write = |content: String| -> ImportReport {
        home.write(path, content);
        run_in(&home, &store)
    };
    write(document(&["a"]));
    write(document(&["a", "b"]));
    assert_eq!(write(document(&["a", "b", "c"])).sessions_grown, 1);
    assert_eq!(kept(&store), 1);
    // One that cannot be read stays beside it, until one comes that says all of the older one.
    write("{\"sessionId\":\"s\",\"projectHash\":\"ab\",\"messages\":[{".to_owned());
    assert_eq!(kept(&store), 2);
    write(document(&["a", "b", "c", "d"]));
    assert_eq!(kept(&store), 1);
    let out = crate::homes::export(&home, &store);
    let files = crate::harness::files_below(&out);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(
        fs::read_to_string(&files[0]).unwrap(),
        document(&["a", "b", "c", "d"])
    );
}

#[test]
fn what_is_seen_and_not_read_is_told() {
    let home = Home::new();
    home.write("in/.local/share/zed/threads/threads.db", "x");
    for talk in 0..12 {
        let folder = "in/.config/Code/User/globalStorage/kiro.kiroagent/0a";
        home.write(&format!("{folder}/{talk}.chat"), "[]");
    }
    home.write("in/x/.gemini/antigravity/conversations/0a0b.pb", "x");
    let store = open(&home);
    let report = run_in(&home, &store);
    let told: Vec<String> = report.not_read.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "Kiro (12 conversations)",
            "Zed (1 database)",
            "Antigravity (1 conversation)"
        ]
    );
    assert!(report.not_read[2].path.ends_with("0a0b.pb"));
    assert_eq!((report.sessions_found, report.files), (0, 0), "{report:?}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["not_read"][0]["agent"], "Kiro");
    assert_eq!(json["not_read"][0]["what"], "conversation");
    assert_eq!(json["not_read"][0]["count"], 12);
    // Sessions that are unchanged are found all the same.
    home.write("in/a.jsonl", says("x"));
    run_in(&home, &store);
    assert_eq!(run_in(&home, &store).sessions_found, 1);
}
