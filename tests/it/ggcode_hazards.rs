//! What went wrong in ggcode v1.0.9 (SEEDS 3.5), one test each, and what happens here instead.

use std::process::{Command, Stdio};

use scrollback::{ListQuery, Message, Options, RedbStore, Role, Session, Store};

use crate::ggcode::{append, give, key, message_line, meta_line, open, row, take, user};
use crate::go_ggcode as go;
use crate::harness::{Home, export_as_lines, files_below};

const SESSIONS: &str = "home/.ggcode/sessions";

/// Tells a writer which sessions to make; without it the test that is one does nothing.
const WRITER: &str = "SCROLLBACK_TEST_GGCODE_WRITER";
const SESSIONS_EACH: usize = 15;

#[test]
#[ignore = "a writer, started by the tests below"]
fn writer() {
    let Some(name) = std::env::var_os(WRITER) else {
        return;
    };
    let name = name.into_string().unwrap();
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store = RedbStore::open(path, Options::default()).unwrap();
    for number in 0..SESSIONS_EACH {
        let session = Session::new(key(&format!("{name}-{number}")));
        store.ensure_meta(&session).unwrap();
        append(&store, &session.key, user("hello"));
    }
    // No farewell: what was acknowledged is on disk.
    std::process::abort();
}

fn writers(home: &Home, names: &[&str]) {
    let writers: Vec<_> = names
        .iter()
        .map(|name| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "ggcode_hazards::writer", "--ignored"])
                .env(WRITER, name)
                .env("SCROLLBACK_STORE", home.store_path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut writer in writers {
        writer.wait().unwrap();
    }
}

#[test]
fn hazard_3_5_1_two_writers_corrupt_no_index() {
    let home = Home::new();
    drop(open(&home));
    writers(&home, &["x", "y"]);
    let store = open(&home);
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    assert_eq!(listed.len(), 2 * SESSIONS_EACH);
    assert!(listed.iter().all(|summary| summary.message_count == 1));
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    give(&home, &store);
    let folder = home.path().join("out/ggcode");
    assert_eq!(go::index(&folder).unwrap().len(), 2 * SESSIONS_EACH);
    assert_eq!(go::list(&folder).unwrap().len(), 2 * SESSIONS_EACH);
}

#[test]
fn hazard_3_5_2_what_was_acknowledged_is_there_after_an_abort() {
    let home = Home::new();
    writers(&home, &["x"]);
    let store = open(&home);
    for number in 0..SESSIONS_EACH {
        let session = store.load(&key(&format!("x-{number}"))).unwrap();
        assert_eq!(session.messages.len(), 1);
    }
}

