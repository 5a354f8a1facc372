//! What is deleted stays deleted: imports pass over it, in whatever form it comes, until it is asked
//! for again.

use std::fs;
use std::path::PathBuf;

use scrollback::report::ImportReport;
use scrollback::{
    CleanupQuery, Existing, ImportOptions, Message, Options, RedbStore, Role, Session, Store,
    StoreExt, import, unwatched,
};

use crate::harness::Home;
use crate::homes::{CHAT, EARLY, LATE, chat, key, said};
use crate::import::{PROJECT, content_of, lines, open, run_in, sessions};

/// Where picoclaw keeps sessions.
const PICOCLAW: &str = "in/.picoclaw/workspace/sessions";

/// Imports the folder `in` of a home, also what was deleted.
pub(crate) fn again_in(home: &Home, store: &RedbStore) -> ImportReport {
    let options = ImportOptions::default().with_again(true);
    import(store, &[home.path().join("in")], &options, &mut unwatched).unwrap()
}

/// What an import did: sessions that came, those passed over, files found.
fn told(report: &ImportReport) -> (u64, u64, u64) {
    (report.sessions, report.deleted, report.files)
}

fn file(home: &Home, name: &str) -> PathBuf {
    home.path().join(format!("{PROJECT}/{name}"))
}

#[test]
fn a_deleted_session_stays_away_grown_or_not_until_it_is_asked_for() {
    let home = Home::new();
    let store = open(&home);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one"]));
    home.write(&format!("{PROJECT}/t.jsonl"), lines(&["other"]));
    assert_eq!(told(&run_in(&home, &store)), (2, 0, 2));
    store.delete(&key("claude-code", "s")).unwrap();
    assert_eq!(told(&run_in(&home, &store)), (0, 1, 2));
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one", "two"]));
    assert_eq!(told(&run_in(&home, &store)), (0, 1, 2));
    let marks = store.deleted().unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(
        (&marks[0].key, &marks[0].home),
        (&key("claude-code", "s"), &None)
    );
    assert_eq!(told(&again_in(&home, &store)), (1, 0, 2));
    assert_eq!(said(&store, &key("claude-code", "s")), ["one", "two"]);
    assert_eq!(store.deleted().unwrap(), []);
    assert_eq!(told(&run_in(&home, &store)), (0, 0, 2));
}

#[test]
fn a_mark_that_is_lifted_lets_the_next_import_take_the_session() {
    let home = Home::new();
    let store = open(&home);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one"]));
    run_in(&home, &store);
    let s = key("claude-code", "s");
    store.delete(&s).unwrap();
    assert_eq!(store.forget_deleted(&s).unwrap(), 1);
    assert_eq!(store.forget_deleted(&s).unwrap(), 0);
    assert_eq!(told(&run_in(&home, &store)), (1, 0, 1));
}

#[test]
fn clean_ups_of_every_kind_leave_marks() {
    let home = Home::new();
    let store = open(&home);
    for id in ["a", "b", "c", "d"] {
        home.write(&format!("{PROJECT}/{id}.jsonl"), lines(&["one"]));
    }
    home.write(&format!("{PROJECT}/empty.jsonl"), "");
    let later = "2030-01-01T00:00:00Z".parse().unwrap();
    run_in(&home, &store);
    store.delete_empty(later).unwrap();
    let next = store
        .summary(&key("claude-code", "a"))
        .unwrap()
        .next_sequence;
    store
        .delete_unchanged(&key("claude-code", "a"), next)
        .unwrap();
    store.pin(&key("claude-code", "b"), true).unwrap();
    store.cleanup_older_than(later).unwrap();
    let mut pinned_too = CleanupQuery::older_than(later);
    pinned_too.pinned_too = true;
    assert_eq!(store.cleanup(&pinned_too).unwrap().removed.sessions, 1);
    assert_eq!(store.deleted().unwrap().len(), 5);
    assert_eq!(told(&run_in(&home, &store)), (0, 5, 5));
}

