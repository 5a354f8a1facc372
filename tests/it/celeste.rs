//! celeste: `Project` in place of its `Manager`. Every semantics of the package has a test named
//! after it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scrollback::celeste::{LogEntry, Project};
use scrollback::{
    Block, Error, Expect, MemoryStore, Message, NewRecord, Options, PropertiesChange, RecordKind,
    RedbStore, Role, ScanQuery, SessionKey, Store, StoreExt,
};

use crate::harness::Home;

/// The project id of `/home/dev/webshop`, as celeste computes it.
pub(crate) const WEBSHOP: &str = "8f09a69e9fed88db";

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-04-03T12:00:00Z".parse().unwrap()
}

pub(crate) fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

pub(crate) fn key(id: &str) -> SessionKey {
    SessionKey::new("celeste", id).unwrap()
}

/// A project outside of git, at a fixed time.
pub(crate) fn webshop(store: &Arc<dyn Store>) -> Project {
    Project::open(Arc::clone(store), "/home/dev/webshop").with_clock(noon)
}

pub(crate) fn entry(kind: &str, content: &str, time: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"content\":\"{content}\",\"timestamp\":\"{time}\"}}\n")
}

/// Stores a session as an import from celeste's folder does: under the project's id.
pub(crate) fn stored_by_import(store: &dyn Store, project: &str, id: &str, lines: &[String]) {
    let records: Vec<_> = lines
        .iter()
        .map(|line| NewRecord::line(line.as_str()))
        .collect();
    store.append(&key(id), Expect::Any, None, &records).unwrap();
    let change = PropertiesChange::default().with_project(project);
    store.update_properties(&key(id), &change).unwrap();
}

pub(crate) fn lines_of(store: &dyn Store, id: &str) -> Vec<String> {
    store
        .records(&key(id), ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

pub(crate) fn ids(project: &Project) -> Vec<String> {
    let list = project.list().unwrap();
    list.iter()
        .map(|summary| summary.key.id().to_owned())
        .collect()
}

#[test]
fn project_scope_by_hash_of_git_root() {
    let home = Home::new();
    let root = home.path().canonicalize().unwrap().join("shop");
    let deep = root.join("src/deep");
    fs::create_dir_all(&deep).unwrap();
    let outside = Project::open(memory(), &deep);
    assert_eq!(outside.root(), deep);
    fs::create_dir(root.join(".git")).unwrap();
    let project = Project::open(memory(), &deep);
    assert_eq!(project.root(), root);
    assert_eq!(project.id(), Project::open(memory(), &root).id());
    assert_ne!(project.id(), outside.id());
    assert_eq!(webshop(&memory()).id(), WEBSHOP, "as celeste computes it");
}

#[test]
fn a_work_tree_of_its_own_is_a_project_of_its_own() {
    let home = Home::new();
    let root = home.path().canonicalize().unwrap();
    for folder in ["main/.git", "main/src", "linked/src", "main/module/src"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    home.write("linked/.git", "gitdir: ../main/.git/worktrees/linked\n");
    home.write("main/module/.git", "gitdir: ../.git/modules/module\n");
    let of = |folder: &str| Project::open(memory(), root.join(folder)).root().to_owned();
    assert_eq!(of("main/src"), root.join("main"));
    assert_eq!(of("linked/src"), root.join("linked"));
    assert_eq!(of("main/module/src"), root.join("main/module"));
}

#[test]
fn the_root_is_what_git_says_it_is() {
    let home = Home::new();
    let root = home.path().canonicalize().unwrap().join("repository");
    let git = |arguments: &[&str], folder: &Path| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(folder)
            .output()
            .ok()?;
        let said = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        output.status.success().then_some(said)
    };
    fs::create_dir_all(root.join("a [b]/c")).unwrap();
    if git(&["init", "-q"], &root).is_none() {
        println!("no git here: nothing to compare with");
        return;
    }
    for folder in [
        root.clone(),
        root.join("a [b]/c"),
        home.path().to_owned(),
        root.join(".git"),
    ] {
        let said = git(&["rev-parse", "--show-toplevel"], &folder);
        let expected = said.map_or_else(|| folder.clone(), Into::into);
        assert_eq!(
            Project::open(memory(), &folder).root(),
            expected,
            "{folder:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn links_are_resolved_in_git_and_kept_outside_of_it() {
    let home = Home::new();
    let root = home.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("real/sub")).unwrap();
    std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
    let through = root.join("link/sub");
    assert_eq!(
        Project::open(memory(), &through).root(),
        through,
        "as it is given"
    );
    assert_eq!(
        Project::open(memory(), "not/there").root(),
        Path::new("not/there")
    );
    fs::create_dir(root.join("real/.git")).unwrap();
    assert_eq!(Project::open(memory(), &through).root(), root.join("real"));
}

#[test]
fn accessors_for_folder_project_id_session_id() {
    let store = memory();
    let project = webshop(&store);
    assert_eq!(project.session_id(), None);
    let id = project.start();
    assert_eq!(project.session_id(), Some(id.clone()));
    project.log_turn("user", "x").unwrap();
    project.close();
    assert_eq!(project.session_id(), Some(id));
    assert_eq!(project.root(), Path::new("/home/dev/webshop"));
}

#[test]
fn generated_id_is_the_time_in_nanoseconds_and_unique_within_a_tick() {
    let store = memory();
    let (one, two) = (webshop(&store), webshop(&store));
    let made: Vec<String> = (0..500).flat_map(|_| [one.start(), two.start()]).collect();
    let mut distinct = made.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), made.len());
    let tick = noon().timestamp_nanos_opt().unwrap();
    for id in made {
        // What passes the end of a tick goes on behind it.
        let since = id.parse::<i64>().unwrap() - tick;
        assert!((0..2_000_000).contains(&since), "{id}");
    }
}

#[test]
fn an_id_that_somebody_took_meanwhile_is_not_shared() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    let taken = entry("user", "somebody else's", "2026-04-03T12:00:00Z");
    stored_by_import(&*store, "/elsewhere", &id, &[taken]);
    project.log_turn("user", "mine").unwrap();
    let own = project.session_id().unwrap();
    assert_ne!(own, id);
    assert_eq!(
        (lines_of(&*store, &id).len(), lines_of(&*store, &own).len()),
        (1, 1)
    );
}

