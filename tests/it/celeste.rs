//! celeste: `Project` in place of its `Manager`, and its files. Every semantics of the package and
//! every hazard of it has a test named after it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scrollback::{
    Block, Error, Expect, ListQuery, LogEntry, MemoryStore, NewRecord, Options, Project,
    PropertiesChange, RecordKind, RedbStore, Role, ScanQuery, SessionKey, Store, StoreExt,
};

use crate::harness::Home;

/// The project id of `/home/dev/webshop`, as celeste computes it.
const WEBSHOP: &str = "8f09a69e9fed88db";

const PROCESS: &str = "SCROLLBACK_TEST_CELESTE";
const TURNS: usize = 30;

fn noon() -> DateTime<Utc> {
    "2026-04-03T12:00:00Z".parse().unwrap()
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

fn key(id: &str) -> SessionKey {
    SessionKey::new("celeste", id).unwrap()
}

/// A project outside of git, at a fixed time.
fn webshop(store: &Arc<dyn Store>) -> Project {
    Project::open(Arc::clone(store), "/home/dev/webshop").with_clock(noon)
}

fn entry(kind: &str, content: &str, time: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"content\":\"{content}\",\"timestamp\":\"{time}\"}}\n")
}

/// Stores a session as an import from celeste's folder does: under the project's id.
fn stored_by_import(store: &dyn Store, project: &str, id: &str, lines: &[String]) {
    let records: Vec<_> = lines
        .iter()
        .map(|line| NewRecord::line(line.as_str()))
        .collect();
    store.append(&key(id), Expect::Any, None, &records).unwrap();
    let change = PropertiesChange {
        project: Some(Some(project.to_owned())),
        ..PropertiesChange::default()
    };
    store.update_properties(&key(id), &change).unwrap();
}

