//! No name leads out of the folder of an export, whatever way it came in.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use scrollback::{
    Error, Expect, ExportFormat, ListQuery, Message, NewRecord, PropertiesChange, RedbStore, Role,
    SessionKey, Store, Summary, compact_archived, export_all, export_session,
};
use serde_json::json;

use super::tree;
use crate::harness::{Home, export_as_lines, files_below};
use crate::import::{open, run_in};

/// Ids and names that would lead elsewhere, or that file systems take for something else.
pub(crate) const NAMES: [&str; 34] = [
    "../../x",
    "/etc/x",
    "..",
    ".",
    "a/../../b",
    "a\0b",
    "a\nb",
    "C:\\x",
    "\\\\?\\C:\\x",
    "..\\..\\x",
    "CON",
    "nul.jsonl",
    "-rf",
    "trailing.",
    "trailing ",
    " leading",
    "A",
    "a",
    "\u{e9}",
    "e\u{301}",
    "~/x",
    "~",
    "%2e%2e%2f",
    "$(touch x)",
    ".ssh/authorized_keys",
    "a/b",
    "//",
    "\u{2026}",
    "..%2f",
    "a:b",
    "*",
    "\u{202e}x",
    "\x1b]0;x\x07",
    "x.meta.json",
];

/// Agents of which sessions are made through the API.
const AGENTS: [&str; 7] = [
    "native",
    "ggcode",
    "picoclaw",
    "jcode",
    "celeste",
    "opencode",
    "somebody-else",
];

fn long() -> String {
    "../".repeat(300)
}

fn every_name() -> impl Iterator<Item = String> {
    NAMES.iter().map(ToString::to_string).chain([long()])
}

/// Every session of a store.
fn sessions(store: &RedbStore) -> Vec<Summary> {
    let query = ListQuery::default().with_limit(100_000);
    store.list(&query).unwrap().sessions
}

/// Exports in every way, and checks that the tree around is as it was, and that each session has
/// a file of its own. Returns files looked at.
fn assert_contained(home: &Home, store: &RedbStore) -> usize {
    let except = ["out", "store"];
    home.write("keep.txt", "keep");
    fs::create_dir_all(home.path().join("out")).unwrap();
    let before = tree::of(home.path(), &except);
    let keys: Vec<SessionKey> = sessions(store).into_iter().map(|s| s.key).collect();
    let mut looked_at = 0;
    for format in [ExportFormat::Jsonl, ExportFormat::Markdown] {
        for wanted in [None, Some(keys.as_slice())] {
            let out = home.path().join("out/here");
            let report =
                export_all(store, wanted, format, &out, &mut scrollback::unwatched).unwrap();
            assert_eq!(report.problems, []);
            let files = files_below(&out);
            assert_eq!(files.len() as u64, report.files);
            assert!(files.len() >= keys.len().min(1));
            let mut seen = HashSet::new();
            for file in &files {
                assert!(fs::symlink_metadata(file).unwrap().is_file());
                let below = file.strip_prefix(&out).unwrap();
                // Where case does not count, as on macOS and Windows, none replaces another.
                let folded = below.to_string_lossy().to_lowercase();
                assert!(seen.insert(folded), "{} is there twice", below.display());
            }
            looked_at += files.len();
            assert!(files_below(&home.path().join("out")).len() == files.len());
            fs::remove_dir_all(&out).unwrap();
            assert_eq!(tree::of(home.path(), &except), before);
        }
        for key in &keys {
            export_session(store, key, format, &mut std::io::sink()).unwrap();
        }
    }
    assert_eq!(tree::of(home.path(), &except), before);
    looked_at
}