#[test]
fn an_id_that_is_unique_is_known_wherever_its_file_lies() {
    let home = Home::new();
    let store = open(&home);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one"]));
    run_in(&home, &store);
    store.delete(&key("claude-code", "s")).unwrap();
    fs::create_dir_all(home.path().join("in/.claude/projects/-moved")).unwrap();
    fs::rename(
        file(&home, "s.jsonl"),
        home.path().join("in/.claude/projects/-moved/s.jsonl"),
    )
    .unwrap();
    assert_eq!(told(&run_in(&home, &store)), (0, 1, 1));
    assert_eq!(told(&again_in(&home, &store)), (1, 0, 1));
}

#[test]
fn an_id_that_is_not_unique_is_a_session_of_its_folder() {
    let home = Home::new();
    let store = open(&home);
    home.write(
        "in/ada/notes.jsonl",
        "{\"role\":\"user\",\"content\":\"one\"}\n",
    );
    run_in(&home, &store);
    store.delete(&key("jsonl", "notes")).unwrap();
    home.write(
        "in/bob/notes.jsonl",
        "{\"role\":\"user\",\"content\":\"two\"}\n",
    );
    assert_eq!(told(&run_in(&home, &store)), (1, 1, 2));
    assert_eq!(said(&store, &key("jsonl", "notes")), ["two"]);
    let home_of = store.deleted().unwrap()[0].home.clone().unwrap();
    assert!(home_of.ends_with("in/ada"), "{home_of}");
    // The second of a name is known by its file.
    home.write(
        "in/cyd/notes.jsonl",
        "{\"role\":\"user\",\"content\":\"three\"}\n",
    );
    run_in(&home, &store);
    store.delete(&key("jsonl", "notes~2")).unwrap();
    assert_eq!(told(&run_in(&home, &store)), (0, 2, 3));
    assert_eq!(told(&again_in(&home, &store)), (2, 0, 3));
    assert_eq!(store.deleted().unwrap(), []);
}

#[test]
fn what_one_says_under_a_deleted_name_begins_anew_and_its_file_stays_away() {
    let home = Home::new();
    let store = open(&home);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["old"]));
    home.write("chat.jsonl", "");
    run_in(&home, &store);
    let s = key("claude-code", "s");
    store.delete(&s).unwrap();
    let record = scrollback::NewRecord::line(lines(&["new"]));
    store
        .append(&s, scrollback::Expect::Any, None, &[record])
        .unwrap();
    assert_eq!(said(&store, &s), ["new"]);
    let mut native = Session::native("mine").unwrap();
    store
        .append_message(&mut native, Message::text(Role::User, "a"))
        .unwrap();
    store.delete(&native.key).unwrap();
    native.messages = vec![Message::text(Role::User, "b")];
    store.save(&mut native).unwrap();
    assert_eq!(said(&store, &native.key), ["b"]);
    assert_eq!(told(&run_in(&home, &store)), (0, 1, 1));
    assert_eq!(sessions(&store).len(), 2);
}

#[test]
fn of_two_contents_of_an_id_one_can_go_and_with_the_session_all_do() {
    let home = Home::new();
    let store = open(&home);
    let (older, newest) = (key("claude-code", "s~1"), key("claude-code", "s"));
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one"]));
    run_in(&home, &store);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["two", "three"]));
    run_in(&home, &store);
    assert_eq!(store.summary(&newest).unwrap().contents, 2);
    // The older one goes: the newer one goes on.
    store.delete(&older).unwrap();
    assert!(store.summary(&older).is_err());
    assert_eq!(store.summary(&newest).unwrap().contents, 1);
    home.write(
        &format!("{PROJECT}/s.jsonl"),
        lines(&["two", "three", "four"]),
    );
    let report = run_in(&home, &store);
    assert_eq!((report.sessions_grown, report.deleted), (1, 0));
    assert_eq!(
        content_of(&store, &newest),
        lines(&["two", "three", "four"]).into_bytes()
    );
    // Another content of a session that is there is taken.
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["five"]));
    assert_eq!(run_in(&home, &store).generations, 1);
    // The plain id takes all contents along, and the file has still its content.
    store.delete(&newest).unwrap();
    assert_eq!(sessions(&store).len(), 0);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.deleted), (0, 1), "{report:?}");
}