#[test]
fn hazard_3_5_3_a_save_with_a_stale_copy_destroys_nothing() {
    let home = Home::new();
    let store = open(&home);
    let mut stale = Session::new(key("s"));
    stale.messages = vec![user("one")];
    store.save(&mut stale).unwrap();
    append(&store, &key("s"), user("two"));
    stale.title = "Saved late".into();
    stale.messages.push(user("three"));
    store.save(&mut stale).unwrap();
    // A copy that was compacted in memory, too.
    stale.messages.drain(..1);
    store.save(&mut stale).unwrap();
    let there = store.load(&key("s")).unwrap();
    let texts: Vec<_> = there.messages.iter().map(Message::plain_text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(there.title, "Saved late");
    assert!(there.updated_at >= stale.updated_at);
    give(&home, &store);
    let session = go::load(&home.path().join("out/ggcode"), "s").unwrap();
    assert_eq!(session.texts(), ["one", "two", "three"]);
    assert_eq!(session.title, "Saved late");
}

#[test]
fn hazard_3_5_4_title_and_update_survive_the_loss_of_the_index() {
    let home = Home::new();
    let store = open(&home);
    let mut session = Session::new(key("s"));
    session.title = "New session".into();
    store.ensure_meta(&session).unwrap();
    append(&store, &key("s"), user("Fix the login"));
    let before = store.summary(&key("s")).unwrap();
    assert_eq!(before.title, "Fix the login");
    give(&home, &store);
    let folder = home.path().join("out/ggcode");
    assert_eq!(go::index(&folder).unwrap()[0].title, "Fix the login");
    std::fs::remove_file(folder.join("index.json")).unwrap();

    let again = Home::new();
    let other = open(&again);
    let options = scrollback::ImportOptions::default();
    scrollback::import(&other, &[folder], &options, &mut scrollback::unwatched).unwrap();
    let after = other.summary(&key("s")).unwrap();
    assert_eq!(after.title, "Fix the login");
    assert_eq!(after.updated_at, before.updated_at);
    assert!(after.updated_at > after.created_at);
    other.cleanup_older_than(before.updated_at).unwrap();
    assert!(
        other.load(&key("s")).is_ok(),
        "an active session was cleaned up"
    );
}

#[test]
fn hazard_3_5_5_a_line_over_ten_mebibytes_loads_and_is_listed() {
    let home = Home::new();
    let long = "x".repeat(11 * 1024 * 1024);
    let lines = meta_line("s", "Long") + &message_line("s", &long) + &message_line("s", "short");
    home.write(&format!("{SESSIONS}/s.jsonl"), &lines);
    let store = open(&home);
    take(&home, &store);
    assert!(go::load(&home.path().join(SESSIONS), "s").is_err());
    let session = store.load(&key("s")).unwrap();
    assert_eq!(session.messages.len(), 2);
    assert_eq!(session.messages[0].plain_text().len(), long.len());
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 1);
    let folder = give(&home, &store);
    assert!(std::fs::read(folder.join("s.jsonl")).unwrap() == lines.as_bytes());
}

#[test]
fn hazard_3_5_6_a_torn_tail_does_not_fuse() {
    let home = Home::new();
    let torn = meta_line("s", "Torn") + &message_line("s", "one") + "{\"type\":\"message\",\"mess";
    home.write(&format!("{SESSIONS}/s.jsonl"), &torn);
    let store = open(&home);
    take(&home, &store);
    append(&store, &key("s"), user("two"));
    let folder = give(&home, &store);
    let session = go::load(&folder, "s").unwrap();
    assert_eq!((session.texts(), session.bad), (vec!["one", "two"], 1));
    let lines = std::fs::read_to_string(folder.join("s.jsonl")).unwrap();
    assert!(lines.starts_with(&format!("{torn}\n")));
}

#[test]
fn fused_lines_are_recovered_where_the_go_program_loses_them() {
    let home = Home::new();
    let fused = format!("{{\"type\":\"message\",\"mess{}", message_line("s", "two"));
    let lines = meta_line("s", "Fused") + &message_line("s", "one") + &fused;
    home.write(&format!("{SESSIONS}/s.jsonl"), lines);
    let store = open(&home);
    take(&home, &store);
    let session = store.load(&key("s")).unwrap();
    let texts: Vec<_> = session.messages.iter().map(Message::plain_text).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(store.summary(&key("s")).unwrap().malformed_count, 1);
}

#[test]
fn hazard_3_5_7_ids_that_lead_out_of_the_folder_stay_keys() {
    let home = Home::new();
    let store = open(&home);
    let ids = ["../x", "/etc/passwd", "..", "a/b", "-rf", "a\0b"];
    for id in ids {
        let mut session = Session::new(key(id));
        session.messages = vec![user(id)];
        store.save(&mut session).unwrap();
    }
    let out = home.path().join("deep/out");
    export_as_lines(&store, &out);
    let folder = out.join("ggcode");
    let files = files_below(home.path().join("deep").as_path());
    assert_eq!(files.len(), ids.len() + 1, "{files:?}");
    assert!(
        files.iter().all(|file| file.parent() == Some(&folder)),
        "{files:?}"
    );
    // The index names what ggcode can open.
    let rows = go::index(&folder).unwrap();
    assert_eq!(rows.len(), ids.len());
    for row in rows {
        assert_eq!(go::load(&folder, &row.id).unwrap().texts(), [row.title]);
    }
    assert_eq!(store.load(&key("../x")).unwrap().messages.len(), 1);
    store.delete(&key("../x")).unwrap();
}