fn lines_of(store: &dyn Store, id: &str) -> Vec<String> {
    store
        .records(&key(id), ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

fn ids(project: &Project) -> Vec<String> {
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
    let call = LogEntry {
        time: Some(time),
        ..LogEntry::new("tool_call", "{\"cmd\":\"ls\"}").of_tool("bash", "call_1")
    };
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
    let texts: Vec<_> = texts.iter().map(|message| message.plain_text()).collect();
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
    stored_by_import(&*store, WEBSHOP, "b", &[tie.clone()]);
    stored_by_import(&*store, "/home/dev/webshop", "a", &[tie.clone()]);
    stored_by_import(&*store, WEBSHOP, "early", &[early]);
    stored_by_import(&*store, WEBSHOP, "c", &[tie.clone()]);
    stored_by_import(&*store, "/home/dev/other", "other", &[tie.clone()]);
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
fn hazard_2_5_1_a_line_of_any_length_is_resumed_listed_and_counted() {
    let store = memory();
    let project = webshop(&store);
    let id = project.start();
    project.log_turn("user", "edge").unwrap();
    project
        .log_entry(&LogEntry::new("tool_result", "x".repeat(3 << 20)))
        .unwrap();
    project.log_turn("assistant", "done").unwrap();
    let project = webshop(&store);
    assert_eq!(project.resume(&id).unwrap().messages.len(), 3);
    assert_eq!(project.list().unwrap()[0].record_count, 3);
}

#[test]
fn hazard_2_5_2_a_torn_tail_is_closed_before_the_next_entry() {
    let home = Home::new();
    let cut = "{\"type\":\"assistant\",\"content\":\"this was cut by a cra";
    let first = entry("user", "keep me", "2026-04-03T11:30:00+02:00");
    let path = format!("in/.celeste/sessions/{WEBSHOP}/1.jsonl");
    home.write(&path, format!("{first}{cut}"));
    home.ok(&["import", "in"]);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let project = webshop(&store);
    assert_eq!(project.resume("1").unwrap().messages.len(), 1);
    project.log_turn("user", "after").unwrap();
    let after = entry("user", "after", "2026-04-03T12:00:00Z");
    let all = lines_of(&*store, "1").concat();
    assert_eq!(all, format!("{first}{cut}\n{after}"));
    assert_eq!(project.resume("1").unwrap().messages.len(), 2);
}

#[test]
fn hazard_2_5_3_titles_are_not_cut_inside_a_character() {
    let store = memory();
    let project = webshop(&store);
    project.start();
    let said = "a請幫我檢查這個專案的資料庫連線設定是否正確並且說明為什麼會逾時失敗";
    project.log_turn("user", "  \n ").unwrap();
    project.log_turn("user", said).unwrap();
    let title = project.list().unwrap().remove(0).title;
    let start = title.strip_suffix("...").unwrap();
    assert!(
        said.starts_with(start) && start.len() <= 60 && start.len() > 57,
        "{title}"
    );
}

#[test]
fn hazard_2_5_4_an_id_is_a_name_and_no_path() {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let project = Project::open(Arc::new(store), home.path());
    let before = fs::read_dir(home.path()).unwrap().count();
    for id in ["../../x", "/etc/passwd", "..", "a/b", "資料 \u{7}"] {
        assert!(
            matches!(project.resume(id), Err(Error::NotFound { .. })),
            "{id}"
        );
        assert!(matches!(
            project.log_turn("user", "x"),
            Err(Error::NoSession)
        ));
    }
    assert!(matches!(project.resume(""), Err(Error::InvalidKey { .. })));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), before);
}

#[test]
fn hazard_2_5_4_any_id_that_is_there_is_resumed() {
    let store = memory();
    let project = webshop(&store);
    for id in ["../../x", "sess.with dots & space"] {
        let line = entry("user", "custom", "2026-04-03T11:30:00+02:00");
        stored_by_import(&*store, WEBSHOP, id, &[line]);
        project.resume(id).unwrap();
        project.log_turn("user", "more").unwrap();
        assert_eq!(lines_of(&*store, id).len(), 2);
    }
}

#[test]
#[ignore = "a process, started by the test below"]
fn resuming_process() {
    let Some(name) = std::env::var_os(PROCESS) else {
        return;
    };
    let name = name.into_string().unwrap();
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(path, Options::default()).unwrap());
    let project = Project::open(store, "/home/dev/webshop");
    project.resume("1").unwrap();
    for turn in 0..TURNS {
        project.log_turn("user", &format!("{name} {turn}")).unwrap();
    }
}

#[cfg(feature = "shared")]
#[test]
fn hazard_2_5_5_two_processes_resuming_one_session_lose_and_tear_nothing() {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let line = entry("user", "first", "2026-04-03T11:30:00+02:00");
    stored_by_import(&store, WEBSHOP, "1", &[line]);
    let start = |name: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "celeste::resuming_process", "--ignored"])
            .env(PROCESS, name)
            .env("SCROLLBACK_STORE", home.store_path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    for mut process in [start("a"), start("b")] {
        assert!(process.wait().unwrap().success());
    }
    let session = store.load(&key("1")).unwrap();
    let texts: Vec<_> = session
        .messages
        .iter()
        .map(|message| message.plain_text())
        .collect();
    assert_eq!(texts.len(), 1 + 2 * TURNS);
    for name in ["a", "b"] {
        let own: Vec<_> = texts
            .iter()
            .filter(|text| text.starts_with(&format!("{name} ")))
            .collect();
        let expected: Vec<_> = (0..TURNS).map(|turn| format!("{name} {turn}")).collect();
        assert!(own.into_iter().eq(&expected), "all, and in order");
    }
}