#[test]
fn ids_given_through_the_api_stay_in_the_folder() {
    let home = Home::new();
    let store = open(&home);
    let mut made = 0;
    for agent in AGENTS {
        for id in every_name() {
            let key = SessionKey::new(agent, &id).unwrap();
            let message = NewRecord::message(Message::text(Role::User, &id));
            if store.append(&key, Expect::Any, None, &[message]).is_err() {
                // An agent whose format is only read.
                let line = format!("{}\n", json!({ "sessionId": id, "id": id, "cwd": id }));
                let line = NewRecord::line(line);
                store.append(&key, Expect::Any, None, &[line]).unwrap();
            }
            let change = PropertiesChange::default()
                .with_title(id.clone())
                .with_project(id.clone())
                .with_summary(id.clone());
            store.update_properties(&key, &change).unwrap();
            made += 1;
        }
        assert!(matches!(
            SessionKey::new(agent, ""),
            Err(Error::InvalidKey { .. })
        ));
    }
    for agent in ["..", "/etc", "a/b", ".", "", "A", "a b", "a\0"] {
        let refused = SessionKey::new(agent, "x");
        assert!(matches!(refused, Err(Error::InvalidKey { .. })), "{agent}");
    }
    assert!(made == 7 * (NAMES.len() + 1), "{made}");
    let files = assert_contained(&home, &store);
    assert!(files >= 4 * made, "{files}");
}

/// Writes files of several agents whose contents state a hostile id and paths.
fn stating(home: &Home, number: usize, id: &str) {
    let line = |value: serde_json::Value| format!("{value}\n");
    let lines = |path: &str, lines: &[serde_json::Value]| {
        let text: String = lines.iter().map(|value| line(value.clone())).collect();
        home.write(&path.replace('N', &number.to_string()), text);
    };
    let message = json!({"role": "user", "content": id});
    lines(
        "in/.claude/projects/-w/sN.jsonl",
        &[
            json!({"type": "user", "uuid": "u", "sessionId": id, "cwd": id, "gitBranch": id,
            "message": message}),
        ],
    );
    lines(
        "in/.codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-N.jsonl",
        &[
            json!({"timestamp": "2026-01-01T00:00:00Z", "type": "session_meta",
            "payload": {"id": id, "cwd": id, "originator": id}}),
        ],
    );
    lines(
        "in/.ggcode/sessions/sN.jsonl",
        &[json!({"type": "meta", "session_id": id, "title": id, "workspace": id})],
    );
    lines(
        "in/.picoclaw/workspace/sessions/sN.jsonl",
        std::slice::from_ref(&message),
    );
    lines(
        "in/.picoclaw/workspace/sessions/sN.meta.json",
        &[json!({"key": id, "summary": id, "skip": 0, "count": 1, "aliases": [id]})],
    );
    lines(
        "in/.gemini/tmp/p/chats/session-N.json",
        &[
            json!({"sessionId": id, "projectHash": id, "startTime": "2026-01-01T00:00:00Z",
            "lastUpdated": "2026-01-01T00:00:00Z",
            "messages": [{"id": "1", "type": "user", "content": id}]}),
        ],
    );
    lines(
        "in/native/N.jsonl",
        &[json!({"scrollback": 1, "type": "session", "id": id, "project": id, "title": id})],
    );
    lines(
        "in/.celeste/N.json",
        &[json!({"id": id, "project": id, "title": id, "messages": [message]})],
    );
}

#[test]
fn ids_that_files_state_stay_in_the_folder() {
    let home = Home::new();
    for (number, id) in every_name().enumerate() {
        stating(&home, number, &id);
    }
    let store = open(&home);
    run_in(&home, &store);
    let count = sessions(&store).len();
    assert!(count >= 6 * NAMES.len(), "{count}");
    // Changed here, so that the agents' own files are written anew.
    for summary in sessions(&store) {
        let line = NewRecord::line("{\"role\":\"user\",\"content\":\"more\"}\n");
        store
            .append(&summary.key, Expect::Any, None, &[line])
            .unwrap();
        store.truncate(&summary.key, 1).unwrap();
    }
    assert!(assert_contained(&home, &store) >= 4 * count);
}