#[test]
fn hazard_3_5_8_a_title_is_cut_at_a_character() {
    let home = Home::new();
    let store = open(&home);
    let title = |id: &str, text: &str| {
        append(&store, &key(id), user(text));
        store.summary(&key(id)).unwrap().title
    };
    // 2 + 3 x 20 bytes: the 57th byte lies inside a character.
    let text = format!("ab{}", "資".repeat(20));
    assert_eq!(title("one", &text), format!("ab{}...", "資".repeat(18)));
    assert_eq!(title("two", &"x".repeat(60)), "x".repeat(60));
    assert_eq!(
        title("three", &"x".repeat(61)),
        format!("{}...", "x".repeat(57))
    );
    let mut session = Session::new(key("four"));
    session.messages = vec![Message::text(Role::System, "no"), user(&text)];
    store.save(&mut session).unwrap();
    assert_eq!(session.title, format!("ab{}...", "資".repeat(18)));
}

#[test]
fn hazard_3_5_9_ensure_meta_never_truncates() {
    let home = Home::new();
    let store = open(&home);
    let session = Session::new(key("s"));
    assert!(store.ensure_meta(&session).unwrap());
    append(&store, &key("s"), user("written in between"));
    assert!(!store.ensure_meta(&session).unwrap());
    assert_eq!(store.load(&key("s")).unwrap().messages.len(), 1);
    append(&store, &key("without"), user("no header yet"));
    assert!(!store.ensure_meta(&Session::new(key("without"))).unwrap());
    assert_eq!(store.load(&key("without")).unwrap().messages.len(), 1);
}

#[test]
fn hazard_3_5_10_duplicate_rows_are_one_session_and_ties_are_stable() {
    let home = Home::new();
    for id in ["a", "b", "c"] {
        let lines = meta_line(id, id) + &message_line(id, id);
        home.write(&format!("{SESSIONS}/{id}.jsonl"), lines);
    }
    let rows = [row("a", "First"), row("a", "Second")].join(",\n");
    home.write(&format!("{SESSIONS}/index.json"), format!("[\n{rows}\n]"));
    let store = open(&home);
    take(&home, &store);
    let ids = || -> Vec<_> {
        let page = store.list(&ListQuery::default()).unwrap();
        let ids = page
            .sessions
            .iter()
            .map(|summary| summary.key.id().to_owned());
        ids.collect()
    };
    let first = ids();
    assert_eq!(first.len(), 3);
    for _ in 0..5 {
        assert_eq!(ids(), first);
    }
    append(&store, &key("a"), user("more"));
    let rows = go::index(&give(&home, &store)).unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.msg_count))
        .collect();
    assert_eq!(told, [("a", 2), ("a", 1)]);
    assert_eq!(rows[1].title, "Second");
}

#[test]
fn hazard_3_5_11_a_left_over_tmp_is_kept_and_harmless() {
    let home = Home::new();
    let lines = meta_line("s", "S") + &message_line("s", "one");
    home.write(&format!("{SESSIONS}/s.jsonl"), &lines);
    home.write(&format!("{SESSIONS}/s.jsonl.tmp"), "{\"type\":\"me");
    home.write(&format!("{SESSIONS}/gone.jsonl.tmp"), "{\"type\":\"me");
    home.write(&format!("{SESSIONS}/index.json.tmp"), "[");
    let store = open(&home);
    take(&home, &store);
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 1);
    assert_eq!(store.summary(&key("s")).unwrap().malformed_count, 0);
    append(&store, &key("s"), user("two"));
    let folder = give(&home, &store);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("s.jsonl.tmp"), "{\"type\":\"me");
    assert_eq!(read("gone.jsonl.tmp"), "{\"type\":\"me");
    assert_eq!(read("index.json.tmp"), "[");
    assert_eq!(go::load(&folder, "s").unwrap().texts(), ["one", "two"]);
}