#[test]
fn hazard_2_5_6_copying_and_touching_files_reorders_nothing() {
    let home = Home::new();
    let old = entry("user", "old", "2026-04-01T11:30:00+02:00");
    let new = entry("user", "new", "2026-04-02T11:30:00+02:00");
    home.write(&format!("in/.celeste/sessions/{WEBSHOP}/new.jsonl"), new);
    home.write(&format!("in/.celeste/sessions/{WEBSHOP}/old.jsonl"), old);
    let list = |home: &Home| -> Vec<String> {
        home.ok(&["import", "in"]);
        let rows = home.ok(&["list", "--json"]);
        rows.lines()
            .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
            .map(|row| {
                format!(
                    "{} {}",
                    row["id"].as_str().unwrap(),
                    row["updated_at"].as_str().unwrap()
                )
            })
            .collect()
    };
    let expected = ["new 2026-04-02T09:30:00Z", "old 2026-04-01T09:30:00Z"];
    assert_eq!(list(&home), expected);
    let path = home
        .path()
        .join(format!("in/.celeste/sessions/{WEBSHOP}/old.jsonl"));
    let content = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, content).unwrap();
    assert_eq!(list(&home), expected);
}

#[test]
fn hazard_2_5_7_starting_leaves_nothing_behind() {
    let store = memory();
    let project = webshop(&store);
    project.start();
    project.start();
    let id = project.start();
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions, []);
    project.log_turn("user", "x").unwrap();
    assert_eq!(ids(&project), [id]);
    project.start();
    project.close();
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 1);
}

#[test]
fn hazard_2_5_8_the_projects_path_can_be_listed_back() {
    let home = Home::new();
    let root = home.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("shop/.git")).unwrap();
    fs::create_dir_all(root.join("shop/src")).unwrap();
    let store = memory();
    let project = Project::open(Arc::clone(&store), root.join("shop/src"));
    let id = project.start();
    project.log_turn("user", "x").unwrap();
    let of_path = ListQuery {
        project: Some(root.join("shop").to_str().unwrap().to_owned()),
        ..ListQuery::default()
    };
    let found = store.list(&of_path).unwrap().sessions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key.id(), id);
    // A folder that moves is told to its sessions.
    let moved = PropertiesChange {
        project: Some(Some("/home/dev/webshop".to_owned())),
        ..PropertiesChange::default()
    };
    store.update_properties(&found[0].key, &moved).unwrap();
    assert_eq!((ids(&project).len(), ids(&webshop(&store))), (0, vec![id]));
}

#[test]
fn hazard_2_5_9_brackets_and_stars_in_a_path_are_letters() {
    let home = Home::new();
    let root = home.path().canonicalize().unwrap().join("a[1] *?");
    fs::create_dir_all(root.join(".git")).unwrap();
    let store = memory();
    let project = Project::open(Arc::clone(&store), &root);
    let id = project.start();
    project.log_turn("user", "x").unwrap();
    assert_eq!(project.root(), root);
    assert_eq!(ids(&project), [id]);
    home.write(
        &format!("in [x]*/.celeste/sessions/{WEBSHOP}/1.jsonl"),
        entry("user", "x", "2026-04-01T11:30:00+02:00"),
    );
    home.ok(&["import", "in [x]*"]);
    assert!(home.ok(&["list", "--agent", "celeste"]).contains("1 "));
}

#[test]
fn hazard_2_5_10_sessions_are_deleted_cleaned_up_exported_and_described() {
    let store = memory();
    let project = webshop(&store);
    let (one, two) = (project.start(), project.start());
    project.log_turn("user", "x").unwrap();
    project.resume(&two).unwrap();
    assert!(project.resume(&one).is_err(), "nothing was stored of it");
    let mut markdown = Vec::new();
    store.export_markdown(&key(&two), &mut markdown).unwrap();
    assert!(String::from_utf8(markdown).unwrap().contains("## User"));
    store.rename(&key(&two), "Named").unwrap();
    assert_eq!(project.list().unwrap()[0].title, "Named");
    let removed = store
        .cleanup_older_than(noon() + TimeDelta::seconds(1))
        .unwrap();
    assert_eq!(removed.sessions, 1);
    assert_eq!(ids(&project), [""; 0]);
    assert!(matches!(
        store.delete(&key(&two)),
        Err(Error::NotFound { .. })
    ));
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