#[cfg(unix)]
#[test]
fn names_of_files_stay_in_the_folder_and_come_back() {
    let home = Home::new();
    let names: Vec<String> = every_name()
        .map(|name| name.replace(['/', '\0'], "_"))
        .map(|name| format!("{}.jsonl", name.chars().take(200).collect::<String>()))
        .chain([format!("{}.jsonl", "n".repeat(249)), "...jsonl".to_owned()])
        .collect();
    for (number, name) in names.iter().enumerate() {
        let folder = format!("in/{number}/{}", name.trim_end_matches(".jsonl"));
        let folder = if folder.ends_with("/.") || folder.ends_with("/..") {
            format!("in/{number}")
        } else {
            folder
        };
        home.write(&format!("{folder}/{name}"), format!("{{\"n\":{number}}}\n"));
    }
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(report.skipped, 0, "{report:?}");
    let count = sessions(&store).len();
    assert_eq!(count, names.len());
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    for file in files_below(&home.path().join("in")) {
        let below = file.strip_prefix(home.path().join("in")).unwrap();
        let there = out.join("jsonl").join(below);
        assert_eq!(
            fs::read(&there).unwrap(),
            fs::read(&file).unwrap(),
            "{there:?}"
        );
    }
    fs::remove_dir_all(&out).unwrap();
    assert_contained(&home, &store);
}

#[cfg(feature = "sqlite")]
#[test]
fn ids_in_a_database_stay_in_the_folder() {
    let home = Home::new();
    let path = home.write("in/.local/share/opencode/opencode.db", "");
    let database = rusqlite::Connection::open(path).unwrap();
    database.execute_batch(crate::databases::TABLES).unwrap();
    for id in every_name() {
        let sql = "INSERT INTO session VALUES (?1,?1,?1,?1,?1,?1,1775206860000,1775206860000)";
        database.execute(sql, [&id]).unwrap();
        let sql = "INSERT INTO message VALUES (?1,?1,1775206860000,1775206860000,?2)";
        let data = json!({"role": "user", "text": id}).to_string();
        database.execute(sql, [&id, &data]).unwrap();
        let sql = "INSERT INTO part VALUES (?1,?1,?1,1775206860000,1775206860000,?2)";
        let data = json!({"type": "text", "text": id}).to_string();
        database.execute(sql, [&id, &data]).unwrap();
    }
    drop(database);
    let store = open(&home);
    run_in(&home, &store);
    let all = sessions(&store);
    assert!(all.len() >= NAMES.len(), "{}", all.len());
    for summary in &all {
        let line = NewRecord::line("{\"type\":\"unknown\"}\n");
        store
            .append(&summary.key, Expect::Any, None, &[line])
            .unwrap();
    }
    assert_contained(&home, &store);
}

#[test]
fn an_archive_of_removed_lines_stays_in_its_folder() {
    let home = Home::new();
    let store = open(&home);
    for id in every_name() {
        let key = SessionKey::native(id).unwrap();
        let said = ["one", "two"].map(|text| NewRecord::message(Message::text(Role::User, text)));
        store.append(&key, Expect::Any, None, &said).unwrap();
        store.truncate(&key, 1).unwrap();
    }
    let out = home.path().join("out");
    fs::create_dir(&out).unwrap();
    let before = tree::of(home.path(), &["out", "store"]);
    for id in every_name() {
        let key = SessionKey::native(id).unwrap();
        compact_archived(&store, &key, None, &out).unwrap();
    }
    assert_eq!(tree::of(home.path(), &["out", "store"]), before);
    let files = files_below(&home.path().join("out"));
    // Lines, and the note beside them, for each session.
    assert_eq!(files.len(), 2 * (NAMES.len() + 1));
    let folder = home.path().join("out/native");
    assert!(
        files
            .iter()
            .all(|file| file.parent() == Some(Path::new(&folder)))
    );
}
