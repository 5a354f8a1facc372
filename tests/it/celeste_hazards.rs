//! What went wrong in celeste, each a test that shows it cannot happen here. The numbers are those
//! of the hazards in the specification of the package.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::TimeDelta;
use scrollback::celeste::{LogEntry, Project};
use scrollback::{
    Error, ListQuery, Message, Options, PropertiesChange, RedbStore, Store, StoreExt,
};

use crate::celeste::{WEBSHOP, entry, ids, key, lines_of, memory, noon, stored_by_import, webshop};
use crate::harness::Home;

/// Tells a process that it is one that resumes a session.
const PROCESS: &str = "SCROLLBACK_TEST_CELESTE";
const TURNS: usize = 30;

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
    home.import("in");
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

#[test]
fn hazard_2_5_5_two_processes_resuming_one_session_lose_and_tear_nothing() {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let line = entry("user", "first", "2026-04-03T11:30:00+02:00");
    stored_by_import(&store, WEBSHOP, "1", &[line]);
    let start = |name: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "celeste_hazards::resuming_process", "--ignored"])
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
    let texts: Vec<_> = session.messages.iter().map(Message::plain_text).collect();
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
        home.import("in");
        let summaries = home.summaries();
        summaries
            .iter()
            .map(|summary| format!("{} {:?}", summary.key.id(), summary.updated_at))
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
    let of_path = ListQuery::default().with_project(root.join("shop").to_str().unwrap().to_owned());
    let found = store.list(&of_path).unwrap().sessions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key.id(), id);
    // A folder that moves is told to its sessions.
    let moved = PropertiesChange::default().with_project("/home/dev/webshop");
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
    home.import("in [x]*");
    assert_eq!(home.summaries()[0].key, key("1"));
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
