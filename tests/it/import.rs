//! Import: what a second run does, and how files change between two runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use scrollback::report::ImportReport;
use scrollback::{
    ExportFormat, ImportOptions, ListQuery, NewRecord, Options, RedbStore, ScanQuery, SessionKey,
    Store, StoreExt as _, Summary, export_session, import,
};

use crate::deleted::again_in;
use crate::harness::{Home, export_as_lines};

/// A project of Claude Code in the folder `in`.
pub(crate) const PROJECT: &str = "in/.claude/projects/-w";

/// A line of Claude Code that says something.
pub(crate) fn says(text: &str) -> String {
    format!(
        "{{\"type\":\"user\",\"uuid\":\"u-{text}\",\"timestamp\":\"2026-02-09T08:49:50.954Z\",\
         \"cwd\":\"/w\",\"sessionId\":\"s\",\"message\":{{\"role\":\"user\",\"content\":\"{text}\"}}}}\n"
    )
}

/// Several such lines.
pub(crate) fn lines(texts: &[&str]) -> String {
    texts.iter().map(|text| says(text)).collect()
}

/// The store of a home.
pub(crate) fn open(home: &Home) -> RedbStore {
    RedbStore::open(home.store_path(), Options::default()).unwrap()
}

/// Imports paths; the store has to be clean then.
pub(crate) fn run(store: &RedbStore, paths: &[PathBuf]) -> ImportReport {
    let report = import(
        store,
        paths,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    let verified = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    report
}

/// Imports the folder `in` of a home.
pub(crate) fn run_in(home: &Home, store: &RedbStore) -> ImportReport {
    run(store, &[home.path().join("in")])
}

/// The same, of a folder in which there are so many new sessions and nothing is wrong.
pub(crate) fn run_clean(home: &Home, store: &RedbStore, sessions: u64) {
    let report = run_in(home, store);
    assert_eq!(
        (report.sessions, report.problems.len()),
        (sessions, 0),
        "{report:?}"
    );
}

/// The sessions in the order in which they were made.
pub(crate) fn sessions(store: &RedbStore) -> Vec<Summary> {
    let mut sessions = store.list(&ListQuery::default()).unwrap().sessions;
    sessions.sort_by_key(|summary| summary.number);
    sessions
}

/// The lines of a session.
pub(crate) fn content_of(store: &RedbStore, key: &SessionKey) -> Vec<u8> {
    let mut out = Vec::new();
    export_session(store, key, ExportFormat::Jsonl, &mut out).unwrap();
    out
}

pub(crate) fn set_mtime(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

#[test]
fn a_second_run_adds_nothing_and_reads_no_bodies() {
    let home = Home::new();
    let path = home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one", "two"]));
    home.write(&format!("{PROJECT}/sessions-index.json"), "{}");
    set_mtime(&path, 1_700_000_000);
    let store = open(&home);
    let first = run_in(&home, &store);
    assert_eq!(
        (first.files, first.unchanged, first.records),
        (2, 0, 2),
        "{first:?}"
    );

    let second = run_in(&home, &store);
    assert_eq!((second.files, second.unchanged), (2, 2), "{second:?}");
    assert_eq!(
        (second.records, second.bytes, second.attachments),
        (0, 0, 0)
    );
    assert_eq!(second.problems, []);
    assert_eq!(
        content_of(&store, &sessions(&store)[0].key),
        lines(&["one", "two"]).as_bytes()
    );
}

#[test]
fn a_file_that_grew_adds_only_its_new_lines() {
    let home = Home::new();
    home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one", "two"]));
    let store = open(&home);
    run_in(&home, &store);
    home.write(
        &format!("{PROJECT}/a.jsonl"),
        lines(&["one", "two"]) + "bad\n" + &says("four"),
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.sessions_grown, report.records),
        (0, 1, 2),
        "{report:?}"
    );
    assert_eq!((report.messages, report.malformed), (1, 1));
    let problem = &report.problems[0];
    assert_eq!(
        (problem.line, problem.offset),
        (Some(3), Some(lines(&["one", "two"]).len() as u64))
    );
    assert_eq!(sessions(&store).len(), 1);
    assert_eq!(sessions(&store)[0].next_sequence, 4);
}

#[test]
fn a_torn_last_line_is_completed_and_not_kept_twice() {
    let home = Home::new();
    let whole = lines(&["one", "two", "three"]);
    let store = open(&home);
    let mut added = 0;
    for cut in [1, 150, 151, 200, 400, whole.len() - 1, whole.len()] {
        home.write(&format!("{PROJECT}/a.jsonl"), &whole[..cut]);
        let report = run_in(&home, &store);
        assert_eq!(report.generations, 0, "cut at {cut}: {report:?}");
        added += report.records;
        let key = &sessions(&store)[0].key;
        assert_eq!(
            content_of(&store, key),
            &whole.as_bytes()[..cut],
            "cut at {cut}"
        );
    }
    let summary = &sessions(&store)[0];
    assert_eq!(
        (added, summary.record_count, summary.message_count),
        (3, 3, 3)
    );
    assert_eq!(summary.malformed_count, 0);
}

#[test]
fn a_torn_last_line_that_is_another_one_now_gives_way_to_it() {
    let home = Home::new();
    home.write(
        &format!("{PROJECT}/a.jsonl"),
        says("one") + "{\"type\":\"us",
    );
    let store = open(&home);
    run_in(&home, &store);
    home.write(
        &format!("{PROJECT}/a.jsonl"),
        lines(&["one", "two", "three"]).replace("uuid", "uuie"),
    );
    home.write(
        &format!("{PROJECT}/b.jsonl"),
        says("one") + "{\"type\":\"us",
    );
    run_in(&home, &store);
    home.write(
        &format!("{PROJECT}/b.jsonl"),
        says("one") + "{\"other\":1}\n",
    );
    let report = run_in(&home, &store);
    assert_eq!(report.generations, 0, "{report:?}");
    let b = SessionKey::new("claude-code", "b").unwrap();
    assert_eq!(
        content_of(&store, &b),
        (says("one") + "{\"other\":1}\n").into_bytes()
    );
    // What was torn is kept, and hidden.
    let records = store.records(&b, ScanQuery::default());
    let kept: Vec<Vec<u8>> = records.map(|record| record.unwrap().line).collect();
    assert!(kept.contains(&b"{\"type\":\"us".to_vec()), "{kept:?}");
}

#[test]
fn a_file_with_other_lines_is_another_content_and_has_the_plain_id() {
    let home = Home::new();
    home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one", "two"]));
    let store = open(&home);
    run_in(&home, &store);
    home.write(
        &format!("{PROJECT}/a.jsonl"),
        lines(&["uno", "two", "three"]),
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.generations, report.sessions, report.sessions_grown),
        (1, 0, 0)
    );
    assert_eq!(
        report.problems[0].reason,
        "is another content of `claude-code:a`; kept beside it as `claude-code:a~2`"
    );
    let ids: Vec<_> = sessions(&store)
        .iter()
        .map(|s| s.key.id().to_owned())
        .collect();
    assert_eq!(
        (ids, sessions(&store)[0].contents),
        (vec!["a".to_owned()], 2)
    );
    let content = |id: &str| content_of(&store, &SessionKey::new("claude-code", id).unwrap());
    assert_eq!(content("a~1"), lines(&["one", "two"]).as_bytes());
    assert_eq!(content("a~2"), content("a"));

    // The new content goes on growing.
    home.write(
        &format!("{PROJECT}/a.jsonl"),
        lines(&["uno", "two", "three", "four"]),
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.generations, report.sessions_grown, report.records),
        (0, 1, 1)
    );
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    let folder = out.join("claude-code/.claude/projects/-w");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("a.jsonl"), lines(&["uno", "two", "three", "four"]));
    let older = out.join(".older/1/claude-code/.claude/projects/-w/a.jsonl");
    assert_eq!(fs::read_to_string(older).unwrap(), lines(&["one", "two"]));
}