#[test]
fn log_turn_writes_celestes_line() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    project.log_turn("user", "Which <port>?").unwrap();
    project.log_turn("assistant", "").unwrap();
    assert_eq!(
        lines_of(&*store, &id),
        [
            entry("user", "Which <port>?", "2026-04-03T12:00:00Z"),
            entry("assistant", "", "2026-04-03T12:00:00Z"),
        ]
    );
    let session = store.load(&key(&id)).unwrap();
    assert_eq!(session.messages[0].role, Role::User);
    assert_eq!(session.project.as_deref(), Some("/home/dev/webshop"));
}

#[test]
fn tool_call_and_result_linked_by_id() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    let time = "2026-04-03T11:30:02.5Z".parse().unwrap();
    let call = LogEntry::new("tool_call", "{\"cmd\":\"ls\"}")
        .of_tool("bash", "call_1")
        .at(time);
    project.log_entry(&call).unwrap();
    let result = LogEntry::new("tool_result", "a.rs").of_tool("bash", "call_1");
    project.log_entry(&result).unwrap();
    assert_eq!(
        lines_of(&*store, &id)[0],
        "{\"type\":\"tool_call\",\"content\":\"{\\\"cmd\\\":\\\"ls\\\"}\",\"tool_name\":\"bash\",\
         \"tool_id\":\"call_1\",\"timestamp\":\"2026-04-03T11:30:02.5Z\"}\n"
    );
    let blocks: Vec<Block> = store
        .load(&key(&id))
        .unwrap()
        .messages
        .into_iter()
        .flat_map(|m| m.content)
        .collect();
    let [
        Block::ToolUse { id: called, .. },
        Block::ToolResult { id: answered, .. },
    ] = &blocks[..]
    else {
        panic!("{blocks:?}")
    };
    assert_eq!((called.as_deref(), called), (Some("call_1"), answered));
}

