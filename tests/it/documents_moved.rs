//! Sessions that are one document, in another place than before: moved, copied, older, grown there.

use std::fs;

use scrollback::{Expect, NewRecord, RedbStore, Store};

use crate::deleted::again_in;
use crate::harness::{Home, files_below};
use crate::homes::{CHAT, EARLY, LATE, assert_all_come_back, chat, export, key, said, set_mtime};
use crate::import::{open, run_in, sessions};

/// The folder of a project that was renamed.
const MOVED: &str = "in/.gemini/tmp/cd34/chats/session-1.json";

/// A home with one session of two messages.
fn made() -> (Home, RedbStore) {
    let home = Home::new();
    set_mtime(
        &home.write(CHAT, chat(&["one", "two"], EARLY)),
        1_700_000_000,
    );
    let store = open(&home);
    run_in(&home, &store);
    (home, store)
}

fn rename(home: &Home, from: &str, to: &str) {
    let to = home.path().join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(home.path().join(from), to).unwrap();
}

/// Nothing but these messages in one content; a second import finds nothing to do.
fn assert_one(home: &Home, store: &RedbStore, messages: &[&str]) {
    let all = sessions(store);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0].contents, &all[0].key), (1, &key("gemini", "g-1")));
    assert_eq!(said(store, &all[0].key), messages);
    let files = files_below(&home.path().join("in")).len() as u64;
    let again = run_in(home, store);
    assert_eq!((again.unchanged, again.records), (files, 0), "{again:?}");
}

#[test]
fn a_document_that_was_moved_is_the_same_session() {
    let (home, store) = made();
    rename(&home, CHAT, MOVED);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.generations, report.records),
        (0, 0, 0),
        "{report:?}"
    );
    assert_one(&home, &store, &["one", "two"]);
    assert_eq!(
        store.stats().unwrap().attachment_bytes,
        chat(&["one", "two"], EARLY).len() as u64
    );

    // It goes on where it lies now, and nothing of it is kept twice.
    home.write(MOVED, chat(&["one", "two", "three"], LATE));
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions_grown, report.messages),
        (1, 1),
        "{report:?}"
    );
    assert_one(&home, &store, &["one", "two", "three"]);
    assert_eq!(sessions(&store)[0].attachment_count, 1);
    let out = export(&home, &store);
    assert_eq!(files_below(&out).len(), 1);
    assert_all_come_back(&home, &store);
}

#[test]
fn a_document_that_was_moved_and_grew_goes_on() {
    let (home, store) = made();
    fs::remove_file(home.path().join(CHAT)).unwrap();
    home.write(MOVED, chat(&["one", "two", "three"], LATE));
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.sessions_grown, report.messages),
        (0, 1, 1),
        "{report:?}"
    );
    assert_one(&home, &store, &["one", "two", "three"]);
    let out = export(&home, &store);
    let files = files_below(&out);
    assert_eq!(files.len(), 1);
    assert!(files[0].ends_with("cd34/chats/session-1.json"), "{files:?}");

    // Back, in its old place, with more.
    rename(&home, MOVED, CHAT);
    home.write(CHAT, chat(&["one", "two", "three", "four"], LATE));
    run_in(&home, &store);
    assert_one(&home, &store, &["one", "two", "three", "four"]);
    assert_all_come_back(&home, &store);
}

#[test]
fn an_older_copy_of_a_document_changes_nothing_and_may_catch_up() {
    let (home, store) = made();
    home.write(CHAT, chat(&["one", "two", "three"], LATE));
    run_in(&home, &store);
    set_mtime(
        &home.write(MOVED, chat(&["one", "two"], EARLY)),
        1_700_000_000,
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.generations, report.records),
        (0, 0, 0),
        "{report:?}"
    );
    assert_one(&home, &store, &["one", "two", "three"]);

    // The copy is synchronised, and later it is the one that goes on.
    let grown = ["one", "two", "three", "four"];
    home.write(CHAT, chat(&grown, LATE));
    run_in(&home, &store);
    home.write(MOVED, chat(&grown, LATE));
    run_in(&home, &store);
    assert_one(&home, &store, &grown);
    let grown = ["one", "two", "three", "four", "five"];
    home.write(MOVED, chat(&grown, LATE));
    run_in(&home, &store);
    assert_one(&home, &store, &grown);
    home.write(CHAT, chat(&grown, LATE));
    run_in(&home, &store);
    assert_one(&home, &store, &grown);
    assert_all_come_back(&home, &store);
}