#[test]
fn a_file_that_was_only_touched_changes_nothing() {
    let home = Home::new();
    let path = home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one"]) + "{\"torn");
    let store = open(&home);
    run_in(&home, &store);
    set_mtime(&path, 1_000_000_000);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.files, report.unchanged, report.records),
        (1, 0, 0),
        "{report:?}"
    );
    assert_eq!((report.sessions_grown, report.generations), (0, 0));
    assert_eq!(run_in(&home, &store).unchanged, 1);
    assert_eq!(sessions(&store)[0].record_count, 2);
}

#[test]
fn a_file_that_vanished_stays_in_the_store() {
    let home = Home::new();
    let path = home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one"]));
    let store = open(&home);
    run_in(&home, &store);
    fs::remove_file(path).unwrap();
    let report = run_in(&home, &store);
    assert_eq!((report.files, report.skipped), (0, 0));
    assert_eq!(
        content_of(&store, &sessions(&store)[0].key),
        says("one").as_bytes()
    );
}

#[test]
fn a_deleted_session_that_is_asked_for_is_imported_anew() {
    let home = Home::new();
    home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one"]));
    let store = open(&home);
    run_in(&home, &store);
    store.delete(&sessions(&store)[0].key).unwrap();
    let report = again_in(&home, &store);
    let came = (report.sessions, report.generations, report.unchanged);
    assert_eq!(came, (1, 0, 0), "{report:?}");
    assert_eq!(sessions(&store)[0].key.id(), "a");
}

#[test]
fn a_session_that_was_appended_to_has_what_its_file_got_since_before_that() {
    let home = Home::new();
    home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one"]));
    let store = open(&home);
    run_in(&home, &store);
    let key = sessions(&store)[0].key.clone();
    let line = NewRecord::line(says("mine"));
    store
        .append(&key, scrollback::Expect::Any, None, &[line])
        .unwrap();
    home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one", "two"]));
    let report = run_in(&home, &store);
    assert_eq!(
        (report.generations, report.sessions, report.sessions_grown),
        (0, 0, 1)
    );
    assert_eq!(
        content_of(&store, &key),
        lines(&["one", "two", "mine"]).as_bytes()
    );
}