#[test]
fn errors_returned_from_writes_without_a_session() {
    let project = webshop(&memory());
    assert!(matches!(
        project.log_turn("user", "x"),
        Err(Error::NoSession)
    ));
    project.close();
    assert!(matches!(
        project.log_turn("user", "x"),
        Err(Error::NoSession)
    ));
    let id = project.start();
    project.log_turn("user", "x").unwrap();
    project.close();
    project.close();
    let Err(Error::Closed { key }) = project.log_turn("user", "y") else {
        panic!("logged after close")
    };
    assert_eq!(key.id(), id);
    project.resume(&id).unwrap();
    project.log_turn("user", "y").unwrap();
}

#[test]
fn ephemeral_types_are_dropped_on_write_only() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    for kind in ["progress", "typing", "ping"] {
        project.log_entry(&LogEntry::new(kind, "50%")).unwrap();
    }
    assert_eq!(ids(&project), [""; 0], "not even a session");
    project.log_turn("user", "x").unwrap();
    project.log_turn("typing", "x").unwrap();
    project.log_entry(&LogEntry::new("mood", "good")).unwrap();
    let time = "2026-04-03T12:00:01Z";
    let found = NewRecord::line(entry("progress", "50%", time));
    store
        .append(&key(&id), Expect::Any, None, &[found])
        .unwrap();
    let kinds: Vec<_> = store
        .records(&key(&id), ScanQuery::default())
        .map(|record| record.unwrap().header.kind)
        .collect();
    assert_eq!(
        kinds,
        [RecordKind::Message, RecordKind::Unknown, RecordKind::Event]
    );
    let summary = &project.list().unwrap()[0];
    assert_eq!(
        (summary.record_count, summary.message_count),
        (3, 1),
        "read and counted"
    );
}

#[test]
fn resume_and_append_goes_on_behind_what_is_there() {
    let store = memory();
    let id = {
        let project = webshop(&store);
        let id = project.start();
        project.log_turn("user", "one").unwrap();
        id
    };
    let project = webshop(&store);
    let before = project.resume(&id).unwrap();
    assert_eq!(before.messages[0].plain_text(), "one");
    assert_eq!(project.session_id(), Some(id.clone()));
    project.log_turn("user", "two").unwrap();
    let texts: Vec<_> = store.load(&key(&id)).unwrap().messages;
    let texts: Vec<_> = texts.iter().map(Message::plain_text).collect();
    assert_eq!(texts, ["one", "two"]);
}

#[test]
fn a_session_of_another_project_is_not_resumed() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    project.log_turn("user", "x").unwrap();
    let other = Project::open(Arc::clone(&store), "/home/dev/other");
    let own = other.start();
    assert!(matches!(other.resume(&id), Err(Error::NotFound { .. })));
    assert_eq!(other.session_id(), Some(own), "the session before stays");
}

#[test]
fn most_recent_younger_than_max_age() {
    let store = memory();
    let clock = Arc::new(AtomicI64::new(noon().timestamp()));
    let hand = Arc::clone(&clock);
    let project = Project::open(Arc::clone(&store), "/home/dev/webshop")
        .with_clock(move || DateTime::from_timestamp(hand.load(Ordering::Relaxed), 0).unwrap());
    let recent = |seconds| {
        let found = project.recent(Duration::from_secs(seconds)).unwrap();
        found.map(|summary| summary.key.id().to_owned())
    };
    assert_eq!(recent(3600), None);
    let old = project.start();
    project.log_turn("user", "old").unwrap();
    clock.fetch_add(100, Ordering::Relaxed);
    assert_eq!(recent(100), Some(old.clone()), "an equal age qualifies");
    assert_eq!(recent(99), None);
    assert_eq!(recent(0), None);
    let new = project.start();
    assert_eq!(recent(100), Some(old), "nothing is stored of the new one");
    project.log_turn("user", "new").unwrap();
    assert_eq!(recent(100), Some(new.clone()));
    assert_eq!(recent(0), None, "not even one of this moment");
    assert_eq!(recent(u64::MAX), Some(new));
}