#[test]
fn of_copies_that_say_the_same_the_newer_file_tells_the_time() {
    let (home, store) = made();
    let words = ["one", "two"];
    set_mtime(&home.write(CHAT, chat(&words, LATE)), 1_750_000_000);
    run_in(&home, &store);
    let newest = sessions(&store).remove(0).updated_at;
    set_mtime(&home.write(MOVED, chat(&words, EARLY)), 1_740_000_000);
    let report = run_in(&home, &store);
    assert_eq!((report.records, report.generations), (0, 0), "{report:?}");
    assert_eq!(sessions(&store).remove(0).updated_at, newest);
    assert_one(&home, &store, &words);

    let later = "2026-05-03T13:00:00.000Z";
    set_mtime(&home.write(MOVED, chat(&words, later)), 1_760_000_000);
    run_in(&home, &store);
    assert!(sessions(&store).remove(0).updated_at > newest);
    assert_one(&home, &store, &words);
}

#[test]
fn both_places_in_one_import_are_one_session() {
    let home = Home::new();
    set_mtime(
        &home.write(CHAT, chat(&["one", "two"], EARLY)),
        1_700_000_000,
    );
    home.write(MOVED, chat(&["one", "two", "three"], LATE));
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(report.sessions, 1, "{report:?}");
    assert_one(&home, &store, &["one", "two", "three"]);
}

#[test]
fn copies_that_went_apart_are_two_contents_however_often_they_are_imported() {
    let (home, store) = made();
    home.write(MOVED, chat(&["one", "two", "left"], LATE));
    run_in(&home, &store);
    home.write(CHAT, chat(&["one", "two", "right"], LATE));
    run_in(&home, &store);
    let summary = sessions(&store).remove(0);
    assert_eq!(summary.contents, 2);
    for _ in 0..2 {
        // What is read from elsewhere is one of both, and so is what takes the place of the other.
        let left = fs::read(home.path().join(MOVED)).unwrap();
        let right = fs::read(home.path().join(CHAT)).unwrap();
        home.write(CHAT, left);
        home.write(MOVED, right);
        run_in(&home, &store);
        assert_eq!(sessions(&store).remove(0).contents, 2);
    }
    assert_all_come_back(&home, &store);
}

#[test]
fn a_copy_of_a_document_that_was_continued_here_is_no_second_content() {
    let (home, store) = made();
    let record = NewRecord::line(r#"{"type":"user","content":"here"}"#);
    store
        .append(&key("gemini", "g-1"), Expect::Any, None, &[record])
        .unwrap();
    rename(&home, CHAT, MOVED);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.records), (0, 0), "{report:?}");
    assert_eq!(sessions(&store).remove(0).contents, 1);
}

#[test]
fn a_copy_of_a_document_that_was_deleted_stays_away() {
    let (home, store) = made();
    store.delete(&key("gemini", "g-1")).unwrap();
    rename(&home, CHAT, MOVED);
    run_in(&home, &store);
    assert!(sessions(&store).is_empty());
    again_in(&home, &store);
    assert_one(&home, &store, &["one", "two"]);
}