/// A content of a session of Claude Code: lines that say something.
fn content(texts: &str) -> String {
    let line = |text: &str| lines(&[&format!("{text}, and what else there is to be said of it")]);
    texts.split(' ').map(line).collect()
}

#[test]
fn a_content_that_was_deleted_stays_away_wherever_its_file_lies() {
    let home = Home::new();
    let store = open(&home);
    let (older, newest) = (key("claude-code", "s~1"), key("claude-code", "s"));
    let put = |folder: &str, texts: &str| {
        let path = format!("in/.claude/projects/{folder}/s.jsonl");
        let path = home.write(&path, content(texts));
        let options = ImportOptions::default();
        let report = import(&store, &[path], &options, &mut unwatched).unwrap();
        (report.generations, report.deleted, report.sessions_grown)
    };
    put("-w", "one two three four five");
    assert_eq!(put("-x", "one two three other and more of it"), (1, 0, 0));
    store.delete(&older).unwrap();
    // A copy, one that has grown, and an older one.
    assert_eq!(put("-y", "one two three four five"), (0, 1, 0));
    assert_eq!(put("-z", "one two three four five six"), (0, 1, 0));
    assert_eq!(put("-v", "one two three four"), (0, 1, 0));
    assert_eq!(store.summary(&newest).unwrap().contents, 1);
    // What the other one has too is that; what goes on from it is; and a third one is another content.
    assert_eq!(put("-u", "one two three"), (0, 0, 0));
    assert_eq!(
        put("-u", "one two three other and more of it still"),
        (0, 0, 1)
    );
    assert_eq!(put("-t", "one two three new"), (1, 0, 0));
    assert_eq!(store.summary(&newest).unwrap().contents, 2);
    // Asked for again, it comes back, and its mark goes.
    let folder = home.path().join("in/.claude/projects/-z");
    let again = ImportOptions::default().with_again(true);
    let report = import(&store, &[folder], &again, &mut unwatched).unwrap();
    assert_eq!((report.generations, report.deleted), (1, 0), "{report:?}");
    assert_eq!(store.deleted().unwrap(), []);
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
}

#[test]
fn a_copy_in_another_folder_of_what_was_deleted_stays_away_too() {
    let home = Home::new();
    let store = open(&home);
    let notes = |folder: &str, texts: &[&str]| {
        let line = |text: &&str| {
            let more = "and what else there is to be said of it, which is not little";
            format!("{{\"role\":\"user\",\"content\":\"{text}, {more}\"}}\n")
        };
        let all: String = texts.iter().map(line).collect();
        let path = home.write(&format!("in/{folder}/notes.jsonl"), all);
        let options = ImportOptions::default();
        let report = import(&store, &[path], &options, &mut unwatched).unwrap();
        (report.sessions, report.deleted)
    };
    assert_eq!(notes("ada", &["one", "two", "three", "four"]), (1, 0));
    store.delete(&key("jsonl", "notes")).unwrap();
    assert_eq!(notes("bob", &["one", "two", "three"]), (0, 1));
    assert_eq!(notes("bob", &["one", "two", "three", "five"]), (0, 1));
    assert_eq!(notes("cyd", &["one", "two", "other"]), (1, 0));
}