#[test]
fn list_sessions_newest_first_with_stable_ties() {
    let store = memory();
    let project = webshop(&store);
    let early = entry("user", "early", "2026-04-01T09:00:00Z");
    let tie = entry("user", "tie", "2026-04-02T09:00:00Z");
    stored_by_import(&*store, WEBSHOP, "b", std::slice::from_ref(&tie));
    stored_by_import(
        &*store,
        "/home/dev/webshop",
        "a",
        std::slice::from_ref(&tie),
    );
    stored_by_import(&*store, WEBSHOP, "early", &[early]);
    stored_by_import(&*store, WEBSHOP, "c", std::slice::from_ref(&tie));
    stored_by_import(
        &*store,
        "/home/dev/other",
        "other",
        std::slice::from_ref(&tie),
    );
    stored_by_import(&*store, &format!("/x/{WEBSHOP}"), "namesake", &[tie]);
    let own = project.start();
    project.log_turn("user", "own").unwrap();
    for _ in 0..3 {
        assert_eq!(ids(&project), [own.as_str(), "c", "a", "b", "early"]);
    }
    let list = project.list().unwrap();
    assert_eq!(list[4].title, "early");
    assert_eq!(list[4].created_at.to_rfc3339(), "2026-04-01T09:00:00+00:00");
    assert_eq!(list[4].record_count, 1);
}

#[test]
fn lists_longer_than_a_page_are_whole() {
    let store = memory();
    for number in 0..230 {
        let time = (noon() + TimeDelta::seconds(number)).to_rfc3339();
        let lines = [entry("user", "x", &time)];
        let project = if number % 3 == 0 {
            WEBSHOP
        } else {
            "/home/dev/webshop"
        };
        stored_by_import(&*store, project, &number.to_string(), &lines);
    }
    let expected: Vec<String> = (0..230).rev().map(|number| number.to_string()).collect();
    assert_eq!(ids(&webshop(&store)), expected);
}

#[test]
fn an_imported_session_that_is_resumed_gets_the_projects_path() {
    let store = memory();
    let line = entry("user", "x", "2026-04-02T09:00:00Z");
    stored_by_import(&*store, WEBSHOP, "1", &[line]);
    let project = webshop(&store);
    project.resume("1").unwrap();
    let stated = || store.summary(&key("1")).unwrap().project;
    assert_eq!(
        stated().as_deref(),
        Some(WEBSHOP),
        "reading changes nothing"
    );
    project.log_turn("assistant", "y").unwrap();
    assert_eq!(stated().as_deref(), Some("/home/dev/webshop"));
    assert_eq!(ids(&project), ["1"]);
}

#[test]
fn in_process_locking_keeps_entries_of_threads_whole() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let project = &project;
            scope.spawn(move || {
                for turn in 0..25 {
                    project
                        .log_turn("user", &format!("{thread} {turn}"))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(lines_of(&*store, &id).len(), 100);
    assert_eq!(ids(&project), [id], "one session, whoever was first");
}

#[test]
fn an_entry_that_failed_is_not_stored_twice() {
    let home = Home::new();
    let path = home.store_path();
    drop(RedbStore::open(&path, Options::default()).unwrap());
    let read_only: Arc<dyn Store> =
        Arc::new(RedbStore::open_read_only(&path, Options::default()).unwrap());
    let failing = webshop(&read_only);
    let id = failing.start();
    assert!(matches!(
        failing.log_turn("user", "x"),
        Err(Error::ReadOnly { .. })
    ));
    assert_eq!(failing.session_id(), Some(id));
    assert_eq!(ids(&failing), [""; 0]);
}

#[test]
fn paths_that_a_store_would_change_are_found_again() {
    let store = memory();
    let long = format!("/{}", "x".repeat(2000));
    for folder in ["", ".", "/", "/not/there/", "relative/folder", &long] {
        let project = Project::open(Arc::clone(&store), folder).with_clock(noon);
        let root = project.root().to_owned();
        if root != Path::new(folder) {
            continue; // This test runs within a work tree.
        }
        let id = project.start();
        project.log_turn("user", "x").unwrap();
        assert_eq!(ids(&project), [id], "{folder:?}");
    }
}

#[test]
fn a_project_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let project = webshop(&memory());
    shared(&project);
    shared(&Mutex::new(project));
}
