//! Sessions that are one document: how they change between two imports.

use std::fs;

use scrollback::{Expect, ExportFormat, NewRecord, Store, export_session};

use crate::deleted::again_in;
use crate::harness::Home;
use crate::homes::{CHAT, EARLY, LATE, assert_all_come_back, chat, export, key, said, set_mtime};
use crate::import::{open, run_in, sessions};

#[test]
fn a_document_gives_messages_and_comes_back_byte_for_byte() {
    let home = Home::new();
    home.write(CHAT, chat(&["one", "two"], EARLY));
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (
            report.files,
            report.sessions,
            report.messages,
            report.attachments
        ),
        (1, 1, 2, 1),
        "{report:?}"
    );
    assert_eq!(report.problems, []);
    let summary = sessions(&store).remove(0);
    assert_eq!(summary.key, key("gemini", "g-1"));
    assert_eq!((summary.message_count, summary.attachment_count), (2, 1));
    assert_eq!(summary.project.as_deref(), Some("ab12"));
    assert_eq!(said(&store, &summary.key), ["one", "two"]);
    assert_eq!(summary.record_count, report.records);
    assert_all_come_back(&home, &store);
}

#[test]
fn an_unchanged_document_is_not_opened_and_a_touched_one_changes_nothing() {
    let home = Home::new();
    let path = home.write(CHAT, chat(&["one", "two"], EARLY));
    set_mtime(&path, 1_700_000_000);
    let store = open(&home);
    run_in(&home, &store);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.unchanged, report.records, report.attachments),
        (1, 0, 0),
        "{report:?}"
    );

    home.write(CHAT, chat(&["one", "two"], EARLY));
    set_mtime(&path, 1_800_000_000);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.unchanged, report.records, report.attachments),
        (0, 0, 0),
        "{report:?}"
    );
    assert_eq!(run_in(&home, &store).unchanged, 1);
}

#[test]
fn a_document_that_grew_adds_only_its_new_messages() {
    let home = Home::new();
    home.write(CHAT, chat(&["one", "two"], EARLY));
    let store = open(&home);
    let first = run_in(&home, &store);
    home.write(CHAT, chat(&["one", "two", "three"], LATE));
    let report = run_in(&home, &store);
    assert_eq!(
        (
            report.sessions,
            report.sessions_grown,
            report.messages,
            report.generations
        ),
        (0, 1, 1, 0),
        "{report:?}"
    );
    // The message, and the time of the last change.
    assert_eq!(report.records, 2);
    let summary = sessions(&store).remove(0);
    // That time replaces the one before.
    assert_eq!(summary.record_count, first.records + 1);
    assert_eq!(said(&store, &summary.key), ["one", "two", "three"]);
    assert_eq!(summary.updated_at.to_rfc3339(), "2026-04-03T12:00:00+00:00");

    // Only the trailer changes.
    home.write(
        CHAT,
        chat(&["one", "two", "three"], "2026-04-03T13:00:00.000Z"),
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.records, report.messages, report.generations),
        (1, 0, 0),
        "{report:?}"
    );
    assert_all_come_back(&home, &store);
    assert_eq!(run_in(&home, &store).unchanged, 1);
}

#[test]
fn a_document_that_changed_otherwise_is_another_content_and_has_the_plain_id() {
    let home = Home::new();
    home.write(CHAT, chat(&["one", "two"], EARLY));
    let store = open(&home);
    run_in(&home, &store);
    home.write(CHAT, chat(&["uno", "two"], LATE));
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.generations), (0, 1), "{report:?}");
    assert_eq!(
        report.problems[0].reason,
        "is another content of `gemini:g-1`; kept beside it as `gemini:g-1~2`"
    );
    assert_eq!(said(&store, &key("gemini", "g-1~1")), ["one", "two"]);
    assert_eq!(said(&store, &key("gemini", "g-1")), ["uno", "two"]);

    // The new content goes on growing.
    home.write(CHAT, chat(&["uno", "two", "three"], LATE));
    let report = run_in(&home, &store);
    assert_eq!((report.generations, report.messages), (0, 1), "{report:?}");
    assert_eq!(said(&store, &key("gemini", "g-1")), ["uno", "two", "three"]);
    assert_all_come_back(&home, &store);
}