#[test]
fn sidecars_are_kept_with_their_sessions_in_their_newest_content() {
    let home = Home::new();
    let id = "0a1b2c3d-0000-4000-8000-000000000001";
    home.write(&format!("{PROJECT}/{id}.jsonl"), lines(&["one"]));
    home.write(&format!("{PROJECT}/{id}/tool-results/out.txt"), "first");
    home.write(&format!("{PROJECT}/sessions-index.json"), "{\"version\":1}");
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.files, report.sessions, report.attachments),
        (3, 1, 2),
        "{report:?}"
    );
    let key = sessions(&store)[0].key.clone();
    let name = format!("{id}/tool-results/out.txt");
    assert_eq!(store.attachments(&key).unwrap()[0].name, name);
    assert_eq!(sessions(&store)[0].attachment_count, 1);

    home.write(
        &format!("{PROJECT}/{id}/tool-results/out.txt"),
        "the second one",
    );
    let report = run_in(&home, &store);
    assert_eq!((report.attachments, report.unchanged), (1, 2), "{report:?}");
    let names: Vec<_> = store
        .attachments(&key)
        .unwrap()
        .into_iter()
        .map(|a| a.name)
        .collect();
    assert_eq!(names, std::slice::from_ref(&name));
    assert_eq!(sessions(&store)[0].attachment_count, 1);

    let out = home.path().join("out");
    export_as_lines(&store, &out);
    let folder = out.join("claude-code/.claude/projects/-w");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read(&name), "the second one");
    assert!(!folder.join(name.replace("out.txt", "out~2.txt")).exists());
    assert_eq!(read("sessions-index.json"), "{\"version\":1}");
    assert_eq!(run_in(&home, &store).unchanged, 3);
}

#[test]
fn a_dry_run_reports_the_same_and_writes_nothing() {
    let home = Home::new();
    home.write(
        &format!("{PROJECT}/a.jsonl"),
        lines(&["one", "two"]) + "bad\n",
    );
    home.write(&format!("{PROJECT}/sessions-index.json"), "{}");
    drop(open(&home));
    let options = ImportOptions::default().with_dry_run(true);
    let paths = [home.path().join("in")];
    let dry = {
        let store = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
        import(&store, &paths, &options, &mut scrollback::unwatched).unwrap()
    };
    let store = open(&home);
    assert_eq!(sessions(&store).len(), 0);
    let real = run(&store, &paths);
    assert_eq!(dry, real);
    assert_eq!((real.records, real.attachments, real.malformed), (3, 1, 1));
}

#[test]
fn two_imports_at_once_take_every_file_once() {
    let home = Home::new();
    for number in 0..200 {
        home.write(
            &format!("{PROJECT}/{number}.jsonl"),
            lines(&["one", "two"]).repeat(50),
        );
        home.write(
            &format!("in/.gemini/tmp/p/chats/session-{number}.json"),
            format!("{{\"sessionId\":\"{number}\",\"messages\":[]}}"),
        );
    }
    let store = open(&home);
    let paths = [home.path().join("in")];
    let options = ImportOptions::default();
    let reports: Vec<ImportReport> = std::thread::scope(|scope| {
        let work = || import(&store, &paths, &options, &mut scrollback::unwatched).unwrap();
        let both = [scope.spawn(work), scope.spawn(work)];
        both.map(|one| one.join().unwrap()).into()
    });
    assert_eq!(
        reports.iter().map(|report| report.sessions).sum::<u64>(),
        400,
        "{reports:?}"
    );
    assert_eq!(store.stats().unwrap().agents[0].records, 200 * 100);
    assert_eq!(store.stats().unwrap().agents[1].attachments, 200);
    let report = run_in(&home, &store);
    assert_eq!((report.unchanged, report.records), (400, 0));
}

#[test]
fn a_session_that_was_compacted_goes_on_with_its_torn_last_line() {
    let home = Home::new();
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let whole = lines(&texts);
    home.write(&format!("{PROJECT}/a.jsonl"), &whole[..whole.len() - 20]);
    let store = open(&home);
    run_in(&home, &store);
    let key = sessions(&store)[0].key.clone();
    store.truncate(&key, 2).unwrap();
    assert!(store.compact(&key, None, None).unwrap().records > 0);
    home.write(&format!("{PROJECT}/a.jsonl"), whole.clone() + &says("more"));
    let report = run_in(&home, &store);
    assert_eq!(
        (report.generations, report.sessions_grown, report.skipped),
        (0, 1, 0),
        "{report:?}"
    );
    let content = String::from_utf8(content_of(&store, &key)).unwrap();
    let last: Vec<&str> = content.lines().rev().take(2).collect();
    assert_eq!(last, [says("more").trim_end(), says("49").trim_end()]);
    assert_eq!(sessions(&store)[0].malformed_count, 0);
}