#[test]
fn a_history_in_a_renamed_folder_goes_on_if_it_says_enough() {
    let home = Home::new();
    let turn = |what: &str| format!("#### {what}, please\n\n{}\n\n", "An answer. ".repeat(20));
    let long = [
        "# aider chat started at 2026-04-03 12:00:00\n\n",
        &turn("one"),
        &turn("two"),
    ]
    .concat();
    home.write("in/a/shop/.aider.chat.history.md", &long);
    let store = open(&home);
    run_in(&home, &store);
    rename(
        &home,
        "in/a/shop/.aider.chat.history.md",
        "in/b/shop/.aider.chat.history.md",
    );
    home.write(
        "in/b/shop/.aider.chat.history.md",
        [long.as_str(), &turn("three")].concat(),
    );
    run_in(&home, &store);
    let all = sessions(&store);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].message_count, 6);

    // One that says little may be anybody's.
    home.write("in/c/hat/.aider.chat.history.md", "#### hi\n\n");
    run_in(&home, &store);
    home.write("in/d/hat/.aider.chat.history.md", "#### hi\n\n");
    run_in(&home, &store);
    assert_eq!(sessions(&store).len(), 3);
}

#[test]
fn a_broken_document_that_was_moved_is_kept_once() {
    let home = Home::new();
    home.write(CHAT, "{\"sessionId\": \"g-1\", \"messages\": [ broken");
    let store = open(&home);
    run_in(&home, &store);
    let before = (sessions(&store), store.stats().unwrap().attachment_bytes);
    rename(&home, CHAT, MOVED);
    run_in(&home, &store);
    assert_eq!(
        before,
        (sessions(&store), store.stats().unwrap().attachment_bytes)
    );

    // Whole again, it has its messages.
    home.write(MOVED, chat(&["one", "two"], LATE));
    run_in(&home, &store);
    let all = sessions(&store);
    let messages: Vec<u64> = all.iter().map(|summary| summary.message_count).collect();
    assert_eq!(messages.iter().sum::<u64>(), 2, "{all:?}");
}

#[test]
fn a_torn_copy_brings_nothing_and_is_compared_when_it_is_whole_again() {
    let (home, store) = made();
    home.write(MOVED, chat(&["one", "two"], EARLY));
    run_in(&home, &store);
    let grown = chat(&["one", "two", "three"], LATE);
    home.write(MOVED, &grown[..grown.len() - 20]);
    run_in(&home, &store);
    assert_eq!(sessions(&store).remove(0).contents, 1);
    home.write(MOVED, grown);
    run_in(&home, &store);
    assert_one(&home, &store, &["one", "two", "three"]);
}

#[test]
fn a_document_that_was_torn_where_it_moved_to_goes_on_when_it_is_whole() {
    let (home, store) = made();
    let grown = chat(&["one", "two", "three"], LATE);
    home.write(MOVED, &grown[..grown.len() - 20]);
    run_in(&home, &store);
    home.write(MOVED, grown);
    run_in(&home, &store);
    assert_eq!(said(&store, &key("gemini", "g-1")), ["one", "two", "three"]);
    let messages: u64 = store
        .stats()
        .unwrap()
        .agents
        .iter()
        .map(|agent| agent.messages)
        .sum();
    assert_eq!(messages, 3);
}

#[test]
fn what_a_document_said_before_it_moved_and_changed_is_exported_as_older() {
    let home = Home::new();
    let answered = |answer: &str| {
        format!(
            r#"{{"sessionId":"g-1","projectHash":"ab","startTime":"{EARLY}","lastUpdated":"{EARLY}",
               "messages":[{{"id":"q","timestamp":"{EARLY}","type":"user","content":"why"}},
               {{"id":"a","timestamp":"{EARLY}","type":"gemini","content":"{answer}"}}]}}"#
        )
    };
    set_mtime(&home.write(CHAT, answered("one")), 1_700_000_000);
    let store = open(&home);
    run_in(&home, &store);
    fs::remove_file(home.path().join(CHAT)).unwrap();
    home.write(MOVED, answered("one two"));
    run_in(&home, &store);
    assert_one(&home, &store, &["why", "one two"]);
    let files = files_below(&export(&home, &store));
    let older =
        |path: &&std::path::PathBuf| path.components().any(|part| part.as_os_str() == ".older");
    let current: Vec<_> = files.iter().filter(|path| !older(path)).collect();
    assert_eq!(current.len(), 1, "{files:?}");
    assert!(
        current[0].ends_with("cd34/chats/session-1.json"),
        "{files:?}"
    );
    assert_all_come_back(&home, &store);
}