#[test]
fn an_answer_that_grows_in_its_document_stays_one_message() {
    let home = Home::new();
    let with_answer = |question: &str, answer: &str| {
        let messages = format!(
            r#"{{"id":"q","timestamp":"{EARLY}","type":"user","content":"{question}"}},
               {{"id":"a","timestamp":"{EARLY}","type":"gemini","content":"{answer}"}}"#
        );
        format!(
            r#"{{"sessionId":"g-1","projectHash":"ab","startTime":"{EARLY}","lastUpdated":"{EARLY}",
               "messages":[{messages}]}}"#
        )
    };
    let store = open(&home);
    for answer in ["", "one", "one two"] {
        home.write(CHAT, with_answer("why", answer));
        let report = run_in(&home, &store);
        assert_eq!(report.generations, 0, "{report:?}");
    }
    assert_eq!(said(&store, &key("gemini", "g-1")), ["why", "one two"]);
    let summary = sessions(&store).remove(0);
    assert_eq!((summary.message_count, summary.record_count), (2, 4));
    assert_all_come_back(&home, &store);
    // What was asked before the last turn is settled.
    home.write(
        CHAT,
        with_answer("why", r#"one two"},{"id":"r","type":"user","content":"and"#),
    );
    assert_eq!(run_in(&home, &store).generations, 0);
    home.write(
        CHAT,
        with_answer("how", r#"one two"},{"id":"r","type":"user","content":"and"#),
    );
    assert_eq!(run_in(&home, &store).generations, 1);
}

#[test]
fn a_broken_document_is_kept_whole_and_told_and_goes_on_when_it_is_whole_again() {
    let home = Home::new();
    let whole = chat(&["one", "two"], EARLY);
    home.write(CHAT, &whole[..whole.len() / 2]);
    home.write("in/.gemini/tmp/ab12/chats/gem-5/session.json", "\0\0\0");
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (
            report.sessions,
            report.records,
            report.attachments,
            report.malformed
        ),
        (2, 0, 2, 2),
        "{report:?}"
    );
    let reason = "cannot be read as a session of `gemini`; kept whole, without records";
    assert!(
        report
            .problems
            .iter()
            .all(|problem| problem.reason == reason),
        "{report:?}"
    );
    assert!(store.summary(&key("gemini", "gem-5")).is_ok());
    assert_all_come_back(&home, &store);

    home.write(CHAT, &whole);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.generations, report.messages),
        (0, 0, 2),
        "{report:?}"
    );
    // Torn while it was written, and whole again.
    let longer = chat(&["one", "two", "three"], LATE);
    home.write(CHAT, &longer[..longer.len() - 9]);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.malformed, report.generations, report.records),
        (1, 0, 0),
        "{report:?}"
    );
    home.write(CHAT, &longer);
    let report = run_in(&home, &store);
    assert_eq!((report.generations, report.messages), (0, 1), "{report:?}");
    assert_eq!(said(&store, &key("gemini", "g-1")), ["one", "two", "three"]);
}

#[test]
fn of_documents_that_cannot_be_read_the_newest_is_kept_and_any_that_is_longer() {
    let home = Home::new();
    let store = open(&home);
    let kept = |text: &str| {
        home.write(CHAT, text);
        run_in(&home, &store);
        assert_all_come_back(&home, &store);
        sessions(&store).remove(0).attachment_count
    };
    let longer = chat(&["one", "two", "three"], LATE);
    // Nothing of it can be read yet.
    for length in [200, 210, 220] {
        assert_eq!(kept(&longer[..length]), 1);
    }
    // One that is shorter may lack something.
    assert_eq!(kept(&longer[..190]), 2);
    assert_eq!(kept(&longer[..230]), 1);
    // One that could be read stays beside those that cannot.
    let before = kept(&chat(&["one", "two"], EARLY));
    assert_eq!(kept(&longer[..longer.len() - 20]), before + 1);
    assert_eq!(kept(&longer[..longer.len() - 9]), before + 1);
    assert_eq!(said(&store, &key("gemini", "g-1")), ["one", "two"]);
    kept(&longer);
    assert_eq!(said(&store, &key("gemini", "g-1")), ["one", "two", "three"]);
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn a_document_whose_session_was_deleted_comes_back_when_it_is_asked_for() {
    let home = Home::new();
    home.write(CHAT, chat(&["one"], EARLY));
    let store = open(&home);
    run_in(&home, &store);
    store.delete(&key("gemini", "g-1")).unwrap();
    let report = again_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.generations),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(said(&store, &key("gemini", "g-1")), ["one"]);
}

#[test]
fn a_session_that_was_appended_to_is_not_mixed_with_its_document() {
    let home = Home::new();
    home.write(CHAT, chat(&["one"], EARLY));
    let store = open(&home);
    run_in(&home, &store);
    let g1 = key("gemini", "g-1");
    let mine = "{\"id\":\"x\",\"type\":\"user\",\"content\":\"mine\"}\n";
    store
        .append(&g1, Expect::Any, None, &[NewRecord::line(mine)])
        .unwrap();
    home.write(CHAT, chat(&["one", "two"], LATE));
    let report = run_in(&home, &store);
    assert_eq!((report.generations, report.sessions), (1, 0), "{report:?}");
    assert_eq!(said(&store, &g1), ["one", "mine"]);
    assert_eq!(said(&store, &key("gemini", "g-1~2")), ["one", "two"]);
}

#[test]
fn a_document_is_exported_as_it_came() {
    let home = Home::new();
    let content = chat(&["one"], EARLY);
    home.write(CHAT, &content);
    let store = open(&home);
    run_in(&home, &store);
    let out = export(&home, &store);
    let path = out.join("gemini/.gemini/tmp/ab12/chats/session-1.json");
    assert_eq!(fs::read_to_string(path).unwrap(), content);
    let mut markdown = Vec::new();
    export_session(
        &store,
        &key("gemini", "g-1"),
        ExportFormat::Markdown,
        &mut markdown,
    )
    .unwrap();
    assert!(String::from_utf8(markdown).unwrap().contains("one"));
}