#[test]
fn documents_and_files_beside_stay_away_with_their_sessions() {
    let home = Home::new();
    let store = open(&home);
    home.write(CHAT, chat(&["one"], EARLY));
    home.write(
        &format!("{PICOCLAW}/web_1.jsonl"),
        "{\"role\":\"user\",\"content\":\"hello\"}\n",
    );
    let meta = |summary: &str| {
        format!(
            "{{\"key\":\"web:1\",\"summary\":\"{summary}\",\"skip\":0,\"count\":1,\
                 \"created_at\":\"{EARLY}\",\"updated_at\":\"{EARLY}\"}}"
        )
    };
    home.write(&format!("{PICOCLAW}/web_1.meta.json"), meta("a"));
    run_in(&home, &store);
    let pico = store.find("web", 1).unwrap().remove(0);
    for gone in [&key("gemini", "g-1"), &pico] {
        store.delete(gone).unwrap();
    }
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.deleted, report.attachments),
        (0, 2, 0)
    );
    // Changed, all three.
    home.write(CHAT, chat(&["one", "two"], LATE));
    home.write(
        &format!("{PICOCLAW}/web_1.jsonl"),
        "{\"role\":\"user\",\"content\":\"hello\"}\n{\"role\":\"user\",\"content\":\"more\"}\n",
    );
    home.write(&format!("{PICOCLAW}/web_1.meta.json"), meta("b"));
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.deleted, report.attachments),
        (0, 2, 0)
    );
    let report = again_in(&home, &store);
    assert_eq!((report.sessions, report.deleted), (2, 0), "{report:?}");
    assert_eq!(store.deleted().unwrap(), []);
    assert_eq!(said(&store, &key("gemini", "g-1")), ["one", "two"]);
    assert_eq!(store.properties(&pico).unwrap().summary, "b");
}

#[test]
fn a_new_file_beside_a_deleted_session_is_not_kept_either() {
    let home = Home::new();
    let store = open(&home);
    home.write(
        &format!("{PICOCLAW}/web_1.jsonl"),
        "{\"role\":\"user\",\"content\":\"hello\"}\n",
    );
    run_in(&home, &store);
    store.delete(&sessions(&store)[0].key).unwrap();
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        "{\"key\":\"web_1\",\"summary\":\"x\",\"skip\":0,\"count\":1}",
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.deleted, report.attachments),
        (0, 1, 0)
    );
}

#[test]
fn a_dry_run_counts_them_and_lifts_nothing() {
    let home = Home::new();
    let store = open(&home);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one"]));
    run_in(&home, &store);
    store.delete(&key("claude-code", "s")).unwrap();
    for (again, expected) in [(false, (0, 1, 1)), (true, (1, 0, 1))] {
        let options = ImportOptions::default()
            .with_again(again)
            .with_dry_run(true);
        let paths = [home.path().join("in")];
        let report = import(&store, &paths, &options, &mut unwatched).unwrap();
        assert_eq!(told(&report), expected);
    }
    assert_eq!(store.deleted().unwrap().len(), 1);
}

#[test]
fn marks_are_in_backups_and_in_what_a_repair_saves() {
    let home = Home::new();
    let store = open(&home);
    home.write(&format!("{PROJECT}/s.jsonl"), lines(&["one"]));
    home.write(&format!("{PROJECT}/t.jsonl"), lines(&["other"]));
    run_in(&home, &store);
    store.delete(&key("claude-code", "s")).unwrap();
    let marks = store.deleted().unwrap();
    let backup = home.path().join("backup.redb");
    store
        .backup(&backup, Existing::Refuse, &mut unwatched)
        .unwrap();
    store.forget_deleted(&key("claude-code", "s")).unwrap();
    store.replace_with(&backup, &mut unwatched).unwrap();
    assert_eq!(store.deleted().unwrap(), marks);
    drop(store);
    let repaired = home.path().join("repaired.redb");
    let report = RedbStore::repair(&backup, &repaired, Options::default(), &mut unwatched).unwrap();
    assert!(report.is_whole(), "{report:?}");
    let store = RedbStore::open(&repaired, Options::default()).unwrap();
    assert_eq!(store.deleted().unwrap(), marks);
    assert_eq!(told(&run_in(&home, &store)), (0, 1, 2));
}
