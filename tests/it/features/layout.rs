//! One record a line, folders, ids, projects.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use scrollback::celeste::Project;
use scrollback::jcode::Recorder;
use scrollback::provider::Places;
use scrollback::{ImportOptions, ListQuery, RawJson, Session, Store, StoreExt, import};

use super::{WRITTEN, file, key, line, lines, memory, say, texts};
use crate::harness::{Home, export_as_lines};
use crate::providers::{FOLDER, REAL};

#[test]
fn feature_jsonl_one_record_per_line() {
    let store = memory();
    for agent in WRITTEN {
        let key = key(agent, "s");
        say(&*store, &key, "one\ntwo");
        say(&*store, &key, "three");
        let lines = lines(&*store, &key);
        assert!(lines.len() >= 2, "{agent}");
        for line in lines {
            assert_eq!(line.find('\n'), Some(line.len() - 1), "{agent}: {line}");
            assert!(RawJson::parse(line.trim_end()).is_ok(), "{agent}: {line}");
        }
        assert_eq!(texts(&*store, &key), ["one\ntwo", "three"], "{agent}");
    }
}

#[test]
fn feature_append_only_main_file() {
    let store = memory();
    for agent in WRITTEN {
        let key = key(agent, "s");
        say(&*store, &key, "one");
        say(&*store, &key, "two");
        let before = lines(&*store, &key);
        store.truncate(&key, 1).unwrap();
        store.rename(&key, "Another name").unwrap();
        let mut session = store.load(&key).unwrap();
        store.save(&mut session).unwrap();
        say(&*store, &key, "three");
        let after = lines(&*store, &key);
        assert!(after.len() > before.len(), "{agent}");
        assert_eq!(after[..before.len()], before, "{agent}");
    }
}

#[test]
fn feature_default_home_folder() {
    let home = Home::new();
    let files = [
        (
            ".celeste/sessions/8f09a69e9fed88db/1.jsonl",
            line("celeste", "x"),
        ),
        (".ggcode/sessions/a.jsonl", line("ggcode", "x")),
        (
            ".picoclaw/workspace/sessions/k.jsonl",
            line("picoclaw", "x"),
        ),
        (
            ".jcode/sessions/7f9c0000-0000-4000-8000-000000000001.json",
            line("jcode", "x"),
        ),
        (&format!("{FOLDER}/s1.jsonl"), REAL.to_owned()),
    ];
    for (path, content) in files {
        home.write(&format!("home/{path}"), content);
    }
    let store = file(&home);
    let folder = home.path().join("home");
    let homes = [folder.clone()];
    import(
        &store,
        &homes,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    let agents: BTreeSet<&str> = listed.iter().map(|session| session.key.agent()).collect();
    let expected = BTreeSet::from(["celeste", "claude-code", "ggcode", "jcode", "picoclaw"]);
    assert_eq!(agents, expected);
    assert_eq!(
        Places::under(&folder).home("claude-code"),
        Some(folder.join(".claude").as_path())
    );
}

#[test]
fn feature_caller_chosen_folder() {
    for agent in ["celeste", "ggcode", "picoclaw"] {
        let home = Home::new();
        home.write("some where/s.jsonl", line(agent, "x"));
        let store = file(&home);
        let options = ImportOptions::default().with_agent(agent);
        let folder = home.path().join("some where");
        import(&store, &[folder], &options, &mut scrollback::unwatched).unwrap();
        assert_eq!(texts(&store, &key(agent, "s")), ["x"], "{agent}");
    }
}

#[test]
fn feature_caller_chosen_id() {
    let store = memory();
    for agent in WRITTEN {
        for id in ["my id", "telegram:1/2", "../x", "ключ 😀"] {
            say(&*store, &key(agent, id), id);
            assert_eq!(texts(&*store, &key(agent, id)), [id], "{agent}");
        }
    }
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    assert_eq!(listed.len(), 16, "no two ids meet");
}

#[test]
fn feature_project_scope_by_path() {
    let store = memory();
    for (id, project) in [("a", "/w/shop"), ("b", "/w/infra"), ("c", "/w/shop")] {
        let mut session = Session::new(key("ggcode", id));
        session.project = Some(project.to_owned());
        store.save(&mut session).unwrap();
    }
    let query = ListQuery::default().with_project("/w/shop");
    assert_eq!(store.list(&query).unwrap().sessions.len(), 2);
    let latest = store.latest("/w/shop").unwrap().unwrap();
    assert_eq!(latest.key.id(), "c");
    assert!(store.latest("/w/other").unwrap().is_none());
}

#[test]
fn feature_accessors() {
    let store = memory();
    let project = Project::open(store.clone(), "/home/dev/webshop");
    assert_eq!(project.id(), "8f09a69e9fed88db");
    assert_eq!(project.root().to_str(), Some("/home/dev/webshop"));
    assert_eq!(project.session_id(), None);
    let id = project.start();
    assert_eq!(project.session_id(), Some(id));
    let recorder = Recorder::new(store, "/w", "zhipu", "glm-5.2");
    assert_eq!(recorder.key().unwrap(), key("jcode", &recorder.uuid()));
}

#[test]
fn feature_index_file_of_jcode_gets_a_row_for_each_new_session() {
    let home = Home::new();
    let id = "7f9c0000-0000-4000-8000-000000000001";
    let header = format!(
        "{{\"type\":\"session_start\",\"uuid\":\"{id}\",\"project\":\"/w\",\"provider\":\"p\",\
         \"model\":\"m\",\"timestamp\":\"2026-04-03T11:15:00+02:00\"}}\n"
    );
    let old = header + &line("jcode", "old") + "\n";
    home.write(&format!(".jcode/sessions/{id}.json"), &old);
    let row = format!(
        "      {{\n        \"uuid\": \"{id}\",\n        \"project\": \"/w\",\n        \
         \"provider\": \"p\",\n        \"model\": \"m\",\n        \
         \"start_time\": \"2026-04-03T11:15:00+02:00\",\n        \"title\": \"old\"\n      }}"
    );
    let index = format!("{{\n  \"sessions\": {{\n    \"/w\": [\n{row}\n    ]\n  }}\n}}");
    home.write(".jcode/sessions/session.json", &index);
    let store = Arc::new(file(&home));
    let folder = [home.path().join(".jcode")];
    import(
        &*store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    let out = home.path().join("out");
    let export = || export_as_lines(&*store, &out);
    let read = |name: &str| fs::read_to_string(out.join("jcode/sessions").join(name)).unwrap();
    export();
    assert_eq!(
        read("session.json"),
        index,
        "nothing changed, and so no byte"
    );

    let recorder = Recorder::new(store.clone(), "/w", "p", "m");
    recorder.record_user("new").unwrap();
    let new = recorder.uuid();
    let teammate = Recorder::teammate(store.clone(), &new, "bob", "m").unwrap();
    teammate.record_user("review").unwrap();
    export();
    assert_eq!(read(&format!("{id}.json")), old);
    assert!(read(&format!("{new}.json")).ends_with('\n'));
    assert!(read(&format!("{new}/subagents/agent-bob.jsonl")).contains("review"));
    let index = read("session.json");
    assert!(index.contains(&row), "{index}");
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let rows = index["sessions"]["/w"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "a teammate has no row: {index}");
    assert_eq!(
        (&rows[1]["uuid"], &rows[1]["title"]),
        (&new.into(), &"new".into())
    );
}
